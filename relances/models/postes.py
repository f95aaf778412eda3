"""Lot d'impression : ce qui part ensemble à la poste, un PDF et son bordereau."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from recouvrement.comptes.droits import Droit, societes_pour
from recouvrement.comptes.models import Societe


class LotPostalQuerySet(models.QuerySet):
    def visibles_pour(self, user):
        return self.filter(societe__in=societes_pour(user, Droit.VOIR))


class LotPostal(models.Model):
    """Ce que l'on a imprimé ensemble, tel quel ; réimprimer rend le même fichier."""

    societe = models.ForeignKey(Societe, models.PROTECT, related_name="lots_postaux")
    numero = models.PositiveIntegerField(_("numéro"))
    fournisseur = models.CharField(_("fournisseur"), max_length=40, default="manuel")
    pdf_chemin = models.CharField(max_length=120)
    pdf_empreinte = models.CharField(max_length=64)
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
