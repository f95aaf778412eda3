"""Quand et à quel numéro un SMS peut partir. Pur."""

import re
from collections.abc import Callable
from datetime import date, datetime, time, timedelta

PLUS_TOT, PLUS_TARD = time(8), time(20)  # bornes de la maison : un réglage s'y tient
# Mobiles français : 06 et 07 ; outre-mer, la même écriture a son indicatif (plan national de numérotation, Arcep).
_OUTRE_MER = {
    "690": "590", "691": "590", "694": "594", "696": "596", "697": "596", "692": "262", "693": "262", "639": "262",
}  # fmt: skip
_ETRANGERS = frozenset(_OUTRE_MER.values())


def mobile(texte: str) -> str:
    """Le numéro en E.164 (« +33612345678 ») s'il est d'un mobile français ; vide sinon.

    Lit « 06 12 34 56 78 », « 06.12… », « +33 (0)6… », « 0033 6… » ; jamais un fixe, un numéro court ou étranger.
    """
    chiffres = re.sub(r"[^\d+]", "", texte[:40].replace("(0)", ""))
    if chiffres.startswith("00"):
        chiffres = "+" + chiffres[2:]
    if chiffres.startswith("+"):
        for indicatif in ("33", *sorted(_ETRANGERS)):
            if chiffres.startswith("+" + indicatif):
                reste = chiffres[1 + len(indicatif) :].removeprefix("0")
                return _national(reste, indicatif)
        return ""
    return _national(chiffres[1:], "") if chiffres.startswith("0") else ""


def _national(reste: str, indicatif: str) -> str:
    """reste : neuf chiffres, sans le zéro. indicatif : celui écrit ; vide, il se déduit."""
    if not re.fullmatch(r"[67]\d{8}", reste) or reste.startswith("700"):  # 0700 : objets connectés
        return ""
    attendu = _OUTRE_MER.get(reste[:3], "33")
    return f"+{attendu}{reste}" if indicatif in ("", "33", attendu) else ""


def moment_permis(moment: datetime, debut: time, fin: time, ouvre: Callable[[date], date]) -> datetime:
    """`moment` s'il est permis, sinon le prochain qui l'est : jour ouvré, entre `debut` et `fin` (heure du lieu).

    ouvre : premier jour ouvré à compter d'un jour. Les bornes de la maison l'emportent sur un réglage plus large.
    """
    debut, fin = max(debut, PLUS_TOT), min(fin, PLUS_TARD)
    jour = ouvre(moment.date())
    if jour == moment.date():
        if debut <= moment.time() < fin:
            return moment
        if moment.time() >= fin:
            jour = ouvre(jour + timedelta(days=1))
    return datetime.combine(jour, debut, tzinfo=moment.tzinfo)


def avec_mention(texte: str, mention: str) -> str:
    """Le texte et la façon de s'opposer, si le fournisseur en demande une et qu'il ne la dit pas déjà."""
    return f"{texte} {mention}" if mention and "STOP" not in texte.upper() else texte
