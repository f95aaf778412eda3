"""Le débiteur, ses interlocuteurs, ce qui suspend ses relances."""

from datetime import date

from django.conf import settings
from django.core.validators import MaxValueValidator
from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from recouvrement.commun.champs import ChampMontant
from recouvrement.commun.modeles import Horodate
from recouvrement.comptes.droits import filtre_portefeuille
from recouvrement.comptes.models import Langue, Societe


class TypeDebiteur(models.TextChoices):
    """Trois droits différents, pas trois tons (droit.md § 1, 3, 4)."""

    ENTREPRISE = "entreprise", _("Entreprise")
    PARTICULIER = "particulier", _("Particulier")
    ADMINISTRATION = "administration", pgettext_lazy("type de débiteur", "Administration")
    A_QUALIFIER = "a_qualifier", _("À qualifier")


class RegleImputation(models.TextChoices):
    INTERETS = "interets", _("Intérêts d'abord (art. 1343-1 du code civil)")
    PRINCIPAL = "principal", _("Principal d'abord (convention)")


class SousPlancher(models.TextChoices):
    """Taux retenu quand la clause est sous trois fois le taux légal : non tranché en droit, une personne choisit."""

    A_CHOISIR = "", _("à choisir (les lettres chiffrées attendent)")
    PLANCHER = "plancher", _("le plancher : trois fois le taux légal")
    DEFAUT = "defaut", _("le taux à défaut de clause : BCE + 10 points")
    STIPULE = "stipule", _("le taux stipulé, tel quel")


class CasDelai(models.TextChoices):
    """Ce qui fixe le maximum légal d'un délai de paiement, hors du droit commun (`factures.domaine.maximums`)."""

    SILENCE = "silence", _("Contrat muet sur le délai")
    PERIODIQUE = "periodique", _("Facture périodique")
    TRANSPORT = "transport", _("Transport, location de véhicules, commission")
    PERISSABLE = "perissable", _("Denrées périssables et surgelées")
    PERISSABLE_PERIODIQUE = "perissable_periodique", _("Denrées périssables, facture périodique")
    VIANDE = "viande", _("Bétail sur pied, viandes fraîches")
    ALCOOL = "alcool", _("Alcools soumis aux droits de consommation")
    VIN = "vin", _("Raisins, moûts et vins")
    EXPORT = "export", _("Achats en franchise livrés hors de l'Union")
    PUBLIC = "public", _("État, collectivités et leurs établissements : 30 jours")
    PUBLIC_SANTE = "public_sante", _("Établissement public de santé : 50 jours")
    ENTREPRISE_PUBLIQUE = "entreprise_publique", _("Entreprise publique : 60 jours")


CAS_PUBLICS = (CasDelai.PUBLIC, CasDelai.PUBLIC_SANTE, CasDelai.ENTREPRISE_PUBLIQUE)


class IssueProcedure(models.TextChoices):
    """Comment une procédure collective s'est terminée."""

    PLAN = "plan", _("Plan de sauvegarde ou de redressement arrêté")
    INSUFFISANCE = "insuffisance", _("Clôture pour insuffisance d'actif")
    EXTINCTION = "extinction", _("Clôture pour extinction du passif")
    AUTRE = "autre", _("Autre fin de procédure")


class RoleContact(models.TextChoices):
    COMPTABILITE = "comptabilite", _("Comptabilité fournisseurs")
    ACHATS = "achats", _("Achats")
    DIRECTION = "direction", _("Direction")
    JURIDIQUE = "juridique", _("Juridique")
    AUTRE = "autre", _("Autre")


class Regroupement(models.TextChoices):
    """Exigence 9 : quatre modes, changeables sans perdre un niveau."""

    PAR_PIECE = "piece", _("Une lettre par pièce")
    PAR_NIVEAU = "niveau", _("Une lettre par palier")
    PLUS_HAUT = "plus_haut", _("Tout le compte au palier le plus haut")
    PLUS_ANCIENNE = "plus_ancienne", _("Compte piloté par la pièce la plus ancienne")


