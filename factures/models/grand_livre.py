"""Factures, échéances, avoirs, encaissements et imputations.

Les montants imputés sont dénormalisés sous verrou par les services et re-prouvés par `verifier` ; les
CHECK interdisent d'imputer plus que la pièce. Les identifiants de société, client, date et devise sont
recopiés sur l'échéance : la nuit et la balance ne lisent qu'elle.
"""

from datetime import date

from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.utils.translation import gettext_lazy as _

from clients.models import Client
from recouvrement.commun.champs import ChampMontant
from recouvrement.commun.modeles import Horodate
from recouvrement.comptes.droits import filtre_portefeuille
from recouvrement.comptes.models import Societe


class PortefeuilleQuerySet(models.QuerySet):
    def visibles_pour(self, user):
        return self.filter(filtre_portefeuille(user, "societe_id", "client__gestionnaire_id"))


class Piece(Horodate):
    """Ce que toute pièce importée porte ; `cle_source` rend le rejeu sans effet (exigence 3)."""

    societe = models.ForeignKey(Societe, models.PROTECT, related_name="+")
    client = models.ForeignKey(Client, models.PROTECT, related_name="%(class)ss")
    cle_source = models.CharField(_("clé source"), max_length=160)
    devise = models.CharField(_("devise"), max_length=3, default="EUR")
    lot = models.ForeignKey("factures.Lot", models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta:
        abstract = True


class Facture(Piece):
    numero = models.CharField(_("numéro"), max_length=60)
    numero_reel = models.BooleanField(_("numéro de facture connu"), default=True)
    date_emission = models.DateField(_("émise le"))
    date_execution = models.DateField(_("exécutée le"), null=True, blank=True)
    montant_ht = ChampMontant(_("montant HT"), null=True, blank=True)
    montant_tva = ChampMontant(_("TVA"), null=True, blank=True)
    montant_ttc = ChampMontant(_("montant TTC"))
    commande = models.CharField(_("commande"), max_length=60, blank=True)
    # Dernier statut de la facture électronique (droit.md § 12) ; un code inconnu n'est qu'une information.
    statut_fe = models.CharField(
        _("statut de la facture électronique"), max_length=3, blank=True, default="", db_default=""
    )
    statut_fe_le = models.DateField(_("statut du"), null=True, blank=True)
    # Nature de la créance pour la prescription (table de `contentieux`) ; vide : celle du type de débiteur.
    nature_creance = models.CharField(_("nature de la créance"), max_length=40, blank=True, default="", db_default="")
    # Titre exécutoire obtenu : son jour fait partir la prescription de dix ans (CPCEx, art. L111-4).
    titre_le = models.DateField(_("titre du"), null=True, blank=True)
    # Ce que dit la facture électronique : la créance est le net à payer, TTC − acompte + arrondi (EN 16931, BT-115).
    type_document = models.CharField(_("type de document"), max_length=3, blank=True, default="", db_default="")
    acompte = ChampMontant(_("acompte déjà versé"), default=0, db_default=0)
    arrondi = ChampMontant(_("arrondi"), default=0, db_default=0)
    # Cédée à un affactureur (type 393) : le paiement lui revient, la maison ne relance pas.
    affacturee = models.BooleanField(_("affacturée"), default=False, db_default=False)
    tva_encaissements = models.BooleanField(_("TVA exigible à l'encaissement"), default=False, db_default=False)
    # Mentions obligatoires que le document ne porte pas (droit.md § 1 et 12) ; null : non contrôlé.
    mentions_absentes = models.JSONField(_("mentions absentes"), null=True, blank=True)

    objects = PortefeuilleQuerySet.as_manager()

    class Meta:
        verbose_name = _("facture")
        ordering = ["-date_emission", "-pk"]
        constraints = [
            models.UniqueConstraint(fields=["societe", "cle_source"], name="facture_cle_source_unique"),
            models.UniqueConstraint(
                fields=["societe", "numero"], condition=Q(numero_reel=True), name="facture_numero_unique"
            ),
            models.CheckConstraint(condition=Q(montant_ttc__gt=0), name="facture_ttc_positif"),
            models.CheckConstraint(
                condition=Q(montant_ht__isnull=True)
                | Q(montant_tva__isnull=True)
                | Q(montant_ttc=F("montant_ht") + F("montant_tva")),
                name="facture_ttc_egale_ht_plus_tva",
            ),
        ]
        # La nuit ne lit que celles dont la plateforme a dit quelque chose.
        indexes = [
            models.Index(fields=["client"], condition=~Q(statut_fe=""), name="facture_statut_fe"),
            models.Index(fields=["client"], condition=Q(affacturee=True), name="facture_affacturee"),
        ]

    @property
    def numero_du_document(self) -> str:
        """Le numéro écrit sur la facture : « 471102 » pour « 471102 (2018) », notée ainsi faute de numéro libre."""
        annee = self.date_emission.year
        note = self.cle_source.startswith("EF:") and self.numero.endswith(f" ({annee})")
        return self.numero[:-7] if note and not self.cle_source.endswith(f":{self.numero}:{annee}") else self.numero

    def __str__(self):
        return self.numero


class EcheanceQuerySet(PortefeuilleQuerySet):
    def ouvertes(self):
        """Reste dû non nul (index partiel)."""
        return self.filter(impute__lt=F("montant"))

    def ouvertes_au(self, jour: date):
        """Pièces émises au jour dit et non soldées à cette date, même si elles le sont depuis."""
        return self.filter(Q(soldee_le=None) | Q(soldee_le__gt=jour), date_facture__lte=jour)

    def echues(self, au: date):
        """L'échéance du jour n'est pas en retard."""
        return self.filter(date_echeance__lt=au)

    def with_reste_du(self):
        return self.annotate(reste_du_calcule=F("montant") - F("impute"))

    def with_en_litige(self):
        from .suivi import Litige

        return self.annotate(a_un_litige=Exists(Litige.objects.filter(echeance=OuterRef("pk"), clos_le=None)))


class Echeance(models.Model):
    """Une somme due à une date ; le palier de relance vit ici (exigences 5 et 8)."""

    societe = models.ForeignKey(Societe, models.PROTECT, related_name="+")
    client = models.ForeignKey(Client, models.PROTECT, related_name="echeances")
    facture = models.ForeignKey(Facture, models.PROTECT, related_name="echeances")
    cle_source = models.CharField(max_length=160)
    date_facture = models.DateField(_("émise le"))
    date_echeance = models.DateField(_("échéance"))
    montant = ChampMontant(_("montant"))
    impute = ChampMontant(_("imputé"), default=0)
    soldee_le = models.DateField(_("soldée le"), null=True, blank=True)
    devise = models.CharField(max_length=3, default="EUR")
    prelevement = models.BooleanField(_("prélèvement en cours"), default=False)
    # Le client est prélevé : chaque pièce est tenue pour prélevée tant que ce rejet n'est pas constaté.
    prelevement_rejete = models.BooleanField(_("prélèvement rejeté"), default=False, db_default=False)
    en_contentieux = models.BooleanField(_("en contentieux"), default=False)
    # Palier atteint : écrit par les services de relance, jamais abaissé, re-prouvé par `verifier`.
    niveau = models.PositiveSmallIntegerField(default=0)
    niveau_rang = models.PositiveSmallIntegerField(default=0)
    niveau_version = models.BigIntegerField(null=True, blank=True)
    niveau_le = models.DateField(null=True, blank=True)
    lot = models.ForeignKey("factures.Lot", models.SET_NULL, null=True, blank=True, related_name="+", db_index=False)

    objects = EcheanceQuerySet.as_manager()

    class Meta:
        verbose_name = _("échéance")
        ordering = ["date_echeance", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["societe", "cle_source"], name="echeance_cle_source_unique"),
            models.CheckConstraint(condition=Q(montant__gt=0), name="echeance_montant_positif"),
            models.CheckConstraint(
                condition=Q(impute__gte=0) & Q(impute__lte=F("montant")), name="echeance_jamais_trop_imputee"
            ),
            models.CheckConstraint(
                condition=Q(soldee_le__isnull=True) | Q(impute=F("montant")), name="echeance_soldee_si_imputee"
            ),
        ]
        indexes = [
            models.Index(
                fields=["societe", "client", "date_echeance"],
                include=["devise", "montant", "impute"],  # les sommes se lisent dans l'index seul
                condition=Q(impute__lt=F("montant")),
                name="echeance_ouverte",
            ),
            models.Index(fields=["societe", "soldee_le"], name="echeance_soldee_le"),
        ]

    def __str__(self):
        return f"{self.facture} – {self.date_echeance:%d/%m/%Y}"

    @property
    def reste_du(self):
        """TTC moins imputations, dans la devise de la pièce (Decimal)."""
        return self.montant - self.impute


