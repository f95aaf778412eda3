"""Adresse postale à la norme NF Z10-011 : six lignes de 38 caractères, sept à l'étranger. Pur.

Ordre : 1 identité, 2 service, 3 bâtiment ou étage, 4 numéro et voie, 5 lieu-dit ou BP, 6 code postal et
localité, puis le pays. Tout est en capitales sans accent (les trois dernières lignes y sont tenues), sans
ponctuation dès la voie. Ce qui ne tient pas, même abrégé ou reporté, se dit : rien ne se perd en silence.
"""

import re
import unicodedata
from dataclasses import dataclass

from .pays import OUTRE_MER, PAYS, VILLE_AVANT_CODE

LARGEUR = 38
TETE = 3  # lignes avant la voie
PIED = 2  # la voie et le lieu-dit

_TRANSLITTERATION = str.maketrans(
    {"œ": "oe", "Œ": "OE", "æ": "ae", "Æ": "AE", "ß": "ss", "ẞ": "SS", "ø": "o", "Ø": "O", "ł": "l", "Ł": "L"}
    | {"đ": "d", "Đ": "D", "ð": "d", "Ð": "D", "þ": "th", "Þ": "TH", "ı": "i", "’": "'", "‘": "'", "–": "-", "—": "-"}
)
# Essayées dans cet ordre, une à une, tant que la ligne dépasse.
_ABREVIATIONS = (
    ("SOCIETE PAR ACTIONS SIMPLIFIEE", "SAS"),
    ("SOCIETE A RESPONSABILITE LIMITEE", "SARL"),
    ("SOCIETE CIVILE IMMOBILIERE", "SCI"),
    ("SOCIETE ANONYME", "SA"),
    ("ZONE INDUSTRIELLE", "ZI"),
    ("ZONE ARTISANALE", "ZA"),
    ("ZONE D ACTIVITES", "ZA"),
    ("CENTRE COMMERCIAL", "CCAL"),
    ("APPARTEMENT", "APP"),
    ("BATIMENT", "BAT"),
    ("IMMEUBLE", "IMM"),
    ("RESIDENCE", "RES"),
    ("LOTISSEMENT", "LOT"),
    ("ETABLISSEMENTS", "ETS"),
    ("ASSOCIATION", "ASSOC"),
    ("COMPAGNIE", "CIE"),
    ("DEPARTEMENT", "DPT"),
    ("DIRECTION", "DIR"),
    ("BOULEVARD", "BD"),
    ("AVENUE", "AV"),
    ("ALLEE", "ALL"),
    ("CHEMIN", "CHE"),
    ("FAUBOURG", "FG"),
    ("IMPASSE", "IMP"),
    ("PASSAGE", "PAS"),
    ("PLACE", "PL"),
    ("QUARTIER", "QUA"),
    ("ROUTE", "RTE"),
    ("SQUARE", "SQ"),
    ("COURS", "CRS"),
    ("MARECHAL", "MAL"),
    ("GENERAL", "GAL"),
    ("COLONEL", "CNL"),
    ("PRESIDENT", "PDT"),
    ("PROFESSEUR", "PR"),
    ("DOCTEUR", "DR"),
    ("SAINTE", "STE"),
    ("SAINT", "ST"),
)


@dataclass(frozen=True, slots=True)
class AdressePostale:
    """Lignes prêtes à imprimer, toujours dans les bornes, et ce qui manque pour qu'un pli arrive."""

    lignes: tuple[str, ...]
    manques: tuple[str, ...]

    @property
    def texte(self) -> str:
        """Une ligne de texte par ligne d'adresse."""
        return "\n".join(self.lignes)


def adresse_postale(
    nom: str,
    *,
    voie: str,
    code_postal: str,
    ville: str,
    service: str = "",
    complement: str = "",
    lieu_dit: str = "",
    pays: str = "FR",
) -> AdressePostale:
    """Compose l'adresse d'un pli.

    pays : code à deux lettres, ou nom en clair ; vide ou `FR` : pas de ligne de pays.
    Une voie à plusieurs parties (virgule ou retour à la ligne) se range : la partie numérotée en ligne 4, ce
    qui la précède en ligne 3 (ou 5), ce qui la suit en ligne 5.
    """
    manques: list[str] = []
    pays = pays.strip()
    en_france = pays.upper() in ("", "FR", *OUTRE_MER)
    avant, rue, apres = _ranger_voie(voie)
    tete = [_nettoyer(x, manques, ponctuation=True) for x in (nom, service, complement, avant)]
    pied = [_nettoyer(x, manques) for x in (rue, apres, lieu_dit)]
    localite = _localite(code_postal, ville, pays.upper(), en_france, manques)

    if not tete[0]:
        manques.insert(0, "nom du destinataire absent")
    if not pied[0]:
        manques.append("voie absente")
    if not _tient(tete, TETE) and _tient([*pied, tete[3]], PIED):
        pied.append(tete.pop())  # ce qui précède la voie est souvent une zone : la ligne 5 l'accueille aussi
    lignes = _remplir(tete, TETE, manques) + _remplir(pied, PIED, manques)
    if localite:
        lignes.append(_tronquer(_abreger(localite), manques))
    if not en_france:
        nom_pays = PAYS.get(pays.upper(), "") if len(pays) == 2 else _nettoyer(pays, manques)
        if nom_pays:
            lignes.append(_tronquer(nom_pays, manques))
        else:
            manques.append(f"pays inconnu : {pays}")
    return AdressePostale(tuple(lignes), tuple(dict.fromkeys(manques)))


