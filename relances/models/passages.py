"""Le passage (une décision datée et numérotée) et les verdicts par intervalles."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from factures.models import Echeance
from recouvrement.comptes.droits import Droit, filtre_portefeuille, societes_pour
from recouvrement.comptes.models import Societe


class PassageQuerySet(models.QuerySet):
    def visibles_pour(self, user):
        return self.filter(societe__in=societes_pour(user, Droit.VOIR))


class Passage(models.Model):
    class Genre(models.TextChoices):
        AUTOMATIQUE = "automatique", _("Automatique")
        REJOUE = "rejoue", _("Rejoué")
        MANUEL = "manuel", _("Envoi manuel")
        BANC = "banc", _("Banc de mesure")

    class Statut(models.TextChoices):
        OUVERT = "ouvert", _("En cours")
        TERMINE = "termine", _("Terminé")
        SUSPENDU = "suspendu", _("Suspendu")
        EN_ECHEC = "en_echec", _("En échec")

    societe = models.ForeignKey(Societe, models.PROTECT, related_name="passages")
    au = models.DateField(_("au"))
    numero = models.PositiveIntegerField(_("numéro"))
    genre = models.CharField(max_length=20, choices=Genre.choices, default=Genre.AUTOMATIQUE)
    statut = models.CharField(max_length=20, choices=Statut.choices, default=Statut.OUVERT)
    motif = models.CharField(_("motif"), max_length=250, blank=True)
    bilan = models.JSONField(default=dict, blank=True)
    ouvert_le = models.DateTimeField(auto_now_add=True)
    bail_jusqu_au = models.DateTimeField(null=True, blank=True)
    clos_le = models.DateTimeField(null=True, blank=True)
    auteur = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")

    objects = PassageQuerySet.as_manager()

    class Meta:
        verbose_name = _("passage")
        ordering = ["-au", "-numero"]
        constraints = [
            # Un seul passage automatique par société et par jour, quoi que fasse l'ordonnanceur.
            models.UniqueConstraint(
                fields=["societe", "au"], condition=Q(genre="automatique"), name="passage_automatique_unique"
            ),
            models.UniqueConstraint(fields=["societe", "numero"], name="passage_numero_unique"),
            # Deux lots concurrents : le second s'arrête (exigence 20).
            models.UniqueConstraint(
                fields=["societe"], condition=Q(statut="ouvert") & ~Q(genre="manuel"), name="passage_ouvert_unique"
            ),
        ]

    def __str__(self):
        return f"n° {self.numero} du {self.au:%d/%m/%Y}"


class VerdictQuerySet(models.QuerySet):
    def visibles_pour(self, user):
        return self.filter(filtre_portefeuille(user, "echeance__societe_id", "echeance__client__gestionnaire_id"))

    def courants(self):
        return self.filter(au=None)


class Verdict(models.Model):
    """Pourquoi, ou pourquoi pas, du jour `du` au jour `au` (vide : encore vrai)."""

    echeance = models.ForeignKey(Echeance, models.CASCADE, related_name="verdicts")
    du = models.DateField()
    au = models.DateField(null=True, blank=True)
    code = models.CharField(max_length=30)
    detail = models.CharField(max_length=250, blank=True)
    nature = models.PositiveSmallIntegerField(default=0)  # palier visé
    prochaine = models.DateField(null=True, blank=True)  # première date où le verdict peut changer
    version = models.BigIntegerField(default=0)  # version du plan qui a jugé
    passage = models.ForeignKey(Passage, models.SET_NULL, null=True, related_name="+")

    objects = VerdictQuerySet.as_manager()

    class Meta:
        verbose_name = _("verdict")
        ordering = ["-du", "-pk"]
        constraints = [
            models.UniqueConstraint(fields=["echeance"], condition=Q(au=None), name="verdict_courant_unique"),
            models.CheckConstraint(condition=Q(au__isnull=True) | Q(au__gte=F("du")), name="verdict_dates_ordonnees"),
        ]

    def __str__(self):
        return f"{self.code} depuis le {self.du}"
