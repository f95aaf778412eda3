"""Issue codifiée d'un appel, et la suite qu'elle crée (exigence 30) : pur."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from factures.domaine.calendrier import ajouter_jours_ouvres


class Issue(StrEnum):
    """Dans l'ordre des touches 1 à 8 du volet d'appel."""

    PROMESSE = "promesse"
    PAIEMENT_PARTI = "paiement_parti"
    NON_RECUE = "non_recue"
    EN_VALIDATION = "en_validation"
    LITIGE = "litige"
    MESSAGE = "message"
    INJOIGNABLE = "injoignable"
    AUTRE = "autre"


class MotifRetard(StrEnum):
    """Ce que dit le client, s'il le dit."""

    PERDUE = "perdue"
    MAL_CLASSEE = "mal_classee"
    CIRCUIT_LONG = "circuit_long"
    INSATISFACTION = "insatisfaction"
    DESACCORD = "desaccord"
    OUBLI = "oubli"
    TRESORERIE = "tresorerie"


@dataclass(frozen=True, slots=True)
class Suite:
    """Tâche créée par une issue : jours ouvrés avant de la faire ; `cle` : une seule ouverte par client."""

    cle: str
    jours: int


SUITES: dict[Issue, Suite] = {
    Issue.PAIEMENT_PARTI: Suite("verifier_paiement", 5),
    Issue.NON_RECUE: Suite("renvoyer_facture", 0),
    Issue.EN_VALIDATION: Suite("rappel", 5),
    Issue.MESSAGE: Suite("rappel", 2),
    Issue.INJOIGNABLE: Suite("rappel", 1),
}


def jour_de_suite(issue: Issue, *, au: date, region: str) -> date | None:
    """Jour proposé pour la suite ; None : l'issue n'en crée pas d'elle-même."""
    suite = SUITES.get(issue)
    return ajouter_jours_ouvres(au, suite.jours, region) if suite else None
