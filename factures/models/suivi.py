"""Ce qui retient une échéance (litige, promesse, échéancier, exclusion) et ce à quoi le créancier renonce."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from clients.models import Client
from recouvrement.commun.champs import ChampMontant
from recouvrement.comptes.droits import filtre_portefeuille

from .grand_livre import Echeance, Facture, Mode


class LitigeQuerySet(models.QuerySet):
    def visibles_pour(self, user):
        return self.filter(filtre_portefeuille(user, "echeance__societe_id", "echeance__client__gestionnaire_id"))

    def ouverts(self):
        return self.filter(clos_le=None)


class Litige(models.Model):
    """Seule la part contestée est retenue ; le reste suit l'échelle (exigence 33)."""

    class Categorie(models.TextChoices):
        PRIX = "prix", _("Prix ou remise")
        QUANTITE = "quantite", _("Quantité livrée")
        QUALITE = "qualite", _("Qualité de la prestation")
        FACTURE = "facture", _("Facture erronée")
        A_VERIFIER = "a_verifier", _("À vérifier : import inexpliqué")
        AUTRE = "autre", _("Autre")

    class Decision(models.TextChoices):
        FONDE = "fonde", _("Fondé, avoir attendu")
        PARTIE = "partie", _("Fondé en partie, avoir attendu")
        NON_FONDE = "non_fonde", _("Non fondé")

    # Issues de ce que la maison clôt d'elle-même, en base dans cette langue : la cause défaite, le litige se rouvre.
    SOLDEE = gettext_noop("Pièce soldée")
    AVOIR_RECU = gettext_noop("Avoir reçu")
    AUTOMATIQUES = (SOLDEE, AVOIR_RECU)
    AVOIR_ATTENDU = (Decision.FONDE, Decision.PARTIE)

    echeance = models.ForeignKey(Echeance, models.PROTECT, related_name="litiges")
    montant_conteste = ChampMontant(_("montant contesté"))
    categorie = models.CharField(_("catégorie"), max_length=20, choices=Categorie.choices)
    description = models.TextField(_("description"), max_length=2000, blank=True)
    responsable = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("responsable"),
    )
    ouvert_le = models.DateField(_("ouvert le"))
    a_traiter_le = models.DateField(_("à traiter avant le"))
    clos_le = models.DateField(_("clos le"), null=True, blank=True)
    issue = models.CharField(_("issue"), max_length=200, blank=True)
    # Fondé, le litige reste ouvert sur la part reconnue : elle attend son avoir, qui le clôt.
    decision = models.CharField(
        _("décision"), max_length=10, choices=Decision.choices, blank=True, default="", db_default=""
    )
    decide_le = models.DateField(_("décidé le"), null=True, blank=True)
    auteur = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")

    objects = LitigeQuerySet.as_manager()

    class Meta:
        verbose_name = _("litige")
        ordering = ["a_traiter_le", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["echeance"], condition=Q(clos_le=None), name="litige_ouvert_unique"),
            models.CheckConstraint(condition=Q(montant_conteste__gt=0), name="litige_montant_positif"),
        ]

    def __str__(self):
        return f"{self.get_categorie_display()} : {self.montant_conteste}"

    @property
    def issue_lisible(self) -> str:
        """L'issue dite par une personne, ou celle de la maison dans la langue de l'écran."""
        return str(_(self.issue)) if self.issue in self.AUTOMATIQUES else self.issue


class PromesseQuerySet(models.QuerySet):
    def visibles_pour(self, user):
        return self.filter(filtre_portefeuille(user, "client__societe_id", "client__gestionnaire_id"))

    def en_attente(self):
        return self.filter(statut=Promesse.Statut.EN_ATTENTE)


