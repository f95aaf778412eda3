"""Les accords passés avec un client, la perte proposée, et ce qui s'échange sur un litige."""

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from clients.models import Client, Document
from recouvrement.commun.champs import ChampMontant
from recouvrement.commun.modeles import Horodate
from recouvrement.comptes.droits import filtre_portefeuille
from recouvrement.comptes.models import Societe

from .grand_livre import Avoir, Echeance, Facture
from .suivi import Echeancier, Litige


class Penalites(models.TextChoices):
    """Ce que deviennent les pénalités pendant un accord ; une renonciation se décide au cas par cas (droit.md § 9)."""

    COURENT = "courent", _("elles courent")
    ABANDONNEES = "abandonnees", _("abandonnées si l'accord est tenu")


class ReglageAccords(models.Model):
    """Bornes d'une société : ce qu'un échéancier peut accorder sans que personne en décide plus haut."""

    societe = models.OneToOneField(Societe, models.CASCADE, related_name="reglage_accords")
    mensualites_max = models.PositiveSmallIntegerField(
        _("mensualités au plus"), default=6, validators=[MinValueValidator(2), MaxValueValidator(24)]
    )
    mensualite_min = ChampMontant(_("mensualité d'au moins"), default=50)
    premiere_sous_jours = models.PositiveSmallIntegerField(
        _("première mensualité sous (jours)"), default=30, validators=[MinValueValidator(1), MaxValueValidator(90)]
    )
    duree_max_jours = models.PositiveSmallIntegerField(
        _("durée au plus (jours)"), default=190, validators=[MinValueValidator(31), MaxValueValidator(730)]
    )
    # Au-delà, un gestionnaire propose et un responsable accepte ; le client n'en obtient pas seul.
    montant_max = ChampMontant(_("sans responsable jusqu'à"), null=True, blank=True, default=10_000)
    clause_decheance = models.BooleanField(_("clause de déchéance du terme"), default=True)
    penalites = models.CharField(
        _("pénalités pendant l'échéancier"), max_length=12, choices=Penalites.choices, default=Penalites.COURENT
    )
    remise_max = models.DecimalField(_("remise sans responsable (% du dû)"), max_digits=5, decimal_places=2, default=0)

    class Meta:
        verbose_name = _("réglage des accords")

    def __str__(self):
        return f"accords de {self.societe}"


class AccordQuerySet(models.QuerySet):
    def visibles_pour(self, user):
        return self.filter(filtre_portefeuille(user, "client__societe_id", "client__gestionnaire_id"))

    def en_cours(self):
        return self.filter(statut__in=Accord.EN_COURS)


class Accord(Horodate):
    """Un accord écrit : son PDF à signer, sa signature, son effet. L'effet ne vient qu'avec la signature."""

    class Genre(models.TextChoices):
        ECHEANCIER = "echeancier", _("Échéancier")
        REMISE = "remise", _("Remise contre paiement immédiat")
        ESCOMPTE = "escompte", _("Escompte")
        COMPENSATION = "compensation", _("Compensation")
        NOVATION = "novation", _("Novation")

    class Statut(models.TextChoices):
        A_APPROUVER = "a_approuver", _("À approuver")
        PROPOSE = "propose", _("À signer")
        SIGNE = "signe", _("Signé, en cours")
        EXECUTE = "execute", _("Exécuté")
        CADUC = "caduc", _("Caduc")
        ROMPU = "rompu", _("Rompu")
        REFUSE = "refuse", _("Refusé")
        ANNULE = "annule", _("Annulé")

    EN_COURS = (Statut.A_APPROUVER, Statut.PROPOSE, Statut.SIGNE)

    class Signature(models.TextChoices):
        PORTAIL = "portail", _("Page du client, code reçu par courriel")
        PAPIER = "papier", _("Exemplaire signé, numérisé")

    client = models.ForeignKey(Client, models.PROTECT, related_name="accords")
    genre = models.CharField(_("genre"), max_length=14, choices=Genre.choices)
    statut = models.CharField(_("statut"), max_length=12, choices=Statut.choices, default=Statut.PROPOSE)
    reference = models.CharField(_("référence"), max_length=40, blank=True)
    devise = models.CharField(max_length=3, default="EUR")
    echeances = models.ManyToManyField(Echeance, related_name="accords")
    # Principal restant dû des pièces le jour de la proposition ; recalculé à la signature, qui refuse s'il a changé.
    montant = ChampMontant(_("dette concernée"))
    remise = ChampMontant(_("abandonné si l'accord est tenu"), default=0, db_default=0)
    payer_avant = models.DateField(_("à payer au plus tard le"), null=True, blank=True)
    penalites = models.CharField(max_length=12, choices=Penalites.choices, default=Penalites.COURENT)
    clause_decheance = models.BooleanField(_("clause de déchéance du terme"), default=False)
    # Selon le genre : mensualités [{due_le, montant}], créance opposée, obligation nouvelle, rédaction libre.
    termes = models.JSONField(default=dict, blank=True)
    echeancier = models.OneToOneField(Echeancier, models.PROTECT, null=True, blank=True, related_name="accord")
    avoirs = models.ManyToManyField(Avoir, related_name="+", blank=True)
    facture_nouvelle = models.ForeignKey(Facture, models.PROTECT, null=True, blank=True, related_name="+")
    propose_le = models.DateField(_("proposé le"))
    expire_le = models.DateField(_("à signer avant le"))
    propose_par_le_client = models.BooleanField(default=False)
    auteur = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    approuve_par = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    approuve_le = models.DateTimeField(null=True, blank=True)
    pdf_chemin = models.CharField(max_length=120, blank=True)
    pdf_empreinte = models.CharField(max_length=64, blank=True)
    # La preuve : qui, quand, d'où, sur quel fichier octet pour octet.
    signature = models.CharField(_("signé par"), max_length=10, choices=Signature.choices, blank=True)
    signe_le = models.DateTimeField(_("signé le"), null=True, blank=True)
    signe_par_nom = models.CharField(_("signataire"), max_length=120, blank=True)
    signe_par_qualite = models.CharField(_("qualité"), max_length=120, blank=True)
    signe_courriel = models.EmailField(_("courriel du code"), blank=True)
    signe_adresse_ip = models.GenericIPAddressField(null=True, blank=True)
    signe_agent = models.CharField(max_length=250, blank=True)
    exemplaire = models.ForeignKey(Document, models.PROTECT, null=True, blank=True, related_name="+")
    conclu_le = models.DateField(null=True, blank=True)
    motif = models.CharField(_("motif"), max_length=250, blank=True)
    # Le formulaire renvoyé deux fois n'écrit qu'un accord.
    cle = models.CharField(max_length=64, blank=True)

    objects = AccordQuerySet.as_manager()

    class Meta:
        verbose_name = _("accord")
        ordering = ["-pk"]
        indexes = [models.Index(fields=["client", "-id"], name="accord_client")]
        constraints = [
            models.CheckConstraint(condition=Q(montant__gt=0), name="accord_montant_positif"),
            models.CheckConstraint(
                condition=Q(remise__gte=0) & Q(remise__lte=models.F("montant")), name="accord_remise_bornee"
            ),
            models.CheckConstraint(
                condition=~Q(statut__in=["signe", "execute", "rompu"])
                | (Q(signe_le__isnull=False) & ~Q(signature="") & ~Q(pdf_empreinte="")),
                name="accord_signe_prouve",
            ),
            models.UniqueConstraint(fields=["client", "cle"], condition=~Q(cle=""), name="accord_cle_unique"),
        ]

    def __str__(self):
        return self.reference or f"{self.get_genre_display()} {self.pk}"


