"""Sociétés créancières, utilisateurs et rôles."""

from datetime import date, time

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from recouvrement.commun.champs import ChampMontant


class Langue(models.TextChoices):
    FR = "fr", _("Français")
    EN = "en", _("Anglais")


class SocieteQuerySet(models.QuerySet):
    def visibles_pour(self, user):
        """Sociétés où l'utilisateur tient un rôle, quel qu'il soit."""
        return self.filter(affectations__utilisateur=user) if user.is_active else self.none()


class Societe(models.Model):
    """Société créancière : ce qu'exigent l'en-tête et le pied d'une lettre (R123-237, R123-238 C. com.)."""

    code = models.SlugField(_("code"), max_length=20, unique=True)
    raison_sociale = models.CharField(_("raison sociale"), max_length=120)
    nom_court = models.CharField(_("nom court"), max_length=20, blank=True)
    forme = models.CharField(_("forme juridique"), max_length=60, blank=True)
    capital = models.CharField(_("capital"), max_length=40, blank=True)
    siren = models.CharField(_("SIREN"), max_length=9, blank=True)
    rcs_ville = models.CharField(_("ville du greffe (RCS)"), max_length=60, blank=True)
    numero_tva = models.CharField(_("n° de TVA"), max_length=20, blank=True)
    adresse = models.CharField(_("adresse"), max_length=120, blank=True)
    complement = models.CharField(_("complément d'adresse"), max_length=120, blank=True)
    code_postal = models.CharField(_("code postal"), max_length=12, blank=True)
    ville = models.CharField(_("ville"), max_length=60, blank=True)
    pays = models.CharField(_("pays"), max_length=2, default="FR")
    telephone = models.CharField(_("téléphone"), max_length=30, blank=True)
    courriel = models.EmailField(_("courriel"), blank=True)
    iban = models.CharField("IBAN", max_length=34, blank=True)
    bic = models.CharField("BIC", max_length=11, blank=True)
    logo = models.CharField(_("logo (empreinte)"), max_length=80, blank=True)
    signataire_nom = models.CharField(_("signataire"), max_length=80, blank=True)
    signataire_fonction = models.CharField(_("fonction du signataire"), max_length=80, blank=True)
    representant = models.CharField(_("représentant légal"), max_length=80, blank=True)
    representant_fonction = models.CharField(_("fonction du représentant"), max_length=80, blank=True)
    ville_signature = models.CharField(_("fait à"), max_length=60, blank=True)
    mediateur = models.CharField(_("médiateur de la consommation"), max_length=250, blank=True)
    region_feries = models.CharField(
        _("jours fériés"),
        max_length=10,
        default="metropole",
        choices=[("metropole", _("Métropole")), ("alsace", _("Alsace-Moselle"))],
    )

    heure_passage = models.TimeField(_("heure du passage"), default=time(19, 0))
    relances_actives = models.BooleanField(_("passage automatique chaque jour ouvré"), default=False)
    alimentee_par_import = models.BooleanField(_("alimentée par import"), default=True)
    fraicheur_heures = models.PositiveSmallIntegerField(
        _("fraîcheur exigée (heures)"), default=24, validators=[MinValueValidator(1), MaxValueValidator(240)]
    )
    dernier_import_le = models.DateTimeField(_("dernier import réussi"), null=True, blank=True)
    delai_entre_contacts = models.PositiveSmallIntegerField(
        _("délai minimal entre contacts (jours)"), default=5, validators=[MaxValueValidator(60)]
    )
    max_amiables = models.PositiveSmallIntegerField(
        _("relances amiables avant décision"), default=2, validators=[MinValueValidator(1), MaxValueValidator(6)]
    )
    seuil_credit_non_affecte = models.PositiveSmallIntegerField(
        _("retenir si le crédit non affecté atteint (% de l'échu)"),
        default=50,
        validators=[MinValueValidator(1), MaxValueValidator(100)],
    )
    seuil_deux_personnes = ChampMontant(
        _("lever un frein à deux personnes au-delà de"), null=True, blank=True, default=10_000
    )
    joindre_factures = models.BooleanField(_("joindre la copie des factures"), default=True)
    pdf_archivable = models.BooleanField(_("lettres en PDF/A (archivage)"), default=False)
    # Blocage des commandes : au-delà de tant de jours de retard ; vide : la règle du retard ne joue pas.
    blocage_retard_jours = models.PositiveSmallIntegerField(
        _("bloquer les commandes au-delà de (jours de retard)"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(365)],
    )
    blocage_plafond = models.BooleanField(
        _("bloquer les commandes au-delà du plafond d'encours"), default=False, db_default=False
    )
    created_at = models.DateTimeField(auto_now_add=True)

    objects = SocieteQuerySet.as_manager()

    class Meta:
        verbose_name = _("société")
        verbose_name_plural = _("sociétés")
        ordering = ["raison_sociale"]
        constraints = [
            models.CheckConstraint(
                condition=Q(seuil_credit_non_affecte__range=(1, 100)), name="societe_seuil_credit_en_pour_cent"
            )
        ]

    def __str__(self):
        return self.raison_sociale

    @property
    def empreinte_logo(self) -> str:
        """Un fichier rangé porte son empreinte pour nom (recouvrement.commun.depot)."""
        return self.logo.rpartition("/")[2].partition(".")[0]

    OBLIGATOIRES = (
        "siren forme rcs_ville adresse code_postal ville courriel telephone iban bic signataire_nom signataire_fonction"
    ).split()

    def manques(self) -> list[str]:
        """Libellés des mentions absentes qui interdisent d'écrire un courrier (R123-237 C. com.)."""
        champs = [*self.OBLIGATOIRES, "ville_signature"]
        if any(sigle in self.forme.upper() for sigle in ("SARL", "SAS", "SA", "SCA", "EURL")):
            champs.append("capital")
        return [str(self._meta.get_field(nom).verbose_name) for nom in champs if not getattr(self, nom)]


