"""Sommes en toutes lettres, en français (orthographe usuelle) et en anglais : pures.

Une reconnaissance de dette porte la somme en chiffres et en lettres, et les lettres l'emportent
(C. civ., art. 1376) : d'où une écriture exacte, à la lettre près.
"""

from decimal import ROUND_HALF_UP, Decimal
from typing import NamedTuple

MAXIMUM = 10**12  # exclu : au-delà, plus personne ne lit

_UNITES = (
    "zéro un deux trois quatre cinq six sept huit neuf dix onze douze treize quatorze quinze seize "
    "dix-sept dix-huit dix-neuf"
).split()
_DIZAINES = {2: "vingt", 3: "trente", 4: "quarante", 5: "cinquante", 6: "soixante", 8: "quatre-vingt"}

_UNITS = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
    "seventeen eighteen nineteen"
).split()
_TENS = "_ _ twenty thirty forty fifty sixty seventy eighty ninety".split()


class Devise(NamedTuple):
    """Noms d'une devise au singulier et au pluriel, puis de son centième ; `feminin` accorde « un »."""

    nom: str
    pluriel: str
    centieme: str
    centiemes: str
    feminin: bool = False


DEVISES = {
    "EUR": Devise("euro", "euros", "centime", "centimes"),
    "USD": Devise("dollar des États-Unis", "dollars des États-Unis", "cent", "cents"),
    "CAD": Devise("dollar canadien", "dollars canadiens", "cent", "cents"),
    "CHF": Devise("franc suisse", "francs suisses", "centime", "centimes"),
    "GBP": Devise("livre sterling", "livres sterling", "penny", "pence", feminin=True),
}
DEVISES_EN = {
    "EUR": Devise("euro", "euros", "cent", "cents"),
    "USD": Devise("US dollar", "US dollars", "cent", "cents"),
    "CAD": Devise("Canadian dollar", "Canadian dollars", "cent", "cents"),
    "CHF": Devise("Swiss franc", "Swiss francs", "centime", "centimes"),
    "GBP": Devise("pound sterling", "pounds sterling", "penny", "pence"),
}


def entier_en_lettres(nombre: int, feminin: bool = False) -> str:
    """Nombre entier en français : 80 → « quatre-vingts », 200 000 → « deux cent mille ».

    Lève ValueError à partir de mille milliards, en plus ou en moins.
    """
    if abs(nombre) >= MAXIMUM:
        raise ValueError(f"nombre trop grand pour être écrit en lettres : {nombre}")
    if nombre < 0:
        return "moins " + entier_en_lettres(-nombre, feminin)
    if nombre == 0:
        return "zéro"
    mots = []
    milliards, reste = divmod(nombre, 10**9)
    millions, reste = divmod(reste, 10**6)
    milliers, reste = divmod(reste, 1000)
    for combien, nom in ((milliards, "milliard"), (millions, "million")):
        if combien:
            mots.append(_sous_mille(combien, accorde=True))
            mots.append(nom if combien == 1 else nom + "s")
    if milliers:
        # « mille » est invariable et prive vingt et cent de leur s ; « un mille » ne se dit pas.
        mots += ["mille"] if milliers == 1 else [_sous_mille(milliers, accorde=False), "mille"]
    if reste:
        mots.append(_sous_mille(reste, accorde=True))
    texte = " ".join(mots)
    return texte + "e" if feminin and texte.endswith("un") else texte


def _sous_mille(nombre: int, accorde: bool) -> str:
    """1 à 999 ; `accorde` : vingt et cent prennent leur s quand rien ne les suit."""
    centaines, reste = divmod(nombre, 100)
    mots = []
    if centaines:
        if centaines > 1:
            mots.append(_UNITES[centaines])
        mots.append("cents" if centaines > 1 and not reste and accorde else "cent")
    if reste:
        mots.append(_sous_cent(reste, accorde))
    return " ".join(mots)