class EchangeLitigeQuerySet(models.QuerySet):
    def visibles_pour(self, user):
        return self.filter(
            filtre_portefeuille(user, "litige__echeance__societe_id", "litige__echeance__client__gestionnaire_id")
        )


class EchangeLitige(models.Model):
    """Ce qui s'est dit sur un litige : reçu du client, envoyé, ou noté entre soi ; jamais réécrit."""

    class Sens(models.TextChoices):
        RECU = "recu", _("Reçu")
        ENVOYE = "envoye", _("Envoyé")
        INTERNE = "interne", _("Interne")

    litige = models.ForeignKey(Litige, models.CASCADE, related_name="echanges")
    sens = models.CharField(_("sens"), max_length=10, choices=Sens.choices)
    le = models.DateField(_("le"))
    texte = models.TextField(_("texte"), max_length=4000)
    document = models.ForeignKey(Document, models.PROTECT, null=True, blank=True, related_name="+")
    auteur = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    objects = EchangeLitigeQuerySet.as_manager()

    class Meta:
        verbose_name = _("échange sur un litige")
        ordering = ["le", "pk"]

    def __str__(self):
        return self.texte[:60]


class PropositionPerteQuerySet(models.QuerySet):
    def visibles_pour(self, user):
        return self.filter(filtre_portefeuille(user, "echeance__societe_id", "echeance__client__gestionnaire_id"))

    def a_decider(self):
        return self.filter(statut=PropositionPerte.Statut.PROPOSEE)


class PropositionPerte(models.Model):
    """Un gestionnaire propose de passer un reste dû en perte, un responsable décide ; l'avoir vient de sa décision."""

    class Statut(models.TextChoices):
        PROPOSEE = "proposee", _("À décider")
        ACCEPTEE = "acceptee", _("Passée en perte")
        REFUSEE = "refusee", _("Refusée")
        RETIREE = "retiree", _("Retirée")

    echeance = models.ForeignKey(Echeance, models.PROTECT, related_name="pertes")
    montant = ChampMontant(_("reste dû proposé en perte"))
    motif = models.CharField(_("motif"), max_length=250)
    statut = models.CharField(_("statut"), max_length=10, choices=Statut.choices, default=Statut.PROPOSEE)
    propose_par = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    propose_le = models.DateField(_("proposé le"))
    decide_par = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    decide_le = models.DateTimeField(null=True, blank=True)
    decision = models.CharField(_("raison de la décision"), max_length=250, blank=True)
    avoir = models.ForeignKey(Avoir, models.PROTECT, null=True, blank=True, related_name="+")
    # Créance définitivement irrécouvrable et facture rectificative envoyée (CGI, art. 272) : la taxe se récupère.
    tva_recuperee = models.BooleanField(_("TVA récupérée (CGI, art. 272)"), default=False, db_default=False)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = PropositionPerteQuerySet.as_manager()

    class Meta:
        verbose_name = _("proposition de perte")
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(fields=["echeance"], condition=Q(statut="proposee"), name="perte_proposee_unique"),
            models.CheckConstraint(condition=Q(montant__gt=0), name="perte_positive"),
            models.CheckConstraint(condition=~Q(motif=""), name="perte_motivee"),
            models.CheckConstraint(
                condition=Q(decide_par__isnull=True) | ~Q(decide_par=models.F("propose_par")) | Q(statut="retiree"),
                name="perte_par_deux_personnes",
            ),
        ]

    def __str__(self):
        return f"{self.montant} : {self.motif}"
