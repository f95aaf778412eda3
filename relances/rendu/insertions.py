"""Ce qu'un texte modifiable peut insérer : la liste fermée, ses étiquettes, et d'où vient chaque valeur.

Une insertion est une expression écrite ici, jamais par une personne. Celles qui portent une condition (singulier ou
pluriel, avec ou sans rappel) sont des membres de phrase tout faits : le texte qui les emploie n'en a aucune.
"""

import re
from dataclasses import dataclass
from functools import lru_cache

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from relances.domaine.natures import Nature
from relances.domaine.texte_ferme import cle

from . import moteur
from .contexte import TypeDebiteur
from .moteur import ContexteFerme, VariableInconnue, typographier

LETTRE, COURRIEL, SMS = "lettre", "courriel", "sms"
AVANT, RAPPEL, FORMALISATION, MISE = (
    Nature.AVANT_ECHEANCE, Nature.RAPPEL_COURTOIS, Nature.FORMALISATION, Nature.MISE_EN_DEMEURE,
)  # fmt: skip
ENTREPRISE, ADMINISTRATION, PARTICULIER, A_QUALIFIER = TypeDebiteur
ECHUS = frozenset({RAPPEL, FORMALISATION, MISE})
CHIFFREES = frozenset({FORMALISATION, MISE})
PROFESSIONNELS = frozenset({ENTREPRISE, ADMINISTRATION})
ECRITS = frozenset({LETTRE, COURRIEL})


@dataclass(frozen=True, kw_only=True)
class Insertion:
    """`fr`, `en`, `sms` : expressions de l'application. facultative : sa valeur peut être vide, la phrase tient.

    natures, types, supports : où elle se propose ; None : partout. Hors de là, elle est inconnue : une pénalité ne
    s'écrit pas à un consommateur (exigence 24).
    """

    nom: str
    quoi: str | Promise
    fr: str
    en: str = ""
    sms: str = ""
    natures: frozenset | None = None
    types: frozenset | None = None
    supports: frozenset | None = ECRITS
    facultative: bool = False

    def convient(self, *, nature: Nature, type_debiteur: TypeDebiteur, support: str, langue: str) -> bool:
        return (
            (self.natures is None or nature in self.natures)
            and (self.types is None or type_debiteur in self.types)
            and (self.supports is None or support in self.supports)
            and bool(self.expression(langue, support))
        )

    def expression(self, langue: str, support: str) -> str:
        if support == SMS and self.sms:
            return self.sms
        return self.en if langue == "en" else self.fr


_UNE = "{% if total.nombre_factures == 1 %}"
_FACTURE = "facture {{ premiere.facture.numero }}"
_INVOICE = _UNE + "invoice {{ premiere.facture.numero }}{% else %}{{ total.nombre_factures }} invoices{% endif %}"
_ANNEXEES = "the {{ total.nombre_factures }} invoices in the attached statement remain unpaid"
_RAPPELS = "{% if courrier.rappels %}"
_PREFET = "ask the Prefect to have this expenditure paid by the authority"
_SINON_AUTORITE = "{% else %}bring this request before the competent authority{% endif %}"
_MANDATEMENT = "demander à Monsieur ou Madame le préfet le mandatement d'office de cette dépense"


def _demeurent(la: str, les: str) -> str:
    return (
        _UNE + la + " facture {% if en_annexe %}détaillée en annexe{% else %}suivante{% endif %} demeure impayée"
        "{% elif en_annexe %}" + les + " {{ total.nombre_factures }} factures détaillées en annexe demeurent impayées"
        "{% else %}" + les + " factures suivantes demeurent impayées{% endif %}"
    )


def _i(nom, quoi, fr, en="", **autres) -> Insertion:
    return Insertion(nom=nom, quoi=quoi, fr=fr, en=en, **autres)