def translitterer(texte: str) -> str:
    """Lettres latines sans accent ni ligature ; ce qui n'a pas d'équivalent latin reste tel quel."""
    decompose = unicodedata.normalize("NFKD", texte.translate(_TRANSLITTERATION))
    return "".join(c for c in decompose if not unicodedata.combining(c))


def _nettoyer(texte: str, manques: list[str], ponctuation: bool = False) -> str:
    """Capitales sans accent ; hors ponctuation permise, tout autre signe devient une espace."""
    texte = translitterer(texte or "").upper()
    if perdus := "".join(c for c in texte if c.isalnum() and not c.isascii()):
        manques.append(f"caractères sans équivalent latin : {perdus}")
    permis = r"[^A-Z0-9&'./-]+" if ponctuation else r"[^A-Z0-9]+"
    return " ".join(re.sub(permis, " ", texte).split())


def _ranger_voie(voie: str) -> tuple[str, str, str]:
    """(avant, voie, après) : la voie est la première partie numérotée, à défaut la première."""
    parties = [p.strip() for p in re.split(r"[\n,;]+", voie or "") if p.strip()]
    # « 12, rue du Port » : la virgule suit le numéro, ce n'est pas une séparation.
    if len(parties) > 1 and re.fullmatch(r"\d+ ?(?:bis|ter|quater|[a-zA-Z])?", parties[0], re.I):
        parties[:2] = [f"{parties[0]} {parties[1]}"]
    rang = next((i for i, p in enumerate(parties) if p[0].isdigit()), 0)
    return " ".join(parties[:rang]), "".join(parties[rang : rang + 1]), " ".join(parties[rang + 1 :])


def _localite(code_postal: str, ville: str, pays: str, en_france: bool, manques: list[str]) -> str:
    code, ville = _nettoyer(code_postal, manques), _nettoyer(ville, manques)
    if not ville:
        manques.append("ville absente")
    if en_france:
        code = code.replace(" ", "")
        if not code:
            manques.append("code postal absent")
        elif not re.fullmatch(r"\d{5}", code):
            manques.append(f"code postal à 5 chiffres attendu : {code_postal}")
    ordre = (ville, code) if pays in VILLE_AVANT_CODE else (code, ville)
    return " ".join(x for x in ordre if x)


def _repartir(textes: list[str], places: int) -> list[str]:
    """Abrège, reporte à la ligne, puis joint des lignes voisines tant qu'il y en a trop."""
    morceaux = [m for t in dict.fromkeys(textes) if t for m in _replier(_abreger(t))]
    while len(morceaux) > places and (i := _a_joindre(morceaux)) is not None:
        morceaux[i : i + 2] = [f"{morceaux[i]} {morceaux[i + 1]}"]
    return morceaux


def _tient(textes: list[str], places: int) -> bool:
    return len(_repartir(textes, places)) <= places


def _remplir(textes: list[str], places: int, manques: list[str]) -> list[str]:
    """Lignes imprimables, et dans `manques` ce qui n'y tient pas."""
    morceaux = _repartir(textes, places)
    if len(morceaux) > places:
        manques.append(f"adresse trop longue, non imprimé : {' '.join(morceaux[places:])}")
    return [_tronquer(m, manques) for m in morceaux[:places]]


def _a_joindre(morceaux: list[str]) -> int | None:
    """Deux lignes voisines qui tiennent ensemble, les plus courtes ; jamais la première, qui porte le nom."""
    longueurs = {i: len(morceaux[i]) + 1 + len(morceaux[i + 1]) for i in range(1, len(morceaux) - 1)}
    i = min(longueurs, key=longueurs.get, default=None)
    return i if i is not None and longueurs[i] <= LARGEUR else None


def _abreger(texte: str) -> str:
    for long, court in _ABREVIATIONS:
        if len(texte) <= LARGEUR:
            break
        texte = re.sub(rf"\b{long}\b", court, texte)
    return texte


def _replier(texte: str) -> list[str]:
    """Coupe entre deux mots ; un mot plus long que la ligne reste entier."""
    lignes = [""]
    for mot in texte.split():
        essai = f"{lignes[-1]} {mot}".strip()
        if len(essai) <= LARGEUR or not lignes[-1]:
            lignes[-1] = essai
        else:
            lignes.append(mot)
    return lignes


def _tronquer(ligne: str, manques: list[str]) -> str:
    if len(ligne) <= LARGEUR:
        return ligne
    manques.append(f"ligne de plus de {LARGEUR} caractères : {ligne}")
    return _replier(ligne)[0][:LARGEUR]
