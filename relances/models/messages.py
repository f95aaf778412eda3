"""Ce qui s'écrit hors de l'échelle, et ce qui revient : messages sortants, sorts constatés, messages reçus."""

from datetime import time

from django.conf import settings
from django.core.validators import MaxValueValidator
from django.db import models
from django.db.models import Exists, Q
from django.utils.translation import gettext_lazy as _

from clients.models import Client, Document
from factures.models import Accord, Litige, Promesse
from recouvrement.commun.chiffrement import ChampChiffre
from recouvrement.commun.modeles import Horodate
from recouvrement.comptes.droits import filtre_portefeuille
from recouvrement.comptes.models import Langue, Societe

from .envois import Courrier, PortefeuilleQuerySet, nouveau_jeton


class Message(Horodate):
    """Un courriel ou un SMS hors de l'échelle ; mêmes garanties qu'un courrier : pris une fois, jamais rejoué.

    `pas_avant` laisse dix secondes pour l'annuler ; `cle` : une seule fois par client et par cause.
    """

    class Genre(models.TextChoices):
        PROMESSE = "promesse", _("Confirmation de promesse")
        FACTURE = "facture", _("Facture renvoyée")
        REPONSE = "reponse", _("Réponse")
        ACCORD = "accord", _("Accord à signer")
        ACCORD_SIGNE = "accord_signe", _("Accord signé")
        CODE = "code", _("Code de signature")
        DECLARATION = "declaration", _("Accusé d'une déclaration")
        LITIGE = "litige", _("Litige")
        MENSUALITE = "mensualite", _("Mensualité manquée")

    class Statut(models.TextChoices):
        A_ENVOYER = "a_envoyer", _("À envoyer")
        EN_COURS = "en_cours", _("En cours d'envoi")
        ENVOYE = "envoye", _("Envoyé")
        INCERTAIN = "incertain", _("Sort inconnu")
        EN_ERREUR = "en_erreur", _("En erreur")
        ANNULE = "annule", _("Annulé")

    class Support(models.TextChoices):
        COURRIEL = "courriel", _("Courriel")
        SMS = "sms", _("SMS")

    societe = models.ForeignKey(Societe, models.PROTECT, related_name="+")
    client = models.ForeignKey(Client, models.PROTECT, related_name="messages")
    genre = models.CharField(_("genre"), max_length=14, choices=Genre.choices)
    support = models.CharField(_("support"), max_length=10, choices=Support.choices, default=Support.COURRIEL)
    statut = models.CharField(_("statut"), max_length=10, choices=Statut.choices, default=Statut.A_ENVOYER)
    langue = models.CharField(max_length=2, choices=Langue.choices, default=Langue.FR)
    destinataire = models.CharField(_("destinataire"), max_length=254)
    objet = models.CharField(_("objet"), max_length=250, blank=True)
    texte = models.TextField(_("texte"))
    # Pièces parties avec lui : [{"nom", "chemin", "empreinte", "type"}], figées à la préparation.
    jointes = models.JSONField(default=list, blank=True)
    jeton = models.CharField(max_length=40, unique=True, default=nouveau_jeton)
    cle = models.CharField(max_length=80)
    promesse = models.ForeignKey(Promesse, models.SET_NULL, null=True, blank=True, related_name="+")
    litige = models.ForeignKey(Litige, models.SET_NULL, null=True, blank=True, related_name="+")
    accord = models.ForeignKey(Accord, models.SET_NULL, null=True, blank=True, related_name="+")
    repond_a = models.ForeignKey("relances.MessageRecu", models.SET_NULL, null=True, blank=True, related_name="+")
    auteur = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    pas_avant = models.DateTimeField(_("pas avant"))
    pris_le = models.DateTimeField(null=True, blank=True)
    tentatives = models.PositiveSmallIntegerField(default=0)
    envoye_le = models.DateTimeField(null=True, blank=True)
    message_id = models.CharField(max_length=250, blank=True)
    reponse = models.CharField(_("réponse du fournisseur"), max_length=250, blank=True)
    erreur = models.CharField(_("erreur"), max_length=400, blank=True)

    objects = PortefeuilleQuerySet.as_manager()

    class Meta:
        verbose_name = _("message")
        ordering = ["-pk"]
        indexes = [
            models.Index(fields=["pas_avant"], condition=Q(statut="a_envoyer"), name="message_a_envoyer"),
            models.Index(fields=["client", "-id"], name="message_client"),
            models.Index(fields=["message_id"], condition=~Q(message_id=""), name="message_message_id"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["client", "cle"], condition=~Q(statut="annule"), name="message_cle_unique"),
            models.CheckConstraint(
                condition=~Q(statut="envoye") | Q(envoye_le__isnull=False), name="message_date_envoi"
            ),
        ]

    def __str__(self):
        return self.objet or self.get_genre_display()