INSERTIONS: tuple[Insertion, ...] = (
    # --- Sommes
    _i("total à payer", _("tout ce que le courrier réclame, crédits déduits"), "{{ total.a_payer|euros }}",
       "{{ total.a_payer|eur_en }}", sms="{{ total.a_payer|sms }}", supports=None),
    _i("total en lettres", _("le total à payer, en toutes lettres"), "{{ total.en_lettres }}",
       natures=frozenset({FORMALISATION, MISE})),
    _i("reste dû", _("ce qui reste dû sur les factures, sans pénalités ni crédits"), "{{ total.reste_du|euros }}",
       "{{ total.reste_du|eur_en }}", sms="{{ total.reste_du|sms }}", supports=None),
    _i("principal à payer", _("le principal, crédits déduits : ce qu'un comptable public paie d'abord"),
       "{{ total.principal_net|euros }}", "{{ total.principal_net|eur_en }}", types=frozenset({ADMINISTRATION})),
    _i("pénalités", _("pénalités ou intérêts de retard restant dus"), "{{ total.penalites|euros }}",
       "{{ total.penalites|eur_en }}", natures=CHIFFREES, types=PROFESSIONNELS),
    _i("indemnités", _("indemnités forfaitaires de 40 €, une par facture"), "{{ total.indemnites|euros }}",
       "{{ total.indemnites|eur_en }}", natures=CHIFFREES, types=PROFESSIONNELS),
    _i("pénalités par jour", _("membre de phrase : ce que coûte un jour de plus, ou rien"),
       "{% if total.par_jour %}, à raison de {{ total.par_jour|euros }} par jour à ce jour{% endif %}",
       "{% if total.par_jour %}, currently at {{ total.par_jour|eur_en }} per day{% endif %}",
       natures=CHIFFREES, types=PROFESSIONNELS, facultative=True),
    _i("pénalités par jour au taux actuel", _("la même chose, dite pour une mise en demeure, ou rien"),
       "{% if total.par_jour %}, soit {{ total.par_jour|euros }} par jour au taux actuel{% endif %}",
       natures=CHIFFREES, types=PROFESSIONNELS, facultative=True),
    _i("pénalités jusqu'au paiement", _("phrase : les pénalités s'ajoutent jusqu'au paiement ; rien si l'on y renonce"),
       "{% if penalites_courent %} Les pénalités (articles L. 441-10, II et D. 441-5 du code de commerce) s'y ajoutent "
       "jusqu'au paiement{% if total.par_jour %}, soit {{ total.par_jour|euros }} par jour au taux actuel{% endif %}."
       "{% endif %}",
       "{% if penalites_courent %} Late-payment interest (Article L. 441-10, II of the French Commercial Code) "
       "continues to accrue until payment{% if total.par_jour %}, currently at {{ total.par_jour|eur_en }} per day"
       "{% endif %}."
       "{% endif %}",
       natures=frozenset({MISE}), types=frozenset({ENTREPRISE}), facultative=True),
    _i("pénalités jusqu'au règlement", _("phrase : les pénalités courent encore ; rien si l'on y renonce"),
       "{% if penalites_courent %} Les pénalités continuent de courir jusqu'au règlement{% if total.par_jour %}, à "
       "raison de {{ total.par_jour|euros }} par jour à ce jour{% endif %}.{% endif %}",
       "{% if penalites_courent %} Interest continues to run until payment{% if total.par_jour %}, currently at "
       "{{ total.par_jour|eur_en }} per day{% endif %}.{% endif %}",
       natures=frozenset({FORMALISATION}), types=frozenset({ENTREPRISE}), facultative=True),
    # --- Dates
    _i("jour limite", _("date limite de paiement, avec le jour de la semaine"), "{{ courrier.date_limite|date_jour }}",
       "{{ courrier.date_limite|date_en_day }}", natures=ECHUS),
    _i("date limite", _("date limite de paiement, recalculée le jour de l'envoi"),
       "{{ courrier.date_limite|date_longue }}", "{{ courrier.date_limite|date_en }}",
       sms="{{ courrier.date_limite|jjmm }}", natures=ECHUS, supports=None),
    _i("date limite courte", _("date limite en chiffres"), "{{ courrier.date_limite|jj }}", natures=ECHUS),
    _i("jour d'échéance", _("échéance de la première facture, avec le jour"), "{{ premiere.date_echeance|date_jour }}",
       "{{ premiere.date_echeance|date_en_day }}"),
    _i("échéance", _("échéance de la première facture"), "{{ premiere.date_echeance|date_longue }}",
       "{{ premiere.date_echeance|date_en }}", sms="{{ premiere.date_echeance|jjmm }}", supports=None),
    _i("échéance courte", _("échéance de la première facture, en chiffres"), "{{ premiere.date_echeance|jj }}"),
    _i("date d'arrêté", _("jour où les sommes sont arrêtées"), "{{ courrier.date_arrete|date_longue }}",
       "{{ courrier.date_arrete|date_en }}"),
    _i("date d'arrêté courte", _("jour où les sommes sont arrêtées, en chiffres"), "{{ courrier.date_arrete|jj }}"),
    _i("date du courrier", _("jour du courrier"), "{{ courrier.date|date_longue }}", "{{ courrier.date|date_en }}"),
    # --- Factures, au singulier ou au pluriel
    _i("nombre de factures", _("combien de factures sont réclamées"), "{{ total.nombre_factures }}",
       "{{ total.nombre_factures }}"),
    _i("numéro de facture", _("numéro de la première facture"), "{{ premiere.facture.numero }}",
       "{{ premiere.facture.numero }}", sms="{{ premiere.facture.numero }}", supports=None),
    _i("date de facture", _("date de la première facture"), "{{ premiere.facture.date_emission|jj }}",
       "{{ premiere.facture.date_emission|date_en }}"),
    _i("facture ou factures", _("« facture FA-1 » ou « 3 factures »"),
       _UNE + _FACTURE + "{% else %}{{ total.nombre_factures }} factures{% endif %}", _INVOICE),
    _i("factures échues", _("« facture FA-1 échue le … » ou « 3 factures échues »"),
       _UNE + _FACTURE + " échue le {{ premiere.date_echeance|jj }}{% else %}{{ total.nombre_factures }} factures "
       "échues{% endif %}", natures=ECHUS),
    _i("factures impayées", _("« facture FA-1 impayée » ou « 3 factures impayées »"),
       _UNE + _FACTURE + " impayée{% else %}{{ total.nombre_factures }} factures impayées{% endif %}", natures=ECHUS),
    _i("factures échues et non réglées", _("« facture FA-1 échue et non réglée » ou « 3 factures échues… »"),
       _UNE + _FACTURE + " échue et non réglée{% else %}{{ total.nombre_factures }} factures échues et non réglées"
       "{% endif %}", natures=ECHUS),
    _i("votre facture", _("« votre facture FA-1 » ou « vos factures »"),
       _UNE + "votre " + _FACTURE + "{% else %}vos factures{% endif %}"),
    _i("facture en tête", _("« Votre facture FA-1 » ou « Vos 3 factures », en début de phrase"),
       _UNE + "Votre " + _FACTURE + "{% else %}Vos {{ total.nombre_factures }} factures{% endif %}",
       _UNE + "Your invoice {{ premiere.facture.numero }}{% else %}Your {{ total.nombre_factures }} "
       "invoices{% endif %}"),
    _i("facture datée en tête", _("« Votre facture FA-1 du … » ou « Vos 3 factures », en début de phrase"),
       _UNE + "Votre " + _FACTURE + " du {{ premiere.facture.date_emission|jj }}{% else %}Vos "
       "{{ total.nombre_factures }} factures{% endif %}"),
    _i("factures et suivantes", _("« Facture FA-1 » ou « Factures FA-1 et suivantes »"),
       "Facture{% if total.nombre_factures > 1 %}s{% endif %} {{ premiere.facture.numero }}"
       "{% if total.nombre_factures > 1 %} et suivantes{% endif %}"),
    _i("factures du tableau", _("« de la facture suivante : », « des factures suivantes : » ou « des 40 factures de "
       "l'état joint… »"),
       "{% if en_annexe %}des {{ total.nombre_factures }} factures de l'état joint, soit "
       "{{ total.reste_du|euros }} TTC."
       "{% elif total.nombre_factures == 1 %}de la facture suivante :{% else %}des factures suivantes :{% endif %}",
       "{% if en_annexe %}{{ total.nombre_factures }} invoices in the attached statement.{% else %}following:"
       "{% endif %}", natures=ECHUS),
    _i("ces factures restent impayées", _("« cette facture reste impayée » ou « ces factures restent impayées »"),
       _UNE + "cette facture reste impayée{% elif en_annexe %}les {{ total.nombre_factures }} factures de l'état joint "
       "restent impayées{% else %}ces factures restent impayées{% endif %}",
       "{% if en_annexe %}" + _ANNEXEES + ".{% else %}the following remains unpaid:{% endif %}", natures=ECHUS),
    _i("factures reçues et conformes", _("« cette facture vous est bien parvenue… » ou « ces factures… »"),
       _UNE + "cette facture vous est bien parvenue, qu'elle est conforme et que son règlement est prévu{% else %}ces "
       "factures vous sont bien parvenues, qu'elles sont conformes et que leur règlement est prévu{% endif %}",
       _UNE + "this invoice, that it is in order and that payment is planned{% else %}these invoices, that they are in "
       "order and that payment is planned{% endif %}"),
    _i("factures non mises en paiement", _("« la facture suivante n'a pas été mise en paiement » ou « les factures… »"),
       _UNE + "la facture suivante{% if marche.recue %}, déposée sur Chorus Pro,{% endif %} n'a pas été mise en "
       "paiement"
       "{% else %}les factures {% if en_annexe %}de l'état joint{% else %}suivantes{% endif %}{% if marche.recue %}, "
       "déposées sur Chorus Pro,{% endif %} n'ont pas été mises en paiement{% endif %}",
       _UNE + "the following invoice{% if marche.recue %}, submitted through Chorus Pro,{% endif %} has not been put "
       "into payment{% else %}the {% if en_annexe %}{{ total.nombre_factures }} invoices in the attached statement"
       "{% else %}following invoices{% endif %}{% if marche.recue %}, submitted through Chorus Pro,{% endif %} have "
       "not been put into payment{% endif %}", types=frozenset({ADMINISTRATION})),
    # --- Ce qui s'est passé
    _i("nos rappels", _("les relances vraiment envoyées : « notre rappel du … », « nos rappels des … »"),
       "{{ courrier.rappels }}", "{{ courrier.rappels }}", natures=ECHUS),
    _i("malgré nos rappels", _("« Malgré nos rappels… et sauf erreur de notre part », ou « Sauf erreur… » sans rappel"),
       _RAPPELS + "Malgré {{ courrier.rappels }} et sauf erreur de notre part{% else %}Sauf erreur de notre part"
       "{% endif %}",
       _RAPPELS + "Despite {{ courrier.rappels }}, and unless payment has crossed with this letter{% else %}Unless "
       "payment has crossed with this letter{% endif %}", natures=ECHUS),
    _i("malgré nos rappels, le suivant", _("« Despite our reminder of …, the » ou « The »"), "",
       _RAPPELS + "Despite {{ courrier.rappels }}, the{% else %}The{% endif %}", natures=ECHUS),
    _i("constat d'impayé", _("« Malgré nos rappels…, les factures suivantes demeurent impayées »"),
       _RAPPELS + "Malgré {{ courrier.rappels }}, " + _demeurent("la", "les") + "{% else %}"
       + _demeurent("La", "Les") + "{% endif %}",
       _RAPPELS + "Despite {{ courrier.rappels }}, {% if en_annexe %}" + _ANNEXEES + "{% else %}the following remains "
       "unpaid{% endif %}{% elif en_annexe %}T" + _ANNEXEES[1:] + "{% else %}The following remains unpaid{% endif %}",
       natures=ECHUS, types=PROFESSIONNELS),
    _i("constat d'impayé", _("« Malgré nos rappels…, la somme suivante demeure impayée. »"),
       _RAPPELS + "Malgré {{ courrier.rappels }}, la somme suivante demeure impayée.{% else %}La somme suivante "
       "demeure impayée.{% endif %}",
       _RAPPELS + "Despite {{ courrier.rappels }}, the following sum remains unpaid.{% else %}The following sum "
       "remains unpaid.{% endif %}", natures=ECHUS, types=frozenset({PARTICULIER})),
    _i("objet du contrat", _("à quoi les factures correspondent, si la fiche du client le dit, ou rien"),
       "{% if contrat.objet %} " + _UNE + "Elle correspond{% else %}Elles correspondent{% endif %} à "
       "{{ contrat.objet }}"
       "{% if contrat.reference %} ({{ contrat.reference }}){% endif %}.{% endif %}",
       "{% if contrat.objet %}, for {{ contrat.objet }}{% endif %}", natures=ECHUS, facultative=True),
    _i("aucune contestation", _("« Nous n'avons reçu aucune contestation. » si c'est vrai, sinon rien"),
       "{% if aucune_contestation %} Nous n'avons reçu aucune contestation.{% endif %}",
       "{% if aucune_contestation %} We have received no dispute.{% endif %}", natures=ECHUS,
       types=PROFESSIONNELS, facultative=True),
    _i("aucune contestation", _("« Nous n'avons pas reçu de réclamation de votre part. » si c'est vrai, sinon rien"),
       "{% if aucune_contestation %} Nous n'avons pas reçu de réclamation de votre part.{% endif %}",
       "{% if aucune_contestation %} We have received no complaint from you.{% endif %}", natures=ECHUS,
       types=frozenset({PARTICULIER}), facultative=True),
    _i("pour mémoire", _("rappelle les pénalités à une entreprise ; à un client à qualifier, annonce un écrit"),
       '{% if client.type == "entreprise" %}Pour mémoire, un retard fait courir des pénalités et donne lieu à une '
       "indemnité forfaitaire (article L. 441-10 du code de commerce) ; ce rappel ne les décompte pas.{% else %}Passé "
       "cette date, nous reviendrions vers vous par écrit.{% endif %}",
       '{% if client.type == "entreprise" %}For the record, late payment may give rise to interest and fixed '
       "compensation under our terms; this reminder does not include them.{% else %}After that date, we would write to "
       "you again.{% endif %}",
       natures=frozenset({RAPPEL}), types=frozenset({ENTREPRISE, A_QUALIFIER})),
    # --- La commande publique
    _i("délai de paiement", _("« de 30 jours », ou « réglementaire » s'il n'est pas connu"),
       "{% if marche.delai_jours %}de {{ marche.delai_jours }} jours{% else %}réglementaire{% endif %}",
       "{% if marche.delai_jours %}{{ marche.delai_jours }}-day period{% else %}period set by regulation{% endif %}",
       types=frozenset({ADMINISTRATION})),
    _i("engagement", _("« – engagement EJ-… » s'il est connu, sinon rien"),
       "{% if marche.engagement %} – engagement {{ marche.engagement }}{% endif %}",
       "{% if marche.engagement %} – commitment {{ marche.engagement }}{% endif %}",
       types=frozenset({ADMINISTRATION}), facultative=True),
    _i("aucune suspension", _("« Nous n'avons reçu aucune notification de suspension. » si c'est vrai, sinon rien"),
       "{% if marche.aucune_suspension %} Nous n'avons reçu aucune notification de suspension.{% endif %}",
       "{% if marche.aucune_suspension %} We have received no notice of suspension.{% endif %}",
       types=frozenset({ADMINISTRATION}), facultative=True),
    _i("suite possible", _("mandatement d'office d'une collectivité, ou saisine de l'autorité compétente"),
       "{% if marche.collectivite %}" + _MANDATEMENT + " (article L. 1612-16 du code général des collectivités "
       "territoriales){% else %}porter cette demande devant l'autorité compétente{% endif %}",
       "{% if marche.collectivite %}" + _PREFET + " (Article L. 1612-16 of the French General Code of Local "
       "Authorities)"
       + _SINON_AUTORITE,
       types=frozenset({ADMINISTRATION}), supports=frozenset({LETTRE})),
    _i("suite possible", _("mandatement d'office d'une collectivité, ou saisine de l'autorité compétente"),
       "{% if marche.collectivite %}" + _MANDATEMENT + "{% else %}porter cette demande devant l'autorité compétente"
       "{% endif %}", "{% if marche.collectivite %}" + _PREFET + _SINON_AUTORITE, types=frozenset({ADMINISTRATION}),
       supports=frozenset({COURRIEL})),
    # --- Les personnes
    _i("nom du client", _("raison sociale ou nom du client"), "{{ client.raison_sociale }}",
       "{{ client.raison_sociale }}"),
    _i("compte client", _("code du compte"), "{{ client.code }}", "{{ client.code }}"),
    _i("civilité", _("formule d'appel : « Madame, Monsieur », « Monsieur le Maire »"), "{{ client.civilite }}"),
    _i("bonjour", _("« Bonjour Madame Delorme », ou « Bonjour » sans nom connu"), "{{ client.bonjour }}",
       "{{ client.appel_en }}"),
    _i("formule finale", _("« sincerely » si le nom est connu, « faithfully » sinon"), "", "{{ client.formule_en }}"),
    _i("notre société", _("votre raison sociale"), "{{ societe.raison_sociale }}", "{{ societe.raison_sociale }}",
       sms="{{ societe.nom_court }}", supports=None),
    _i("référence", _("référence du courrier"), "{{ courrier.reference }}", "{{ courrier.reference }}"),
    _i("nom du gestionnaire", _("l'interlocuteur du client"), "{{ gestionnaire.nom }}", "{{ gestionnaire.nom }}"),
    _i("téléphone du gestionnaire", _("son numéro, ou celui de la société"), "{{ gestionnaire.telephone }}",
       "{{ gestionnaire.telephone }}", supports=None),
    _i("courriel du gestionnaire", _("son adresse"), "{{ gestionnaire.courriel }}", "{{ gestionnaire.courriel }}"),
    _i("au téléphone", _("« au 02 … » s'il y a un numéro, sinon rien"),
       "{% if gestionnaire.telephone %} au {{ gestionnaire.telephone }}{% endif %}",
       "{% if gestionnaire.telephone %} on {{ gestionnaire.telephone }}{% endif %}", facultative=True),
    _i("par téléphone", _("la même chose, après une virgule"),
       "{% if gestionnaire.telephone %}, au {{ gestionnaire.telephone }}{% endif %}",
       "{% if gestionnaire.telephone %}, on {{ gestionnaire.telephone }}{% endif %}", facultative=True),
    # --- SMS
    _i("détail en ligne", _("« Détail : … » quand la page du client existe, sinon rien"),
       "{% if paiement.lien %} Détail : {{ paiement.lien }}{% endif %}",
       "{% if paiement.lien %} Details: {{ paiement.lien }}{% endif %}", supports=frozenset({SMS}), facultative=True),
    _i("ou en ligne", _("« ou … » quand la page du client existe, sinon rien"),
       "{% if paiement.lien %} ou {{ paiement.lien }}{% endif %}",
       "{% if paiement.lien %} or {{ paiement.lien }}{% endif %}", supports=frozenset({SMS}), facultative=True),
)  # fmt: skip


