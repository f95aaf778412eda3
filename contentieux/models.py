"""Le dossier contentieux : une décision humaine, ses pièces, sa procédure."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from clients.models import Client
from factures.models import Echeance, Facture
from recouvrement.commun.champs import ChampMontant
from recouvrement.commun.modeles import Horodate
from recouvrement.comptes.droits import filtre_portefeuille
from recouvrement.comptes.models import Societe
from relances.models import Courrier


class DossierQuerySet(models.QuerySet):
    def visibles_pour(self, user):
        return self.filter(filtre_portefeuille(user, "societe_id", "client__gestionnaire_id"))

    def en_cours(self):
        return self.filter(clos_le=None)


class DossierContentieux(Horodate):
    class Statut(models.TextChoices):
        """États de `domaine.procedure.Etat`, et la clôture, qu'une personne décide."""

        EN_PREPARATION = "en_preparation", _("En préparation")
        REQUETE_DEPOSEE = "requete_deposee", _("Requête déposée")
        REJETEE = "rejetee", _("Requête rejetée")
        CADUQUE = "caduque", _("Demande caduque")
        ORDONNANCE = "ordonnance", _("Ordonnance rendue")
        NON_AVENUE = "non_avenue", _("Ordonnance non avenue")
        SIGNIFIEE = "signifiee", _("Ordonnance signifiée")
        OPPOSITION = "opposition", _("Opposition")
        INSTANCE = "instance", _("Instance au fond")
        JUGEMENT = "jugement", _("Jugement")
        EXECUTOIRE = "executoire", _("Titre exécutoire")
        SAISIE = "saisie", _("Saisie")
        MANDATEMENT_DEMANDE = "mandatement_demande", _("Mandatement demandé")
        ORDONNATEUR_REQUIS = "ordonnateur_requis", _("Ordonnateur mis en demeure")
        MANDATEE = "mandatee", _("Mandatée")
        CLOS = "clos", _("Clos")

    class Juridiction(models.TextChoices):
        COMMERCE = "commerce", _("Tribunal de commerce")
        TAE = "tae", _("Tribunal des activités économiques")
        CHAMBRE_COMMERCIALE = "chambre_commerciale", _("Chambre commerciale du tribunal judiciaire")
        JUDICIAIRE = "judiciaire", _("Tribunal judiciaire")

    class Voie(models.TextChoices):
        """Une personne publique ne se poursuit jamais par injonction (droit.md § 3)."""

        INJONCTION = "injonction", _("Injonction de payer")
        MANDATEMENT = "mandatement", _("Mandatement d'office")

    societe = models.ForeignKey(Societe, models.PROTECT, related_name="dossiers")
    voie = models.CharField(_("voie"), max_length=20, choices=Voie.choices, default=Voie.INJONCTION)
    # Mandatement : `tribunal` et `tribunal_adresse` sont alors la préfecture, `expose` la preuve du service fait.
    marche = models.CharField(_("marché ou commande"), max_length=160, blank=True)
    delai_ordonnateur_mois = models.PositiveSmallIntegerField(
        _("délai laissé à l'ordonnateur (mois)"), default=1, choices=[(1, _("un mois")), (2, _("deux mois"))]
    )
    client = models.ForeignKey(Client, models.PROTECT, related_name="dossiers")
    reference = models.CharField(_("référence"), max_length=30)
    statut = models.CharField(max_length=20, choices=Statut.choices, default=Statut.EN_PREPARATION)
    devise = models.CharField(max_length=3, default="EUR")
    ouvert_le = models.DateField(_("ouvert le"))
    ouvert_par = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    motif = models.CharField(_("motif"), max_length=250)
    derogation = models.CharField(_("dérogation aux conditions d'ouverture"), max_length=250, blank=True)
    arrete_au = models.DateField(_("décompte arrêté au"))
    juridiction = models.CharField(_("juridiction"), max_length=20, choices=Juridiction.choices, blank=True)
    tribunal = models.CharField(_("tribunal"), max_length=160, blank=True)
    tribunal_adresse = models.CharField(_("adresse du tribunal"), max_length=250, blank=True)
    competence_relue = models.BooleanField(_("compétence relue"), default=False)
    debiteur_representant = models.CharField(_("représentant du débiteur"), max_length=120, blank=True)
    debiteur_capital = models.CharField(_("capital du débiteur"), max_length=40, blank=True)
    debiteur_rcs = models.CharField(_("RCS du débiteur"), max_length=60, blank=True)
    expose = models.TextField(_("exposé des faits"), blank=True)
    contestations = models.TextField(_("contestations connues"), blank=True)
    renvoi = models.CharField(_("renvoi en cas d'opposition"), max_length=160, blank=True)
    pouvoir = models.CharField(_("signataire ayant reçu pouvoir"), max_length=200, blank=True)
    nature_creance = models.CharField(_("nature de la créance"), max_length=40, blank=True)  # prescription.csv
    prescription_relue_le = models.DateField(_("prescription relue le"), null=True, blank=True)
    requete_chemin = models.CharField(max_length=120, blank=True)
    requete_empreinte = models.CharField(max_length=64, blank=True)
    requete_le = models.DateField(_("projet de requête du"), null=True, blank=True)
    depose_le = models.DateField(_("requête déposée le"), null=True, blank=True)
    ordonnance_le = models.DateField(_("ordonnance du"), null=True, blank=True)
    signifiee_le = models.DateField(_("signifiée le"), null=True, blank=True)
    signifiee_a_personne = models.BooleanField(_("signifiée à personne"), null=True, blank=True)
    opposition_le = models.DateField(_("opposition du"), null=True, blank=True)
    clos_le = models.DateField(_("clos le"), null=True, blank=True)
    issue = models.CharField(_("issue"), max_length=200, blank=True)

    objects = DossierQuerySet.as_manager()

    class Meta:
        verbose_name = _("dossier contentieux")
        verbose_name_plural = _("dossiers contentieux")
        ordering = ["-ouvert_le", "-pk"]
        constraints = [
            models.UniqueConstraint(fields=["societe", "reference"], name="dossier_reference_unique"),
            models.CheckConstraint(condition=~Q(statut="clos") | Q(clos_le__isnull=False), name="dossier_clos_date"),
        ]

    def __str__(self):
        return self.reference

    def get_absolute_url(self):
        return reverse("contentieux:fiche", args=[self.societe.code, self.reference])


