"""Retrouver quelles pièces font une somme, en centimes ; jamais exponentiel : les états sont comptés. Pur."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import comb

PIECES_MAX = 40  # d'un même client, les plus anciennes d'abord
ETATS_MAX = 6_000  # sommes atteintes gardées à la fois


@dataclass(frozen=True, slots=True)
class Combinaison:
    """rangs : pièces retenues. uniques : seule façon trouvée d'y arriver. hasard : combien d'autres y arriveraient par
    pure coïncidence, en espérance (nombre de combinaisons de cette taille sur l'étendue des sommes)."""

    rangs: tuple[int, ...]
    unique: bool
    hasard: float


def combiner(montants: Sequence[int], cible: int) -> Combinaison | None:
    """Le plus petit groupe de pièces (deux au moins) dont la somme est `cible`, ou None.

    montants : centimes positifs. Programmation dynamique sur les sommes atteintes, une pièce après l'autre : au plus
    PIECES_MAX × ETATS_MAX pas. Au-delà des états permis, seules les combinaisons les plus courtes sont gardées.
    """
    montants = list(montants[:PIECES_MAX])
    if len(montants) < 2 or cible <= 0 or sum(montants) < cible:
        return None
    atteintes: dict[int, tuple[int, ...]] = {0: ()}
    trouvees: list[tuple[int, ...]] = []
    for rang, montant in enumerate(montants):
        if montant > cible:
            continue
        nouvelles = {}
        for somme, rangs in atteintes.items():
            total = somme + montant
            if total == cible:
                if rangs:
                    trouvees.append((*rangs, rang))
            elif total < cible and total not in atteintes and len(rangs) < 12:
                nouvelles[total] = (*rangs, rang)
        atteintes |= nouvelles
        if len(atteintes) > ETATS_MAX:
            courtes = sorted(atteintes.items(), key=lambda x: len(x[1]))[: ETATS_MAX // 2]
            atteintes = dict(courtes)
    if not trouvees:
        return None
    taille = min(map(len, trouvees))
    meilleures = [t for t in trouvees if len(t) == taille]
    possibles = sum(1 for m in montants if m < cible)
    hasard = comb(possibles, taille) / max(cible, 1)
    return Combinaison(meilleures[0], len(meilleures) == 1, hasard)
