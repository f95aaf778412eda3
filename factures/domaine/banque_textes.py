"""Libellés, identifiants de compte et montants d'un relevé : lectures pures, partagées par tous les formats."""

import re
import unicodedata
from decimal import Decimal

_SIGNES_NEGATIFS = dict(zip("}JKLMNOPQR", "0123456789", strict=True))
_SIGNES_POSITIFS = dict(zip("{ABCDEFGHI", "0123456789", strict=True))
_IBAN = re.compile(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}")
_DECIMAL = re.compile(r"([+-]?)([0-9]{1,15})(?:\.([0-9]*))?")
_SIMPLE_NORME = re.compile(r"[^A-Z0-9]+")


def normaliser(texte: str) -> str:
    """Capitales sans accents, mots séparés d'un blanc : deux écritures d'un même libellé se ressemblent."""
    if not texte.isascii():
        texte = unicodedata.normalize("NFKD", texte).encode("ascii", "ignore").decode()
    return _SIMPLE_NORME.sub(" ", texte.upper()).strip()


def iban_valide(texte: str) -> bool:
    """Forme et clé modulo 97 (ISO 13616)."""
    if not _IBAN.fullmatch(texte):
        return False
    return int("".join(str(int(c, 36)) for c in texte[4:] + texte[:4])) % 97 == 1


def compacter(texte: str) -> str:
    """Un identifiant de compte sans blancs ni points, en capitales."""
    return re.sub(r"[\s.]", "", texte).upper()


def cle_compte(identifiant: str) -> str:
    """Ce qui désigne le même compte d'un format à l'autre : pour un IBAN français, banque, guichet et compte.

    Un CFONB ne donne que ces 21 caractères ; un CAMT donne l'IBAN entier.
    """
    propre = compacter(identifiant)
    if len(propre) == 27 and propre[:2] in ("FR", "MC") and _IBAN.fullmatch(propre):
        return propre[4:25]
    return propre


def montant_surcharge(texte: str, decimales: int) -> Decimal:
    """Montant CFONB : quatorze positions, le dernier caractère porte le chiffre et le signe. Lève ValueError.

    « 0000000001904} » à deux décimales : -190,40. Un dernier chiffre nu est un montant positif.
    """
    corps, fin = texte[:-1], texte[-1:]
    if fin in _SIGNES_NEGATIFS:
        chiffres, signe = corps + _SIGNES_NEGATIFS[fin], -1
    elif fin in _SIGNES_POSITIFS:
        chiffres, signe = corps + _SIGNES_POSITIFS[fin], 1
    else:
        chiffres, signe = texte, 1
    chiffres = chiffres.lstrip(" ")
    if not chiffres.isascii() or not chiffres.isdigit():
        raise ValueError(f"« {texte.strip()} » n'est pas un montant CFONB")
    entier = int(chiffres)
    if decimales > 2:
        entier, reste = divmod(entier, 10 ** (decimales - 2))
        if reste:
            raise ValueError(f"« {texte.strip()} » a {decimales} décimales, plus fines que le centime")
    else:
        entier *= 10 ** (2 - decimales)
    return Decimal(signe * entier).scaleb(-2)


def montant_pointe(texte: str) -> Decimal:
    """Montant à point décimal (ISO 20022, OFX) : « 8.850 » vaut 8,85, « 8.855 » lève ValueError."""
    lu = _DECIMAL.fullmatch(texte.strip())
    if not lu:
        raise ValueError(f"« {texte.strip()[:30]} » n'est pas un montant")
    signe, entier, decimales = lu[1], lu[2], (lu[3] or "")
    if len(decimales) > 2:
        if decimales[2:].strip("0"):
            raise ValueError(f"« {texte.strip()[:30]} » a plus de deux décimales")
        decimales = decimales[:2]
    if len(entier.lstrip("0")) > 13:
        raise ValueError(f"« {texte.strip()[:30]} » dépasse tout montant plausible")
    return Decimal(f"{signe}{entier}.{decimales.ljust(2, '0')}")
