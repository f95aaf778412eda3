"""Modèles de lettres, de courriels et de SMS : des textes à variables fermées, par version."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from clients.models import TypeDebiteur
from recouvrement.comptes.droits import Droit, societes_pour
from recouvrement.comptes.models import Langue, Societe

from .echelles import NatureChoix


class ModeleQuerySet(models.QuerySet):
    def visibles_pour(self, user):
        return self.filter(societe__in=societes_pour(user, Droit.PLANS))


class Modele(models.Model):
    """Un texte pour une nature de palier, un type de débiteur, un support et une langue."""

    class Support(models.TextChoices):
        LETTRE = "lettre", _("Lettre")
        COURRIEL = "courriel", _("Courriel")
        SMS = "sms", _("SMS")

    societe = models.ForeignKey(Societe, models.CASCADE, related_name="modeles")
    code = models.SlugField(_("code"), max_length=40, default="standard")
    nom = models.CharField(_("nom"), max_length=80)
    nature = models.PositiveSmallIntegerField(_("palier"), choices=NatureChoix.choices)
    type_debiteur = models.CharField(_("type de débiteur"), max_length=20, choices=TypeDebiteur.choices)
    support = models.CharField(_("support"), max_length=10, choices=Support.choices)
    langue = models.CharField(_("langue"), max_length=2, choices=Langue.choices, default=Langue.FR)
    retire_le = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = ModeleQuerySet.as_manager()

    class Meta:
        verbose_name = _("modèle")
        ordering = ["type_debiteur", "nature", "support", "langue", "code"]
        constraints = [
            models.UniqueConstraint(
                fields=["societe", "code", "nature", "type_debiteur", "support", "langue"], name="modele_unique"
            )
        ]

    def __str__(self):
        return self.nom


class VersionModele(models.Model):
    """Les paragraphes d'un modèle ; une version publiée ne se modifie plus."""

    class Statut(models.TextChoices):
        BROUILLON = "brouillon", _("Brouillon")
        PUBLIEE = "publiee", _("Publiée")
        RETIREE = "retiree", _("Retirée")

    modele = models.ForeignKey(Modele, models.CASCADE, related_name="versions")
    numero = models.PositiveSmallIntegerField()
    statut = models.CharField(max_length=20, choices=Statut.choices, default=Statut.BROUILLON)
    textes = models.JSONField(default=dict)  # {paragraphe: texte à variables}
    note = models.CharField(_("ce qui change"), max_length=250, blank=True)
    auteur = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    publiee_le = models.DateTimeField(null=True, blank=True)
    publiee_par = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("version de modèle")
        ordering = ["modele", "-numero"]
        constraints = [
            models.UniqueConstraint(fields=["modele", "numero"], name="modele_version_unique"),
            models.UniqueConstraint(fields=["modele"], condition=Q(statut="publiee"), name="modele_publie_unique"),
            models.UniqueConstraint(fields=["modele"], condition=Q(statut="brouillon"), name="modele_brouillon_unique"),
        ]

    def __str__(self):
        return f"{self.modele} v{self.numero}"
