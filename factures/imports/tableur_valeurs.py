"""Une cellule de tableau → valeur du métier, ou `Illisible`.

Une cellule est un texte (CSV, texte d'un classeur), un `Decimal` (nombre d'un classeur) ou une date (cellule au format
date). Un nombre à virgule flottante n'est un montant que s'il tombe sur un centime à un millionième près.
"""

from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import lru_cache

from factures.domaine import correspondance_profil as profil

from .champs import sans_accent
from .nombres import ANNEES, MONTANT_MAX, Illisible, identifiant, montant
from .texte import nettoyer

Cellule = str | Decimal | date
PRECIS = 10**15  # au-delà, un nombre de tableur a perdu des chiffres
_CENT = Decimal("0.01")
_TOLERANCE = Decimal("0.000001")
EXCEL = (date(1899, 12, 30), date(1904, 1, 1))


def cellule(valeur: object) -> Cellule:
    """Valeur d'un classeur → cellule. Un flottant entier perd son « .0 »."""
    if isinstance(valeur, str):
        return valeur.strip()
    if isinstance(valeur, bool):
        return "oui" if valeur else "non"
    if isinstance(valeur, int):
        return Decimal(valeur)
    if isinstance(valeur, float):
        if valeur != valeur or valeur in (float("inf"), float("-inf")):
            return str(valeur)
        if valeur == int(valeur) and abs(valeur) < PRECIS:
            return Decimal(int(valeur))
        return Decimal(repr(valeur))
    if isinstance(valeur, datetime):
        return valeur.date()
    if isinstance(valeur, date):
        return valeur
    if isinstance(valeur, (time, timedelta)):
        return str(valeur)
    return "" if valeur is None else str(valeur)


def en_texte(valeur: Cellule) -> str:
    """Ce que la cellule montre : « 411001 » et non « 411001.0 », JJ/MM/AAAA."""
    if isinstance(valeur, str):
        return valeur if valeur.isascii() and valeur.isprintable() else nettoyer(valeur)
    if isinstance(valeur, date):
        return f"{valeur:%d/%m/%Y}"
    if valeur == valeur.to_integral_value() and abs(valeur) < PRECIS:
        return f"{valeur.to_integral_value():f}"
    return str(valeur)


def en_code(valeur: Cellule, maximum: int) -> str:
    """Code ou numéro. Lève Illisible : absent, trop long, ou chiffres perdus par le tableur."""
    if isinstance(valeur, Decimal) and abs(valeur) >= PRECIS:
        raise Illisible(
            f"« {valeur:.6E} » : le tableur ne garde que quinze chiffres, les derniers sont perdus.",
            "Mettez la colonne au format texte avant d'y coller les numéros.",
        )
    texte = en_texte(valeur)
    if texte.endswith(".0") and texte[:-2].isdecimal():
        texte = texte[:-2]
    return identifiant(texte, maximum)


def en_montant(valeur: Cellule, decimale: str = "auto") -> Decimal:
    """Montant au centime. decimale : « , », « . » ou « auto ». Lève Illisible."""
    if isinstance(valeur, Decimal):
        return _nombre(valeur)
    if isinstance(valeur, date):
        raise Illisible(f"« {valeur:%d/%m/%Y} » est une date, pas un montant.", "Vérifiez la colonne choisie.")
    if decimale != "auto":
        return _avec_decimale(valeur, decimale)
    return montant(valeur)


def _nombre(valeur: Decimal) -> Decimal:
    if abs(valeur) > MONTANT_MAX:
        raise Illisible(f"« {valeur:.6E} » dépasse toute facture plausible.", "Vérifiez la colonne.")
    rond = valeur.quantize(_CENT)
    if abs(rond - valeur) > _TOLERANCE:
        raise Illisible(
            f"« {valeur.normalize():f} » a plus de deux décimales.",
            "Arrondissez au centime dans le logiciel d'origine.",
        )
    return rond


@lru_cache(maxsize=8192)
def _avec_decimale(texte: str, decimale: str) -> Decimal:
    milliers = "." if decimale == "," else ","
    if decimale not in texte and texte.count(milliers) == 1:
        avant, _, apres = texte.partition(milliers)
        chiffres = "".join(c for c in apres if c.isdigit())
        if len(chiffres) == 3 and any(c.isdigit() for c in avant):
            return montant(texte.replace(milliers, ""))  # « 1.234 » d'un fichier à virgule : mille deux cent…
    return montant(texte)


