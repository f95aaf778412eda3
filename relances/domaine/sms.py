"""Longueur d'un SMS : l'alphabet GSM 7 bits (3GPP TS 23.038), 160 caractères, ou 153 par morceau. Pur."""

import unicodedata
from typing import NamedTuple

UN_SEUL, PAR_MORCEAU = 160, 153

_BASE = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà"
)
_ETENDU = frozenset("^{}\\[~]|€\f")  # précédés d'un échappement : deux caractères chacun
_ECRITURE = str.maketrans(
    {"’": "'", "‘": "'", "“": '"', "”": '"', "«": '"', "»": '"', "–": "-", "—": "-", "−": "-", "…": "...",
     "œ": "oe", "Œ": "OE", "\u00a0": " ", "\u202f": " ", "×": "x", "°": "o", "€": "EUR"}
)  # fmt: skip


class Longueur(NamedTuple):
    """caracteres : comptés comme l'opérateur les compte ; messages : nombre de SMS facturés ; hors : refusés."""

    caracteres: int
    messages: int
    hors: str


def en_gsm7(texte: str) -> str:
    """Le texte écrit avec l'alphabet du SMS : « Hôtel » devient « Hotel » ; ce qui ne s'y écrit pas reste tel quel."""
    return "".join(c if c in _BASE else _sans_accent(c) for c in texte.translate(_ECRITURE))


def _sans_accent(c: str) -> str:
    base = "".join(x for x in unicodedata.normalize("NFKD", c) if not unicodedata.combining(x))
    return base if base and all(x in _BASE for x in base) else c


def mesurer(texte: str) -> Longueur:
    """Longueur d'un texte déjà en alphabet GSM ; un texte vide ne fait aucun message."""
    longueur = sum(2 if c in _ETENDU else 1 for c in texte)
    if longueur <= UN_SEUL:
        messages = 1 if longueur else 0
    else:
        messages = _morceaux(texte)
    return Longueur(longueur, messages, "".join(dict.fromkeys(c for c in texte if c not in _BASE | _ETENDU)))


def _morceaux(texte: str) -> int:
    """Un caractère étendu ne se coupe pas entre deux messages."""
    messages, place = 1, PAR_MORCEAU
    for c in texte:
        taille = 2 if c in _ETENDU else 1
        if taille > place:
            messages, place = messages + 1, PAR_MORCEAU
        place -= taille
    return messages
