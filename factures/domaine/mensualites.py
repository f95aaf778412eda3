"""Échéancier amiable : la proposition par mensualités égales, et où il en est. Ni base ni horloge."""

from calendar import monthrange
from collections.abc import Callable, Iterable, Sequence
from datetime import date
from decimal import ROUND_DOWN, Decimal
from enum import StrEnum
from itertools import accumulate
from typing import NamedTuple

CENT = Decimal("0.01")
ZERO = Decimal("0.00")
# Le juge ne va pas au-delà (art. 1343-5 C. civ.) ; entre les parties rien ne l'interdit : on prévient seulement.
MOIS_DU_JUGE = 24


class Etat(StrEnum):
    PAYEE = "payee"
    ATTENDUE = "attendue"
    MANQUEE = "manquee"


class Terme(NamedTuple):
    """Une mensualité convenue."""

    due_le: date
    montant: Decimal


class Suivi(NamedTuple):
    """Une mensualité et ce qui en est payé ; limite : dernier jour où un paiement la tient."""

    due_le: date
    montant: Decimal
    paye: Decimal
    limite: date
    etat: Etat

    @property
    def manque(self) -> Decimal:
        return self.montant - self.paye


def mois_apres(jour: date, mois: int) -> date:
    """Même quantième, `mois` plus tard ; le dernier jour d'un mois trop court (31 janvier → 28 février)."""
    annee, rang = divmod(jour.month - 1 + mois, 12)
    annee, rang = jour.year + annee, rang + 1
    return date(annee, rang, min(jour.day, monthrange(annee, rang)[1]))


def proposer(total: Decimal, nombre: int, premiere: date) -> list[Terme]:
    """`nombre` mensualités égales dont la somme est exactement `total` ; la dernière porte les centimes restants.

    Lève ValueError si une mensualité n'atteindrait pas un centime.
    """
    if nombre < 1 or total < CENT * nombre:
        raise ValueError(f"{total} ne se partage pas en {nombre} mensualités")
    part = (total / nombre).quantize(CENT, rounding=ROUND_DOWN)
    montants = [part] * (nombre - 1) + [total - part * (nombre - 1)]
    return [Terme(mois_apres(premiere, n), montant) for n, montant in enumerate(montants)]


def depasse_le_juge(accepte_le: date, termes: Iterable[Terme]) -> bool:
    """Vrai si l'accord court plus longtemps que ce qu'un juge accorderait (art. 1343-5 C. civ.)."""
    return max((t.due_le for t in termes), default=accepte_le) > mois_apres(accepte_le, MOIS_DU_JUGE)


def suivre(termes: Sequence[Terme], paye: Decimal, *, au: date, limite: Callable[[date], date]) -> list[Suivi]:
    """Où en est chaque mensualité au jour `au` ; `paye` : reçu depuis l'accord, posé sur les plus anciennes d'abord.

    limite(jour) : le jour dit et sa tolérance. Une mensualité est manquée quand le payé cumulé reste sous le dû
    cumulé après sa limite.
    """
    suivis = []
    for terme, cumul in zip(termes, accumulate(t.montant for t in termes), strict=True):
        part = min(max(paye - (cumul - terme.montant), ZERO), terme.montant)
        fin = limite(terme.due_le)
        etat = Etat.PAYEE if part == terme.montant else Etat.MANQUEE if au > fin else Etat.ATTENDUE
        suivis.append(Suivi(terme.due_le, terme.montant, part, fin, etat))
    return suivis