class NatureAvoir(models.TextChoices):
    """Ce qui réduit le principal sans être un paiement."""

    AVOIR = "avoir", _("Avoir")
    ESCOMPTE = "escompte", _("Escompte pour paiement anticipé")
    ECART = "ecart", _("Écart de règlement")
    FRAIS = "frais", _("Frais bancaires retenus")
    REMISE = "remise", _("Remise de dette")
    COMPENSATION = "compensa", _("Compensation")
    NOVATION = "novation", _("Novation")
    PERTE = "perte", _("Passage en perte")


class Avoir(Piece):
    nature = models.CharField(
        _("nature"), max_length=10, choices=NatureAvoir.choices, default=NatureAvoir.AVOIR, db_default="avoir"
    )
    type_document = models.CharField(_("type de document"), max_length=3, blank=True, default="", db_default="")
    numero = models.CharField(_("numéro"), max_length=60)
    date_emission = models.DateField(_("émis le"))
    montant = ChampMontant(_("montant"))
    impute = ChampMontant(_("imputé"), default=0)
    facture_origine = models.ForeignKey(Facture, models.SET_NULL, null=True, blank=True, related_name="avoirs")

    objects = PortefeuilleQuerySet.as_manager()

    class Meta:
        verbose_name = _("avoir")
        ordering = ["-date_emission", "-pk"]
        constraints = [
            models.UniqueConstraint(fields=["societe", "cle_source"], name="avoir_cle_source_unique"),
            models.CheckConstraint(condition=Q(montant__gt=0), name="avoir_montant_positif"),
            models.CheckConstraint(
                condition=Q(impute__gte=0) & Q(impute__lte=F("montant")), name="avoir_jamais_trop_impute"
            ),
        ]
        indexes = [
            models.Index(fields=["societe", "client"], condition=Q(impute__lt=F("montant")), name="avoir_ouvert")
        ]

    def __str__(self):
        return self.numero


