"""Journal inaltérable : une chaîne d'empreintes, et à part le texte, rectifiable (RGPD).

Un maillon porte des identifiants et des empreintes seulement. La base refuse UPDATE et DELETE
sur `Maillon` (déclencheurs, PostgreSQL et SQLite). Voir docs/decisions/0004-journal.md.
"""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from recouvrement.comptes.models import Societe


class MaillonQuerySet(models.QuerySet):
    def chronologie(self, client_id: int):
        """Faits d'un client, du plus récent au plus ancien, avec leur texte."""
        return self.filter(client_id=client_id).select_related("detail", "acteur").order_by("-rang")


class Maillon(models.Model):
    """Qui a fait quoi, quand, sur quel objet ; chaînée au précédent par SHA-256."""

    rang = models.BigIntegerField(unique=True)
    quand = models.DateTimeField()
    societe = models.ForeignKey(Societe, models.PROTECT, null=True, related_name="+")
    acteur = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    action = models.CharField(max_length=40)
    objet_type = models.CharField(max_length=40, blank=True)
    objet_id = models.BigIntegerField(null=True)
    client_id = models.BigIntegerField(null=True)
    empreinte_detail = models.CharField(max_length=64)
    precedent = models.CharField(max_length=64)
    empreinte = models.CharField(max_length=64, unique=True)

    objects = MaillonQuerySet.as_manager()

    class Meta:
        verbose_name = _("maillon du journal")
        ordering = ["rang"]
        indexes = [
            models.Index(fields=["client_id", "-rang"], condition=Q(client_id__isnull=False), name="maillon_client"),
            models.Index(fields=["objet_type", "objet_id"], name="maillon_objet"),
        ]
        constraints = [models.CheckConstraint(condition=Q(rang__gt=0), name="maillon_rang_positif")]

    def __str__(self):
        return f"{self.rang} {self.action}"


class Detail(models.Model):
    """Le texte d'un maillon : rectifiable et effaçable, sa perte ne casse pas la chaîne."""

    maillon = models.OneToOneField(Maillon, models.PROTECT, related_name="detail", primary_key=True)
    texte = models.TextField(blank=True)
    donnees = models.JSONField(default=dict, blank=True)
    sel = models.CharField(max_length=32)
    efface_le = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("détail du journal")

    def __str__(self):
        return self.texte[:80]
