"""Un fichier importé : ce qu'il était, ce qu'il a changé, ce qui en a été rejeté."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from recouvrement.comptes.droits import Droit, societes_pour
from recouvrement.comptes.models import Societe


class LotQuerySet(models.QuerySet):
    def visibles_pour(self, user):
        return self.filter(societe__in=societes_pour(user, Droit.IMPORTER))


class Lot(models.Model):
    class Statut(models.TextChoices):
        DEPOSE = "depose", _("Déposé")
        EN_LECTURE = "en_lecture", _("En lecture")
        APERCU = "apercu", _("Aperçu prêt")
        EN_COURS = "en_cours", _("En cours d'application")
        APPLIQUE = "applique", _("Appliqué")
        REFUSE = "refuse", _("Refusé")

    societe = models.ForeignKey(Societe, models.PROTECT, related_name="lots")
    auteur = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    fichier = models.CharField(_("fichier"), max_length=250)
    empreinte = models.CharField(max_length=64)
    taille = models.BigIntegerField(default=0)
    format = models.CharField(_("format"), max_length=20, blank=True)
    partiel = models.BooleanField(default=False)
    statut = models.CharField(max_length=20, choices=Statut.choices, default=Statut.DEPOSE)
    avancement = models.PositiveSmallIntegerField(default=0)  # pour cent
    compte_rendu = models.JSONField(default=dict, blank=True)
    chemin = models.CharField(max_length=250, blank=True)  # dans le dépôt, par empreinte
    created_at = models.DateTimeField(auto_now_add=True)
    applique_le = models.DateTimeField(null=True, blank=True)

    objects = LotQuerySet.as_manager()

    class Meta:
        verbose_name = _("import")
        ordering = ["-created_at", "-pk"]

    def __str__(self):
        return self.fichier