class Mode(models.TextChoices):
    VIREMENT = "virement", _("Virement")
    CHEQUE = "cheque", _("Chèque")
    PRELEVEMENT = "prelevement", _("Prélèvement")
    CARTE = "carte", _("Carte")
    EFFET = "effet", _("Effet de commerce")
    ESPECES = "especes", _("Espèces")
    AUTRE = "autre", _("Autre")


class Encaissement(Piece):
    reference = models.CharField(_("référence"), max_length=80)
    date = models.DateField(_("reçu le"))
    montant = ChampMontant(_("montant"))
    impute = ChampMontant(_("imputé"), default=0)
    mode = models.CharField(_("mode"), max_length=20, choices=Mode.choices, default=Mode.VIREMENT)
    libelle = models.CharField(_("libellé"), max_length=200, blank=True)
    # Le mouvement de banque dont vient cet argent ; un mouvement peut se partager entre plusieurs clients.
    mouvement = models.ForeignKey(
        "factures.MouvementBancaire", models.PROTECT, null=True, blank=True, related_name="encaissements"
    )
    payeur = models.CharField(_("payé par un tiers"), max_length=140, blank=True, default="", db_default="")
    # Prélèvement, chèque ou effet revenu impayé : plus rien n'en est disponible ; `impute` y vaut tout le montant.
    rejete_le = models.DateField(_("rejeté le"), null=True, blank=True)
    rejet_motif = models.CharField(_("motif du rejet"), max_length=200, blank=True, default="", db_default="")

    objects = PortefeuilleQuerySet.as_manager()

    class Meta:
        verbose_name = _("encaissement")
        ordering = ["-date", "-pk"]
        constraints = [
            models.UniqueConstraint(fields=["societe", "cle_source"], name="encaissement_cle_source_unique"),
            models.CheckConstraint(condition=Q(montant__gt=0), name="encaissement_montant_positif"),
            models.CheckConstraint(
                condition=Q(impute__gte=0) & Q(impute__lte=F("montant")), name="encaissement_jamais_trop_impute"
            ),
            models.CheckConstraint(
                condition=Q(rejete_le__isnull=True) | Q(impute=F("montant")), name="encaissement_rejete_sans_reste"
            ),
        ]
        indexes = [
            models.Index(fields=["societe", "client"], condition=Q(impute__lt=F("montant")), name="encaissement_ouvert")
        ]

    def __str__(self):
        return self.reference

    @property
    def non_affecte(self):
        return self.montant - self.impute


class Imputation(models.Model):
    """Part d'un encaissement ou d'un avoir posée sur une échéance, à une date : tout passé se reconstruit."""

    societe = models.ForeignKey(Societe, models.PROTECT, related_name="+")
    echeance = models.ForeignKey(Echeance, models.PROTECT, related_name="imputations")
    encaissement = models.ForeignKey(Encaissement, models.PROTECT, null=True, blank=True, related_name="imputations")
    avoir = models.ForeignKey(Avoir, models.PROTECT, null=True, blank=True, related_name="imputations")
    date = models.DateField(_("date"))
    montant = ChampMontant(_("montant"))
    cle_source = models.CharField(max_length=200)
    lot = models.ForeignKey("factures.Lot", models.SET_NULL, null=True, blank=True, related_name="+", db_index=False)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = models.Manager()

    class Meta:
        verbose_name = _("imputation")
        ordering = ["date", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["societe", "cle_source"], name="imputation_cle_source_unique"),
            models.CheckConstraint(condition=Q(montant__gt=0), name="imputation_montant_positif"),
            models.CheckConstraint(
                condition=Q(encaissement__isnull=False, avoir__isnull=True)
                | Q(encaissement__isnull=True, avoir__isnull=False),
                name="imputation_une_seule_source",
            ),
        ]
        indexes = [models.Index(fields=["date"], name="imputation_date")]  # balances passées : ce qui a suivi un jour

    def __str__(self):
        return f"{self.montant} le {self.date}"