class DossierEcheance(models.Model):
    """Échéance confiée à un dossier : hors de l'échelle, toujours dans l'encours (exigence 35)."""

    dossier = models.ForeignKey(DossierContentieux, models.CASCADE, related_name="lignes")
    echeance = models.ForeignKey(Echeance, models.PROTECT, related_name="dossiers")
    active = models.BooleanField(default=True)
    reste_du_a_l_ouverture = ChampMontant(default=0)

    class Meta:
        verbose_name = _("échéance du dossier")
        constraints = [
            models.UniqueConstraint(fields=["echeance"], condition=Q(active=True), name="echeance_un_dossier_actif")
        ]

    def __str__(self):
        return f"{self.dossier_id}/{self.echeance_id}"


class Piece(models.Model):
    """Pièce numérotée du bordereau ; un fichier rangé par empreinte, ou la place qu'il doit prendre."""

    class Genre(models.TextChoices):
        CONTRAT = "contrat", _("Contrat, commande ou CGV acceptées")
        FACTURE = "facture", _("Facture")
        LIVRAISON = "livraison", _("Bon de livraison ou compte rendu")
        RELANCE = "relance", _("Relance")
        MISE_EN_DEMEURE = "mise_en_demeure", _("Mise en demeure")
        AVIS_RECEPTION = "avis_reception", _("Avis de réception")
        DECOMPTE = "decompte", _("Décompte")
        KBIS = "kbis", _("Extrait Kbis du débiteur")
        AUTRE = "autre", _("Autre")

    dossier = models.ForeignKey(DossierContentieux, models.CASCADE, related_name="pieces")
    numero = models.PositiveSmallIntegerField(_("numéro"))
    genre = models.CharField(max_length=20, choices=Genre.choices)
    designation = models.CharField(_("désignation"), max_length=200)
    date = models.DateField(_("date"), null=True, blank=True)
    pages = models.PositiveSmallIntegerField(_("pages"), default=0)
    chemin = models.CharField(max_length=120, blank=True)
    empreinte = models.CharField(max_length=64, blank=True)
    type_mime = models.CharField(max_length=60, blank=True)
    nom_fichier = models.CharField(_("nom du fichier"), max_length=160, blank=True)
    courrier = models.ForeignKey(Courrier, models.PROTECT, null=True, blank=True, related_name="+")
    echeance = models.ForeignKey(Echeance, models.PROTECT, null=True, blank=True, related_name="+")
    obligatoire = models.BooleanField(default=False)
    dispense = models.CharField(_("motif pour s'en passer"), max_length=200, blank=True)
    ajoutee_par = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        verbose_name = _("pièce")
        ordering = ["numero"]
        constraints = [models.UniqueConstraint(fields=["dossier", "numero"], name="piece_numero_unique")]

    def __str__(self):
        return f"{self.numero}. {self.designation}"

    @property
    def manque(self) -> bool:
        """Ni fichier, ni motif pour s'en passer ; le décompte se calcule et se joint à la requête."""
        return not (self.chemin or self.dispense or self.genre == self.Genre.DECOMPTE)


