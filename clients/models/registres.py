"""Ce que disent les registres d'un client, et le blocage de ses commandes."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from recouvrement.comptes.droits import filtre_portefeuille, societes_pour
from recouvrement.comptes.models import Societe

from .fiche import Client


class AnnonceBodaccQuerySet(models.QuerySet):
    def visibles_pour(self, user):
        return self.filter(societe__in=societes_pour(user))


class AnnonceBodacc(models.Model):
    """Une annonce lue, gardée telle quelle : la pièce qui justifie l'arrêt des relances et date la déclaration."""

    societe = models.ForeignKey(Societe, models.PROTECT, related_name="+")
    identifiant = models.CharField(_("identifiant"), max_length=60)
    siren = models.CharField("SIREN", max_length=9)
    famille = models.CharField(_("famille"), max_length=40, blank=True)
    nature = models.CharField(_("nature"), max_length=200, blank=True)
    nom = models.CharField(_("débiteur"), max_length=200, blank=True)
    tribunal = models.CharField(_("tribunal"), max_length=200, blank=True)
    jugement_le = models.DateField(_("jugement du"), null=True, blank=True)
    parution_le = models.DateField(_("parue le"), null=True, blank=True)
    texte = models.JSONField(default=dict, blank=True)
    lot = models.BigIntegerField(null=True, blank=True)  # `factures.Lot` : clients ne connaît pas factures
    created_at = models.DateTimeField(auto_now_add=True)

    objects = AnnonceBodaccQuerySet.as_manager()

    class Meta:
        verbose_name = _("annonce BODACC")
        ordering = ["-parution_le", "-pk"]
        constraints = [
            models.UniqueConstraint(fields=["societe", "identifiant", "siren"], name="annonce_bodacc_unique")
        ]
        indexes = [models.Index(fields=["siren"], name="annonce_bodacc_siren")]

    def __str__(self):
        return f"{self.identifiant} ({self.siren})"


class CorrectionProposeeQuerySet(models.QuerySet):
    def visibles_pour(self, user):
        return self.filter(filtre_portefeuille(user, "client__societe_id", "client__gestionnaire_id"))

    def a_decider(self):
        return self.filter(statut=CorrectionProposee.Statut.PROPOSEE)


class CorrectionProposee(models.Model):
    """Ce qu'un registre public dit autrement que la fiche : une personne décide, et son refus ne se repropose pas."""

    class Statut(models.TextChoices):
        PROPOSEE = "proposee", _("À décider")
        ACCEPTEE = "acceptee", _("Acceptée")
        REFUSEE = "refusee", _("Refusée")

    client = models.ForeignKey(Client, models.CASCADE, related_name="corrections")
    champ = models.CharField(_("champ"), max_length=40)
    avant = models.CharField(_("valeur de la fiche"), max_length=250, blank=True)
    apres = models.CharField(_("valeur proposée"), max_length=250, blank=True)
    origine = models.CharField(_("origine"), max_length=40)
    explication = models.CharField(_("explication"), max_length=250, blank=True)
    statut = models.CharField(max_length=10, choices=Statut.choices, default=Statut.PROPOSEE)
    decidee_par = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    decidee_le = models.DateTimeField(null=True, blank=True)
    lot = models.BigIntegerField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = CorrectionProposeeQuerySet.as_manager()

    class Meta:
        verbose_name = _("correction proposée")
        ordering = ["client", "champ", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["client", "champ", "apres"], name="correction_proposee_unique"),
            models.CheckConstraint(
                condition=Q(statut="proposee", decidee_le__isnull=True) | Q(decidee_le__isnull=False),
                name="correction_decidee_datee",
            ),
        ]

    def __str__(self):
        return f"{self.champ} : {self.avant} → {self.apres}"


class BlocageCommandesQuerySet(models.QuerySet):
    def visibles_pour(self, user):
        return self.filter(filtre_portefeuille(user, "client__societe_id", "client__gestionnaire_id"))

    def en_cours(self):
        return self.filter(leve_le=None)


class BlocageCommandes(models.Model):
    """Drapeau « blocage commandes » : posé par la règle ou une personne, levé par un responsable (exigence 38)."""

    class Motif(models.TextChoices):
        RETARD = "retard", _("Retard de paiement")
        PLAFOND = "plafond", _("Plafond d'encours dépassé")
        DECISION = "decision", _("Décision d'une personne")

    client = models.ForeignKey(Client, models.CASCADE, related_name="blocages")
    motif = models.CharField(_("motif"), max_length=10, choices=Motif.choices)
    detail = models.CharField(_("détail"), max_length=250, blank=True)
    pose_le = models.DateField(_("posé le"))
    auteur = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    leve_le = models.DateField(_("levé le"), null=True, blank=True)
    leve_par = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    leve_motif = models.CharField(_("motif de la levée"), max_length=250, blank=True)
    # Une levée décidée tient jusqu'à ce jour : la règle ne le repose pas le lendemain.
    leve_jusqu_au = models.DateField(_("levé jusqu'au"), null=True, blank=True)

    objects = BlocageCommandesQuerySet.as_manager()

    class Meta:
        verbose_name = _("blocage des commandes")
        ordering = ["-pose_le", "-pk"]
        constraints = [
            models.UniqueConstraint(fields=["client"], condition=Q(leve_le=None), name="blocage_en_cours_unique"),
            models.CheckConstraint(
                condition=Q(leve_le__isnull=True) | (Q(leve_le__gte=F("pose_le")) & ~Q(leve_motif="")),
                name="blocage_leve_motive",
            ),
        ]

    def __str__(self):
        return f"{self.get_motif_display()} ({self.pose_le})"
