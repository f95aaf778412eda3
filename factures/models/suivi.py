"""Ce qui retient une échéance : litige (part contestée) et promesse de paiement."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from clients.models import Client
from recouvrement.commun.champs import ChampMontant
from recouvrement.comptes.droits import filtre_portefeuille

from .grand_livre import Echeance, Mode


class LitigeQuerySet(models.QuerySet):
    def visibles_pour(self, user):
        return self.filter(filtre_portefeuille(user, "echeance__societe_id", "echeance__client__gestionnaire_id"))

    def ouverts(self):
        return self.filter(clos_le=None)


class Litige(models.Model):
    """Seule la part contestée est retenue ; le reste suit l'échelle (exigence 33)."""

    class Categorie(models.TextChoices):
        PRIX = "prix", _("Prix ou remise")
        QUANTITE = "quantite", _("Quantité livrée")
        QUALITE = "qualite", _("Qualité de la prestation")
        FACTURE = "facture", _("Facture erronée")
        A_VERIFIER = "a_verifier", _("À vérifier : import inexpliqué")
        AUTRE = "autre", _("Autre")

    # Issue de ce que la maison clôt d'elle-même, en base dans cette langue : la pièce rouverte, le litige l'est aussi.
    SOLDEE = gettext_noop("Pièce soldée")

    echeance = models.ForeignKey(Echeance, models.PROTECT, related_name="litiges")
    montant_conteste = ChampMontant(_("montant contesté"))
    categorie = models.CharField(_("catégorie"), max_length=20, choices=Categorie.choices)
    description = models.TextField(_("description"), max_length=2000, blank=True)
    responsable = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("responsable"),
    )
    ouvert_le = models.DateField(_("ouvert le"))
    a_traiter_le = models.DateField(_("à traiter avant le"))
    clos_le = models.DateField(_("clos le"), null=True, blank=True)
    issue = models.CharField(_("issue"), max_length=200, blank=True)
    auteur = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")

    objects = LitigeQuerySet.as_manager()

    class Meta:
        verbose_name = _("litige")
        ordering = ["a_traiter_le", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["echeance"], condition=Q(clos_le=None), name="litige_ouvert_unique"),
            models.CheckConstraint(condition=Q(montant_conteste__gt=0), name="litige_montant_positif"),
        ]

    def __str__(self):
        return f"{self.get_categorie_display()} : {self.montant_conteste}"

    @property
    def issue_lisible(self) -> str:
        """L'issue dite par une personne, ou celle de la maison dans la langue de l'écran."""
        return str(_(self.issue)) if self.issue == self.SOLDEE else self.issue


class PromesseQuerySet(models.QuerySet):
    def visibles_pour(self, user):
        return self.filter(filtre_portefeuille(user, "client__societe_id", "client__gestionnaire_id"))

    def en_attente(self):
        return self.filter(statut=Promesse.Statut.EN_ATTENTE)


class Promesse(models.Model):
    """Montant, date et moyen ; met ses pièces en pause jusqu'à la date et sa tolérance (exigence 31)."""

    class Statut(models.TextChoices):
        EN_ATTENTE = "en_attente", _("En attente")
        TENUE = "tenue", _("Tenue")
        PARTIELLE = "partielle", _("Partielle")
        ROMPUE = "rompue", _("Rompue")
        ANNULEE = "annulee", _("Annulée")

    client = models.ForeignKey(Client, models.PROTECT, related_name="promesses")
    echeances = models.ManyToManyField(Echeance, related_name="promesses")
    montant = ChampMontant(_("montant promis"))
    date_promise = models.DateField(_("pour le"))
    moyen = models.CharField(_("moyen"), max_length=20, choices=Mode.choices, default=Mode.VIREMENT)
    statut = models.CharField(max_length=20, choices=Statut.choices, default=Statut.EN_ATTENTE)
    faite_le = models.DateField(_("faite le"))
    # Reste dû total des pièces le jour de la promesse : le payé depuis s'en déduit.
    du_a_la_promesse = ChampMontant(default=0)
    conclue_le = models.DateField(null=True, blank=True)
    auteur = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")

    objects = PromesseQuerySet.as_manager()

    class Meta:
        verbose_name = _("promesse")
        ordering = ["-date_promise", "-pk"]
        constraints = [
            models.CheckConstraint(condition=Q(montant__gt=0), name="promesse_montant_positif"),
            models.CheckConstraint(
                condition=Q(date_promise__gte=models.F("faite_le")), name="promesse_jamais_dans_le_passe"
            ),
        ]

    def __str__(self):
        return f"{self.montant} pour le {self.date_promise}"
