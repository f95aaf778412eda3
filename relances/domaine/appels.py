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


class Effet(StrEnum):
    """Ce que l'issue fait d'elle-même, en plus de clore les tâches d'appel."""

    PROMESSE = "promesse"  # une promesse s'enregistre dans le même geste
    LITIGE = "litige"  # un litige s'ouvre dans le même geste
    RENVOI = "renvoi"  # la facture repart sur-le-champ, un délai court se donne (exigence 34)
    RETENUE = "retenue"  # les pièces attendent le temps de voir arriver le paiement annoncé
    TACHE = "tache"  # une tâche, à sa date
    RIEN = "rien"


@dataclass(frozen=True, slots=True)
class Suite:
    """`cle` : la tâche que l'issue ouvre, une seule par client, après `jours` ouvrés. Vide : aucune.

    Celle d'un renvoi n'est que son repli : faute de copie ou d'adresse, une personne renvoie la facture.
    """

    effet: Effet
    cle: str = ""
    jours: int = 0


SUITES: dict[Issue, Suite] = {
    Issue.PROMESSE: Suite(Effet.PROMESSE),
    Issue.PAIEMENT_PARTI: Suite(Effet.RETENUE, "verifier_paiement", 5),
    Issue.NON_RECUE: Suite(Effet.RENVOI, "renvoyer_facture", 0),
    Issue.EN_VALIDATION: Suite(Effet.TACHE, "rappel", 5),
    Issue.LITIGE: Suite(Effet.LITIGE),
    Issue.MESSAGE: Suite(Effet.TACHE, "rappel", 2),
    Issue.INJOIGNABLE: Suite(Effet.TACHE, "rappel", 1),
    Issue.AUTRE: Suite(Effet.RIEN),
}


def jour_de_suite(issue: Issue, *, au: date, region: str) -> date | None:
    """Jour proposé pour la tâche de suite ; None : l'issue n'en ouvre pas d'elle-même."""
    suite = SUITES[issue]
    return ajouter_jours_ouvres(au, suite.jours, region) if suite.cle else None