def _sous_cent(nombre: int, accorde: bool) -> str:
    if nombre < 20:
        return _UNITES[nombre]
    dizaine, unite = divmod(nombre, 10)
    if dizaine in (7, 9):
        dizaine, unite = dizaine - 1, unite + 10
    mot = _DIZAINES[dizaine]
    if not unite:
        return mot + "s" if dizaine == 8 and accorde else mot
    if unite in (1, 11) and dizaine != 8:
        return f"{mot} et {_UNITES[unite]}"
    return f"{mot}-{_UNITES[unite]}"


def integer_in_words(number: int) -> str:
    """Nombre entier en anglais britannique : 1 005 → « one thousand and five »."""
    if abs(number) >= MAXIMUM:
        raise ValueError(f"nombre trop grand pour être écrit en lettres : {number}")
    if number < 0:
        return "minus " + integer_in_words(-number)
    if number == 0:
        return "zero"
    words = []
    for scale, name in ((10**9, "billion"), (10**6, "million"), (1000, "thousand")):
        count, number = divmod(number, scale)
        if count:
            words.append(f"{_below_thousand(count)} {name}")
    if number:
        if words and number < 100:
            words.append("and")
        words.append(_below_thousand(number))
    return " ".join(words)


def _below_thousand(number: int) -> str:
    hundreds, rest = divmod(number, 100)
    words = [f"{_UNITS[hundreds]} hundred"] if hundreds else []
    if rest:
        if hundreds:
            words.append("and")
        tens, unit = divmod(rest, 10)
        words.append(_UNITS[rest] if rest < 20 else _TENS[tens] + (f"-{_UNITS[unit]}" if unit else ""))
    return " ".join(words)


def _partager(somme: Decimal) -> tuple[bool, int, int]:
    """(négatif, unités, centièmes), arrondi au centième le plus proche, demi supérieur."""
    centiemes = int((abs(Decimal(somme)) * 100).quantize(Decimal(1), ROUND_HALF_UP))
    return somme < 0 and centiemes > 0, *divmod(centiemes, 100)


def _devise(table: dict[str, Devise], code: str) -> Devise:
    try:
        return table[code]
    except KeyError:
        raise ValueError(f"devise sans nom en toutes lettres : {code} (connues : {', '.join(table)})") from None


def en_lettres(somme: Decimal, devise: str = "EUR") -> str:
    """Somme en toutes lettres : 1 000 000 → « un million d’euros », 0,05 → « cinq centimes d’euro ».

    Lève ValueError pour une devise inconnue ou une somme démesurée.
    """
    noms = _devise(DEVISES, devise)
    negatif, unites, centiemes = _partager(somme)
    if not unites and centiemes:
        texte = f"{entier_en_lettres(centiemes)} {noms.centieme if centiemes == 1 else noms.centiemes}"
        texte += _de(noms.nom)
    else:
        nom = noms.pluriel if unites >= 2 else noms.nom
        # « million » et « milliard » sont des noms : ils appellent « de » quand rien ne les suit.
        liaison = _de(nom) if unites and unites % 10**6 == 0 else f" {nom}"
        texte = entier_en_lettres(unites, noms.feminin) + liaison
        if centiemes:
            texte += f" et {entier_en_lettres(centiemes)} {noms.centieme if centiemes == 1 else noms.centiemes}"
    return f"moins {texte}" if negatif else texte


def _de(nom: str) -> str:
    return f" d’{nom}" if nom[0] in "aeiou" else f" de {nom}"


def in_words(amount: Decimal, currency: str = "EUR") -> str:
    """Somme en toutes lettres en anglais : « ten thousand three hundred and fifty-two euros and five cents »."""
    names = _devise(DEVISES_EN, currency)
    negative, units, hundredths = _partager(amount)
    parts = []
    if units or not hundredths:
        parts.append(f"{integer_in_words(units)} {names.nom if units == 1 else names.pluriel}")
    if hundredths:
        parts.append(f"{integer_in_words(hundredths)} {names.centieme if hundredths == 1 else names.centiemes}")
    return ("minus " if negative else "") + " and ".join(parts)
