"""Montants et dates tels qu'on les écrit en France et en ISO ; ce qui est ambigu est refusé, jamais deviné.

Chaque lecture lève `Illisible` avec un motif en français : ce qui ne va pas, puis quoi faire.
"""

import re
from datetime import date
from decimal import Decimal
from functools import lru_cache

MONTANT_MAX = Decimal("9999999999999.99")  # au-delà, une base en centimes déborderait
ANNEES = (1950, 2100)


class Illisible(ValueError):
    """Valeur refusée. `constat` dit ce qui ne va pas, `conseil` quoi faire."""

    def __init__(self, constat: str, conseil: str = ""):
        self.constat = constat
        self.conseil = conseil
        super().__init__(f"{constat} {conseil}".strip())


# --- Montants --------------------------------------------------------------------------------

_SIMPLE = re.compile(r"-?[0-9]{1,13}[.,][0-9]{2}")
_BLANCS = re.compile(r"[\s'’]")  # \s couvre les espaces insécables et fines
_DEVISE = re.compile(r"(?:€|EUR|EUROS?)", re.IGNORECASE)
_SCIENTIFIQUE = re.compile(r"[+-]?[0-9]+(?:[.,][0-9]+)?E[+-]?[0-9]+", re.IGNORECASE)
_CHIFFRES = re.compile(r"[0-9]*(?:[.,][0-9]*)*")
_GROUPES = re.compile(r"[0-9]{1,3}(?:([.,])[0-9]{3})(?:\1[0-9]{3})*")


def montant(texte: str) -> Decimal:
    """Montant à deux décimales au plus, exact. Lève Illisible.

    Acceptés : `1234,56`, `1 234,56 €` (espaces de toute largeur), `1.234,56`, `1,234.56`, `-12`, `12-`,
    `(12,50)`, `0000000074,70`, `12000`. Refusés : vide, notation scientifique, `1.234` (mille ou un virgule
    deux ?), plus de deux décimales.
    """
    if _SIMPLE.fullmatch(texte):
        return Decimal(texte.replace(",", "."))
    return _montant_difficile(texte)


_CENT = Decimal("0.01")


@lru_cache(maxsize=4096)
def _montant_difficile(texte: str) -> Decimal:
    montre = f"« {texte.strip()[:40]} »"
    reste = _DEVISE.sub("", _BLANCS.sub("", texte), count=1)
    if not reste:
        raise Illisible("montant vide.", "Écrivez un montant, par exemple 1234,56.")
    if _SCIENTIFIQUE.fullmatch(reste):
        raise Illisible(
            f"{montre} est en notation scientifique : le tableur a perdu des chiffres.",
            "Mettez la colonne au format nombre et exportez de nouveau.",
        )
    reste, negatif = _signe(reste, montre)
    if not _CHIFFRES.fullmatch(reste) or not any(c.isdigit() for c in reste):
        lettre = re.search(r"[OoIl]", reste)
        if lettre and re.fullmatch(r"[0-9OoIl.,]+", reste):
            raise Illisible(f"{montre} : la lettre {lettre.group()} à la place d'un chiffre.", "Corrigez le montant.")
        raise Illisible(f"{montre} n'est pas un montant.", "Attendu, par exemple : 1234,56.")
    valeur = Decimal(_ponctuation(reste, montre) or "0")
    if valeur > MONTANT_MAX:
        raise Illisible(f"{montre} dépasse toute facture plausible.", "Vérifiez la colonne.")
    return (-valeur if negatif else valeur).quantize(_CENT)


def _signe(reste: str, montre: str) -> tuple[str, bool]:
    """Retire le signe : devant, derrière, ou les parenthèses de la comptabilité."""
    reste = reste.replace("−", "-").replace("–", "-")
    if reste.startswith("(") and reste.endswith(")"):
        return reste[1:-1], True
    devant, derriere = reste[:1] in "+-", reste[-1:] in "+-"
    if devant and derriere:
        raise Illisible(f"{montre} porte deux signes.", "Gardez-en un seul.")
    if devant:
        return reste[1:], reste[0] == "-"
    if derriere:
        return reste[:-1], reste[-1] == "-"
    return reste, False


