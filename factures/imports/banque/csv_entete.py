"""Le début d'un CSV de banque : où commence le tableau, ce que dit chaque colonne, ce qu'annonce le préambule."""

import csv
import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from factures.domaine.banque_colonnes import reconnaitre
from factures.domaine.banque_textes import compacter, normaliser

from ..fichier import Fichier
from ..nombres import Illisible, jour, montant
from ..texte import SEPARATEURS, FichierRefuse

PREAMBULE = 40  # lignes au plus avant l'en-tête
ANNONCE_MAX = 500  # caractères lus d'une ligne de préambule : ces motifs reculent à chaque « compte » qu'ils voient
_COMPTE = re.compile(r"(?:COMPTE|IBAN)\b.*?([A-Z]{2}[0-9]{2}[A-Z0-9 ]{11,40}|[0-9][0-9A-Z ]{6,30})")
_NUMERO = re.compile(r"((?=.*[0-9]{4})[A-Z0-9 ]{7,40})")
_JOUR = re.compile(r"\d{1,2}/\d{1,2}/\d{2,4}")
_SOLDE = re.compile(r"(?<![\d,.])[+-]?\s?\d[\d  .]*,\d{2}(?!\d)")


@dataclass
class Tableau:
    """Ce que le début du fichier apprend."""

    separateur: str
    entete: list[str]
    saut: int  # lignes à sauter, en-tête compris
    places: dict[str, int]
    compte: str = ""
    devise: str = ""
    cloture: Decimal | None = None
    ouverture: Decimal | None = None


def propre(cellule: str) -> str:
    """La Société Générale écrit ="0001234" pour que le tableur garde les zéros."""
    cellule = cellule.strip().strip("\ufeff")
    return cellule[2:-1] if cellule.startswith('="') and cellule.endswith('"') else cellule


def _cellules(ligne: str, separateur: str) -> list[str]:
    try:
        return [propre(c) for c in next(csv.reader([ligne], delimiter=separateur), [])]
    except csv.Error:
        return []


def trouver(fichier: Fichier) -> Tableau | None:
    debut = fichier.texte.debut(32_768).split("\n")[:PREAMBULE]
    for separateur in SEPARATEURS:
        for rang, ligne in enumerate(debut):
            if ligne.count(separateur) < 2 or len(ligne) > 4_000:
                continue
            entete = _cellules(ligne, separateur)
            if places := reconnaitre(entete):
                tableau = Tableau(separateur, entete, rang + 1, places)
                _preambule(tableau, [_cellules(x, separateur) for x in debut[:rang]])
                return tableau
    return _sans_entete(debut)


def _sans_entete(debut: list[str]) -> Tableau | None:
    """BNP Paribas et LCL : pas de noms, mais une date en tête de ligne et un seul montant, toujours à la même place."""
    for separateur in (";", "\t", ","):
        lignes = [c for x in debut if x.strip() and len(c := _cellules(x, separateur)) >= 3]
        if len(lignes) < 2:
            continue
        corps = lignes
        if not _est_date(lignes[0][0]):
            if not any(map(_est_date, lignes[0])):
                continue  # une ligne de noms, et ce ne sont pas ceux d'un relevé
            corps = lignes[1:]
        if len(corps) < 1 or not all(_est_date(c[0]) for c in corps[:-1]) or not _est_date(corps[0][0]):
            continue
        dates = [c for c in corps if _est_date(c[0])]
        rangs = [i for i in range(1, len(dates[0])) if all(i < len(c) and _est_montant(c[i]) for c in dates)]
        if len(rangs) != 1:
            continue
        textes = [i for i in range(1, len(dates[0])) if i != rangs[0]]
        if not textes:
            continue
        long = max(textes, key=lambda i: sum(len(c[i]) for c in dates if i < len(c)))
        if not any(c[long].strip() for c in dates if long < len(c)):
            continue
        saut = 0 if corps is lignes else 1
        tableau = Tableau(separateur, [], saut, {"date": 0, "montant": rangs[0], "libelle": long})
        if saut:
            _preambule(tableau, [lignes[0]])
            if tableau.cloture is None and _est_montant(lignes[0][-1]):
                tableau.cloture = montant(lignes[0][-1])
        return tableau
    return None


def _est_date(texte: str) -> bool:
    try:
        return bool(texte) and bool(jour(texte))
    except Illisible:
        return False


def _est_montant(texte: str) -> bool:
    try:
        return "," in texte or "." in texte and montant(texte) is not None
    except Illisible:
        return False


def _preambule(tableau: Tableau, lignes: list[list[str]]) -> None:
    """Compte, devise et soldes annoncés au-dessus du tableau."""
    for cellules in lignes:
        cellules = [c[:ANNONCE_MAX] for c in cellules[:ANNONCE_MAX]]
        texte = " ".join(cellules)[:ANNONCE_MAX]
        norme = normaliser(texte)
        tableau.compte = tableau.compte or _compte_annonce(cellules)
        if "DEVISE" in norme and (lu := re.search(r"\b(EUR|USD|GBP|CHF)\b", norme)):
            tableau.devise = lu[1]
        if "SOLDE" in norme and "FRANC" not in norme and (nombres := _SOLDE.findall(_JOUR.sub(" ", texte))):
            try:
                valeur = montant(nombres[-1])
            except Illisible:
                continue
            if "DEBUT" in norme or "ANCIEN" in norme:
                tableau.ouverture = valeur
            else:
                tableau.cloture = valeur


def _compte_annonce(cellules: list[str]) -> str:
    """« Compte n° 123 » dans une cellule, « Numéro de compte » puis sa valeur, ou un numéro seul (« ****0142 »)."""
    for i, cellule in enumerate(cellules):
        norme = normaliser(cellule)
        if "COMPTE" not in norme and "IBAN" not in norme:
            continue
        suivante = normaliser(cellules[i + 1]) if i + 1 < len(cellules) else ""
        if lu := _COMPTE.search(norme) or _NUMERO.fullmatch(suivante):
            return compacter(lu[1])[:34]
    seuls = (c for c in cellules if re.fullmatch(r"\*{2,}[0-9]{3,}|[0-9]{10,20}", c))
    return next(seuls, "")


def selon(fichier: Fichier, voulue: Mapping) -> Tableau:
    """Le tableau lu selon une correspondance : {champ: nom de colonne}."""
    demandes = {champ: normaliser(nom) for champ, nom in (voulue.get("colonnes") or {}).items() if nom}
    debut = fichier.texte.debut(32_768).split("\n")[:PREAMBULE]
    for separateur in SEPARATEURS:
        for rang, ligne in enumerate(debut):
            entete = _cellules(ligne, separateur)
            noms = [normaliser(c) for c in entete]
            if demandes and set(demandes.values()) <= set(noms):
                places = {champ: noms.index(nom) for champ, nom in demandes.items()}
                tableau = Tableau(separateur, entete, rang + 1, places)
                _preambule(tableau, [_cellules(x, separateur) for x in debut[:rang]])
                return tableau
    raise FichierRefuse(
        "Les colonnes de la correspondance choisie ne sont pas dans ce fichier : choisissez-en une autre."
    )
