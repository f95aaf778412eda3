"""Un fichier importé : d'où il vient, ce qu'il a changé, ce qui en a été rejeté, et s'il a été défait."""

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from recouvrement.commun.chiffrement import ChampChiffre
from recouvrement.commun.modeles import Horodate
from recouvrement.comptes.droits import Droit, societes_pour
from recouvrement.comptes.models import Societe


class SocieteQuerySet(models.QuerySet):
    """Visible de qui importe dans la société."""

    def visibles_pour(self, user):
        return self.filter(societe__in=societes_pour(user, Droit.IMPORTER))


class Correspondance(Horodate):
    """Comment se lisent les colonnes d'un tableau : reconnue une fois, gardée pour les fichiers du même en-tête."""

    class Genre(models.TextChoices):
        CLIENTS = "clients", _("Clients")
        FACTURES = "factures", _("Factures")
        POSTES = "postes", _("Postes ouverts")
        BALANCE = "balance", _("Balance âgée")
        ENCAISSEMENTS = "encaissements", _("Encaissements")
        HISTORIQUE = "historique", _("Historique : factures, règlements et litiges ensemble")
        BANQUE = "banque", _("Relevé bancaire")

    societe = models.ForeignKey(Societe, models.PROTECT, related_name="+")
    nom = models.CharField(_("nom"), max_length=80)
    genre = models.CharField(_("contenu"), max_length=20, choices=Genre.choices)
    signature = models.CharField(max_length=64)  # empreinte de l'en-tête normalisé : un même export s'y reconnaît
    colonnes = models.JSONField(default=dict)  # {champ de la maison: nom de colonne du fichier}
    options = models.JSONField(default=dict, blank=True)  # dates, décimales, signes, lignes à sauter, feuille…
    auteur = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")

    objects = SocieteQuerySet.as_manager()

    class Meta:
        verbose_name = _("correspondance de colonnes")
        ordering = ["nom"]
        constraints = [models.UniqueConstraint(fields=["societe", "nom"], name="correspondance_nom_unique")]
        indexes = [models.Index(fields=["societe", "signature"], name="correspondance_signature")]

    def __str__(self):
        return self.nom


class SourceImport(Horodate):
    """D'où des fichiers arrivent seuls : un dossier surveillé, ou une boîte aux lettres électronique."""

    class Genre(models.TextChoices):
        DOSSIER = "dossier", _("Dossier surveillé")
        IMAP = "imap", _("Boîte de courriel (IMAP)")

    societe = models.ForeignKey(Societe, models.PROTECT, related_name="sources")
    nom = models.CharField(_("nom"), max_length=80)
    genre = models.CharField(_("genre"), max_length=10, choices=Genre.choices)
    actif = models.BooleanField(_("active"), default=True)
    format = models.CharField(_("format"), max_length=20, blank=True)  # vide : reconnu au contenu
    correspondance = models.ForeignKey(Correspondance, models.SET_NULL, null=True, blank=True, related_name="sources")
    motif = models.CharField(_("fichiers retenus"), max_length=80, default="*")
    appliquer_seul = models.BooleanField(_("appliquer sans relecture un fichier sans rejet"), default=False)
    fraicheur_heures = models.PositiveSmallIntegerField(
        _("attendu toutes les (heures)"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(24 * 45)],
    )
    dossier = models.CharField(_("sous-dossier"), max_length=200, blank=True)  # sous settings.DOSSIER_SOURCES
    imap_hote = models.CharField(_("serveur"), max_length=120, blank=True)
    imap_port = models.PositiveIntegerField(_("port"), default=993)
    imap_tls = models.BooleanField(_("connexion chiffrée (TLS)"), default=True)
    imap_utilisateur = models.CharField(_("utilisateur"), max_length=120, blank=True)
    imap_secret = ChampChiffre(_("mot de passe"), blank=True, default="")
    imap_dossier = models.CharField(_("dossier de la boîte"), max_length=120, default="INBOX")
    expediteurs = models.TextField(_("expéditeurs admis"), blank=True)  # un par ligne ; vide : tous
    lue_le = models.DateTimeField(_("dernière lecture"), null=True, blank=True)
    recue_le = models.DateTimeField(_("dernier fichier appliqué"), null=True, blank=True)
    erreur = models.CharField(_("dernière erreur"), max_length=250, blank=True)
    erreur_le = models.DateTimeField(null=True, blank=True)
    alerte_le = models.DateTimeField(null=True, blank=True)  # un courriel par panne, pas un par lecture

    objects = SocieteQuerySet.as_manager()

    class Meta:
        verbose_name = _("source d'import")
        ordering = ["nom"]
        constraints = [models.UniqueConstraint(fields=["societe", "nom"], name="source_nom_unique")]

    def __str__(self):
        return self.nom


