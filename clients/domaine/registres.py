"""Ce que dit un registre public d'un débiteur : la portée d'une annonce BODACC, les écarts d'une fiche SIRENE. Pur.

Seul un jugement d'ouverture arrête (C. com., art. L622-21) ; tout le reste se dit et se propose à une personne. Les
libellés sont ceux du BODACC : une liste fermée sur le papier, des variantes et des accents perdus dans les fichiers.
"""

import re
import unicodedata
from collections.abc import Mapping
from datetime import date
from enum import StrEnum


class Portee(StrEnum):
    """Ce qu'une annonce change pour le créancier."""

    OUVERTURE = "ouverture"  # sauvegarde, redressement, liquidation : tout s'arrête
    CONVERSION = "conversion"  # la procédure continue sous une autre forme
    EXTENSION = "extension"  # étendue à un autre débiteur, ou confondue
    PLAN = "plan"  # plan arrêté
    CLOTURE = "cloture"
    ANNULATION = "annulation"  # jugement annulé, infirmé, rétracté, ou annonce retirée
    AUTRE = "autre"  # appel, modification, dépôt, rejet : rien ne change sans lecture


MOIS = {
    "janvier": 1, "fevrier": 2, "mars": 3, "avril": 4, "mai": 5, "juin": 6, "juillet": 7, "aout": 8, "septembre": 9,
    "octobre": 10, "novembre": 11, "decembre": 12,
}  # fmt: skip
_PROCEDURES = ("sauvegarde", "redressement", "liquidation")
_ANNULENT = ("annul", "infirm", "retract", "reforme", "mettant a neant")
_N_OUVRENT_PAS = (
    "rejet", "refus", "appel", "irrecevab", "retablissement professionnel", "conciliation", "mandat ad hoc", "report",
    "depot", "prolong", "maintien", "cessation des paiements", "opposition", "tierce",
)  # fmt: skip


def sans_accent(texte: str) -> str:
    """Minuscules sans accents ni apostrophes typographiques, blancs réduits."""
    decompose = unicodedata.normalize("NFD", texte.casefold().replace("’", "'"))
    return " ".join("".join(c for c in decompose if not unicodedata.combining(c)).split())


def portee(famille_avis: str, nature: str, *, famille: str = "", type_avis: str = "", complement: str = "") -> Portee:
    """La portée d'une annonce. famille_avis : « collective »… ; famille et nature : celles du jugement.

    Dans le doute, AUTRE : une personne lit l'annonce. Une nature vague (« Autre jugement d'ouverture ») se décide sur
    la famille, une nature vide sur le complément.
    """
    avis, genre, fam, quoi = map(sans_accent, (type_avis, famille_avis, famille, nature or complement[:200]))
    if "annulation" in avis:
        return Portee.ANNULATION
    if genre and "collective" not in genre:
        return Portee.AUTRE
    if any(mot in quoi for mot in _ANNULENT):
        return Portee.ANNULATION
    if any(mot in quoi for mot in _N_OUVRENT_PAS):
        return Portee.AUTRE
    if "cloture" in quoi:
        return Portee.CLOTURE
    if "conver" in quoi:
        return Portee.CONVERSION
    if "extension" in quoi or "etendant" in quoi or "confusion" in quoi:
        return Portee.EXTENSION
    if "resolution" in quoi and "plan" in quoi:
        # Résoudre un plan et liquider ouvre une procédure nouvelle (C. com., art. L631-20-1, L626-27).
        return Portee.OUVERTURE if "liquidation judiciaire" in quoi else Portee.AUTRE
    if "plan" in quoi:
        modifie = any(mot in quoi for mot in ("modif", "inexecution", "duree", "execution", "cession"))
        return Portee.AUTRE if modifie or "arret" not in quoi else Portee.PLAN
    if "ouver" in quoi and (any(p in quoi for p in _PROCEDURES) or "ouverture" in fam):
        return Portee.OUVERTURE
    # URSSAF : « ouverture » et l'action dans un même libellé.
    return Portee.OUVERTURE if "ouverture" in fam and any(p in quoi for p in _PROCEDURES) else Portee.AUTRE


def issue(nature: str) -> str:
    """Issue d'une clôture ou d'un plan, clé d'`IssueProcedure`."""
    quoi = sans_accent(nature)
    if "insuffisance" in quoi:
        return "insuffisance"
    if "extinction" in quoi:
        return "extinction"
    return "plan" if "plan" in quoi else "autre"