class ReglageReponses(models.Model):
    """Où les réponses d'une société reviennent, et combien de temps l'une d'elles retient l'échelle."""

    societe = models.OneToOneField(Societe, models.CASCADE, related_name="reglage_reponses")
    # « reponses@exemple.fr » : les messages partent avec « reponses+JETON@exemple.fr ». Vide : celle du gestionnaire.
    adresse = models.EmailField(_("adresse des réponses"), blank=True)
    retient_jours = models.PositiveSmallIntegerField(
        _("une réponse retient les relances (jours au plus)"), default=7, validators=[MaxValueValidator(60)]
    )
    actif = models.BooleanField(_("relever la boîte"), default=False)
    imap_hote = models.CharField(_("serveur"), max_length=120, blank=True)
    imap_port = models.PositiveIntegerField(_("port"), default=993)
    imap_tls = models.BooleanField(_("connexion chiffrée (TLS)"), default=True)
    imap_utilisateur = models.CharField(_("utilisateur"), max_length=120, blank=True)
    imap_secret = ChampChiffre(_("mot de passe"), blank=True, default="")
    imap_dossier = models.CharField(_("dossier de la boîte"), max_length=120, default="INBOX")
    lue_le = models.DateTimeField(_("dernière lecture"), null=True, blank=True)
    erreur = models.CharField(_("dernière erreur"), max_length=250, blank=True)
    erreur_le = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("réglage des réponses")

    def __str__(self):
        return f"réponses de {self.societe}"


class MessageRecuQuerySet(models.QuerySet):
    def visibles_pour(self, user):
        """Un message que rien ne rattache se trie par qui voit toute sa société."""
        from recouvrement.comptes.droits import Droit, societes_pour

        toutes = societes_pour(user, Droit.TOUT_VOIR)
        sans_client = Q(client=None, societe__in=toutes)
        # Sans société non plus : celui qui voit toutes les sociétés, et lui seul.
        ailleurs = Societe.objects.exclude(pk__in=toutes.values("pk"))
        sans_client |= Q(client=None, societe=None) & ~Exists(ailleurs) if user.is_authenticated else Q(pk__in=[])
        return self.filter(filtre_portefeuille(user, "client__societe_id", "client__gestionnaire_id") | sans_client)

    def a_lire(self):
        return self.filter(statut=MessageRecu.Statut.A_LIRE)