class Etape(models.Model):
    """Un événement de procédure enregistré par une personne ; une erreur s'annule, rien ne s'efface."""

    dossier = models.ForeignKey(DossierContentieux, models.CASCADE, related_name="etapes")
    evenement = models.CharField(max_length=40)
    le = models.DateField(_("le"))
    de = models.CharField(max_length=20)
    vers = models.CharField(max_length=20)
    note = models.CharField(_("note"), max_length=250, blank=True)
    auteur = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    annulee_le = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("étape de procédure")
        ordering = ["pk"]

    def __str__(self):
        return f"{self.evenement} le {self.le}"


class Interruption(models.Model):
    """Un acte tenu pour interruptif par une personne, avec ce qui le prouve."""

    class Acte(models.TextChoices):
        """Ceux de `domaine.prescription.Acte` qu'une personne relève elle-même."""

        RECONNAISSANCE = "reconnaissance", _("Reconnaissance écrite du débiteur")
        DEMANDE_EN_JUSTICE = "demande_en_justice", _("Demande en justice")
        MESURE_CONSERVATOIRE = "mesure_conservatoire", _("Mesure conservatoire")
        EXECUTION_FORCEE = "execution_forcee", _("Acte d'exécution forcée")
        DECLARATION = "declaration_de_creance", _("Déclaration de créance")

    # D'un dossier entier, ou d'une seule facture.
    dossier = models.ForeignKey(DossierContentieux, models.CASCADE, null=True, blank=True, related_name="interruptions")
    facture = models.ForeignKey(Facture, models.PROTECT, null=True, blank=True, related_name="interruptions")
    note = models.CharField(_("note"), max_length=200, blank=True)
    preuve_chemin = models.CharField(max_length=120, blank=True)
    preuve_empreinte = models.CharField(max_length=64, blank=True)
    preuve_nom = models.CharField(_("preuve"), max_length=160, blank=True)
    annulee_le = models.DateTimeField(null=True, blank=True)
    jour = models.DateField(_("le"))
    acte = models.CharField(_("acte"), max_length=30, choices=Acte.choices)
    piece = models.ForeignKey(
        Piece, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("pièce qui le prouve")
    )
    auteur = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("acte interruptif")
        ordering = ["jour", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(dossier__isnull=False, facture__isnull=True)
                | Q(dossier__isnull=True, facture__isnull=False),
                name="interruption_dossier_ou_facture",
            )
        ]

    def __str__(self):
        return f"{self.get_acte_display()} le {self.jour:%d/%m/%Y}"


class Frais(models.Model):
    """Frais engagés ; un tarif que les sources donnent différemment se dit « à confirmer »."""

    dossier = models.ForeignKey(DossierContentieux, models.CASCADE, related_name="frais")
    date = models.DateField(_("date"))
    libelle = models.CharField(_("libellé"), max_length=120)
    montant = ChampMontant(_("montant"))
    recuperable = models.BooleanField(_("récupérable"), default=False)
    a_confirmer = models.BooleanField(_("à confirmer"), default=False)
    auteur = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("frais")
        verbose_name_plural = _("frais")
        ordering = ["date", "pk"]
        constraints = [models.CheckConstraint(condition=Q(montant__gt=0), name="frais_montant_positif")]

    def __str__(self):
        return f"{self.libelle} : {self.montant}"
