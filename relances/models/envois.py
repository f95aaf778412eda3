"""Décider et envoyer sont deux choses : la relance est décidée, le courrier part."""

import secrets

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from clients.models import Client, TypeDebiteur
from factures.models import Echeance
from recouvrement.commun.champs import ChampMontant
from recouvrement.commun.modeles import Horodate
from recouvrement.comptes.droits import filtre_portefeuille
from recouvrement.comptes.models import Langue, Societe
from relances.domaine.natures import Nature

from .echelles import CanalChoix, NatureChoix, Palier
from .passages import Passage


def nouveau_jeton() -> str:
    """Minuscules et chiffres : il revient dans une adresse de réponse, que des serveurs mettent en minuscules."""
    return secrets.token_hex(16)


class PortefeuilleQuerySet(models.QuerySet):
    def visibles_pour(self, user):
        return self.filter(filtre_portefeuille(user, "societe_id", "client__gestionnaire_id"))


class CourrierQuerySet(PortefeuilleQuerySet):
    def a_envoyer(self):
        return self.filter(statut=Courrier.Statut.A_ENVOYER)


class Courrier(Horodate):
    """Ce qui part pour un client, un palier et une devise ; texte et PDF conservés octet pour octet."""

    class Statut(models.TextChoices):
        A_VALIDER = "a_valider", _("À valider")
        A_ENVOYER = "a_envoyer", _("À envoyer")
        EN_COURS = "en_cours", _("En cours d'envoi")
        ENVOYE = "envoye", _("Envoyé")
        A_POSTER = "a_poster", _("À imprimer et poster")
        POSTE = "poste", _("Posté")
        TACHE = "tache", _("Tâche créée")
        INCERTAIN = "incertain", _("Sort inconnu")
        EN_ERREUR = "en_erreur", _("En erreur")
        ANNULE = "annule", _("Annulé")

    class Retour(models.TextChoices):
        DISTRIBUE = "distribue", _("Distribué")
        NON_RECLAME = "non_reclame", _("Avisé et non réclamé")
        REFUSE = "refuse", _("Refusé")
        NPAI = "npai", _("Destinataire inconnu à l'adresse (NPAI)")

    societe = models.ForeignKey(Societe, models.PROTECT, related_name="courriers")
    client = models.ForeignKey(Client, models.PROTECT, related_name="courriers")
    passage = models.ForeignKey(Passage, models.PROTECT, related_name="courriers")
    palier = models.ForeignKey(Palier, models.PROTECT, related_name="+")
    nature = models.PositiveSmallIntegerField(choices=NatureChoix.choices)
    devise = models.CharField(max_length=3, default="EUR")
    canal = models.CharField(_("canal"), max_length=20, choices=CanalChoix.choices)
    langue = models.CharField(max_length=2, choices=Langue.choices, default=Langue.FR)
    statut = models.CharField(_("statut"), max_length=20, choices=Statut.choices)
    reference = models.CharField(_("référence"), max_length=40, blank=True)
    jeton = models.CharField(max_length=40, unique=True, default=nouveau_jeton)
    motif = models.CharField(_("pourquoi une personne"), max_length=250, blank=True)
    # Motif d'une mise en demeure demandée sans formalisation (exigences 10 et 11) ; vide : règle ordinaire.
    derogation = models.CharField(_("dérogation"), max_length=250, blank=True)

    # Figé à la préparation, refait si le solde a changé juste avant l'envoi (exigence 19).
    destinataire = models.CharField(_("destinataire"), max_length=254, blank=True)
    objet = models.CharField(_("objet"), max_length=250, blank=True)
    texte = models.TextField(_("texte"), blank=True)
    texte_modifie = models.BooleanField(default=False)
    arrete_au = models.DateField(_("arrêté au"), null=True, blank=True)
    date_limite = models.DateField(_("date limite"), null=True, blank=True)
    principal = ChampMontant(_("principal"), default=0)
    penalites = ChampMontant(_("pénalités"), default=0)
    indemnites = ChampMontant(_("indemnités"), default=0)
    credits = ChampMontant(_("crédits non affectés"), default=0)
    total = ChampMontant(_("total réclamé"), default=0)
    pieces = models.PositiveIntegerField(default=0)
    pdf_chemin = models.CharField(max_length=120, blank=True)
    pdf_empreinte = models.CharField(max_length=64, blank=True)
    pdf_pages = models.PositiveSmallIntegerField(default=0)
    manques = models.JSONField(default=list, blank=True)

    pris_le = models.DateTimeField(null=True, blank=True)
    tentatives = models.PositiveSmallIntegerField(default=0)
    envoye_le = models.DateTimeField(null=True, blank=True)
    message_id = models.CharField(max_length=250, blank=True)
    reponse = models.CharField(_("réponse du fournisseur"), max_length=250, blank=True)
    erreur = models.CharField(_("erreur"), max_length=400, blank=True)
    valide_par = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    valide_le = models.DateTimeField(null=True, blank=True)

    # Recommandé (exigence 26)
    numero_suivi = models.CharField(_("n° de suivi"), max_length=30, blank=True)
    depose_le = models.DateField(_("déposé le"), null=True, blank=True)
    presente_le = models.DateField(_("présenté le"), null=True, blank=True)
    retour = models.CharField(_("retour de l'avis"), max_length=20, choices=Retour.choices, blank=True)
    retour_le = models.DateField(_("retour le"), null=True, blank=True)
    avis_chemin = models.CharField(_("scan de l'avis"), max_length=120, blank=True)
    avis_empreinte = models.CharField(max_length=64, blank=True)
    # Recommandé électronique : seulement où la loi l'admet (CPCEpost, art. L100).
    electronique = models.BooleanField(_("recommandé électronique"), default=False)
    depot_chemin = models.CharField(_("preuve de dépôt"), max_length=120, blank=True)
    depot_empreinte = models.CharField(max_length=64, blank=True)
    lot_postal = models.ForeignKey(
        "relances.LotPostal", models.PROTECT, null=True, blank=True, related_name="courriers"
    )
    modele_version = models.ForeignKey(
        "relances.VersionModele", models.PROTECT, null=True, blank=True, related_name="+"
    )
    # Copies de factures parties avec lui : [{"nom", "chemin", "empreinte"}], figées à la préparation.
    jointes = models.JSONField(default=list, blank=True)

    objects = CourrierQuerySet.as_manager()

    @property
    def hors_interets(self) -> bool:
        """Vrai tant que `total` est le principal seul : la lettre, une fois arrêtée, y ajoute intérêts et 40 €."""
        professionnel = self.client.type in (TypeDebiteur.ENTREPRISE, TypeDebiteur.ADMINISTRATION)
        chiffree = self.nature in (Nature.FORMALISATION, Nature.MISE_EN_DEMEURE)
        return chiffree and professionnel and not self.arrete_au

    class Meta:
        verbose_name = _("courrier")
        ordering = ["-pk"]
        indexes = [
            models.Index(fields=["statut", "societe"], name="courrier_statut"),
            models.Index(fields=["client", "-id"], name="courrier_client"),
            # Ce que le fournisseur annonce ne nomme que cet identifiant.
            models.Index(fields=["message_id"], condition=~Q(message_id=""), name="courrier_message_id"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=~Q(statut="envoye") | Q(envoye_le__isnull=False), name="courrier_date_envoi"
            ),
            models.UniqueConstraint(
                fields=["societe", "numero_suivi"], condition=~Q(numero_suivi=""), name="courrier_suivi_unique"
            ),
        ]

    def __str__(self):
        return self.reference or f"courrier {self.pk}"


