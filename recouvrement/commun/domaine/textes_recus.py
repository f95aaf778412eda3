"""Textes d'un JSON reçu d'ailleurs : ni commande, ni demi-codet, ni marque qui renverse le sens d'écriture. Pur."""

import unicodedata

SENS = {chr(c) for c in (0x61C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A))}
LIGNES = {"\n", "\r", "\t"}


def texte_fautif(objet: object, *, plusieurs_lignes: str = "") -> str | None:
    """Le premier texte fautif, clés comprises, tel qu'`ascii()` l'écrit (60 caractères) ; None si tout se lit.

    plusieurs_lignes : nom d'une clé dont les valeurs peuvent aller à la ligne.
    """
    pile = [(objet, False)]
    while pile:
        lu, lignes = pile.pop()
        if isinstance(lu, dict):
            pile += [(cle, False) for cle in lu]
            pile += [(valeur, lignes or cle == plusieurs_lignes != "") for cle, valeur in lu.items()]
        elif isinstance(lu, list):
            pile += [(valeur, lignes) for valeur in lu]
        elif isinstance(lu, str) and any(_interdit(c) and not (lignes and c in LIGNES) for c in lu):
            return ascii(lu[:60])
    return None


def _interdit(c: str) -> bool:
    return c in SENS or unicodedata.category(c) in ("Cc", "Cs")
