"""Où en est chaque euro ouvert d'un compte : libre, promis, contesté, échelonné, exclu, en procédure. Pur.

Chaque centime n'est compté qu'une fois, dans l'état le plus fort : contentieux, échéancier en cours, part contestée,
promesse en attente, exclusion. La somme des états est la somme des restes dus, au centime, par devise.
"""

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

ZERO = Decimal("0.00")


@dataclass(frozen=True)
class PieceOuverte:
    """Une échéance ouverte. conteste : part du reste dû. promesse : clé de la promesse en attente qui la couvre."""

    devise: str
    reste: Decimal
    conteste: Decimal = ZERO
    contentieux: bool = False
    echelonnee: bool = False
    exclue: bool = False
    promesse: Hashable | None = None


@dataclass
class Repartition:
    """Une devise. `a_affecter` est un crédit, positif ; `encours` le déduit."""

    devise: str
    libre: Decimal = ZERO
    promis: Decimal = ZERO
    conteste: Decimal = ZERO
    echelonne: Decimal = ZERO
    exclu: Decimal = ZERO
    contentieux: Decimal = ZERO
    a_affecter: Decimal = ZERO
    pieces: int = 0

    @property
    def ouvert(self) -> Decimal:
        return self.libre + self.promis + self.conteste + self.echelonne + self.exclu + self.contentieux

    @property
    def encours(self) -> Decimal:
        return self.ouvert - self.a_affecter


def repartir(
    pieces: Iterable[PieceOuverte],
    *,
    promesses: Mapping[Hashable, Decimal] | None = None,
    credits: Iterable[tuple[str, Decimal]] = (),
) -> dict[str, Repartition]:
    """{devise: répartition}. promesses : {clé: ce qui en reste à tenir}. credits : (devise, reste à affecter).

    Une promesse ne couvre que ce qu'elle promet : le surplus de ses pièces reste libre.
    """
    par_devise: dict[str, Repartition] = {}
    couvertes: dict[tuple[str, Hashable], Decimal] = {}

    def de(devise: str) -> Repartition:
        return par_devise.setdefault(devise, Repartition(devise))

    for p in pieces:
        r = de(p.devise)
        r.pieces += 1
        if p.contentieux:
            r.contentieux += p.reste
            continue
        if p.echelonnee:
            r.echelonne += p.reste
            continue
        conteste = min(p.conteste, p.reste)
        r.conteste += conteste
        suite = p.reste - conteste
        if p.promesse is not None:
            couvertes[p.devise, p.promesse] = couvertes.get((p.devise, p.promesse), ZERO) + suite
        elif p.exclue:
            r.exclu += suite
        else:
            r.libre += suite
    restent = dict(promesses or {})
    for (devise, cle), couvert in sorted(couvertes.items(), key=lambda x: (x[0][0], str(x[0][1]))):
        promis = max(min(couvert, restent.get(cle, ZERO)), ZERO)
        if cle in restent:
            restent[cle] -= promis
        de(devise).promis += promis
        de(devise).libre += couvert - promis
    for devise, reste in credits:
        de(devise).a_affecter += reste
    return par_devise
