"""Comment un client paie : retard moyen pondéré, tendance, promesses tenues, délai de réaction. Pur.

Formules d'exigences.md § 2.5 et § 2.9 ; tendance et réaction sont des définitions de la maison (décision 0030). Une
devise à la fois : les poids sont des montants, et deux devises ne s'additionnent pas. Sous MINIMUM faits, « trop peu ».
"""

from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum
from statistics import median

ZERO = Decimal("0.00")
MINIMUM = 3  # paiements par semestre, ou courriers suivis : en deçà, un seul fait déciderait du chiffre
STABLE = 3  # jours d'écart en deçà desquels deux semestres se valent
HORIZON = 30  # jours : une réaction plus tardive n'est plus celle de ce courrier
AN, SEMESTRE = timedelta(days=365), timedelta(days=182)


@dataclass(frozen=True)
class Part:
    """Une part de pièce : payée le jour `paye_le`, ou encore due (None). montant : positif, une seule devise."""

    echeance: date
    montant: Decimal
    paye_le: date | None = None


@dataclass(frozen=True)
class Retard:
    """jours : négatif si le client paie d'avance ; None : rien d'échu dans la période."""

    jours: int | None = None
    poids: Decimal = ZERO
    parts: int = 0


def retard_moyen(parts: Iterable[Part], *, au: date, depuis: date | None = None) -> Retard:
    """Retard moyen pondéré (§ 2.5) : Σ montant × (paiement − échéance) / Σ montant des pièces échues avant `au`.

    L'impayé compte jusqu'au jour `au` : le taire flatterait celui qui ne paie pas. depuis : échéances postérieures.
    """
    jours = poids = ZERO
    nombre = 0
    for part in parts:
        if part.echeance >= au or (depuis is not None and part.echeance <= depuis):
            continue
        jours += part.montant * ((part.paye_le or au) - part.echeance).days
        poids += part.montant
        nombre += 1
    return Retard(_entier(jours / poids) if poids else None, poids, nombre)


def _entier(valeur: Decimal) -> int:
    return int(valeur.quantize(Decimal(1), ROUND_HALF_UP))


class Sens(StrEnum):
    MIEUX = "mieux"
    STABLE = "stable"
    PIRE = "pire"
    TROP_PEU = "trop_peu"


@dataclass(frozen=True)
class Tendance:
    """Deux semestres de paiements reçus. recent, avant : jours pondérés ; None sous MINIMUM paiements."""

    sens: Sens = Sens.TROP_PEU
    recent: int | None = None
    avant: int | None = None
    paiements: tuple[int, int] = (0, 0)

    @property
    def ecart(self) -> int:
        return (self.recent or 0) - (self.avant or 0)


def tendance(parts: Iterable[Part], *, au: date) -> Tendance:
    """Retard des paiements reçus ces six derniers mois, contre ceux des six précédents.

    Seul le payé compte, au jour où il est reçu : un impayé récent n'a pas fini de vieillir, et les deux semestres ne
    se compareraient pas. Ce qui reste impayé se lit dans le retard moyen.
    """
    recents, anciens = [], []
    for part in parts:
        if part.paye_le is None or part.paye_le > au:
            continue
        if part.paye_le > au - SEMESTRE:
            recents.append(part)
        elif part.paye_le > au - 2 * SEMESTRE:
            anciens.append(part)
    nombres = (len(recents), len(anciens))
    if min(nombres) < MINIMUM:
        return Tendance(paiements=nombres)
    recent, avant = (_des_payees(lot) for lot in (recents, anciens))
    sens = Sens.STABLE
    if abs(recent - avant) >= STABLE:
        sens = Sens.PIRE if recent > avant else Sens.MIEUX
    return Tendance(sens, recent, avant, nombres)


def _des_payees(parts: list[Part]) -> int:
    poids = sum((p.montant for p in parts), ZERO)
    return _entier(sum((p.montant * (p.paye_le - p.echeance).days for p in parts), ZERO) / poids)


@dataclass(frozen=True)
class PromesseConclue:
    """paye_a_temps : ce qui est arrivé jusqu'à la date et sa tolérance, au plus le promis."""

    promis: Decimal
    paye_a_temps: Decimal
    tenue: bool


@dataclass(frozen=True)
class Promesses:
    tenues: int = 0
    conclues: int = 0
    promis: Decimal = ZERO
    paye: Decimal = ZERO

    @property
    def taux_nombre(self) -> Decimal | None:
        """Pour cent ; None : aucune promesse conclue."""
        return Decimal(self.tenues * 100) / self.conclues if self.conclues else None

    @property
    def taux_montant(self) -> Decimal | None:
        return self.paye * 100 / self.promis if self.promis else None


def promesses_tenues(conclues: Iterable[PromesseConclue]) -> Promesses:
    """Taux de promesses tenues (§ 2.9) ; en attente et annulées n'y entrent pas, l'appelant les écarte."""
    lot = list(conclues)
    return Promesses(
        tenues=sum(p.tenue for p in lot),
        conclues=len(lot),
        promis=sum((p.promis for p in lot), ZERO),
        paye=sum((min(p.paye_a_temps, p.promis) for p in lot), ZERO),
    )


@dataclass(frozen=True)
class Reaction:
    """jours : médiane, None sous MINIMUM envois suivis ou sans aucune réponse."""

    jours: int | None = None
    suivies: int = 0
    envois: int = 0


def delai_de_reaction(envois: Iterable[date], reactions: Iterable[date], *, au: date) -> Reaction:
    """Jours entre une relance et ce que le client fait ensuite (paiement, promesse, réponse, litige, déclaration).

    Une réaction se rattache à la dernière relance qui la précède, dans les HORIZON jours. Une relance trop récente
    pour avoir eu son temps, et restée sans réponse, n'est pas comptée.
    """
    partis, faits = sorted(set(envois)), sorted(reactions)
    delais, comptees = [], 0
    for rang, envoi in enumerate(partis):
        fin = min(envoi + timedelta(days=HORIZON), au)
        if rang + 1 < len(partis):
            fin = min(fin, partis[rang + 1] - timedelta(days=1))
        i = bisect_left(faits, envoi)
        if i < len(faits) and faits[i] <= fin:
            delais.append((faits[i] - envoi).days)
            comptees += 1
        elif envoi + timedelta(days=HORIZON) <= au:
            comptees += 1
    if comptees < MINIMUM or not delais:
        return Reaction(None, len(delais), comptees)
    return Reaction(_entier(Decimal(str(median(delais)))), len(delais), comptees)
