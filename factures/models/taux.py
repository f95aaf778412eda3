"""Taux datés, avec leur source. Un semestre absent arrête le calcul et se nomme."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class TauxBCE(models.Model):
    """Taux des opérations principales de refinancement (refi)."""

    date_effet = models.DateField(_("date d'effet"), unique=True)
    taux = models.DecimalField(_("taux (%)"), max_digits=5, decimal_places=2)
    source = models.CharField(_("source"), max_length=250)

    class Meta:
        verbose_name = _("taux BCE")
        verbose_name_plural = _("taux BCE")
        ordering = ["-date_effet"]

    def __str__(self):
        return f"{self.taux} % ({self.date_effet})"


class TauxLegal(models.Model):
    """Taux de l'intérêt légal d'un semestre, par qualité du créancier."""

    semestre = models.CharField(_("semestre"), max_length=7, unique=True)
    particuliers = models.DecimalField(_("créancier particulier (%)"), max_digits=5, decimal_places=2)
    autres = models.DecimalField(_("autres créanciers (%)"), max_digits=5, decimal_places=2)
    source = models.CharField(_("source"), max_length=250)

    class Meta:
        verbose_name = _("taux légal")
        verbose_name_plural = _("taux légaux")
        ordering = ["-semestre"]

    def __str__(self):
        return self.semestre


class SemestreConnu(models.Model):
    """Semestre dont le taux BCE du premier jour a été relevé par une personne : on n'extrapole jamais."""

    semestre = models.CharField(_("semestre"), max_length=7, unique=True)
    refi = models.DecimalField(_("refi au premier jour (%)"), max_digits=5, decimal_places=2)
    source = models.CharField(_("source"), max_length=250)

    class Meta:
        verbose_name = _("semestre connu")
        ordering = ["-semestre"]

    def __str__(self):
        return self.semestre
