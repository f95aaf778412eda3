"""Ce qu'un décompte doit montrer d'un règlement ou d'un avoir pour se refaire à la main."""

from datetime import date
from decimal import Decimal
from typing import NamedTuple

ZERO = Decimal("0.00")


class Recu(NamedTuple):
    """D'où vient une somme : sa référence, et le jour de son affectation (`jour` d'un règlement : sa réception)."""

    reference: str
    affecte_le: date


class Mouvement(NamedTuple):
    """Un règlement (« reglement », « accessoires ») ou un avoir (« avoir »), et ce qu'il a éteint.

    Un avoir réduit le principal dès l'origine ; un règlement, à sa réception.
    """

    genre: str
    reference: str
    jour: date
    affecte_le: date
    montant: Decimal
    sur_interets: Decimal = ZERO
    sur_principal: Decimal = ZERO
    sur_indemnite: Decimal = ZERO