def siren_lu(texte: str) -> str:
    """« 894 670 793 », « 894670793 RCS Bayonne », un SIRET → « 894670793 » ; vide si aucun ne s'y lit."""
    if lu := re.match(r"\s*([0-9]{3})[ .\u00a0\u202f-]?([0-9]{3})[ .\u00a0\u202f-]?([0-9]{3})(?![0-9])", texte):
        return "".join(lu.groups())
    chiffres = re.sub(r"\s", "", texte)
    return chiffres[:9] if re.fullmatch(r"[0-9]{14}", chiffres) else ""


def jour_lu(texte: str) -> date | None:
    """« 2026-09-08 », « 8 septembre 2026 », « 1er mars 2026 », « 26MAY2014 », « 08/09/2026 » ; None sinon."""
    propre = sans_accent(texte)[:40]
    if lu := re.match(r"([0-9]{4})-?([0-9]{2})-?([0-9]{2})(?![0-9])", propre):
        morceaux = (int(lu[1]), int(lu[2]), int(lu[3]))
    elif lu := re.match(r"([0-9]{1,2})/([0-9]{1,2})/([0-9]{4})", propre):
        morceaux = (int(lu[3]), int(lu[2]), int(lu[1]))
    elif lu := re.match(r"([0-9]{1,2})(?:er)? ?([a-z]{3,9})\.? ?([0-9]{4})", propre):
        mois = next((n for nom, n in (*MOIS.items(), *_ANGLAIS.items()) if nom == lu[2] or nom[:3] == lu[2]), 0)
        morceaux = (int(lu[3]), mois, int(lu[1]))
    else:
        return None
    try:
        lue = date(*morceaux)
    except ValueError:
        return None
    return lue if 1900 <= lue.year <= 2100 else None


_ANGLAIS = {
    "january": 1, "february": 2, "march": 3, "april": 4, "may": 5, "june": 6, "july": 7, "august": 8, "september": 9,
    "october": 10, "november": 11, "december": 12, "aug": 8, "apr": 4, "feb": 2,
}  # fmt: skip

# --- SIRENE ----------------------------------------------------------------------------------

_FORMES = (
    "sarl sas sasu sa eurl snc sci selarl selas scop scp gie societe par actions simplifiee unipersonnelle "
    "a responsabilite limitee anonyme ste soc ets etablissements entreprise"
).split()
_VOIES = {
    "av": "avenue", "ave": "avenue", "bd": "boulevard", "bld": "boulevard", "boul": "boulevard", "all": "allee",
    "pl": "place", "rte": "route", "ch": "chemin", "che": "chemin", "chem": "chemin", "imp": "impasse", "sq": "square",
    "fg": "faubourg", "fbg": "faubourg", "crs": "cours", "za": "zone artisanale", "zi": "zone industrielle",
    "st": "saint", "ste": "sainte", "res": "residence", "qu": "quai", "r": "rue", "pass": "passage", "ham": "hameau",
    "lot": "lotissement", "bis": "b", "ter": "t",
}  # fmt: skip


def _mots(texte: str) -> list[str]:
    """Mots sans accents ; « S.A.S. » est un mot."""
    return re.findall(r"[a-z0-9]+", re.sub(r"(?<=\b[a-z])\.(?=[a-z]\b)", "", sans_accent(texte)))


def meme_nom(un: str, autre: str) -> bool:
    """Même raison sociale, aux accents, à la ponctuation, à la forme juridique et à l'ordre des mots près."""

    def noyau(nom: str) -> list[str]:
        mots = _mots(nom)
        return sorted(m for m in mots if m not in _FORMES) or sorted(mots)

    return noyau(un) == noyau(autre) or "".join(_mots(un)) == "".join(_mots(autre))


def meme_adresse(une: Mapping[str, str], autre: Mapping[str, str]) -> bool:
    """Même adresse, aux abréviations de voie, aux « cedex » et à l'arrondissement près."""

    def noyau(a: Mapping[str, str]) -> tuple:
        voie = " ".join(_VOIES.get(m, m) for m in _mots(f"{a.get('adresse', '')}"))
        ville = [m for m in _mots(a.get("ville", "")) if m not in ("cedex", "arrondissement") and not m.isdigit()]
        return re.sub(r"\b(de|du|des|d|l|la|le|les)\b ?", "", voie).strip(), a.get("code_postal", ""), ville

    return noyau(une) == noyau(autre)
