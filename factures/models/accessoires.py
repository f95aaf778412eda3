"""Ce qu'un règlement paie d'intérêts et d'indemnité : hors du compte comptable de l'échéance, dans le décompte."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from recouvrement.commun.champs import ChampMontant
from recouvrement.comptes.models import Societe

from .grand_livre import Encaissement, Facture


class AffectationAccessoires(models.Model):
    """Part d'un encaissement versée pour les intérêts, puis les 40 €, d'une facture ; comprise dans son `impute`.

    Elle se défait comme une imputation, par la clé du formulaire qui l'a posée.
    """

    societe = models.ForeignKey(Societe, models.PROTECT, related_name="+")
    facture = models.ForeignKey(Facture, models.PROTECT, related_name="accessoires")
    encaissement = models.ForeignKey(Encaissement, models.PROTECT, related_name="accessoires")
    date = models.DateField(_("affectée le"))
    montant = ChampMontant(_("montant"))
    auteur = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    cle_source = models.CharField(max_length=200)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("affectation aux accessoires")
        verbose_name_plural = _("affectations aux accessoires")
        ordering = ["date", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["societe", "cle_source"], name="accessoires_cle_source_unique"),
            models.CheckConstraint(condition=Q(montant__gt=0), name="accessoires_montant_positif"),
        ]
        indexes = [models.Index(fields=["date"], name="accessoires_date")]  # balances passées, comme les imputations

    def __str__(self):
        return f"{self.montant} – {self.facture}"