class ClientQuerySet(models.QuerySet):
    def visibles_pour(self, user):
        return self.filter(filtre_portefeuille(user, "societe_id", "gestionnaire_id"))

    def with_est_suspendu(self, au: date):
        """Annote `est_suspendu` : une suspension couvre le jour `au`."""
        en_cours = Suspension.objects.en_cours(au).filter(client=OuterRef("pk"))
        return self.annotate(est_suspendu=Exists(en_cours))


class Client(Horodate):
    societe = models.ForeignKey(Societe, models.PROTECT, related_name="clients", verbose_name=_("société"))
    code = models.CharField(_("code"), max_length=40)
    raison_sociale = models.CharField(_("raison sociale"), max_length=160)
    type = models.CharField(_("type"), max_length=20, choices=TypeDebiteur.choices, default=TypeDebiteur.A_QUALIFIER)
    siren = models.CharField("SIREN", max_length=9, blank=True)
    siret = models.CharField("SIRET", max_length=14, blank=True)
    numero_tva = models.CharField(_("n° de TVA"), max_length=20, blank=True)
    forme = models.CharField(_("forme juridique"), max_length=60, blank=True)
    civilite = models.CharField(_("formule d'appel"), max_length=40, blank=True)
    adresse = models.CharField(_("adresse"), max_length=120, blank=True)
    complement = models.CharField(_("complément d'adresse"), max_length=120, blank=True)
    code_postal = models.CharField(_("code postal"), max_length=12, blank=True)
    ville = models.CharField(_("ville"), max_length=80, blank=True)
    pays = models.CharField(_("pays"), max_length=2, default="FR")
    courriel = models.EmailField(_("courriel"), blank=True)
    courriel_invalide_le = models.DateField(_("courriel en erreur depuis"), null=True, blank=True)
    adresse_invalide_le = models.DateField(_("adresse en erreur (NPAI) depuis"), null=True, blank=True)
    telephone = models.CharField(_("téléphone"), max_length=40, blank=True)
    ne_pas_appeler_le = models.DateField(_("ne pas appeler, depuis le"), null=True, blank=True)
    ne_pas_appeler_motif = models.CharField(
        _("pourquoi ne pas appeler"), max_length=200, blank=True, default="", db_default=""
    )
    langue = models.CharField(_("langue"), max_length=2, choices=Langue.choices, default=Langue.FR)
    conditions = models.CharField(_("conditions de paiement"), max_length=20, default="30J")
    lecture_fdm = models.CharField(
        _("lecture de « fin de mois »"),
        max_length=1,
        default="A",
        choices=[("A", _("A : facture + N jours, puis fin de mois")), ("B", _("B : fin de mois, puis + N jours"))],
    )
    # Vide : le droit commun. Un cas qui n'est pas celui du type du débiteur est sans effet.
    cas_delai = models.CharField(
        _("secteur ou acheteur (maximum légal)"), max_length=24, choices=CasDelai.choices, blank=True
    )
    plafond = ChampMontant(_("plafond d'encours"), null=True, blank=True)
    gestionnaire = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="portefeuille",
        verbose_name=_("gestionnaire"),
    )
    segment = models.CharField(_("segment"), max_length=40, blank=True)
    delai_entre_contacts = models.PositiveSmallIntegerField(
        _("délai minimal entre contacts"), null=True, blank=True, validators=[MaxValueValidator(60)]
    )
    regroupement = models.CharField(
        _("regroupement des lettres"), max_length=20, choices=Regroupement.choices, blank=True
    )
    jugement_ouverture_le = models.DateField(_("jugement d'ouverture"), null=True, blank=True)
    # La date du jugement reste après la clôture : elle arrête les intérêts (C. com., art. L622-28).
    procedure_cloturee_le = models.DateField(_("procédure close le"), null=True, blank=True)
    procedure_issue = models.CharField(
        _("issue de la procédure"), max_length=20, choices=IssueProcedure.choices, blank=True
    )
    surendettement = models.BooleanField(_("surendettement recevable"), default=False)
    prelevement = models.BooleanField(_("réglé par prélèvement"), default=False)
    taux_penalites = models.DecimalField(
        _("taux de pénalités stipulé (%)"), max_digits=5, decimal_places=2, null=True, blank=True
    )
    sous_plancher = models.CharField(
        _("clause sous le plancher légal"), max_length=10, choices=SousPlancher.choices, blank=True
    )
    # Un particulier, ou quiconque n'est pas professionnel, doit l'avoir accepté d'abord (CPCEpost, art. L100).
    lre_acceptee_le = models.DateField(_("recommandé électronique accepté le"), null=True, blank=True)
    imputation = models.CharField(
        _("imputation des paiements"), max_length=10, choices=RegleImputation.choices, default=RegleImputation.INTERETS
    )
    mention_loi_en = models.TextField(_("clause de droit français acceptée (anglais)"), blank=True)
    objet_contrat = models.CharField(_("objet du contrat"), max_length=200, blank=True)
    # Escompte convenu : la facture d'un client qui paie dans ce délai est soldée moins ce taux.
    escompte_taux = models.DecimalField(_("taux d'escompte (%)"), max_digits=5, decimal_places=2, null=True, blank=True)
    escompte_jours = models.PositiveSmallIntegerField(
        _("escompte si payé sous (jours)"), null=True, blank=True, validators=[MaxValueValidator(120)]
    )
    version = models.PositiveIntegerField(default=1, editable=False)
    # Ce que le dernier import disait, champ par champ : ce qui en diffère a été retouché, et n'est plus écrasé.
    importe = models.JSONField(default=dict, blank=True, editable=False)

    objects = ClientQuerySet.as_manager()

    class Meta:
        verbose_name = _("client")
        ordering = ["raison_sociale", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["societe", "code"], name="client_code_unique"),
            models.CheckConstraint(
                condition=Q(plafond__isnull=True) | Q(plafond__gte=0), name="client_plafond_positif"
            ),
            models.CheckConstraint(
                condition=Q(taux_penalites__isnull=True) | Q(taux_penalites__gte=0), name="client_taux_positif"
            ),
            models.CheckConstraint(
                condition=Q(procedure_cloturee_le__isnull=True, procedure_issue="")
                | Q(jugement_ouverture_le__isnull=False, procedure_cloturee_le__gte=F("jugement_ouverture_le")),
                name="client_cloture_apres_jugement",
            ),
            models.CheckConstraint(
                condition=Q(escompte_taux__isnull=True, escompte_jours__isnull=True)
                | Q(escompte_taux__gt=0, escompte_taux__lt=100, escompte_jours__isnull=False),
                name="client_escompte_complet",
            ),
            models.CheckConstraint(
                condition=Q(ne_pas_appeler_le__isnull=True) | ~Q(ne_pas_appeler_motif=""),
                name="client_ne_pas_appeler_motive",
            ),
            # Jamais de taux de professionnel pour un consommateur (droit.md § 4).
            models.CheckConstraint(
                condition=~Q(type=TypeDebiteur.PARTICULIER) | Q(taux_penalites__isnull=True),
                name="client_particulier_sans_taux",
            ),
        ]
        indexes = [models.Index(fields=["societe", "gestionnaire"], name="client_portefeuille")]

    def __str__(self):
        return self.raison_sociale

    @property
    def procedure_ouverte(self) -> bool:
        """Un jugement d'ouverture est noté, et la procédure n'est pas close."""
        return self.jugement_ouverture_le is not None and self.procedure_cloturee_le is None

    @property
    def courriel_utilisable(self) -> str:
        """Adresse du compte, vide si elle a rebondi."""
        return "" if self.courriel_invalide_le else self.courriel


