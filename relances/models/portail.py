"""La page du débiteur : son lien, ses visites, ce qu'il y déclare, le code qui signe un accord."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from clients.models import Client, Document
from factures.models import Accord, Litige, Promesse
from recouvrement.commun.champs import ChampMontant
from recouvrement.commun.chiffrement import ChampChiffre
from recouvrement.comptes.droits import filtre_portefeuille
from recouvrement.comptes.models import Societe

from .envois import Courrier, nouveau_jeton
from .messages import Message


class ReglagePortail(models.Model):
    """La page du débiteur : ouverte ou non, sa durée, ce qu'elle permet, qui répond des données."""

    class Carte(models.TextChoices):
        AUCUNE = "", _("aucun paiement par carte")
        STRIPE = "stripe", _("Stripe (page hébergée)")
        ESSAI = "essai", _("essai (aucun argent)")

    societe = models.OneToOneField(Societe, models.CASCADE, related_name="reglage_portail")
    actif = models.BooleanField(_("donner à chaque client le lien de sa page"), default=False)
    duree_jours = models.PositiveSmallIntegerField(_("un lien vaut (jours)"), default=90)
    declarations = models.BooleanField(_("payé, contesté, promis : le client peut l'écrire"), default=True)
    echeanciers = models.BooleanField(_("le client peut proposer un échéancier"), default=True)
    # Dans les bornes, l'échéancier proposé s'accorde sur la page ; sinon une personne l'examine.
    accord_immediat = models.BooleanField(_("accorder sans relecture dans les bornes"), default=False)
    contact_donnees = models.CharField(_("contact pour les données personnelles"), max_length=200, blank=True)
    carte = models.CharField(_("paiement par carte"), max_length=10, choices=Carte.choices, blank=True, default="")
    carte_secret = ChampChiffre(_("clé secrète"), blank=True, default="")
    carte_signature = ChampChiffre(_("clé des notifications"), blank=True, default="")

    class Meta:
        verbose_name = _("réglage de la page du client")

    def __str__(self):
        return f"page des clients de {self.societe}"


class LienQuerySet(models.QuerySet):
    def visibles_pour(self, user):
        return self.filter(filtre_portefeuille(user, "client__societe_id", "client__gestionnaire_id"))

    def valides(self, au):
        return self.filter(revoque_le=None, expire_le__gte=au)


class LienPortail(models.Model):
    """Le lien d'un client vers sa page ; `cle` se range hachée, le lien se refait d'une signature du serveur."""

    client = models.ForeignKey(Client, models.CASCADE, related_name="liens")
    courrier = models.ForeignKey(Courrier, models.SET_NULL, null=True, blank=True, related_name="liens")
    message = models.ForeignKey(Message, models.SET_NULL, null=True, blank=True, related_name="liens")
    cle = models.CharField(max_length=40, unique=True, default=nouveau_jeton)
    # Pour le papier : court, et sans effet sans le numéro de client (second fait).
    code_court = models.CharField(max_length=12, unique=True, null=True, blank=True)
    cree_le = models.DateField(_("créé le"))
    expire_le = models.DateField(_("valable jusqu'au"))
    revoque_le = models.DateTimeField(_("révoqué le"), null=True, blank=True)
    revoque_par = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    objects = LienQuerySet.as_manager()

    class Meta:
        verbose_name = _("lien de la page du client")
        ordering = ["-pk"]
        indexes = [models.Index(fields=["client", "-id"], name="lien_client")]
        constraints = [
            models.UniqueConstraint(
                fields=["courrier"], condition=Q(courrier__isnull=False), name="lien_un_par_courrier"
            ),
            models.UniqueConstraint(fields=["message"], condition=Q(message__isnull=False), name="lien_un_par_message"),
        ]

    def __str__(self):
        return f"lien {self.pk} de {self.client}"


class VisitePortail(models.Model):
    """Une visite est une visite : les antivirus ouvrent les liens, elle ne prouve rien."""

    class Genre(models.TextChoices):
        VISITE = "visite", _("Page ouverte")
        FICHIER = "fichier", _("Fichier ouvert")
        PAIEMENT = "paiement", _("Départ vers le paiement")

    lien = models.ForeignKey(LienPortail, models.CASCADE, related_name="visites")
    genre = models.CharField(_("genre"), max_length=10, choices=Genre.choices)
    detail = models.CharField(max_length=120, blank=True)
    le = models.DateTimeField(_("le"))
    adresse_ip = models.GenericIPAddressField(null=True, blank=True)
    agent = models.CharField(max_length=250, blank=True)

    class Meta:
        verbose_name = _("visite de la page du client")
        ordering = ["-pk"]
        indexes = [models.Index(fields=["lien", "-id"], name="visite_lien")]

    def __str__(self):
        return f"{self.get_genre_display()} le {self.le}"