class Lot(models.Model):
    class Statut(models.TextChoices):
        DEPOSE = "depose", _("Déposé")
        EN_LECTURE = "en_lecture", _("En lecture")
        A_CORRESPONDRE = "a_correspondre", _("Colonnes à reconnaître")
        APERCU = "apercu", _("Aperçu prêt")
        EN_COURS = "en_cours", _("En cours d'application")
        APPLIQUE = "applique", _("Appliqué")
        REFUSE = "refuse", _("Refusé")
        DEFAIT = "defait", _("Défait")

    class Origine(models.TextChoices):
        ECRAN = "ecran", _("Écran")
        COMMANDE = "commande", _("Ligne de commande")
        DOSSIER = "dossier", _("Dossier surveillé")
        COURRIEL = "courriel", _("Courriel")
        API = "api", _("API")

    societe = models.ForeignKey(Societe, models.PROTECT, related_name="lots")
    auteur = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    fichier = models.CharField(_("fichier"), max_length=250)
    empreinte = models.CharField(max_length=64)
    taille = models.BigIntegerField(default=0)
    format = models.CharField(_("format"), max_length=20, blank=True)
    partiel = models.BooleanField(default=False)
    statut = models.CharField(max_length=20, choices=Statut.choices, default=Statut.DEPOSE)
    avancement = models.PositiveSmallIntegerField(default=0)  # pour cent
    compte_rendu = models.JSONField(default=dict, blank=True)
    chemin = models.CharField(max_length=250, blank=True)  # dans le dépôt, par empreinte
    created_at = models.DateTimeField(auto_now_add=True)
    applique_le = models.DateTimeField(null=True, blank=True)
    origine = models.CharField(max_length=10, choices=Origine.choices, default=Origine.ECRAN, db_default="ecran")
    source = models.ForeignKey(SourceImport, models.SET_NULL, null=True, blank=True, related_name="lots")
    # Ce qui distingue l'arrivage dans sa source (dossier : nom et empreinte ; boîte : identifiant du message).
    cle_externe = models.CharField(max_length=250, blank=True, default="", db_default="")
    correspondance = models.ForeignKey(Correspondance, models.SET_NULL, null=True, blank=True, related_name="lots")
    # Ce qu'une personne a corrigé à l'aperçu, relu par le lecteur à chaque passage ; vide : rien.
    corrections = models.JSONField(default=dict, blank=True)
    defait_le = models.DateTimeField(_("défait le"), null=True, blank=True)
    defait_par = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")

    objects = SocieteQuerySet.as_manager()

    class Meta:
        verbose_name = _("import")
        ordering = ["-created_at", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["source", "cle_externe"],
                condition=Q(source__isnull=False) & ~Q(cle_externe=""),
                name="lot_arrivage_unique",
            ),
            models.CheckConstraint(
                condition=~Q(statut="defait") | Q(defait_le__isnull=False, applique_le__isnull=False),
                name="lot_defait_apres_application",
            ),
        ]

    def __str__(self):
        return self.fichier


class TraceDeLot(models.Model):
    """Ce qu'un import a créé ou changé et que la pièce ne dit pas elle-même : de quoi le défaire.

    Les pièces créées portent leur `lot` ; ici, les fiches créées (`avant` vide) et tout ce qui a été modifié, avec la
    valeur d'avant et celle d'après, champ par champ : on ne défait que ce que personne n'a changé depuis.
    """

    lot = models.ForeignKey(Lot, models.CASCADE, related_name="traces")
    objet = models.CharField(max_length=60)  # étiquette du modèle : « clients.client »
    objet_id = models.BigIntegerField()
    cree = models.BooleanField(default=False)
    avant = models.JSONField(default=dict, blank=True)
    apres = models.JSONField(default=dict, blank=True)

    class Meta:
        verbose_name = _("trace d'import")
        constraints = [models.UniqueConstraint(fields=["lot", "objet", "objet_id"], name="trace_de_lot_unique")]

    def __str__(self):
        return f"{self.objet} {self.objet_id}"
