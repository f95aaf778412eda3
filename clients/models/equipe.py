"""Ce que l'équipe partage autour d'un client : une fiche ouverte à un collègue, un document gardé, un report."""

from datetime import date

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from recouvrement.comptes.droits import filtre_portefeuille
from recouvrement.comptes.models import Societe

from .fiche import Client, Note


class PartageQuerySet(models.QuerySet):
    def en_cours(self, au: date):
        return self.filter(clos_le=None, du__lte=au, au__gte=au)

    def visibles_pour(self, user):
        return self.filter(filtre_portefeuille(user, "client__societe_id", "client__gestionnaire_id"))


class Partage(models.Model):
    """Un client ouvert à un collègue qui ne le suit pas : mention dans une note, ou affaire passée.

    Il ouvre la fiche, dans une société où le collègue tient déjà un rôle, et s'éteint à sa date ou dès qu'il est clos.
    """

    class Genre(models.TextChoices):
        MENTION = "mention", _("Mention")
        CONFIE = "confie", _("Affaire confiée")

    client = models.ForeignKey(Client, models.CASCADE, related_name="partages")
    utilisateur = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="partages")
    genre = models.CharField(_("genre"), max_length=10, choices=Genre.choices)
    note = models.ForeignKey(Note, models.CASCADE, null=True, blank=True, related_name="partages")
    motif = models.CharField(_("motif"), max_length=250, blank=True)
    ouvert_par = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    du = models.DateField(_("du"))
    au = models.DateField(_("jusqu'au"))
    lu_le = models.DateTimeField(_("lu le"), null=True, blank=True)
    clos_le = models.DateTimeField(_("clos le"), null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = PartageQuerySet.as_manager()

    class Meta:
        verbose_name = _("partage")
        ordering = ["-pk"]
        indexes = [models.Index(fields=["utilisateur"], condition=Q(clos_le=None), name="partage_ouvert")]
        constraints = [
            models.CheckConstraint(condition=Q(au__gte=F("du")), name="partage_dates_ordonnees"),
            models.UniqueConstraint(
                fields=["note", "utilisateur"], condition=Q(note__isnull=False), name="partage_mention_unique"
            ),
        ]

    def __str__(self):
        return f"{self.get_genre_display()} : {self.utilisateur}"


class DocumentQuerySet(models.QuerySet):
    def visibles_pour(self, user):
        return self.filter(filtre_portefeuille(user, "client__societe_id", "client__gestionnaire_id"))

    def gardes(self):
        return self.filter(retire_le=None)


class Document(models.Model):
    """Un fichier joint au client : déposé, collé, reçu par courriel ou par sa page ; rangé par empreinte."""

    class Origine(models.TextChoices):
        EQUIPE = "equipe", _("Équipe")
        COURRIEL = "courriel", _("Courriel reçu")
        PORTAIL = "portail", _("Page du client")

    client = models.ForeignKey(Client, models.PROTECT, related_name="documents")
    origine = models.CharField(_("origine"), max_length=10, choices=Origine.choices, default=Origine.EQUIPE)
    nom = models.CharField(_("nom du fichier"), max_length=160)
    type_mime = models.CharField(_("type constaté"), max_length=80)
    titre = models.CharField(_("titre"), max_length=160, blank=True)
    chemin = models.CharField(max_length=120)
    empreinte = models.CharField(max_length=64)
    taille = models.PositiveIntegerField()
    ajoute_par = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    retire_le = models.DateTimeField(_("retiré le"), null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = DocumentQuerySet.as_manager()

    class Meta:
        verbose_name = _("document")
        ordering = ["-pk"]
        indexes = [models.Index(fields=["client", "-id"], name="document_client")]
        constraints = [
            models.UniqueConstraint(
                fields=["client", "empreinte"], condition=Q(retire_le=None), name="document_garde_unique"
            )
        ]

    def __str__(self):
        return self.titre or self.nom


class ReportQuerySet(models.QuerySet):
    def en_cours(self, au: date):
        """Reports qui cachent encore le client le jour dit : il revient le jour `jusqu_au`."""
        return self.filter(annule_le=None, jusqu_au__gt=au)

    def visibles_pour(self, user):
        return self.filter(filtre_portefeuille(user, "client__societe_id", "client__gestionnaire_id"))


class Report(models.Model):
    """Un client mis de côté dans Ma journée jusqu'à un jour, avec sa raison ; un délai légal n'en tient pas compte."""

    client = models.ForeignKey(Client, models.CASCADE, related_name="reports")
    auteur = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    motif = models.CharField(_("motif"), max_length=200)
    du = models.DateField(_("du"))
    jusqu_au = models.DateField(_("revient le"))
    annule_le = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = ReportQuerySet.as_manager()

    class Meta:
        verbose_name = _("report")
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(fields=["client"], condition=Q(annule_le=None), name="report_en_cours_unique"),
            models.CheckConstraint(condition=Q(jusqu_au__gt=F("du")), name="report_a_venir"),
            models.CheckConstraint(condition=~Q(motif=""), name="report_motive"),
        ]

    def __str__(self):
        return f"{self.motif} ({self.jusqu_au})"


class OppositionSmsQuerySet(models.QuerySet):
    def en_vigueur(self):
        return self.filter(levee_le=None)


class OppositionSms(models.Model):
    """Un numéro qui ne veut plus de SMS de cette société ; STOP reçu, ou demande faite à une personne."""

    societe = models.ForeignKey(Societe, models.CASCADE, related_name="oppositions_sms")
    numero = models.CharField(_("numéro (E.164)"), max_length=20)
    le = models.DateTimeField(_("reçue le"))
    source = models.CharField(_("source"), max_length=20)
    auteur = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    levee_le = models.DateTimeField(null=True, blank=True)

    objects = OppositionSmsQuerySet.as_manager()

    class Meta:
        verbose_name = _("opposition aux SMS")
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["societe", "numero"], condition=Q(levee_le=None), name="opposition_sms_unique"
            )
        ]

    def __str__(self):
        return self.numero
