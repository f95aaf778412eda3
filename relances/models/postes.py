"""Lot d'impression : ce qui part ensemble à la poste, un PDF et son bordereau."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from recouvrement.comptes.droits import Droit, societes_pour
from recouvrement.comptes.models import Societe

from .envois import Courrier


class LotPostalQuerySet(models.QuerySet):
    def visibles_pour(self, user):
        """Un lot dont la personne voit au moins un pli ; les autres s'y comptent sans se nommer (exigence 39)."""
        vus = PliDeLot.objects.filter(
            lot=models.OuterRef("pk"), courrier__in=Courrier.objects.visibles_pour(user).values("pk")
        )
        return self.filter(models.Exists(vus), societe__in=societes_pour(user, Droit.VOIR))

    def entiers_pour(self, user):
        """Ceux dont elle voit chaque pli : le PDF, le bordereau et le dépôt portent sur tous."""
        vus = Courrier.objects.visibles_pour(user)
        caches = PliDeLot.objects.filter(lot=models.OuterRef("pk")).exclude(courrier__in=vus.values("pk"))
        return self.filter(~models.Exists(caches), societe__in=societes_pour(user, Droit.VOIR))


class LotPostal(models.Model):
    """Ce que l'on a imprimé ensemble, tel quel ; réimprimer rend le même fichier."""

    class Statut(models.TextChoices):
        EN_PREPARATION = "en_preparation", _("En préparation")
        PRET = "pret", _("Prêt")
        EN_ERREUR = "en_erreur", _("En erreur")

    societe = models.ForeignKey(Societe, models.PROTECT, related_name="lots_postaux")
    numero = models.PositiveIntegerField(_("numéro"))
    fournisseur = models.CharField(_("fournisseur"), max_length=40, default="manuel")
    statut = models.CharField(_("statut"), max_length=20, choices=Statut.choices, default=Statut.EN_PREPARATION)
    relues = models.PositiveIntegerField(default=0)  # lettres déjà relues : l'avancement
    erreur = models.CharField(_("erreur"), max_length=400, blank=True)
    pdf_chemin = models.CharField(max_length=120, blank=True)
    pdf_empreinte = models.CharField(max_length=64, blank=True)
    pages = models.PositiveIntegerField(default=0)
    auteur = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    objects = LotPostalQuerySet.as_manager()

    class Meta:
        verbose_name = _("lot postal")
        ordering = ["-created_at", "-pk"]
        constraints = [models.UniqueConstraint(fields=["societe", "numero"], name="lot_postal_numero_unique")]

    def __str__(self):
        return f"lot n° {self.numero}"


class PliDeLot(models.Model):
    """Une lettre dans un lot, à son rang ; celle qui en sort y reste lisible, avec sa raison."""

    lot = models.ForeignKey(LotPostal, models.PROTECT, related_name="plis")
    courrier = models.ForeignKey("relances.Courrier", models.PROTECT, related_name="plis")
    rang = models.PositiveIntegerField(default=0)  # 0 : sortie avant l'impression
    feuilles = models.PositiveSmallIntegerField(default=0)
    sorti_le = models.DateTimeField(null=True, blank=True)
    sorti_par = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    sorti_motif = models.CharField(_("sorti parce que"), max_length=400, blank=True)

    class Meta:
        verbose_name = _("pli d'un lot")
        ordering = ["rang", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["courrier"], condition=Q(sorti_le=None), name="pli_dans_un_seul_lot")
        ]

    def __str__(self):
        return f"{self.lot}, pli {self.rang}"