class Relance(models.Model):
    """Un palier décidé pour une échéance ; en erreur ou annulée, elle n'avance pas le niveau (exigence 22)."""

    class Statut(models.TextChoices):
        DECIDEE = "decidee", _("Décidée")
        ENVOYEE = "envoyee", _("Envoyée")
        EN_ERREUR = "en_erreur", _("En erreur")
        ANNULEE = "annulee", _("Annulée")
        # Partie et prouvée, puis refaite : une autre porte désormais ce palier, le niveau atteint reste.
        REMPLACEE = "remplacee", _("Remplacée")

    VIVANTES = (Statut.DECIDEE, Statut.ENVOYEE)
    PARTIES = (Statut.ENVOYEE, Statut.REMPLACEE)
    ATTEINTES = (*VIVANTES, Statut.REMPLACEE)  # celles qui font le niveau d'une échéance

    passage = models.ForeignKey(Passage, models.PROTECT, related_name="relances")
    echeance = models.ForeignKey(Echeance, models.PROTECT, related_name="relances")
    palier = models.ForeignKey(Palier, models.PROTECT, related_name="+")
    nature = models.PositiveSmallIntegerField(choices=NatureChoix.choices)
    courrier = models.ForeignKey(Courrier, models.PROTECT, related_name="relances")
    statut = models.CharField(max_length=20, choices=Statut.choices, default=Statut.DECIDEE)
    decidee_le = models.DateField()
    reste_du = ChampMontant()
    conteste = ChampMontant(default=0)
    penalites = ChampMontant(default=0)
    indemnite = ChampMontant(default=0)
    raison = models.CharField(max_length=250, blank=True)

    class Meta:
        verbose_name = _("relance")
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["echeance", "palier"],
                condition=Q(statut__in=["decidee", "envoyee"]),
                name="relance_palier_unique",
            ),
            models.CheckConstraint(condition=Q(reste_du__gt=0), name="relance_reste_du_positif"),
        ]

    def __str__(self):
        return f"{self.get_nature_display()} – {self.echeance_id}"