@lru_cache(maxsize=256)
def proposees(*, nature: Nature, type_debiteur: TypeDebiteur, support: str, langue: str) -> tuple[Insertion, ...]:
    """Les insertions d'un modèle, dans l'ordre de la liste."""
    cadre = {"nature": nature, "type_debiteur": type_debiteur, "support": support, "langue": langue}
    return tuple(i for i in INSERTIONS if i.convient(**cadre))


_A_LA_LIGNE = re.compile(r"[\x00-\x1f\x7f]+")


@lru_cache(maxsize=512)
def _gabarit(expression: str, anglais: bool):
    return moteur.moteur_courriels().from_string(typographier(expression, anglais=anglais))


@lru_cache(maxsize=256)
def _par_cle(permises: tuple[Insertion, ...]) -> dict[str, Insertion]:
    return {cle(i.nom): i for i in permises}


class Valeurs(dict):
    """{clé d'un nom: valeur} d'une lettre, calculées à la demande ; un nom hors de la liste lève `VariableInconnue`.

    `vides` : noms obligatoires dont ce courrier n'a pas la valeur.
    """

    def __init__(self, contexte: dict, permises: tuple[Insertion, ...], *, langue: str, support: str):
        super().__init__()
        self.contexte, self.langue, self.support = contexte, langue, support
        self.permises = _par_cle(permises)
        self.vides: list[str] = []

    def __missing__(self, nom: str) -> str:
        if nom not in self.permises:
            raise VariableInconnue(nom)
        insertion = self.permises[nom]
        gabarit = _gabarit(insertion.expression(self.langue, self.support), self.langue == "en")
        rendue = gabarit.render(ContexteFerme(self.contexte, autoescape=False, use_l10n=False, use_tz=False))
        valeur = self[nom] = _A_LA_LIGNE.sub(" ", rendue)
        if not valeur.strip() and not insertion.facultative:
            self.vides.append(insertion.nom)
        return valeur