def en_date(valeur: Cellule, dates: str = profil.JMA, base_1904: bool = False) -> date:
    """Jour du calendrier. dates : ordre des dates chiffrées (« jma », « mja ») ou « serial ». Lève Illisible."""
    if isinstance(valeur, date):
        return _vraisemblable(valeur.year, valeur.month, valeur.day, f"{valeur:%d/%m/%Y}")
    if isinstance(valeur, Decimal):
        if valeur == valeur.to_integral_value() and 19500101 <= valeur <= 21001231:
            return _texte_en_date(f"{valeur:f}", dates)
        return _serie(valeur, base_1904)
    texte = nettoyer(valeur)
    if dates == profil.SERIAL and (lu := profil.SERIE.fullmatch(texte)):
        return _serie(Decimal(lu[1]), base_1904)
    return _texte_en_date(texte, dates)


def _serie(valeur: Decimal, base_1904: bool) -> date:
    jours = int(valeur)
    if not 0 < jours < 80_000:
        raise Illisible(f"« {en_texte(valeur)} » n'est pas une date.", "Mettez la colonne au format date.")
    lu = EXCEL[base_1904] + timedelta(days=jours)
    return _vraisemblable(lu.year, lu.month, lu.day, en_texte(valeur))


@lru_cache(maxsize=8192)
def _texte_en_date(texte: str, dates: str) -> date:
    montre = texte[:40]
    if lu := profil.ISO.fullmatch(texte) or profil.COMPACTE.fullmatch(texte):
        return _vraisemblable(int(lu[1]), int(lu[2]), int(lu[3]), montre)
    if lu := profil.TROIS.fullmatch(texte):
        jour, mois, annee = int(lu[1]), int(lu[3]), _annee(lu[4])
        if dates == profil.MJA and lu[2] != ".":
            jour, mois = mois, jour
        return _vraisemblable(annee, mois, jour, montre, dates)
    if (lu := profil.LETTRES.fullmatch(texte)) and (mois := profil.mois_en_lettres(lu[2])):
        return _vraisemblable(_annee(lu[3]), mois, int(lu[1]), montre)
    if not texte:
        raise Illisible("date vide.", "Écrivez JJ/MM/AAAA ou AAAA-MM-JJ.")
    if profil.SERIE.fullmatch(texte):
        raise Illisible(
            f"« {montre} » est un numéro de jour de tableur, pas une date.",
            "Mettez la colonne au format date, ou choisissez « numéro de jour du tableur ».",
        )
    raise Illisible(f"« {montre} » n'est pas une date.", "Attendu JJ/MM/AAAA, MM/JJ/AAAA, AAAA-MM-JJ ou 26MAI2014.")


def _annee(texte: str) -> int:
    return int(texte) + (2000 if len(texte) == 2 else 0)


def _vraisemblable(annee: int, mois: int, jour: int, montre: str, dates: str = "") -> date:
    if not ANNEES[0] <= annee <= ANNEES[1]:
        raise Illisible(f"« {montre} » : année {annee} invraisemblable.", "Corrigez la date dans le fichier.")
    try:
        return date(annee, mois, jour)
    except ValueError:
        if dates and mois > 12:
            raise Illisible(
                f"« {montre} » n'existe pas : il n'y a pas de mois {mois}.",
                "Vérifiez l'ordre du jour et du mois choisi pour ce fichier.",
            ) from None
        raise Illisible(f"« {montre} » n'existe pas au calendrier.", "Corrigez la date dans le fichier.") from None


OUI = {"oui", "o", "yes", "y", "vrai", "true", "x", "1", "litige", "disputed", "conteste", "en litige", "ouvert"}
NON = {"non", "n", "no", "faux", "false", "0", "", "-", "aucun", "none", "neant"}


def en_oui_non(valeur: Cellule) -> bool:
    """Lève Illisible si le mot n'est ni oui ni non."""
    mot = sans_accent(en_texte(valeur)).strip()
    if mot in OUI:
        return True
    if mot in NON:
        return False
    raise Illisible(f"« {mot[:20]} » n'est ni oui ni non.", "Écrivez oui ou non.")