class UtilisateurManager(BaseUserManager):
    def create_user(self, courriel, password=None, **champs):
        user = self.model(courriel=self.normalize_email(courriel).lower(), **champs)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, courriel, password=None, **champs):
        return self.create_user(courriel, password, **{"is_staff": True, "is_superuser": True, **champs})

    def get_by_natural_key(self, courriel):
        return self.get(courriel__iexact=courriel)


class Utilisateur(AbstractBaseUser, PermissionsMixin):
    """Une personne de l'équipe ; son courriel est son identifiant."""

    courriel = models.EmailField(_("courriel"), unique=True)
    nom = models.CharField(_("nom"), max_length=80)
    telephone = models.CharField(_("téléphone"), max_length=30, blank=True)
    langue = models.CharField(_("langue"), max_length=2, choices=Langue.choices, default=Langue.FR)
    theme = models.CharField(
        _("thème"),
        max_length=6,
        blank=True,
        choices=[("", _("Comme le système")), ("light", _("Clair")), ("dark", _("Sombre"))],
    )
    recap_quotidien = models.BooleanField(_("recevoir le récapitulatif du matin"), default=True, db_default=True)
    is_staff = models.BooleanField(default=False)
    is_active = models.BooleanField(_("actif"), default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    USERNAME_FIELD = "courriel"
    EMAIL_FIELD = "courriel"
    REQUIRED_FIELDS = ["nom"]
    objects = UtilisateurManager()

    class Meta:
        verbose_name = _("utilisateur")
        ordering = ["nom"]

    def __str__(self):
        return self.nom or self.courriel

    @property
    def initiales(self) -> str:
        return "".join(mot[0] for mot in (self.nom or self.courriel).split()[:2]).upper()


class Role(models.TextChoices):
    ADMINISTRATEUR = "administrateur", _("Administrateur")
    RESPONSABLE = "responsable", pgettext_lazy("rôle", "Responsable")
    GESTIONNAIRE = "gestionnaire", _("Gestionnaire")
    LECTEUR = "lecteur", _("Lecteur")


class Affectation(models.Model):
    """Le rôle d'une personne dans une société ; un seul par couple."""

    utilisateur = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="affectations")
    societe = models.ForeignKey(Societe, models.CASCADE, related_name="affectations")
    role = models.CharField(_("rôle"), max_length=20, choices=Role.choices)
    # Ce qui, franchi par un client, se dit dans le récapitulatif du responsable ; vide : rien.
    alerte_echu = ChampMontant(_("prévenir quand l'échu d'un client dépasse"), null=True, blank=True)
    alerte_retard_jours = models.PositiveSmallIntegerField(
        _("prévenir quand un retard dépasse (jours)"), null=True, blank=True, validators=[MaxValueValidator(3650)]
    )
    alerte_plafond = models.BooleanField(
        _("prévenir quand un plafond d'encours est dépassé"), default=True, db_default=True
    )

    class Meta:
        verbose_name = _("affectation")
        constraints = [models.UniqueConstraint(fields=["utilisateur", "societe"], name="affectation_unique")]

    def __str__(self):
        return f"{self.utilisateur} : {self.get_role_display()} ({self.societe})"


class AbsenceQuerySet(models.QuerySet):
    def en_cours(self, au: date):
        return self.filter(annulee_le=None, du__lte=au, au__gte=au)


class Absence(models.Model):
    """D'un jour à l'autre, un collègue tient le portefeuille d'une personne, là où lui-même a un rôle."""

    utilisateur = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="absences")
    remplacant = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="remplacements")
    du = models.DateField(_("du"))
    au = models.DateField(_("jusqu'au"))
    motif = models.CharField(_("motif"), max_length=120, blank=True)
    auteur = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    annulee_le = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = AbsenceQuerySet.as_manager()

    class Meta:
        verbose_name = _("absence")
        ordering = ["-du", "-pk"]
        constraints = [
            models.CheckConstraint(condition=Q(au__gte=F("du")), name="absence_dates_ordonnees"),
            models.CheckConstraint(condition=~Q(remplacant=F("utilisateur")), name="absence_remplacant_autre"),
        ]

    def __str__(self):
        return f"{self.utilisateur} remplacé par {self.remplacant} ({self.du} – {self.au})"


class Recap(models.Model):
    """Le récapitulatif d'une personne pour un jour : pris une fois, son sort dit ; jamais deux fois le même."""

    class Statut(models.TextChoices):
        EN_COURS = "en_cours", _("En cours d'envoi")
        ENVOYE = "envoye", _("Envoyé")
        RIEN = "rien", _("Rien à dire")
        INCERTAIN = "incertain", _("Sort inconnu")
        EN_ERREUR = "en_erreur", _("En erreur")

    utilisateur = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="recaps")
    jour = models.DateField(_("jour"))
    statut = models.CharField(_("statut"), max_length=20, choices=Statut.choices)
    message_id = models.CharField(max_length=250, blank=True)
    erreur = models.CharField(_("erreur"), max_length=250, blank=True)
    # Alertes dites ce jour-là, {client: [genre]} : ce qui dure ne se redit pas chaque matin.
    alertes = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("récapitulatif")
        ordering = ["-jour", "-pk"]
        constraints = [models.UniqueConstraint(fields=["utilisateur", "jour"], name="recap_du_jour_unique")]

    def __str__(self):
        return f"{self.utilisateur} le {self.jour}"
