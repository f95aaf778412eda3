"""Nombres, montants et dates tels qu'on les lit à l'écran ; texte pur, jamais de float.

Français : `1 234,56 €` (espaces insécables, signe moins typographique) ; anglais : `1,234.56 €`.
"""

from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import get_language, gettext, ngettext

INSECABLE = "\u00a0"
MOINS = "\u2212"
TIRET = "\u2013"  # zéro dans une colonne de montants
SYMBOLES = {"EUR": "€", "USD": "$", "GBP": "£", "CHF": "CHF"}


def en_anglais() -> bool:
    return (get_language() or "fr").startswith("en")


def nombre(valeur, decimales: int = 0) -> str:
    """Decimal ou entier → chiffres groupés par trois, arrondi au plus proche à `decimales`."""
    exact = Decimal(valeur).quantize(Decimal(1).scaleb(-decimales), rounding=ROUND_HALF_UP)
    texte = f"{abs(exact):,.{decimales}f}"
    if not en_anglais():
        texte = texte.replace(",", INSECABLE).replace(".", ",")
    return f"{MOINS}{texte}" if exact < 0 else texte


def montant(valeur, *, zero: str = TIRET) -> str:
    """Montant d'une colonne, sans devise : deux décimales, zéro écrit « – », vide si None."""
    if valeur is None or valeur == "":
        return ""
    return nombre(valeur, 2) if Decimal(valeur) else zero


def somme(valeur, devise: str = "EUR") -> str:
    """Montant d'une phrase ou d'un total, avec sa devise : `1 234,56 €` ; vide si None."""
    if valeur is None or valeur == "":
        return ""
    return f"{nombre(valeur, 2)}{INSECABLE}{SYMBOLES.get(devise, devise)}"


def pourcent(valeur, decimales: int = 1) -> str:
    """78.1 → `78,1 %` ; la valeur est déjà en pour cent."""
    if valeur is None or valeur == "":
        return ""
    return nombre(valeur, decimales) + ("%" if en_anglais() else f"{INSECABLE}%")


def _local(valeur):
    """Un instant se lit à l'heure de Paris ; une date reste telle quelle."""
    if isinstance(valeur, datetime) and timezone.is_aware(valeur):
        return timezone.localtime(valeur)
    return valeur


def jour(valeur: date | None) -> str:
    """`20/11/2026` ; en anglais `20 Nov 2026`, que personne ne lit à l'envers."""
    if not valeur:
        return ""
    return date_format(_local(valeur), "j M Y" if en_anglais() else "d/m/Y")


def jour_court(valeur: date | None) -> str:
    """`20/11`, quand l'année est évidente."""
    if not valeur:
        return ""
    return date_format(_local(valeur), "j M" if en_anglais() else "d/m")


def jour_long(valeur: date | None) -> str:
    """`vendredi 20/11/2026`, quand le jour de la semaine compte."""
    if not valeur:
        return ""
    return f"{date_format(_local(valeur), 'l')} {jour(valeur)}"


def instant(valeur: datetime | None) -> str:
    """`20/11/2026 à 06:12`, heure de Paris."""
    if not valeur:
        return ""
    return gettext("%(jour)s à %(heure)s") % {
        "jour": jour(valeur),
        "heure": date_format(_local(valeur), "H:i"),
    }


def retard(echeance: date | None, au: date) -> str:
    """« 53 j » échus, « dans 10 j », « aujourd’hui » ; jours calendaires."""
    if not echeance:
        return ""
    jours = (au - echeance).days
    if jours == 0:
        return gettext("aujourd’hui")
    if jours > 0:
        return ngettext("%(n)d j", "%(n)d j", jours) % {"n": jours}
    return ngettext("dans %(n)d j", "dans %(n)d j", -jours) % {"n": -jours}


def initiales(nom: str) -> str:
    """« Claire Bonnet » → « CB » ; un seul mot donne ses deux premières lettres."""
    mots = [m for m in nom.replace("-", " ").split() if m[0].isalnum()]
    if not mots:
        return "?"
    if len(mots) == 1:
        return mots[0][:2].upper()
    return (mots[0][0] + mots[-1][0]).upper()