class ContactQuerySet(models.QuerySet):
    def visibles_pour(self, user):
        return self.filter(filtre_portefeuille(user, "client__societe_id", "client__gestionnaire_id"))


class Contact(Horodate):
    client = models.ForeignKey(Client, models.CASCADE, related_name="contacts")
    nom = models.CharField(_("nom"), max_length=80)
    fonction = models.CharField(_("fonction"), max_length=80, blank=True)
    role = models.CharField(_("rôle"), max_length=20, choices=RoleContact.choices, default=RoleContact.AUTRE)
    courriel = models.EmailField(_("courriel"), blank=True)
    telephone = models.CharField(_("téléphone"), max_length=40, blank=True)
    recoit_relances = models.BooleanField(_("reçoit les relances"), default=False)
    invalide_le = models.DateField(_("adresse en erreur depuis"), null=True, blank=True)
    invalide_motif = models.CharField(_("motif de l'erreur"), max_length=200, blank=True)
    ne_pas_appeler = models.BooleanField(_("ne pas appeler"), default=False, db_default=False)

    objects = ContactQuerySet.as_manager()

    class Meta:
        verbose_name = _("contact")
        ordering = ["-recoit_relances", "nom"]

    def __str__(self):
        return self.nom


class SuspensionQuerySet(models.QuerySet):
    def en_cours(self, au: date):
        return self.filter(du__lte=au, au__gte=au, levee_le=None)

    def visibles_pour(self, user):
        return self.filter(filtre_portefeuille(user, "client__societe_id", "client__gestionnaire_id"))