class Tache(Horodate):
    """Ce qu'une personne doit faire : appeler, trancher, ouvrir un dossier."""

    class Genre(models.TextChoices):
        APPEL = "appel", _("Appeler")
        DECISION = "decision", _("Mise en demeure ou abandon ?")
        CONTENTIEUX = "contentieux", _("Passer au contentieux ?")
        PROMESSE_ROMPUE = "promesse_rompue", _("Promesse rompue")
        SANS_ADRESSE = "sans_adresse", _("Aucune adresse utilisable")
        DECLARER = "declarer", _("Déclarer la créance")
        REPONSE = "reponse", _("Lire une réponse")
        DECLARATION = "declaration", _("Répondre à une déclaration du client")
        ACCORD = "accord", _("Accord à suivre")
        PERTE = "perte", _("Passage en perte à décider")
        AUTRE = "autre", _("Autre")

    societe = models.ForeignKey(Societe, models.PROTECT, related_name="+")
    client = models.ForeignKey(Client, models.PROTECT, related_name="taches")
    genre = models.CharField(max_length=20, choices=Genre.choices)
    titre = models.CharField(_("titre"), max_length=200)
    raison = models.CharField(_("raison"), max_length=250, blank=True)
    due_le = models.DateField(_("à faire le"))
    # Délai que la loi fixe (déclaration de créance) : aucun report ne le dépasse.
    butoir = models.DateField(_("date butoir"), null=True, blank=True)
    courrier = models.ForeignKey(Courrier, models.SET_NULL, null=True, blank=True, related_name="taches")
    # Confiée à un collègue : elle entre dans sa journée, et quitte celle du gestionnaire.
    confiee_a = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="taches_confiees"
    )
    confiee_par = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    confiee_motif = models.CharField(_("pourquoi la confier"), max_length=200, blank=True, default="", db_default="")
    cle = models.CharField(max_length=80)  # une seule tâche ouverte par clé
    faite_le = models.DateTimeField(null=True, blank=True)
    faite_par = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    issue = models.CharField(_("issue"), max_length=200, blank=True)

    objects = PortefeuilleQuerySet.as_manager()

    class Meta:
        verbose_name = _("tâche")
        ordering = ["due_le", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["client", "cle"], condition=Q(faite_le=None), name="tache_ouverte_unique")
        ]

    def __str__(self):
        return self.titre
