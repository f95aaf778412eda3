"""Ce qu'un statut de facture électronique fait à la relance (droit.md § 12). Pur.

Le cycle de vie n'a pas de matrice de transitions publiée : tout code se note, un code inconnu n'est qu'une information.
Les freins eux-mêmes sont ceux de la relance ; un essai prouve que les deux tables disent de même.
"""

import re
from enum import StrEnum


class Effet(StrEnum):
    ARRETE = "arrete"  # la facture est à remplacer
    RETIENT = "retient"  # le client attend une réponse
    A_VERIFIER = "a_verifier"  # le compte ne dit pas encore de même
    INFORMATION = "information"


EFFETS = {
    "206": Effet.A_VERIFIER,
    "207": Effet.RETIENT,
    "208": Effet.RETIENT,
    "210": Effet.ARRETE,
    "211": Effet.A_VERIFIER,
    "212": Effet.A_VERIFIER,
    "213": Effet.ARRETE,
}
# Le client conteste, en tout ou partie : l'écran propose un litige, une personne l'ouvre et en dit le montant.
CONTESTENT = frozenset({"206", "207", "210"})


def effet(code: str) -> Effet:
    return EFFETS.get(code, Effet.INFORMATION)


def code_lisible(code: str) -> bool:
    """Trois chiffres, connus ou non."""
    return re.fullmatch(r"[0-9]{3}", code) is not None