class Promesse(models.Model):
    """Montant, date et moyen ; met ses pièces en pause jusqu'à la date et sa tolérance (exigence 31)."""

    class Statut(models.TextChoices):
        EN_ATTENTE = "en_attente", _("En attente")
        TENUE = "tenue", _("Tenue")
        PARTIELLE = "partielle", _("Partielle")
        ROMPUE = "rompue", _("Rompue")
        ANNULEE = "annulee", _("Annulée")

    client = models.ForeignKey(Client, models.PROTECT, related_name="promesses")
    echeances = models.ManyToManyField(Echeance, related_name="promesses")
    montant = ChampMontant(_("montant promis"))
    date_promise = models.DateField(_("pour le"))
    moyen = models.CharField(_("moyen"), max_length=20, choices=Mode.choices, default=Mode.VIREMENT)
    statut = models.CharField(max_length=20, choices=Statut.choices, default=Statut.EN_ATTENTE)
    faite_le = models.DateField(_("faite le"))
    # Reste dû total des pièces le jour de la promesse : le payé depuis s'en déduit.
    du_a_la_promesse = ChampMontant(default=0)
    conclue_le = models.DateField(null=True, blank=True)
    auteur = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")

    objects = PromesseQuerySet.as_manager()

    class Meta:
        verbose_name = _("promesse")
        ordering = ["-date_promise", "-pk"]
        constraints = [
            models.CheckConstraint(condition=Q(montant__gt=0), name="promesse_montant_positif"),
            models.CheckConstraint(
                condition=Q(date_promise__gte=models.F("faite_le")), name="promesse_jamais_dans_le_passe"
            ),
        ]

    def __str__(self):
        return f"{self.montant} pour le {self.date_promise}"


class ExclusionQuerySet(models.QuerySet):
    def en_cours(self, au):
        return self.filter(du__lte=au, au__gte=au, levee_le=None)

    def visibles_pour(self, user):
        return self.filter(filtre_portefeuille(user, "echeance__societe_id", "echeance__client__gestionnaire_id"))


class Exclusion(models.Model):
    """Une pièce hors relance pour un temps ; à la fin, elle rentre seule (exigence 17)."""

    echeance = models.ForeignKey(Echeance, models.CASCADE, related_name="exclusions")
    motif = models.CharField(_("motif"), max_length=200)
    auteur = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    du = models.DateField(_("du"))
    au = models.DateField(_("jusqu'au"))
    levee_le = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = ExclusionQuerySet.as_manager()

    class Meta:
        verbose_name = _("exclusion")
        ordering = ["-du", "-pk"]
        constraints = [
            models.CheckConstraint(condition=Q(au__gte=models.F("du")), name="exclusion_dates_ordonnees"),
            models.CheckConstraint(condition=~Q(motif=""), name="exclusion_motivee"),
        ]

    def __str__(self):
        return f"{self.motif} ({self.du} – {self.au})"


class EcheancierQuerySet(models.QuerySet):
    def visibles_pour(self, user):
        return self.filter(filtre_portefeuille(user, "client__societe_id", "client__gestionnaire_id"))

    def en_cours(self):
        return self.filter(statut=Echeancier.Statut.EN_COURS)


class Echeancier(models.Model):
    """Plan de paiement accepté : ses pièces se taisent tant qu'il est tenu ; une mensualité manquée le rompt."""

    class Statut(models.TextChoices):
        EN_COURS = "en_cours", _("En cours")
        TENU = "tenu", _("Tenu")
        ROMPU = "rompu", _("Rompu")
        ANNULE = "annule", _("Annulé")

    client = models.ForeignKey(Client, models.PROTECT, related_name="echeanciers")
    echeances = models.ManyToManyField(Echeance, related_name="echeanciers")
    devise = models.CharField(max_length=3, default="EUR")
    accepte_le = models.DateField(_("accepté le"))
    statut = models.CharField(max_length=20, choices=Statut.choices, default=Statut.EN_COURS)
    # Sans clause, une mensualité manquée ne rend pas le solde exigible (art. 1305-4 C. civ., droit.md § 9).
    clause_decheance = models.BooleanField(_("clause de déchéance du terme"), default=False)
    # Reste dû total des pièces à l'accord : le payé depuis s'en déduit.
    du_a_l_accord = ChampMontant(default=0)
    motif = models.CharField(_("motif"), max_length=200, blank=True)
    conclu_le = models.DateField(null=True, blank=True)
    auteur = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    objects = EcheancierQuerySet.as_manager()

    class Meta:
        verbose_name = _("échéancier")
        ordering = ["-accepte_le", "-pk"]

    def __str__(self):
        return f"échéancier du {self.accepte_le:%d/%m/%Y}"

    @property
    def lie_apres_rupture(self) -> bool:
        """Rompu sans clause de déchéance, il retient encore le solde (C. civ., art. 1305-4)."""
        return self.statut == self.Statut.ROMPU and not self.clause_decheance


