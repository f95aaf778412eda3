"""Ce que d'autres programmes peuvent faire ici, et ce qu'on leur annonce."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from recouvrement.commun.chiffrement import ChampChiffre
from recouvrement.commun.modeles import Horodate
from recouvrement.comptes.droits import Droit, societes_pour
from recouvrement.comptes.models import Societe


class AdministrationQuerySet(models.QuerySet):
    def visibles_pour(self, user):
        return self.filter(societe__in=societes_pour(user, Droit.ADMINISTRER))


class JetonApi(models.Model):
    """Un accès de programme à une société, au nom d'une personne : jamais plus que ce qu'elle peut elle-même.

    Le jeton n'est montré qu'une fois ; la base n'en garde que l'empreinte.
    """

    societe = models.ForeignKey(Societe, models.CASCADE, related_name="jetons")
    utilisateur = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="jetons")
    nom = models.CharField(_("nom"), max_length=80)
    prefixe = models.CharField(max_length=12, unique=True)
    empreinte = models.CharField(max_length=64)
    portees = models.JSONField(_("droits"), default=list)
    expire_le = models.DateField(_("expire le"))
    dernier_usage_le = models.DateTimeField(_("dernier usage"), null=True, blank=True)
    revoque_le = models.DateTimeField(_("révoqué le"), null=True, blank=True)
    cree_par = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    objects = AdministrationQuerySet.as_manager()

    class Meta:
        verbose_name = _("jeton d'accès")
        ordering = ["-created_at", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["societe", "nom"], condition=Q(revoque_le__isnull=True), name="jeton_nom_unique"
            )
        ]

    def __str__(self):
        return f"{self.nom} ({self.prefixe}…)"


class CleIdempotence(models.Model):
    """Une écriture déjà faite par ce jeton avec cette clé : la rejouer rend la même réponse, sans rien refaire."""

    jeton = models.ForeignKey(JetonApi, models.CASCADE, related_name="cles")
    cle = models.CharField(max_length=120)
    empreinte = models.CharField(max_length=64)  # méthode, chemin et corps
    statut = models.PositiveSmallIntegerField(default=0)  # zéro : en cours
    corps = models.JSONField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("clé d'idempotence")
        constraints = [models.UniqueConstraint(fields=["jeton", "cle"], name="cle_idempotence_unique")]
        indexes = [models.Index(fields=["created_at"], name="cle_idempotence_age")]

    def __str__(self):
        return self.cle


class AbonnementWebhook(Horodate):
    """Une adresse à prévenir, ce qui l'intéresse, et jusqu'où le journal lui a été lu."""

    societe = models.ForeignKey(Societe, models.CASCADE, related_name="webhooks")
    nom = models.CharField(_("nom"), max_length=80)
    url = models.URLField(_("adresse"), max_length=300)
    secret = ChampChiffre(_("clé de signature"))
    evenements = models.JSONField(_("événements"), default=list)
    actif = models.BooleanField(_("actif"), default=True)
    rang_lu = models.BigIntegerField(default=0)  # dernier maillon du journal traduit en livraisons
    auteur = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")

    objects = AdministrationQuerySet.as_manager()

    class Meta:
        verbose_name = _("abonnement")
        ordering = ["nom"]
        constraints = [models.UniqueConstraint(fields=["societe", "nom"], name="abonnement_nom_unique")]

    def __str__(self):
        return self.nom


class LivraisonQuerySet(models.QuerySet):
    def visibles_pour(self, user):
        return self.filter(abonnement__societe__in=societes_pour(user, Droit.ADMINISTRER))


class Livraison(models.Model):
    """Un événement pour un abonné. L'identifiant ne change pas d'une tentative à l'autre : l'abonné dédoublonne."""

    class Statut(models.TextChoices):
        A_LIVRER = "a_livrer", _("À livrer")
        EN_COURS = "en_cours", _("En cours")
        LIVREE = "livree", _("Livrée")
        ABANDONNEE = "abandonnee", _("Abandonnée")

    abonnement = models.ForeignKey(AbonnementWebhook, models.CASCADE, related_name="livraisons")
    identifiant = models.UUIDField(unique=True)
    cle = models.CharField(max_length=80)  # maillon et rang : un événement n'a qu'une livraison par abonné
    evenement = models.CharField(_("événement"), max_length=40)
    corps = models.TextField()
    statut = models.CharField(max_length=12, choices=Statut.choices, default=Statut.A_LIVRER)
    tentatives = models.PositiveSmallIntegerField(default=0)
    prochaine_le = models.DateTimeField(null=True, blank=True)
    prise_le = models.DateTimeField(null=True, blank=True)
    livree_le = models.DateTimeField(null=True, blank=True)
    reponse = models.PositiveSmallIntegerField(_("réponse HTTP"), null=True, blank=True)
    erreur = models.CharField(_("erreur"), max_length=250, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = LivraisonQuerySet.as_manager()

    class Meta:
        verbose_name = _("livraison")
        ordering = ["-created_at", "-pk"]
        constraints = [
            models.UniqueConstraint(fields=["abonnement", "cle"], name="livraison_unique"),
            models.CheckConstraint(
                condition=~Q(statut="livree") | Q(livree_le__isnull=False), name="livraison_livree_datee"
            ),
        ]
        indexes = [
            models.Index(F("prochaine_le"), condition=Q(statut="a_livrer"), name="livraison_a_livrer"),
        ]

    def __str__(self):
        return f"{self.evenement} {self.identifiant}"
