"""Types des arguments de commande : une valeur illisible est une erreur d'usage (code 2)."""

from argparse import ArgumentTypeError
from datetime import date
from decimal import Decimal, InvalidOperation


def jour(texte: str) -> date:
    """AAAA-MM-JJ."""
    try:
        return date.fromisoformat(texte)
    except ValueError:
        raise ArgumentTypeError(f"« {texte} » n'est pas une date AAAA-MM-JJ") from None


def decimal(texte: str) -> Decimal:
    """Nombre positif ou nul, point ou virgule : un montant en euros ou un taux en pour cent."""
    try:
        nombre = Decimal(texte.replace(",", "."))
    except InvalidOperation:
        nombre = None
    if nombre is None or not nombre.is_finite() or nombre < 0:
        raise ArgumentTypeError(f"« {texte} » n'est pas un nombre positif ou nul")
    return nombre


def versement(texte: str) -> tuple[date, Decimal]:
    """JOUR=MONTANT : 2026-06-15=5000.00."""
    quand, _, combien = texte.partition("=")
    return jour(quand), decimal(combien)