class Mensualite(models.Model):
    echeancier = models.ForeignKey(Echeancier, models.CASCADE, related_name="mensualites")
    rang = models.PositiveSmallIntegerField()
    due_le = models.DateField(_("due le"))
    montant = ChampMontant(_("montant"))

    class Meta:
        verbose_name = _("mensualité")
        ordering = ["echeancier", "rang"]
        constraints = [
            models.UniqueConstraint(fields=["echeancier", "rang"], name="mensualite_rang_unique"),
            models.CheckConstraint(condition=Q(montant__gt=0), name="mensualite_positive"),
        ]

    def __str__(self):
        return f"{self.montant} le {self.due_le:%d/%m/%Y}"


class RenonciationQuerySet(models.QuerySet):
    def visibles_pour(self, user):
        return self.filter(filtre_portefeuille(user, "facture__societe_id", "facture__client__gestionnaire_id"))

    def en_vigueur(self):
        return self.filter(annulee_le=None)


class Renonciation(models.Model):
    """Renoncer aux accessoires d'une facture est une décision au cas par cas, motivée et tracée (droit.md § 9)."""

    class Portee(models.TextChoices):
        PENALITES = "penalites", _("les pénalités")
        INDEMNITE = "indemnite", _("l'indemnité de 40 €")
        TOUT = "tout", _("les pénalités et l'indemnité")

    facture = models.ForeignKey(Facture, models.PROTECT, related_name="renonciations")
    portee = models.CharField(_("ce à quoi l'on renonce"), max_length=20, choices=Portee.choices)
    motif = models.CharField(_("motif"), max_length=200)
    le = models.DateField(_("décidée le"))
    auteur = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    annulee_le = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = RenonciationQuerySet.as_manager()

    class Meta:
        verbose_name = _("renonciation")
        ordering = ["-le", "-pk"]
        constraints = [
            models.CheckConstraint(condition=~Q(motif=""), name="renonciation_motivee"),
            models.UniqueConstraint(
                fields=["facture"], condition=Q(annulee_le=None), name="renonciation_en_vigueur_unique"
            ),
        ]

    def __str__(self):
        return f"{self.get_portee_display()} – {self.facture}"


class CopieFactureQuerySet(models.QuerySet):
    def visibles_pour(self, user):
        return self.filter(filtre_portefeuille(user, "facture__societe_id", "facture__client__gestionnaire_id"))


class CopieFacture(models.Model):
    """Le PDF de la facture, quand la maison le tient : joint aux lettres, rangé par empreinte."""

    facture = models.ForeignKey(Facture, models.CASCADE, related_name="copies")
    nom = models.CharField(_("nom du fichier"), max_length=160)
    chemin = models.CharField(max_length=120)
    empreinte = models.CharField(max_length=64)
    taille = models.PositiveIntegerField()
    pages = models.PositiveSmallIntegerField(default=0)
    ajoutee_par = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    objects = CopieFactureQuerySet.as_manager()

    class Meta:
        verbose_name = _("copie de facture")
        ordering = ["facture", "pk"]
        constraints = [models.UniqueConstraint(fields=["facture", "empreinte"], name="copie_unique")]

    def __str__(self):
        return self.nom
