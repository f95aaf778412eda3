"""Dans quel ordre agir : règle pure de Ma journée (docs/decisions/0029-priorite.md).

D'abord : un délai qui court, une promesse rompue, un envoi qui attend ou qui a échoué, une personne qui attend une
réponse, ce qui aurait dû être fait hier. Aujourd'hui : le reste de ce qui est dû ce jour. Peut attendre : ce qui vient.
Dans un groupe, ce qu'il vaut la peine de faire : le montant échu, alourdi de son âge, fois la chance qu'agir serve
(`chance`), dont chaque part se dit.
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
    MENSUALITE = "mensualite"
    INCONNU = "inconnu"
    ERREUR = "erreur"
    DECLARATION = "declaration"
    REPONSE = "reponse"
    VALIDER = "valider"
    LEVEE = "levee"
    ACCORD = "accord"
    PERTE = "perte"
    MENTION = "mention"
    APPEL = "appel"
    DECISION = "decision"
    VIREMENT = "virement"
    LITIGE = "litige"
    POSTER = "poster"
    AR = "ar"
    ADRESSE = "adresse"
    ANNONCE = "annonce"
    AUTRE = "autre"


class Groupe(IntEnum):
    DABORD = 0
    AUJOURDHUI = 1
    ATTENDRE = 2


# Un envoi au sort inconnu ou refusé laisse croire qu'on a relancé : c'est toujours pour maintenant. Un frein à lever
# à deux ne l'est qu'avant le passage. Qui a écrit ou déclaré attend une réponse, et retient l'échelle.
URGENTS = frozenset(
    {
        Genre.PROMESSE, Genre.MENSUALITE, Genre.INCONNU, Genre.ERREUR, Genre.LEVEE, Genre.REPONSE, Genre.DECLARATION,
        Genre.ANNONCE,
    }
)  # fmt: skip
# Ce qui ne dépend que de la maison aboutit dès qu'on le fait, quelles que soient les habitudes du client.
DE_LA_MAISON = frozenset(
    {
        Genre.INCONNU, Genre.ERREUR, Genre.REPONSE, Genre.DECLARATION, Genre.LEVEE, Genre.ACCORD, Genre.PERTE,
        Genre.MENTION, Genre.VIREMENT, Genre.POSTER, Genre.AR, Genre.ADRESSE, Genre.ANNONCE,
    }
)  # fmt: skip
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


# --- La chance qu'agir serve ------------------------------------------------------------------------

SANS_HABITUDE, DE_LA_MAISON_SERT, MINIMUM, MAXIMUM = 50, 80, 5, 95
# (retard moyen au plus, en jours ; points de départ) : qui paie d'ordinaire vite paie quand on l'appelle.
PALIERS_RETARD = ((10, 70), (30, 60), (60, 50))
AU_DELA = 40
POIDS_PROMESSES = 40  # de −20 (aucune tenue) à +20 (toutes) quand elles sont nombreuses
PAR_INJOIGNABLE, INJOIGNABLE_MAX = 10, 3
PROMESSE_COURT, A_ECRIT = -20, 15
AU_CONTENTIEUX, EN_PROCEDURE, SUSPENDU = 10, 5, 15  # plafonds : la parole n'y peut plus grand-chose


class Part(StrEnum):
    """Une raison de la chance, dans l'ordre où elle se dit ; la phrase est à l'écran (`presentation`)."""

    BUTOIR = "butoir"
    PROCEDURE = "procedure"
    CONTENTIEUX = "contentieux"
    SUSPENDU = "suspendu"
    MAISON = "maison"
    PROMESSE = "promesse"
    INJOIGNABLE = "injoignable"
    PROMESSES = "promesses"
    ECRIT = "ecrit"
    RETARD = "retard"
    INCONNU = "inconnu"


@dataclass(frozen=True, slots=True)
class Habitudes:
    """Ce que l'on sait d'un client au jour dit.

    retard : jours moyens après l'échéance, pondérés par les montants, sur un an ; None sans paiement connu. tenues et
    conclues : promesses sur un an. injoignable : derniers appels d'affilée sans réponse. a_ecrit : une réponse ou une
    déclaration récente.
    """

    retard: int | None = None
    tenues: int = 0
    conclues: int = 0
    injoignable: int = 0
    promesse_court: bool = False
    a_ecrit: bool = False
    suspendu: bool = False
    contentieux: bool = False
    procedure: bool = False


@dataclass(frozen=True, slots=True)
class Chance:
    """Pour cent, et les parts qui l'ont faite (la plus décisive d'abord)."""

    pourcent: int
    parts: tuple[Part, ...]


def chance(habitudes: Habitudes, *, genre: Genre = Genre.APPEL, butoir: bool = False) -> Chance:
    """La chance qu'agir maintenant serve à quelque chose, de 5 à 95 % ; 100 pour un délai de procédure.

    Un butoir manqué perd le droit : rien ne passe avant. Un plafond (procédure, contentieux, suspension) l'emporte sur
    les habitudes ; ce qui ne dépend que de la maison ne les regarde pas.
    """
    h = habitudes
    if butoir:
        return Chance(100, (Part.BUTOIR,))
    if genre in DE_LA_MAISON:
        return Chance(DE_LA_MAISON_SERT, (Part.MAISON,))
    for retenu, part, plafond in (
        (h.procedure, Part.PROCEDURE, EN_PROCEDURE),
        (h.contentieux, Part.CONTENTIEUX, AU_CONTENTIEUX),
        (h.suspendu, Part.SUSPENDU, SUSPENDU),
    ):
        if retenu:
            return Chance(plafond, (part,))
    points, parts = SANS_HABITUDE, []
    if h.retard is not None:
        points = next((p for jours, p in PALIERS_RETARD if h.retard <= jours), AU_DELA)
    if h.promesse_court:
        points += PROMESSE_COURT
        parts.append(Part.PROMESSE)
    if h.injoignable:
        points -= PAR_INJOIGNABLE * min(h.injoignable, INJOIGNABLE_MAX)
        parts.append(Part.INJOIGNABLE)
    if h.conclues:  # une seule promesse ne fait pas une habitude : deux de plus, à moitié tenues (Laplace)
        points += POIDS_PROMESSES * (2 * (h.tenues + 1) - (h.conclues + 2)) // (2 * (h.conclues + 2))
        parts.append(Part.PROMESSES)
    if h.a_ecrit:
        points += A_ECRIT
        parts.append(Part.ECRIT)
    parts.append(Part.INCONNU if h.retard is None else Part.RETARD)
    return Chance(min(max(points, MINIMUM), MAXIMUM), tuple(parts))


def valeur(echu: Decimal, retard: int, pourcent: int = 100) -> Decimal:
    """Rang d'une ligne dans son groupe : échu × (1 + retard / 30) × chance, le retard compté jusqu'à 180 jours."""
    return (echu * (30 + min(max(retard, 0), AGE_MAX)) * pourcent / 3000).quantize(CENT)
