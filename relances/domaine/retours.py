"""Ce que vaut le retour d'un recommandé, et depuis quel jour il est reçu : règles pures (droit.md, § 6 et § 17).

La confiance est celle de la source : « S » sûre, « L » lecture d'un texte sans arrêt connu, « C » à confirmer.
Les phrases sont dans `relances.avis` : ici, des codes.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

DELAI_LRE = timedelta(days=15)  # à compter du lendemain de l'avis électronique : CPCEpost, art. R53-3
GARDE = timedelta(days=15)  # La Poste garde un pli avisé quinze jours avant de le rendre non réclamé
# Ces plis n'ont pas de jour de remise : seule la présentation dit quand ils sont reçus.
PRESENTATION_EXIGEE = ("non_reclame", "refuse")
COPIE_LRE = timedelta(days=7)  # pour copier la preuve, que le prestataire ne garde qu'un an ; choix de la maison


class Issue(StrEnum):
    """Les cinq issues d'un recommandé ; l'électronique en a trois."""

    DISTRIBUE = "distribue"
    NON_RECLAME = "non_reclame"
    REFUSE = "refuse"
    NPAI = "npai"
    LRE_ACCEPTEE = "lre_acceptee"
    LRE_REFUSEE = "lre_refusee"
    LRE_NON_RECLAMEE = "lre_non_reclamee"


class Valeur(StrEnum):
    """Ce que la mise en demeure vaut encore."""

    PLEINE = "pleine"
    VALABLE = "valable"
    PROBABLE = "probable"
    INCERTAINE = "incertaine"


class Geste(StrEnum):
    RANGER_L_AVIS = "ranger_l_avis"
    GARDER_FERMEE = "garder_fermee"
    CHERCHER_L_ADRESSE = "chercher_l_adresse"
    REFAIRE = "refaire"
    COPIER_LA_PREUVE = "copier_la_preuve"
    DOUBLER_EN_PAPIER = "doubler_en_papier"


@dataclass(frozen=True)
class Effet:
    """valeur : ce qui reste de la mise en demeure. source : texte ou arrêt. suite : une tâche s'ouvre."""

    valeur: Valeur
    source: str
    confiance: str
    gestes: tuple[Geste, ...]
    suite: bool = False


ARRET_NON_RECLAME = "Civ. 1re, 20/01/2021, n° 19-20.680"
CPCE_LRE = "CPCEpost, art. L100 et R53-3"

EFFETS: dict[Issue, Effet] = {
    Issue.DISTRIBUE: Effet(Valeur.PLEINE, "CPC, art. 669", "S", (Geste.RANGER_L_AVIS,)),
    Issue.NON_RECLAME: Effet(Valeur.VALABLE, ARRET_NON_RECLAME, "S", (Geste.GARDER_FERMEE, Geste.RANGER_L_AVIS)),
    Issue.REFUSE: Effet(Valeur.VALABLE, ARRET_NON_RECLAME, "S", (Geste.GARDER_FERMEE, Geste.RANGER_L_AVIS)),
    Issue.NPAI: Effet(
        Valeur.INCERTAINE,
        "C. civ., art. 1344",
        "C",
        (Geste.GARDER_FERMEE, Geste.CHERCHER_L_ADRESSE, Geste.REFAIRE),
        True,
    ),
    Issue.LRE_ACCEPTEE: Effet(Valeur.PLEINE, CPCE_LRE, "S", (Geste.COPIER_LA_PREUVE,), True),
    Issue.LRE_REFUSEE: Effet(Valeur.PROBABLE, CPCE_LRE, "L", (Geste.COPIER_LA_PREUVE, Geste.DOUBLER_EN_PAPIER), True),
    Issue.LRE_NON_RECLAMEE: Effet(
        Valeur.PROBABLE, CPCE_LRE, "L", (Geste.COPIER_LA_PREUVE, Geste.DOUBLER_EN_PAPIER), True
    ),
}

_ELECTRONIQUES = {
    "distribue": Issue.LRE_ACCEPTEE,
    "refuse": Issue.LRE_REFUSEE,
    "non_reclame": Issue.LRE_NON_RECLAMEE,
}


def issue(retour: str, *, electronique: bool = False) -> Issue | None:
    """L'issue d'un retour saisi ; None tant qu'il n'est pas rentré.

    Lève ValueError : retour inconnu, ou NPAI d'un recommandé électronique, qui n'a pas d'adresse postale.
    """
    if not retour:
        return None
    if not electronique:
        return Issue(retour)
    if retour not in _ELECTRONIQUES:
        raise ValueError(f"issue impossible pour un recommandé électronique : {retour!r}")
    return _ELECTRONIQUES[retour]


def date_de_reception(
    issue: Issue | None, *, remis_le: date | None = None, presente_le: date | None = None
) -> date | None:
    """Jour où le pli est tenu pour reçu : la remise, à défaut la première présentation ; None : jamais.

    Fait courir les intérêts d'un consommateur (C. civ., 1344-1 ; droit.md, § 17 : prudence). Un pli refusé l'a été
    quand il fut présenté ; un pli NPAI n'a pas été présenté à la bonne adresse. Sans retour : la présentation connue.
    """
    if issue is Issue.NPAI:
        return None
    if issue in (Issue.DISTRIBUE, Issue.LRE_ACCEPTEE):
        return remis_le or presente_le
    if issue in (Issue.REFUSE, Issue.LRE_REFUSEE):
        return presente_le or remis_le
    return presente_le


def rendu_trop_tot(retour: str, *, presente_le: date | None, retour_le: date | None) -> bool:
    """Un pli « non réclamé » revenu avant la fin de sa garde : la date ou l'issue est sans doute fausse."""
    return retour == "non_reclame" and None not in (presente_le, retour_le) and retour_le - presente_le < GARDE


def fin_du_delai_lre(avis_le: date) -> date:
    """Dernier jour pour accepter un recommandé électronique : quinze jours à compter du lendemain de l'avis."""
    return avis_le + DELAI_LRE


class RefusLre(StrEnum):
    """Pourquoi le recommandé électronique n'est pas admis."""

    A_QUALIFIER = "a_qualifier"
    SANS_ACCORD = "sans_accord"
    ACCORD_A_VENIR = "accord_a_venir"
    SANS_COURRIEL = "sans_courriel"


PROFESSIONNELS = ("entreprise", "administration")


def refus_de_l_electronique(debiteur: str, *, accord_le: date | None, courriel: str, au: date) -> RefusLre | None:
    """None si la loi l'admet le jour `au` : un non-professionnel doit l'avoir accepté (CPCEpost, art. L100, I)."""
    if debiteur not in (*PROFESSIONNELS, "particulier"):
        return RefusLre.A_QUALIFIER
    if debiteur not in PROFESSIONNELS:
        if accord_le is None:
            return RefusLre.SANS_ACCORD
        if accord_le > au:
            return RefusLre.ACCORD_A_VENIR
    return None if courriel else RefusLre.SANS_COURRIEL
