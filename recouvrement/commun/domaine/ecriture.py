"""Écriture des lettres : montants, dates, taux et numéros, en français et en anglais. Pur.

L'écran suit la langue de la personne (`commun/formats.py`) ; une lettre suit celle de son destinataire,
d'où deux familles de fonctions. Espaces insécables U+00A0 partout où un retour à la ligne couperait un nombre.
"""

from datetime import date
from decimal import ROUND_HALF_UP, Decimal

INSECABLE = "\u00a0"
MOINS = "\u2212"
CENT = Decimal("0.01")

MOIS = "janvier février mars avril mai juin juillet août septembre octobre novembre décembre".split()
JOURS = "lundi mardi mercredi jeudi vendredi samedi dimanche".split()
MONTHS = "January February March April May June July August September October November December".split()
DAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()


def _centime(x) -> Decimal:
    """Arrondi d'affichage au centime, demi supérieur ; `+ 0` ôte le signe d'un zéro négatif."""
    return Decimal(x).quantize(CENT, ROUND_HALF_UP) + 0


# --- français ------------------------------------------------------------------------------------
def montant(x) -> str:
    """`1 234,56`, sans symbole : colonne dont l'en-tête porte déjà la devise ; `− 240,00` en négatif."""
    x = _centime(x)
    texte = f"{abs(x):,.2f}".replace(",", INSECABLE).replace(".", ",")
    return f"{MOINS}{INSECABLE}{texte}" if x < 0 else texte


def euros(x) -> str:
    """`1 234,56 €`."""
    return f"{montant(x)}{INSECABLE}€"


def somme(x, devise: str = "EUR") -> str:
    """Montant et devise : `1 234,56 €`, ou le code ISO (`1 234,56 USD`)."""
    return euros(x) if devise == "EUR" else f"{montant(x)}{INSECABLE}{devise}"


def sms(x) -> str:
    """`1234,56 EUR` : alphabet GSM 7 bits, ni espace insécable ni signe €."""
    x = _centime(x)
    return f"{x:.2f} EUR".replace(".", ",")


def pct(x) -> str:
    """Taux déjà en pour cent : `12,40 %`."""
    return f"{_centime(x):.2f}{INSECABLE}%".replace(".", ",")


def jj(jour: date) -> str:
    """`20/11/2026`."""
    return f"{jour.day:02d}/{jour.month:02d}/{jour.year:04d}"


def jjmm(jour: date) -> str:
    """`20/11`, quand l'année est évidente."""
    return f"{jour.day:02d}/{jour.month:02d}"


def date_longue(jour: date) -> str:
    """`20 novembre 2026`, `1er janvier 2027`."""
    quantieme = "1er" if jour.day == 1 else str(jour.day)
    return INSECABLE.join((quantieme, MOIS[jour.month - 1], str(jour.year)))


def date_jour(jour: date) -> str:
    """`vendredi 20 novembre 2026`."""
    return f"{JOURS[jour.weekday()]}{INSECABLE}{date_longue(jour)}"


def semestre(s: str) -> str:
    """`2026-S2` → `2e semestre 2026`."""
    annee, rang = s.split("-S")
    return f"{'1er' if rang == '1' else '2e'} semestre {annee}"


# --- anglais -------------------------------------------------------------------------------------
def amount(x) -> str:
    """`1,234.56`, sans symbole."""
    x = _centime(x)
    return f"{MOINS if x < 0 else ''}{abs(x):,.2f}"


def eur_en(x) -> str:
    """`€1,234.56`, `−€240.00`."""
    x = _centime(x)
    return f"{MOINS if x < 0 else ''}€{abs(x):,.2f}"


def somme_en(x, devise: str = "EUR") -> str:
    """`€1,234.56`, ou le code ISO (`USD 1,234.56`)."""
    return eur_en(x) if devise == "EUR" else f"{devise}{INSECABLE}{amount(x)}"


def pct_en(x) -> str:
    """`12.40%`."""
    return f"{_centime(x):.2f}%"


def date_en(jour: date) -> str:
    """`20 November 2026`, sans ambiguïté pour personne."""
    return INSECABLE.join((str(jour.day), MONTHS[jour.month - 1], str(jour.year)))


def date_en_day(jour: date) -> str:
    """`Friday 20 November 2026`."""
    return f"{DAYS[jour.weekday()]}{INSECABLE}{date_en(jour)}"


def semestre_en(s: str) -> str:
    """`2026-S2` → `second half of 2026`."""
    annee, rang = s.split("-S")
    return f"{'first' if rang == '1' else 'second'} half of {annee}"


# --- numéros -------------------------------------------------------------------------------------
def iban(s: str) -> str:
    """Groupes de quatre, comme sur un relevé d'identité bancaire."""
    s = _serre(s)
    return INSECABLE.join(s[i : i + 4] for i in range(0, len(s), 4))


def siren(s: str) -> str:
    """`732 829 320` ; un SIRET donne `732 829 320 00074`."""
    s = _serre(s)
    return INSECABLE.join(morceau for morceau in (s[:3], s[3:6], s[6:9], s[9:]) if morceau)


def _serre(s: str) -> str:
    return "".join(str(s).split())
