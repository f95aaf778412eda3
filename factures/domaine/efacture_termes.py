"""Ce que les conditions écrites d'une facture électronique disent sans doute possible : un délai, un escompte. Pur."""

import re
import unicodedata
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from .echeances import Conditions, ConditionsIllisibles, lire_conditions


@dataclass(frozen=True, slots=True)
class Escompte:
    taux: Decimal
    jours: int

    def __str__(self) -> str:
        return f"{self.taux.normalize():f} % sous {self.jours} jours".replace(".", ",")


_ENTETE = re.compile(
    r"^(?:conditions? (?:de )?(?:paiement|reglement) ?:?|paiement|reglement|payable|payment terms? ?:?|payment"
    r"|terms? ?:)\s*"
)
_DELAI = (
    re.compile(r"(?:within|in|net) (\d{1,3}) days?(?: net)?"),
    re.compile(r"(\d{1,3}) days?(?: net)?"),
    re.compile(r"(?:a|sous|dans un delai de|dans les) (\d{1,3}) ?j(?:ours?)?(?: nets?)?"),
    re.compile(r"(\d{1,3}) (?:dagar|dage|dager|dagen|tage|tagen|tage netto|dias|giorni)(?: netto| net)?"),
    re.compile(r"(?:innerhalb|innerhalb von|binnen) (\d{1,3}) tagen?(?: netto)?"),
)


def echeance_en_clair(texte: str, emission: date) -> date | None:
    """« PAIEMENT 30 JOURS NET », « Payment within 30 days », « 30 dagar » ; None dès qu'un doute est possible.

    Le texte entier doit n'être que ce délai : deux nombres, un pour-cent ou une suite, et rien n'est deviné.
    """
    plat = unicodedata.normalize("NFKD", texte or "").encode("ascii", "ignore").decode().lower()
    plat = " ".join(plat.split()).strip(" .")
    plat = _ENTETE.sub("", plat).strip(" .:")
    if not plat or "%" in plat or len(plat) > 60:
        return None
    for motif in _DELAI:
        if lu := motif.fullmatch(plat):
            return emission + timedelta(days=int(lu[1]))
    try:
        conditions: Conditions = lire_conditions(plat)
    except ConditionsIllisibles:
        return None
    if conditions.nature != "net":
        return None  # fin de mois : deux lectures, le contrat du client tranche
    return emission + timedelta(days=conditions.jours)


# --- Escompte --------------------------------------------------------------------------------

_ESCOMPTES = (
    re.compile(r"#skonto#tage=(?P<jours>\d{1,3})#prozent=(?P<taux>\d{1,2}(?:[.,]\d{1,2})?)#"),
    re.compile(
        r"(?P<taux>\d{1,2}(?:[.,]\d{1,2})?) ?% (?:cash )?(?:discount|skonto|escompte|d escompte|rabatt?|kontantrabatt)"
        r"(?: \w+){0,6}? (?P<jours>\d{1,3}) ?(?:days?|tagen?|j(?:ours?)?|dagar|dage)"
    ),
    re.compile(
        r"(?:discount|skonto|escompte)(?: \w+){0,3}? (?P<taux>\d{1,2}(?:[.,]\d{1,2})?) ?%"
        r"(?: \w+){0,6}? (?P<jours>\d{1,3}) ?(?:days?|tagen?|j(?:ours?)?)"
    ),
)


def escompte_en_clair(texte: str) -> Escompte | None:
    """« 2 % discount if paid within 2 days », « 3% Skonto innerhalb 10 Tagen », « escompte de 2 % sous 8 jours ».

    None si aucun n'est lu, ou si deux se contredisent.
    """
    plat = unicodedata.normalize("NFKD", texte or "").encode("ascii", "ignore").decode().lower()
    plat = " ".join(re.sub(r"[^a-z0-9%.,#=]+", " ", plat).split())
    lus = {
        Escompte(Decimal(lu["taux"].replace(",", ".")), int(lu["jours"]))
        for motif in _ESCOMPTES
        for lu in motif.finditer(plat)
    }
    if len(lus) != 1:
        return None
    escompte = lus.pop()
    return escompte if 0 < escompte.taux < 100 and 0 < escompte.jours <= 120 else None
