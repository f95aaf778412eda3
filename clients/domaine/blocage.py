"""Faut-il bloquer les commandes de ce client ? La règle de la société, pure (exigence 38)."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum


class Cause(StrEnum):
    RETARD = "retard"
    PLAFOND = "plafond"


@dataclass(frozen=True)
class Regle:
    """retard_jours : bloque au-delà ; None : le retard ne bloque pas. plafond : bloque au-delà du plafond d'encours."""

    retard_jours: int | None = None
    plafond: bool = False


@dataclass(frozen=True)
class Faits:
    """Au jour dit. plus_ancienne : échéance due et non contestée la plus ancienne. encours, plafond : en euros."""

    plus_ancienne: date | None = None
    encours: Decimal = Decimal("0.00")
    plafond: Decimal | None = None
    leve_jusqu_au: date | None = None  # une personne a levé le blocage jusqu'à ce jour compris


def causes(faits: Faits, regle: Regle, *, au: date) -> dict[Cause, int | Decimal]:
    """{cause: jours de retard, ou euros au-delà du plafond}, le retard d'abord ; vide : rien ne bloque.

    L'échéance du jour n'est pas en retard. Une levée suspend la règle, sans effacer la cause.
    """
    trouvees: dict[Cause, int | Decimal] = {}
    if faits.leve_jusqu_au is not None and au <= faits.leve_jusqu_au:
        return trouvees
    retard = max((au - faits.plus_ancienne).days, 0) if faits.plus_ancienne else 0
    if regle.retard_jours is not None and retard > regle.retard_jours:
        trouvees[Cause.RETARD] = retard
    if regle.plafond and faits.plafond is not None and faits.encours > faits.plafond:
        trouvees[Cause.PLAFOND] = faits.encours - faits.plafond
    return trouvees