class MessageRecu(models.Model):
    """Un courriel reçu, ou ce qu'un fournisseur dit d'un envoi : classé, rattaché, gardé tel quel."""

    class Categorie(models.TextChoices):
        REPONSE = "reponse", _("Réponse d'une personne")
        ABSENCE = "absence", _("Réponse automatique")
        REJET = "rejet", _("Rejet définitif")
        REJET_PASSAGER = "rejet_passager", _("Rejet passager")
        PLAINTE = "plainte", _("Signalé indésirable")
        OPPOSITION = "opposition", _("Ne veut plus de courriels")
        REMIS = "remis", _("Remis")
        AUTRE = "autre", _("Autre")

    class Statut(models.TextChoices):
        A_LIRE = "a_lire", _("À lire")
        LU = "lu", _("Lu")
        CONSTATE = "constate", _("Constaté")
        ECARTE = "ecarte", _("Écarté")

    class Origine(models.TextChoices):
        IMAP = "imap", _("Boîte de courriel")
        FOURNISSEUR = "fournisseur", _("Fournisseur de courriel")

    societe = models.ForeignKey(Societe, models.PROTECT, null=True, blank=True, related_name="+")
    client = models.ForeignKey(Client, models.PROTECT, null=True, blank=True, related_name="messages_recus")
    courrier = models.ForeignKey(Courrier, models.SET_NULL, null=True, blank=True, related_name="messages_recus")
    message = models.ForeignKey(Message, models.SET_NULL, null=True, blank=True, related_name="messages_recus")
    origine = models.CharField(_("origine"), max_length=12, choices=Origine.choices)
    cle_source = models.CharField(max_length=160)  # Message-ID ou événement du fournisseur : relu, il n'écrit rien
    categorie = models.CharField(_("catégorie"), max_length=16, choices=Categorie.choices)
    raison = models.CharField(_("pourquoi cette catégorie"), max_length=250, blank=True)
    statut = models.CharField(_("statut"), max_length=10, choices=Statut.choices, default=Statut.A_LIRE)
    recu_le = models.DateTimeField(_("reçu le"))
    de = models.CharField(_("de"), max_length=254, blank=True)
    de_nom = models.CharField(_("nom affiché"), max_length=160, blank=True)
    objet = models.CharField(_("objet"), max_length=250, blank=True)
    texte = models.TextField(_("texte"), blank=True)  # ce que la personne a écrit, sans ce qu'elle cite
    cite = models.TextField(_("texte cité"), blank=True)
    adresse_fautive = models.CharField(_("adresse en cause"), max_length=254, blank=True)
    code = models.CharField(_("code du rejet"), max_length=20, blank=True)
    diagnostic = models.CharField(_("diagnostic"), max_length=400, blank=True)
    absent_jusqu_au = models.DateField(_("absent jusqu'au"), null=True, blank=True)
    retient_jusqu_au = models.DateField(_("retient les relances jusqu'au"), null=True, blank=True)
    lu_par = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    lu_le = models.DateTimeField(null=True, blank=True)
    brut_chemin = models.CharField(max_length=120, blank=True)
    brut_empreinte = models.CharField(max_length=64, blank=True)
    documents = models.ManyToManyField(Document, related_name="+", blank=True)
    # Pièces refusées ou seulement nommées : [{"nom", "taille", "motif"}].
    pieces_refusees = models.JSONField(default=list, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = MessageRecuQuerySet.as_manager()

    class Meta:
        verbose_name = _("message reçu")
        ordering = ["-recu_le", "-pk"]
        indexes = [
            models.Index(fields=["client", "-recu_le"], name="message_recu_client"),
            models.Index(fields=["societe"], condition=Q(statut="a_lire"), name="message_recu_a_lire"),
        ]
        constraints = [models.UniqueConstraint(fields=["origine", "cle_source"], name="message_recu_unique")]

    def __str__(self):
        return self.objet or self.get_categorie_display()


class ReglageSms(models.Model):
    """Les SMS d'une société : éteints par défaut ; heures permises, jours ouvrés seulement."""

    societe = models.OneToOneField(Societe, models.CASCADE, related_name="reglage_sms")
    actif = models.BooleanField(_("envoyer les SMS"), default=False)
    expediteur = models.CharField(_("expéditeur affiché"), max_length=11, blank=True)
    debut = models.TimeField(_("pas avant"), default=time(10))
    fin = models.TimeField(_("pas après"), default=time(18))
    par_mois_max = models.PositiveSmallIntegerField(
        _("SMS par client et par mois, au plus"), default=4, validators=[MaxValueValidator(31)]
    )

    class Meta:
        verbose_name = _("réglage des SMS")
        constraints = [models.CheckConstraint(condition=Q(fin__gt=models.F("debut")), name="sms_heures_ordonnees")]

    def __str__(self):
        return f"SMS de {self.societe}"
