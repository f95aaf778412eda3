"""La banque : comptes, relevés enchaînés, mouvements, et ce qu'on propose d'en faire."""

from django.conf import settings
from django.core.validators import MaxValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from clients.models import Client
from recouvrement.commun.champs import ChampMontant
from recouvrement.commun.modeles import Horodate
from recouvrement.comptes.droits import Droit, societes_pour
from recouvrement.comptes.models import Societe

from .grand_livre import Encaissement


class BanqueQuerySet(models.QuerySet):
    """Un mouvement n'a pas encore de client : le voit qui tient l'argent de la société, ou la lit tout entière."""

    def visibles_pour(self, user):
        return self.filter(
            Q(societe__in=societes_pour(user, Droit.AGIR)) | Q(societe__in=societes_pour(user, Droit.TOUT_VOIR))
        )


class CompteBancaire(Horodate):
    societe = models.ForeignKey(Societe, models.PROTECT, related_name="comptes_bancaires")
    # IBAN, ou ce que le relevé donne à défaut : banque + guichet + compte (CFONB), identifiant (OFX, MT940).
    identifiant = models.CharField(_("compte"), max_length=60)
    iban = models.CharField("IBAN", max_length=34, blank=True)
    libelle = models.CharField(_("nom"), max_length=80, blank=True)
    devise = models.CharField(_("devise"), max_length=3, default="EUR")
    actif = models.BooleanField(_("actif"), default=True)

    objects = BanqueQuerySet.as_manager()

    class Meta:
        verbose_name = _("compte bancaire")
        ordering = ["libelle", "identifiant"]
        constraints = [
            models.UniqueConstraint(fields=["societe", "identifiant", "devise"], name="compte_bancaire_unique")
        ]

    def __str__(self):
        return self.libelle or self.iban or self.identifiant


