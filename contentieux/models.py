"""Le dossier contentieux : une décision humaine, ses pièces, sa procédure."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from clients.models import Client
from factures.models import Echeance
from recouvrement.commun.champs import ChampMontant
from recouvrement.commun.modeles import Horodate
from recouvrement.comptes.droits import filtre_portefeuille
from recouvrement.comptes.models import Societe
from relances.models import Courrier


class DossierQuerySet(models.QuerySet):
    def visibles_pour(self, user):
        return self.filter(filtre_portefeuille(user, "societe_id", "client__gestionnaire_id"))


class DossierContentieux(Horodate):
    class Statut(models.TextChoices):
        EN_PREPARATION = "en_preparation", _("En préparation")
        REQUETE_DEPOSEE = "requete_deposee", _("Requête déposée")
        ORDONNANCE = "ordonnance", _("Ordonnance rendue")
        SIGNIFIEE = "signifiee", _("Ordonnance signifiée")
        OPPOSITION = "opposition", _("Opposition")
        EXECUTOIRE = "executoire", _("Titre exécutoire")
        CLOS = "clos", _("Clos")

    societe = models.ForeignKey(Societe, models.PROTECT, related_name="dossiers")
    client = models.ForeignKey(Client, models.PROTECT, related_name="dossiers")
    reference = models.CharField(_("référence"), max_length=30)
    statut = models.CharField(max_length=20, choices=Statut.choices, default=Statut.EN_PREPARATION)
    devise = models.CharField(max_length=3, default="EUR")
    ouvert_le = models.DateField(_("ouvert le"))
    ouvert_par = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    motif = models.CharField(_("motif"), max_length=250)
    arrete_au = models.DateField(_("décompte arrêté au"))
    tribunal = models.CharField(_("tribunal"), max_length=160, blank=True)
    tribunal_adresse = models.CharField(_("adresse du tribunal"), max_length=250, blank=True)
    competence_relue = models.BooleanField(_("compétence relue"), default=False)
    debiteur_representant = models.CharField(_("représentant du débiteur"), max_length=120, blank=True)
    debiteur_capital = models.CharField(_("capital du débiteur"), max_length=40, blank=True)
    debiteur_rcs = models.CharField(_("RCS du débiteur"), max_length=60, blank=True)
    expose = models.TextField(_("exposé des faits"), blank=True)
    contestations = models.TextField(_("contestations connues"), blank=True)
    renvoi = models.CharField(_("renvoi en cas d'opposition"), max_length=160, blank=True)
    depose_le = models.DateField(_("requête déposée le"), null=True, blank=True)
    ordonnance_le = models.DateField(_("ordonnance du"), null=True, blank=True)
    signifiee_le = models.DateField(_("signifiée le"), null=True, blank=True)
    opposition_le = models.DateField(_("opposition du"), null=True, blank=True)
    clos_le = models.DateField(_("clos le"), null=True, blank=True)
    issue = models.CharField(_("issue"), max_length=200, blank=True)

    objects = DossierQuerySet.as_manager()

    class Meta:
        verbose_name = _("dossier contentieux")
        verbose_name_plural = _("dossiers contentieux")
        ordering = ["-ouvert_le", "-pk"]
        constraints = [
            models.UniqueConstraint(fields=["societe", "reference"], name="dossier_reference_unique"),
            models.CheckConstraint(
                condition=~Q(statut="clos") | Q(clos_le__isnull=False), name="dossier_clos_date"
            ),
        ]

    def __str__(self):
        return self.reference


class DossierEcheance(models.Model):
    """Échéance confiée à un dossier : hors de l'échelle, toujours dans l'encours (exigence 35)."""

    dossier = models.ForeignKey(DossierContentieux, models.CASCADE, related_name="lignes")
    echeance = models.ForeignKey(Echeance, models.PROTECT, related_name="dossiers")
    active = models.BooleanField(default=True)
    reste_du_a_l_ouverture = ChampMontant(default=0)

    class Meta:
        verbose_name = _("échéance du dossier")
        constraints = [
            models.UniqueConstraint(fields=["echeance"], condition=Q(active=True), name="echeance_un_dossier_actif")
        ]

    def __str__(self):
        return f"{self.dossier_id}/{self.echeance_id}"


class Piece(models.Model):
    """Pièce numérotée du bordereau ; un fichier rangé par empreinte, ou la place qu'il doit prendre."""

    class Genre(models.TextChoices):
        CONTRAT = "contrat", _("Contrat, commande ou CGV acceptées")
        FACTURE = "facture", _("Facture")
        LIVRAISON = "livraison", _("Bon de livraison ou compte rendu")
        RELANCE = "relance", _("Relance")
        MISE_EN_DEMEURE = "mise_en_demeure", _("Mise en demeure et avis de réception")
        DECOMPTE = "decompte", _("Décompte")
        KBIS = "kbis", _("Extrait Kbis du débiteur")
        AUTRE = "autre", _("Autre")

    dossier = models.ForeignKey(DossierContentieux, models.CASCADE, related_name="pieces")
    numero = models.PositiveSmallIntegerField(_("numéro"))
    genre = models.CharField(max_length=20, choices=Genre.choices)
    designation = models.CharField(_("désignation"), max_length=200)
    date = models.DateField(_("date"), null=True, blank=True)
    pages = models.PositiveSmallIntegerField(_("pages"), default=0)
    chemin = models.CharField(max_length=120, blank=True)
    empreinte = models.CharField(max_length=64, blank=True)
    type_mime = models.CharField(max_length=60, blank=True)
    courrier = models.ForeignKey(Courrier, models.PROTECT, null=True, blank=True, related_name="+")
    echeance = models.ForeignKey(Echeance, models.PROTECT, null=True, blank=True, related_name="+")
    obligatoire = models.BooleanField(default=False)

    class Meta:
        verbose_name = _("pièce")
        ordering = ["numero"]
        constraints = [models.UniqueConstraint(fields=["dossier", "numero"], name="piece_numero_unique")]

    def __str__(self):
        return f"{self.numero}. {self.designation}"
