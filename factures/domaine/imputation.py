"""Répartition d'un encaissement entre plusieurs dettes d'un même débiteur : pure, au centime.

C. civ., art. 1342-10 : le débiteur choisit ; à défaut, d'abord les dettes échues, parmi elles celles qu'il
avait le plus d'intérêt d'acquitter (une personne le dit, le juge l'apprécie), puis les plus anciennes, enfin
proportionnellement. Ce que le débiteur n'a pas désigné suit la règle ; ce qui dépasse reste non affecté.
L'imputation ne touche ici que le principal : intérêts et indemnité vivent dans le décompte.
"""

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum

CENT = Decimal("0.01")
ZERO = Decimal("0.00")


class Motif(StrEnum):
    """Pourquoi cette dette reçoit cette part : ce que l'écran et la lettre d'affectation disent."""

    CHOIX = "choix"
    ECHUE = "echue"
    A_ECHOIR = "a_echoir"
    PRORATA = "prorata"


@dataclass(frozen=True, slots=True)
class Dette:
    """Une échéance ouverte. `interet` : rang donné par une personne, le plus haut s'acquitte d'abord."""

    cle: Hashable
    reste_du: Decimal
    echeance: date
    interet: int = 0


@dataclass(frozen=True, slots=True)
class Part:
    """Ce qu'une dette reçoit."""

    cle: Hashable
    montant: Decimal
    motif: Motif


@dataclass(frozen=True, slots=True)
class Repartition:
    """Parts dans l'ordre où elles s'imputent, et ce qui reste à affecter."""

    parts: tuple[Part, ...]
    non_affecte: Decimal


def repartir(
    montant: Decimal, dettes: Iterable[Dette], *, au: date, choix: Sequence[Hashable] | dict[Hashable, Decimal] = ()
) -> Repartition:
    """Répartit `montant` (euros, au centime) entre les dettes, au jour `au` de l'encaissement.

    choix : clés désignées par le débiteur, dans son ordre, ou {clé: montant désigné}. Une dette échue est
    une dette dont l'échéance est au plus tard le jour de l'encaissement : elle est exigible ce jour-là.

    Lève ValueError pour un montant négatif ou à plus de deux décimales, une clé en double, une dette
    désignée absente, ou des montants désignés qui dépassent l'encaissement ou la dette.
    """
    dettes = [d for d in dettes if d.reste_du]
    reste_de = {d.cle: d.reste_du for d in dettes}
    if len(reste_de) != len(dettes):
        raise ValueError("deux dettes portent la même clé")
    for somme in (montant, *reste_de.values()):
        if somme < 0 or somme != somme.quantize(CENT):
            raise ValueError(f"montant négatif ou à plus de deux décimales : {somme}")

    parts, reste = _selon_le_choix(montant, reste_de, choix)
    for echue, motif in ((True, Motif.ECHUE), (False, Motif.A_ECHOIR)):
        groupes: dict[tuple, list[Dette]] = {}
        for dette in dettes:
            if (dette.echeance <= au) is echue and reste_de[dette.cle]:
                groupes.setdefault((-dette.interet, dette.echeance), []).append(dette)
        for rang in sorted(groupes):
            parts_du_rang = _au_prorata(reste, [(d.cle, reste_de[d.cle]) for d in groupes[rang]])
            verse = sum(parts_du_rang.values(), ZERO)
            partage = len(groupes[rang]) > 1 and verse < sum(reste_de[d.cle] for d in groupes[rang])
            parts += [
                Part(cle, part, Motif.PRORATA if partage else motif) for cle, part in parts_du_rang.items() if part
            ]
            reste -= verse
    return Repartition(tuple(parts), reste)


def _selon_le_choix(montant: Decimal, reste_de: dict, choix) -> tuple[list[Part], Decimal]:
    """Sert les dettes désignées et diminue `reste_de` d'autant."""
    designes = dict(choix) if isinstance(choix, dict) else {cle: None for cle in choix}
    if inconnues := [cle for cle in designes if cle not in reste_de]:
        raise ValueError(f"dette désignée absente ou soldée : {', '.join(map(str, inconnues))}")
    parts, reste = [], montant
    for cle, voulu in designes.items():
        if voulu is not None and not 0 < voulu <= min(reste_de[cle], reste):
            raise ValueError(f"montant désigné impossible pour {cle} : {voulu}")
        part = min(reste, reste_de[cle]) if voulu is None else voulu
        if part:
            parts.append(Part(cle, part, Motif.CHOIX))
        reste -= part
        reste_de[cle] -= part
    return parts, reste


def _au_prorata(montant: Decimal, dettes: list[tuple[Hashable, Decimal]]) -> dict[Hashable, Decimal]:
    """Parts proportionnelles au reste dû, au centime ; les centimes d'arrondi vont aux plus forts restes."""
    total = sum(reste for _, reste in dettes)
    montant = min(montant, total)
    centimes, base = int(montant * 100), int(total * 100)
    entiers, restes = {}, {}
    for cle, reste in dettes:
        entiers[cle], restes[cle] = divmod(centimes * int(reste * 100), base)
    manquants = centimes - sum(entiers.values())
    for cle in sorted(restes, key=restes.get, reverse=True)[:manquants]:
        entiers[cle] += 1
    return {cle: Decimal(n).scaleb(-2) for cle, n in entiers.items()}