class Suspension(models.Model):
    """Exclusion datée : à la fin, les pièces rentrent seules (exigence 17)."""

    client = models.ForeignKey(Client, models.CASCADE, related_name="suspensions")
    motif = models.CharField(_("motif"), max_length=200)
    auteur = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    du = models.DateField(_("du"))
    au = models.DateField(_("jusqu'au"))
    levee_le = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = SuspensionQuerySet.as_manager()

    class Meta:
        verbose_name = _("suspension")
        ordering = ["-du", "-pk"]
        constraints = [
            models.CheckConstraint(condition=Q(au__gte=F("du")), name="suspension_dates_ordonnees"),
            models.CheckConstraint(condition=~Q(motif=""), name="suspension_motivee"),
        ]

    def __str__(self):
        return f"{self.motif} ({self.du} – {self.au})"


class NoteQuerySet(models.QuerySet):
    def visibles_pour(self, user):
        return self.filter(filtre_portefeuille(user, "client__societe_id", "client__gestionnaire_id"))


class Note(models.Model):
    client = models.ForeignKey(Client, models.CASCADE, related_name="notes")
    auteur = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    texte = models.TextField(_("texte"), max_length=4000)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = NoteQuerySet.as_manager()

    class Meta:
        verbose_name = _("note")
        ordering = ["-created_at", "-pk"]

    def __str__(self):
        return self.texte[:60]


class IbanClientQuerySet(models.QuerySet):
    def visibles_pour(self, user):
        return self.filter(filtre_portefeuille(user, "client__societe_id", "client__gestionnaire_id"))


class IbanClient(models.Model):
    """Compte d'où un client a payé, constaté par un rapprochement ou donné ; il peut être celui d'un tiers."""

    client = models.ForeignKey(Client, models.CASCADE, related_name="ibans")
    iban = models.CharField("IBAN", max_length=34)
    titulaire = models.CharField(_("titulaire"), max_length=140, blank=True)
    tiers = models.BooleanField(_("compte d'un tiers payeur"), default=False)
    vu_le = models.DateField(_("vu le"))
    created_at = models.DateTimeField(auto_now_add=True)

    objects = IbanClientQuerySet.as_manager()

    class Meta:
        verbose_name = _("IBAN du client")
        ordering = ["client", "iban"]
        constraints = [
            models.UniqueConstraint(fields=["client", "iban"], name="iban_client_unique"),
            models.CheckConstraint(condition=~Q(iban=""), name="iban_client_non_vide"),
        ]
        indexes = [models.Index(fields=["iban"], name="iban_client_iban")]

    def __str__(self):
        return self.iban
