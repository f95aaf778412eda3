"""Dans quel ordre agir : règle pure de Ma journée.

D'abord : un délai qui court, une promesse rompue, un envoi qui attend ou qui a échoué, ce qui aurait dû
être fait hier. Aujourd'hui : le reste de ce qui est dû ce jour. Peut attendre : ce qui vient. Dans un
groupe, ce qu'il vaut la peine de faire : le montant échu, alourdi de son âge.
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import IntEnum, StrEnum

MISE_EN_DEMEURE = 5  # relances.domaine.natures.Nature : le pilotage n'en dépend pas pour classer
AGE_MAX = 180  # jours : au-delà l'âge n'ajoute plus, sinon une vieille dette minuscule passerait devant
CENT = Decimal("0.01")


class Genre(StrEnum):
    """Ce qu'une ligne demande ; l'ordre départage deux actions du même client."""

    PROCEDURE = "procedure"
    PROMESSE = "promesse"
    INCONNU = "inconnu"
    ERREUR = "erreur"
    VALIDER = "valider"
    LEVEE = "levee"
    APPEL = "appel"
    DECISION = "decision"
    VIREMENT = "virement"
    LITIGE = "litige"
    POSTER = "poster"
    AR = "ar"
    ADRESSE = "adresse"
    AUTRE = "autre"


class Groupe(IntEnum):
    DABORD = 0
    AUJOURDHUI = 1
    ATTENDRE = 2


# Un envoi au sort inconnu ou refusé laisse croire qu'on a relancé : c'est toujours pour maintenant. Un frein à lever
# à deux ne l'est qu'avant le passage.
URGENTS = frozenset({Genre.PROMESSE, Genre.INCONNU, Genre.ERREUR, Genre.LEVEE})
# Un client suspendu ne s'appelle pas et rien ne part vers lui : valider peut attendre aussi.
RETENUES = frozenset({Genre.APPEL, Genre.DECISION, Genre.VALIDER})
# Ce qui, non fait la veille, passe devant le lendemain.
SE_PERIMENT = frozenset({Genre.APPEL, Genre.DECISION, Genre.LITIGE, Genre.PROCEDURE})


@dataclass(frozen=True, slots=True)
class Poids:
    """Ce que la règle lit d'une action.

    butoir : `le` est un délai de procédure, à tenir avant, non un jour où s'y mettre. retenu : relances du
    client suspendues.
    """

    genre: Genre
    le: date
    nature: int = 0
    butoir: bool = False
    retenu: bool = False


def groupe(action: Poids, *, au: date) -> Groupe:
    """Le groupe d'une action au jour `au`."""
    if action.butoir:
        return Groupe.DABORD
    if action.le > au or (action.retenu and action.genre in RETENUES):
        return Groupe.ATTENDRE
    grave = action.genre is Genre.VALIDER and action.nature >= MISE_EN_DEMEURE
    en_souffrance = action.genre in SE_PERIMENT and action.le < au
    return Groupe.DABORD if action.genre in URGENTS or grave or en_souffrance else Groupe.AUJOURDHUI


def valeur(echu: Decimal, retard: int) -> Decimal:
    """Rang d'une ligne dans son groupe : échu × (1 + retard / 30), le retard compté jusqu'à 180 jours."""
    return (echu * (30 + min(max(retard, 0), AGE_MAX)) / 30).quantize(CENT)