def _ponctuation(reste: str, montre: str) -> str:
    """Rend `1234.56` : décide lequel de la virgule ou du point sépare les décimales."""
    point, virgule = reste.count("."), reste.count(",")
    if point and virgule:
        decimal = "," if reste.rfind(",") > reste.rfind(".") else "."
        milliers = "." if decimal == "," else ","
        entier, _, decimales = reste.rpartition(decimal)
        if decimal in entier or not _GROUPES.fullmatch(entier) or milliers in decimales:
            raise Illisible(f"{montre} : séparateurs mal placés.", "Attendu, par exemple : 1234,56.")
        reste = entier.replace(milliers, "") + "." + decimales
    elif point > 1 or virgule > 1:
        if not _GROUPES.fullmatch(reste):
            raise Illisible(f"{montre} : séparateurs mal placés.", "Attendu, par exemple : 1234,56.")
        return reste.replace(".", "").replace(",", "")
    else:
        reste = reste.replace(",", ".")
    entier, _, decimales = reste.partition(".")
    if len(decimales) > 2:
        utiles = decimales.rstrip("0")
        if len(decimales) == 3 and entier.lstrip("0") and len(entier) <= 3:
            raise Illisible(
                f"{montre} est ambigu : mille, ou trois décimales ?",
                "Écrivez 1234,00 ou 1,23, sans séparateur de milliers.",
            )
        if len(utiles) > 2:
            raise Illisible(f"{montre} a plus de deux décimales.", "Arrondissez au centime dans le logiciel d'origine.")
        decimales = utiles
    return f"{entier or '0'}.{decimales or '0'}"


def euros(valeur: Decimal) -> str:
    """Montant dans un motif : « 1234,50 », tel qu'on le taperait."""
    return f"{valeur:.2f}".replace(".", ",")


# --- Dates -----------------------------------------------------------------------------------

_ISO = re.compile(r"([0-9]{4})[-/.]([0-9]{1,2})[-/.]([0-9]{1,2})(?:[T ][0-9:.]+(?:Z|[+-][0-9:]+)?)?")
_FRANCAISE = re.compile(r"([0-9]{1,2})[-/. ]([0-9]{1,2})[-/. ]([0-9]{4}|[0-9]{2})(?: +[0-9:]+)?")
_COMPACTE = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})")


@lru_cache(maxsize=16_384)
def jour(texte: str) -> date:
    """`31/10/2026`, `2026-10-31`, `20261031` (et tirets, points, année à deux chiffres). Lève Illisible."""
    propre = texte.strip()
    if lu := _ISO.fullmatch(propre) or _COMPACTE.fullmatch(propre):
        annee, mois, quantieme = (int(x) for x in lu.groups())
    elif lu := _FRANCAISE.fullmatch(propre):
        quantieme, mois, annee = (int(x) for x in lu.groups())
        annee += 2000 if len(lu[3]) == 2 else 0
    else:
        raise _date_refusee(propre)
    if not ANNEES[0] <= annee <= ANNEES[1]:
        raise Illisible(f"« {propre[:40]} » : année {annee} invraisemblable.", "Corrigez la date dans le fichier.")
    try:
        return date(annee, mois, quantieme)
    except ValueError:
        if mois > 12 and quantieme <= 12:
            raise Illisible(
                f"« {propre} » n'existe pas : il n'y a pas de mois {mois}.",
                "Attendu le jour d'abord : JJ/MM/AAAA, ou AAAA-MM-JJ.",
            ) from None
        raise Illisible(f"« {propre} » n'existe pas au calendrier.", "Corrigez la date dans le fichier.") from None


def _date_refusee(propre: str) -> Illisible:
    if not propre:
        return Illisible("date vide.", "Écrivez JJ/MM/AAAA ou AAAA-MM-JJ.")
    if re.fullmatch(r"[0-9]{5}(?:[.,][0-9]+)?", propre):
        return Illisible(
            f"« {propre} » est un numéro de jour de tableur, pas une date.", "Mettez la colonne au format date."
        )
    return Illisible(f"« {propre[:40]} » n'est pas une date.", "Écrivez JJ/MM/AAAA ou AAAA-MM-JJ.")


# --- Identifiants ----------------------------------------------------------------------------

_ABIME = re.compile(r"[0-9][.,]?[0-9]*E\+[0-9]+", re.IGNORECASE)


def identifiant(texte: str, maximum: int) -> str:
    """Code ou numéro, non vide, tel quel. Lève Illisible s'il est abîmé par un tableur ou trop long."""
    if not texte:
        raise Illisible("valeur absente.", "Remplissez la colonne : elle identifie la ligne.")
    if _ABIME.fullmatch(texte):
        raise Illisible(
            f"« {texte} » est en notation scientifique : le tableur a perdu des chiffres.",
            "Mettez la colonne au format texte et exportez de nouveau.",
        )
    if len(texte) > maximum:
        raise Illisible(f"« {texte[:30]}… » dépasse {maximum} caractères.", "Raccourcissez la valeur.")
    return texte