class DeclarationQuerySet(models.QuerySet):
    def visibles_pour(self, user):
        return self.filter(filtre_portefeuille(user, "client__societe_id", "client__gestionnaire_id"))

    def a_traiter(self):
        return self.filter(statut=Declaration.Statut.A_TRAITER)


class Declaration(models.Model):
    """Ce que le débiteur a écrit sur sa page ; une personne en décide, l'échelle attend au plus tard le jour dit."""

    class Genre(models.TextChoices):
        PAYE = "paye", _("J'ai payé")
        CONTESTE = "conteste", _("Je conteste")
        PROMET = "promet", _("Je paierai le")
        DELAI = "delai", _("J'ai besoin de temps")
        CARTE = "carte", _("Payé par carte")

    class Statut(models.TextChoices):
        A_TRAITER = "a_traiter", _("À traiter")
        ACCEPTEE = "acceptee", _("Prise en compte")
        ECARTEE = "ecartee", _("Écartée")

    client = models.ForeignKey(Client, models.PROTECT, related_name="declarations")
    lien = models.ForeignKey(LienPortail, models.PROTECT, related_name="declarations")
    genre = models.CharField(_("genre"), max_length=10, choices=Genre.choices)
    statut = models.CharField(_("statut"), max_length=10, choices=Statut.choices, default=Statut.A_TRAITER)
    montant = ChampMontant(_("montant"), null=True, blank=True)
    devise = models.CharField(max_length=3, default="EUR")
    jour = models.DateField(_("date dite"), null=True, blank=True)
    categorie = models.CharField(_("motif"), max_length=20, blank=True)
    texte = models.TextField(_("texte"), max_length=2000, blank=True)
    nom = models.CharField(_("qui écrit"), max_length=120, blank=True)
    echeances = models.ManyToManyField("factures.Echeance", related_name="declarations", blank=True)
    documents = models.ManyToManyField(Document, related_name="+", blank=True)
    accord = models.ForeignKey(Accord, models.SET_NULL, null=True, blank=True, related_name="+")
    promesse = models.ForeignKey(Promesse, models.SET_NULL, null=True, blank=True, related_name="+")
    litige = models.ForeignKey(Litige, models.SET_NULL, null=True, blank=True, related_name="+")
    faite_le = models.DateTimeField(_("faite le"))
    retient_jusqu_au = models.DateField(_("retient les relances jusqu'au"), null=True, blank=True)
    adresse_ip = models.GenericIPAddressField(null=True, blank=True)
    agent = models.CharField(max_length=250, blank=True)
    decidee_par = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    decidee_le = models.DateTimeField(null=True, blank=True)
    decision = models.CharField(_("suite donnée"), max_length=250, blank=True)
    cle = models.CharField(max_length=80)  # le formulaire renvoyé deux fois n'écrit qu'une déclaration

    objects = DeclarationQuerySet.as_manager()

    class Meta:
        verbose_name = _("déclaration du client")
        ordering = ["-pk"]
        indexes = [models.Index(fields=["client"], condition=Q(statut="a_traiter"), name="declaration_a_traiter")]
        constraints = [models.UniqueConstraint(fields=["lien", "cle"], name="declaration_cle_unique")]

    def __str__(self):
        return f"{self.get_genre_display()} ({self.client})"


class CodeSignature(models.Model):
    """Le code envoyé par courriel pour signer un accord : haché, court, quelques essais, une seule fois."""

    accord = models.ForeignKey(Accord, models.CASCADE, related_name="codes")
    lien = models.ForeignKey(LienPortail, models.CASCADE, related_name="+")
    courriel = models.EmailField()
    empreinte = models.CharField(max_length=64)
    pdf_empreinte = models.CharField(max_length=64)  # le code ne signe que ce fichier-là
    expire_le = models.DateTimeField()
    essais = models.PositiveSmallIntegerField(default=0)
    utilise_le = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("code de signature")
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["accord"], condition=Q(utilise_le__isnull=False), name="code_un_seul_utilise"
            )
        ]

    def __str__(self):
        return f"code {self.pk}"
