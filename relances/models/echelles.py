"""Plans de relance versionnés : une version publiée ne se modifie plus."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from clients.models import Client, Regroupement, RoleContact, TypeDebiteur
from recouvrement.commun.champs import ChampMontant
from recouvrement.comptes.droits import Droit, societes_pour
from recouvrement.comptes.models import Societe
from relances.domaine.natures import Canal, ModePalier, Nature, Reference


class NatureChoix(models.IntegerChoices):
    AUCUNE = Nature.AUCUNE.value, _("Aucune relance")
    AVANT_ECHEANCE = Nature.AVANT_ECHEANCE.value, _("Rappel avant échéance")
    RAPPEL_COURTOIS = Nature.RAPPEL_COURTOIS.value, _("Rappel courtois")
    APPEL = Nature.APPEL.value, _("Appel")
    FORMALISATION = Nature.FORMALISATION.value, _("Formalisation")
    MISE_EN_DEMEURE = Nature.MISE_EN_DEMEURE.value, _("Mise en demeure")
    CONTENTIEUX = Nature.CONTENTIEUX.value, _("Contentieux")


class CanalChoix(models.TextChoices):
    COURRIEL = Canal.COURRIEL.value, _("Courriel")
    LETTRE = Canal.LETTRE.value, _("Lettre")
    RECOMMANDE = Canal.RECOMMANDE.value, _("Recommandé AR")
    SMS = Canal.SMS.value, _("SMS")
    APPEL = Canal.APPEL.value, _("Appel")
    TACHE = Canal.TACHE.value, _("Tâche")


class EchelleQuerySet(models.QuerySet):
    def visibles_pour(self, user):
        return self.filter(societe__in=societes_pour(user, Droit.PLANS))


class Echelle(models.Model):
    societe = models.ForeignKey(Societe, models.PROTECT, related_name="echelles")
    code = models.SlugField(_("code"), max_length=40)
    nom = models.CharField(_("nom"), max_length=80)
    type_debiteur = models.CharField(_("type de débiteur"), max_length=20, choices=TypeDebiteur.choices)
    par_defaut = models.BooleanField(_("plan par défaut de ce type"), default=True)
    clients = models.ManyToManyField(Client, blank=True, related_name="echelles")

    objects = EchelleQuerySet.as_manager()

    class Meta:
        verbose_name = _("plan de relance")
        verbose_name_plural = _("plans de relance")
        ordering = ["societe", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["societe", "code"], name="echelle_code_unique"),
            models.UniqueConstraint(
                fields=["societe", "type_debiteur"], condition=Q(par_defaut=True), name="echelle_defaut_unique"
            ),
        ]

    def __str__(self):
        return self.nom


class VersionEchelle(models.Model):
    class Statut(models.TextChoices):
        BROUILLON = "brouillon", _("Brouillon")
        PUBLIEE = "publiee", _("Publiée")
        RETIREE = "retiree", _("Retirée")

    echelle = models.ForeignKey(Echelle, models.CASCADE, related_name="versions")
    numero = models.PositiveSmallIntegerField()
    statut = models.CharField(max_length=20, choices=Statut.choices, default=Statut.BROUILLON)
    regroupement = models.CharField(
        _("regroupement"), max_length=20, choices=Regroupement.choices, default=Regroupement.PAR_NIVEAU
    )
    seuil_piece = ChampMontant(_("seuil par pièce"), default=0)
    seuil_envoi = ChampMontant(_("seuil par envoi"), default=0)
    plafond_envoi = ChampMontant(_("plafond par envoi sans responsable"), null=True, blank=True)
    # À la publication, ce qui est déjà relancé finit sous l'ancienne version, ou passe à celle-ci.
    reprise = models.CharField(
        _("pièces déjà relancées"),
        max_length=20,
        default="nouvelles",
        choices=[
            ("nouvelles", _("elles finissent avec la version qui les a relancées")),
            ("toutes", _("elles passent à cette version, sans perdre leur niveau")),
        ],
    )
    note = models.CharField(_("ce qui change"), max_length=250, blank=True)
    publiee_le = models.DateTimeField(null=True, blank=True)
    publiee_par = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        verbose_name = _("version de plan")
        ordering = ["echelle", "-numero"]
        constraints = [
            models.UniqueConstraint(fields=["echelle", "numero"], name="version_numero_unique"),
            models.UniqueConstraint(fields=["echelle"], condition=Q(statut="publiee"), name="version_publiee_unique"),
            models.UniqueConstraint(
                fields=["echelle"], condition=Q(statut="brouillon"), name="version_brouillon_unique"
            ),
        ]

    def __str__(self):
        return f"{self.echelle} v{self.numero}"


class Palier(models.Model):
    version = models.ForeignKey(VersionEchelle, models.CASCADE, related_name="paliers")
    rang = models.PositiveSmallIntegerField(_("rang"))
    nature = models.PositiveSmallIntegerField(_("nature"), choices=NatureChoix.choices)
    reference = models.CharField(
        _("compté depuis"),
        max_length=20,
        default=Reference.ECHEANCE.value,
        choices=[
            (Reference.ECHEANCE.value, _("l'échéance")),
            (Reference.FACTURE.value, _("la facture")),
            (Reference.PRECEDENT.value, _("le palier précédent")),
        ],
    )
    delai = models.SmallIntegerField(_("délai (jours)"))
    canaux = models.JSONField(_("canaux, par préférence"), default=list)
    mode = models.CharField(
        _("mode"),
        max_length=20,
        default=ModePalier.AUTOMATIQUE.value,
        choices=[
            (ModePalier.AUTOMATIQUE.value, _("automatique")),
            (ModePalier.A_VALIDER.value, _("à valider")),
            (ModePalier.TACHE.value, _("tâche")),
        ],
    )
    delai_reponse = models.PositiveSmallIntegerField(_("délai donné au débiteur (jours)"), default=8)
    # Code d'un modèle de la société ; vide : celui de la nature et du type de débiteur.
    modele = models.SlugField(_("modèle"), max_length=40, blank=True)
    role_destinataire = models.CharField(_("destinataire"), max_length=20, choices=RoleContact.choices, blank=True)

    class Meta:
        verbose_name = _("palier")
        ordering = ["version", "rang"]
        constraints = [
            models.UniqueConstraint(fields=["version", "rang"], name="palier_rang_unique"),
            models.CheckConstraint(condition=Q(rang__gt=0) & Q(nature__gt=0), name="palier_rang_et_nature"),
            # Seul un rappel avant échéance a un délai négatif.
            models.CheckConstraint(
                condition=Q(delai__gte=0) | Q(nature=NatureChoix.AVANT_ECHEANCE.value), name="palier_delai_signe"
            ),
            # Un recommandé ou un contentieux ne partent jamais sans une personne.
            models.CheckConstraint(
                condition=~Q(mode="automatique") | Q(nature__lt=NatureChoix.MISE_EN_DEMEURE.value),
                name="palier_grave_jamais_automatique",
            ),
        ]

    def __str__(self):
        return f"{self.rang}. {self.get_nature_display()}"
