"""Ce que disent d'une facture la plateforme agréée et la comptabilité."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from recouvrement.commun.champs import ChampMontant
from recouvrement.comptes.droits import Droit, filtre_portefeuille, societes_pour
from recouvrement.comptes.models import Societe

from .grand_livre import Facture


class StatutRecuQuerySet(models.QuerySet):
    def visibles_pour(self, user):
        return self.filter(filtre_portefeuille(user, "facture__societe_id", "facture__client__gestionnaire_id"))


class StatutRecu(models.Model):
    """Un statut du cycle de vie tel que reçu ; le dernier est recopié sur la facture (droit.md § 12)."""

    societe = models.ForeignKey(Societe, models.PROTECT, related_name="+")
    facture = models.ForeignKey(Facture, models.CASCADE, related_name="statuts")
    cle_source = models.CharField(max_length=160)
    code = models.CharField(_("statut"), max_length=3)
    le = models.DateField(_("donné le"))
    motif_code = models.CharField(_("code du motif"), max_length=30, blank=True)
    motif = models.CharField(_("motif"), max_length=250, blank=True)
    montant = ChampMontant(_("montant"), null=True, blank=True)
    lot = models.ForeignKey("factures.Lot", models.PROTECT, null=True, blank=True, related_name="+")
    # Payée selon la plateforme, pas selon le compte : une personne décide.
    anomalie = models.CharField(_("anomalie à décider"), max_length=250, blank=True)
    decidee_le = models.DateTimeField(null=True, blank=True)
    decidee_par = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    objects = StatutRecuQuerySet.as_manager()

    class Meta:
        verbose_name = _("statut reçu")
        ordering = ["-le", "-pk"]
        constraints = [models.UniqueConstraint(fields=["societe", "cle_source"], name="statut_recu_cle_source_unique")]

    def __str__(self):
        return f"{self.code} le {self.le}"


class DouteuxQuerySet(models.QuerySet):
    def visibles_pour(self, user):
        return self.filter(filtre_portefeuille(user, "facture__societe_id", "facture__client__gestionnaire_id"))

    def en_cours(self):
        return self.filter(repris_le=None)


class Douteux(models.Model):
    """Passage d'une facture en créance douteuse (416) et sa dépréciation ; la personne décide, l'outil écrit (§ 10)."""

    facture = models.ForeignKey(Facture, models.PROTECT, related_name="douteux")
    passe_le = models.DateField(_("passée en douteux le"))
    taux = models.DecimalField(_("dépréciation (% du HT)"), max_digits=5, decimal_places=2, default=0)
    motif = models.CharField(_("événement qui rend la perte probable"), max_length=250)
    repris_le = models.DateField(_("repris le"), null=True, blank=True)
    auteur = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    objects = DouteuxQuerySet.as_manager()

    class Meta:
        verbose_name = _("créance douteuse")
        ordering = ["-passe_le", "-pk"]
        constraints = [
            models.UniqueConstraint(fields=["facture"], condition=Q(repris_le=None), name="douteux_en_cours_unique"),
            models.CheckConstraint(condition=Q(taux__gte=0, taux__lte=100), name="douteux_taux_pour_cent"),
            models.CheckConstraint(condition=~Q(motif=""), name="douteux_motive"),
            models.CheckConstraint(
                condition=Q(repris_le__isnull=True) | Q(repris_le__gte=F("passe_le")), name="douteux_dates_ordonnees"
            ),
        ]

    def __str__(self):
        return f"{self.facture} le {self.passe_le}"


class CompteComptableQuerySet(models.QuerySet):
    def visibles_pour(self, user):
        return self.filter(societe__in=societes_pour(user, Droit.EXPORTER))


class CompteComptable(models.Model):
    """Le numéro de compte ou le journal qu'une société emploie pour un usage ; à défaut, celui de la maison."""

    societe = models.ForeignKey(Societe, models.CASCADE, related_name="comptes_comptables")
    usage = models.CharField(_("usage"), max_length=30)
    numero = models.CharField(_("compte"), max_length=20)
    libelle = models.CharField(_("intitulé"), max_length=80, blank=True)

    objects = CompteComptableQuerySet.as_manager()

    class Meta:
        verbose_name = _("compte comptable")
        ordering = ["societe", "usage"]
        constraints = [
            models.UniqueConstraint(fields=["societe", "usage"], name="compte_comptable_usage_unique"),
            models.CheckConstraint(condition=~Q(numero=""), name="compte_comptable_non_vide"),
        ]

    def __str__(self):
        return f"{self.usage} : {self.numero}"
