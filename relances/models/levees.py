"""Frein levé pour une nuit : une personne le demande, une seconde l'approuve au-delà d'un montant."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from factures.models import Echeance
from recouvrement.commun.champs import ChampMontant
from recouvrement.comptes.droits import filtre_portefeuille


class LeveeQuerySet(models.QuerySet):
    def visibles_pour(self, user):
        return self.filter(filtre_portefeuille(user, "echeance__societe_id", "echeance__client__gestionnaire_id"))

    def effectives(self, jour):
        """Levées qui jouent la nuit du jour dit, sur ce qui reste dû maintenant.

        Approuvée, elle vaut pour le montant vu par la seconde personne. Sans approbation, toutes celles du client
        cette nuit-là tiennent ensemble sous le seuil de la société : dix pièces ne passent pas une à une.
        """
        reste = F("echeance__montant") - F("echeance__impute")
        seules = LeveeDeFrein.objects.filter(
            echeance=models.OuterRef("pk"), pour_le=jour, annulee_le=None, approuvee_le=None, a_deux=False
        )
        cumul = (
            Echeance.objects.filter(
                models.Exists(seules),
                client=models.OuterRef("echeance__client"),
                devise=models.OuterRef("echeance__devise"),
            )
            .order_by()
            .values("client")
            .annotate(total=models.Sum(F("montant") - F("impute")))
            .values("total")
        )
        seuil = F("echeance__societe__seuil_deux_personnes")
        sans_approbation = Q(approuvee_le=None, a_deux=False) & (
            Q(echeance__societe__seuil_deux_personnes=None) | Q(seul__lte=seuil)
        )
        return (
            self.filter(pour_le=jour, annulee_le=None)
            .annotate(seul=models.Subquery(cumul), reste=reste)
            .filter(sans_approbation | Q(approuvee_le__isnull=False, reste__lte=F("montant")))
        )


class LeveeDeFrein(models.Model):
    """Une pièce, un frein, une nuit ; jamais un frein que la loi impose."""

    echeance = models.ForeignKey(Echeance, models.CASCADE, related_name="levees")
    frein = models.CharField(_("frein"), max_length=30)  # domaine.echelle.Motif
    pour_le = models.DateField(_("pour la nuit du"))
    motif = models.CharField(_("motif"), max_length=200)
    montant = ChampMontant(_("reste dû alors"))
    a_deux = models.BooleanField(default=False)
    demandee_par = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    approuvee_par = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    approuvee_le = models.DateTimeField(null=True, blank=True)
    annulee_le = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = LeveeQuerySet.as_manager()

    class Meta:
        verbose_name = _("levée de frein")
        ordering = ["-pour_le", "-pk"]
        constraints = [
            models.CheckConstraint(condition=~Q(motif=""), name="levee_motivee"),
            models.CheckConstraint(
                condition=Q(approuvee_par__isnull=True) | ~Q(approuvee_par=F("demandee_par")),
                name="levee_par_deux_personnes",
            ),
            models.UniqueConstraint(
                fields=["echeance", "frein", "pour_le"], condition=Q(annulee_le=None), name="levee_unique"
            ),
        ]

    def __str__(self):
        return f"{self.frein} levé pour le {self.pour_le:%d/%m/%Y}"