class ReleveBancaire(models.Model):
    """Un relevé : deux soldes et ce qui les sépare. L'ouverture est la clôture du précédent, sinon on le dit."""

    societe = models.ForeignKey(Societe, models.PROTECT, related_name="+")
    compte = models.ForeignKey(CompteBancaire, models.PROTECT, related_name="releves")
    lot = models.ForeignKey("factures.Lot", models.PROTECT, null=True, blank=True, related_name="+")
    cle_source = models.CharField(max_length=160)
    numero = models.CharField(_("numéro"), max_length=60, blank=True)
    du = models.DateField(_("du"), null=True, blank=True)
    au = models.DateField(_("au"), null=True, blank=True)
    solde_ouverture = ChampMontant(_("solde d'ouverture"), null=True, blank=True)
    solde_cloture = ChampMontant(_("solde de clôture"), null=True, blank=True)
    devise = models.CharField(max_length=3, default="EUR")
    mouvements_lus = models.PositiveIntegerField(default=0)
    # Trou ou recouvrement avec le précédent, solde qui ne tombe pas : des phrases, montrées telles quelles.
    constats = models.JSONField(default=list, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = BanqueQuerySet.as_manager()

    class Meta:
        verbose_name = _("relevé bancaire")
        ordering = ["-au", "-pk"]
        constraints = [models.UniqueConstraint(fields=["societe", "cle_source"], name="releve_cle_source_unique")]

    def __str__(self):
        return self.numero or f"{self.compte} {self.au}"


class NatureMouvement(models.TextChoices):
    VIREMENT = "virement", _("Virement")
    PRELEVEMENT = "prelevement", _("Prélèvement")
    CHEQUE = "cheque", _("Chèque")
    EFFET = "effet", _("Effet de commerce")
    CARTE = "carte", _("Carte")
    ESPECES = "especes", _("Espèces")
    REJET = "rejet", _("Rejet ou retour")
    FRAIS = "frais", _("Frais bancaires")
    AUTRE = "autre", _("Autre")


class MouvementBancaire(models.Model):
    """Une ligne de relevé ; `montant` signé, positif au crédit. Ce qu'on en a fait s'écrit, rien ne s'efface."""

    class Statut(models.TextChoices):
        A_RAPPROCHER = "a_rapprocher", _("À rapprocher")
        RAPPROCHE = "rapproche", _("Rapproché")
        IGNORE = "ignore", _("Sans rapport avec un client")

    societe = models.ForeignKey(Societe, models.PROTECT, related_name="+")
    compte = models.ForeignKey(CompteBancaire, models.PROTECT, related_name="mouvements")
    releve = models.ForeignKey(ReleveBancaire, models.PROTECT, null=True, blank=True, related_name="mouvements")
    lot = models.ForeignKey("factures.Lot", models.PROTECT, null=True, blank=True, related_name="+")
    cle_source = models.CharField(max_length=160)
    date = models.DateField(_("date d'opération"))
    date_valeur = models.DateField(_("date de valeur"), null=True, blank=True)
    montant = ChampMontant(_("montant"))
    devise = models.CharField(max_length=3, default="EUR")
    nature = models.CharField(_("nature"), max_length=12, choices=NatureMouvement.choices, default="autre")
    libelle = models.CharField(_("libellé"), max_length=500, blank=True)
    reference = models.CharField(_("référence"), max_length=140, blank=True)  # de bout en bout, ou structurée
    contrepartie = models.CharField(_("contrepartie"), max_length=140, blank=True)
    contrepartie_iban = models.CharField(_("IBAN de la contrepartie"), max_length=34, blank=True)
    code = models.CharField(_("code d'opération"), max_length=35, blank=True)
    motif_rejet = models.CharField(_("motif du rejet"), max_length=140, blank=True)
    statut = models.CharField(max_length=12, choices=Statut.choices, default=Statut.A_RAPPROCHER)
    # Part déjà devenue encaissements, jamais plus que le montant.
    reparti = ChampMontant(_("réparti"), default=0)
    # Le client que tout désigne, avant qu'une personne l'ait dit : sa relance attend (exigence 2).
    client_presume = models.ForeignKey(Client, models.SET_NULL, null=True, blank=True, related_name="mouvements")
    confiance = models.PositiveSmallIntegerField(default=0)  # de la meilleure suggestion, pour cent
    suggere_le = models.DateTimeField(null=True, blank=True)
    rejet_de = models.ForeignKey(Encaissement, models.SET_NULL, null=True, blank=True, related_name="rejets")
    motif = models.CharField(_("pourquoi ignoré"), max_length=200, blank=True)
    traite_le = models.DateTimeField(null=True, blank=True)
    traite_par = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    automatique = models.BooleanField(_("rapproché par une règle"), default=False)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = BanqueQuerySet.as_manager()

    class Meta:
        verbose_name = _("mouvement bancaire")
        ordering = ["-date", "-pk"]
        constraints = [
            models.UniqueConstraint(fields=["societe", "cle_source"], name="mouvement_cle_source_unique"),
            models.CheckConstraint(condition=~Q(montant=0), name="mouvement_non_nul"),
            models.CheckConstraint(
                condition=Q(reparti=0) | (Q(reparti__gt=0) & Q(reparti__lte=F("montant"))),
                name="mouvement_jamais_trop_reparti",
            ),
        ]
        indexes = [
            models.Index(fields=["societe", "date"], condition=Q(statut="a_rapprocher"), name="mouvement_a_rapprocher"),
            models.Index(
                fields=["client_presume"],
                condition=Q(statut="a_rapprocher", client_presume__isnull=False),
                name="mouvement_client_presume",
            ),
        ]

    def __str__(self):
        return f"{self.date:%d/%m/%Y} {self.montant} {self.libelle[:40]}"


class SuggestionRapprochement(models.Model):
    """Une façon de rapprocher un mouvement, avec ses raisons ; recalculée, jamais appliquée d'elle-même."""

    mouvement = models.ForeignKey(MouvementBancaire, models.CASCADE, related_name="suggestions")
    rang = models.PositiveSmallIntegerField()
    client = models.ForeignKey(Client, models.CASCADE, null=True, blank=True, related_name="+")
    confiance = models.PositiveSmallIntegerField()  # pour cent
    # {"echeances": {id: centimes}, "avoirs": {id: centimes}, "ecart": centimes, "nature_ecart": …, "reste": centimes}
    parts = models.JSONField(default=dict)
    raisons = models.JSONField(default=list)  # codes et valeurs, mis en phrases à l'écran
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("suggestion de rapprochement")
        ordering = ["mouvement", "rang"]
        constraints = [
            models.UniqueConstraint(fields=["mouvement", "rang"], name="suggestion_rang_unique"),
            models.CheckConstraint(condition=Q(confiance__lte=100), name="suggestion_confiance_pour_cent"),
        ]

    def __str__(self):
        return f"{self.mouvement_id} n° {self.rang} ({self.confiance} %)"


class ReglageRapprochement(models.Model):
    """Ce que la société permet au rapprochement ; sans ligne, les valeurs par défaut : rien d'automatique."""

    societe = models.OneToOneField(Societe, models.CASCADE, related_name="rapprochement")
    automatique = models.BooleanField(_("rapprocher seul ce qui est certain"), default=False)
    seuil_automatique = models.PositiveSmallIntegerField(
        _("certitude exigée (%)"), default=98, validators=[MaxValueValidator(100)]
    )
    ecart_tolere = ChampMontant(_("écart de règlement toléré"), default="0.05")
    frais_toleres = ChampMontant(_("frais bancaires tolérés"), default=0)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name = _("réglage du rapprochement")
        constraints = [
            models.CheckConstraint(
                condition=Q(ecart_tolere__gte=0, frais_toleres__gte=0), name="reglage_tolerances_positives"
            )
        ]

    def __str__(self):
        return f"{self.societe}"


class RegleRapprochement(Horodate):
    """« Ce libellé, toujours ceci » : ignorer un salaire, reconnaître un client que rien d'autre ne nomme."""

    class Action(models.TextChoices):
        IGNORER = "ignorer", _("Écarter : sans rapport avec un client")
        CLIENT = "client", _("Reconnaître ce client")

    societe = models.ForeignKey(Societe, models.PROTECT, related_name="+")
    nom = models.CharField(_("nom"), max_length=80)
    contient = models.CharField(_("le libellé contient"), max_length=120)
    action = models.CharField(_("alors"), max_length=10, choices=Action.choices)
    client = models.ForeignKey(Client, models.CASCADE, null=True, blank=True, related_name="+")
    rang = models.PositiveSmallIntegerField(default=0)
    active = models.BooleanField(_("active"), default=True)

    objects = BanqueQuerySet.as_manager()

    class Meta:
        verbose_name = _("règle de rapprochement")
        ordering = ["rang", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["societe", "nom"], name="regle_rapprochement_nom_unique"),
            models.CheckConstraint(
                condition=Q(action="ignorer", client__isnull=True) | Q(action="client", client__isnull=False),
                name="regle_client_si_reconnaitre",
            ),
            models.CheckConstraint(condition=~Q(contient=""), name="regle_motif_non_vide"),
        ]

    def __str__(self):
        return self.nom
