"""Trouver le tableau dans le fichier : feuille, en-tête, noms de colonnes ; et ce qu'un échantillon en montre."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from itertools import islice

from factures.domaine import correspondance as domaine
from factures.domaine import correspondance_profil as profil
from factures.domaine.correspondance_noms import normaliser, pistes, tranche

from . import tableur_classeur, tableur_texte
from .fichier import Fichier, Genre
from .lot import LotLu
from .nombres import Illisible
from .tableur_valeurs import Cellule, en_date, en_texte
from .texte import FichierRefuse

ENTETE_MAX = 30  # l'en-tête est dans les trente premières lignes
ECHANTILLON = 200
COLONNES_MAX = 300
_DATE = re.compile(r"\b([0-9]{1,2}[/.-][0-9]{1,2}[/.-](?:[0-9]{4}|[0-9]{2})|[0-9]{4}-[0-9]{2}-[0-9]{2})\b")


@dataclass(frozen=True, slots=True)
class Tableau:
    """`lignes(lot)` : (numéro de ligne, cellules) sous l'en-tête, relisible à volonté."""

    ligne: int  # de l'en-tête
    colonnes: tuple[str, ...]  # uniques, jamais vides
    lignes: Callable[[LotLu | None], Iterator[tuple[int, list[Cellule]]]]
    note: int
    feuille: str = ""
    feuilles: tuple[str, ...] = ()
    titres: tuple[str, ...] = ()  # ce qui est écrit au-dessus
    base_1904: bool = False
    separateur: str = ""
    encodage: str = ""
    avertissements: tuple[str, ...] = field(default=())

    @property
    def signature(self) -> str:
        return domaine.signature(self.colonnes)


def trouver(fichier: Fichier, feuille: str = "") -> Tableau:
    """Le meilleur tableau du fichier, ou celui de la feuille nommée. Lève FichierRefuse s'il n'y en a pas."""
    if fichier.genre is Genre.TEXTE:
        return _texte(fichier)
    if fichier.genre not in (Genre.XLSX, Genre.ODS):
        raise FichierRefuse("Ce fichier n'est ni un CSV, ni un classeur XLSX ou ODS.")
    classeur = tableur_classeur.ouvrir(fichier)
    noms = tuple(f.nom for f in classeur.feuilles)
    tableaux = []
    for f in classeur.feuilles:
        if feuille in ("", f.nom):
            lu = _tableau(lambda lot, f=f: f.lignes())
            if lu is not None:
                bonus = 0 if f.nom in classeur.masquees else 1
                tableaux.append((lu[3] > 0, bonus, lu[3], f, lu))
    if not tableaux:
        quoi = f"la feuille « {feuille} »" if feuille else "ce classeur"
        raise FichierRefuse(f"Aucun tableau dans {quoi} : attendu une ligne d'en-tête, puis une ligne par pièce.")
    *_, choisie, (ligne, colonnes, titres, note, lignes) = max(tableaux, key=lambda x: x[:3])
    dits = []
    if autres := [nom for nom in noms if nom != choisie.nom]:
        dits.append(f"Feuille lue : « {choisie.nom} ». Laissées de côté : {', '.join(autres[:10])}.")
    return Tableau(
        ligne, colonnes, lignes, note, choisie.nom, noms, titres, classeur.base_1904,
        avertissements=tuple(dits),
    )  # fmt: skip


def _texte(fichier: Fichier) -> Tableau:
    texte = fichier.texte
    sep = tableur_texte.separateur(fichier)
    lu = _tableau(lambda lot: tableur_texte.lignes(fichier, sep, lot))
    if lu is None:
        raise FichierRefuse(
            "Aucun tableau dans ce fichier : attendu une ligne d'en-tête d'au moins deux colonnes, puis les pièces."
        )
    ligne, colonnes, titres, note, lignes = lu
    return Tableau(ligne, colonnes, lignes, note, titres=titres, separateur=sep, encodage=texte.encodage)


def _tableau(lignes: Callable[[LotLu | None], Iterator]):
    """(ligne d'en-tête, colonnes, titres, note, lignes de données), ou None sans au moins deux colonnes."""
    debut = list(islice(lignes(None), ENTETE_MAX))
    meilleure, place = 0, None
    for rang, (_, cellules) in enumerate(debut):
        note = _note(cellules)
        if note > meilleure:
            meilleure, place = note, rang
    if place is None:
        return None
    numero, cellules = debut[place]
    suivantes = [x for _, x in debut[place + 1 :]]
    largeur = max((_largeur(x) for x in [cellules, *suivantes]), default=0)
    if largeur > COLONNES_MAX:
        raise FichierRefuse(f"Le tableau a {largeur} colonnes : gardez celles qui servent.")
    titres = tuple(en_texte(c) for _, x in debut[:place] for c in x if c != "")

    def donnees(lot: LotLu | None = None) -> Iterator[tuple[int, list[Cellule]]]:
        for n, valeurs in lignes(lot):
            if n > numero and any(v != "" for v in valeurs):
                yield n, valeurs

    connues = sum(1 for c in cellules if isinstance(c, str) and _connue(c))
    return numero, _noms(cellules, largeur), titres, connues, donnees


def _note(cellules: Sequence[Cellule]) -> int:
    """Vraisemblance d'un en-tête : des mots, connus si possible, et différents ; pas des nombres ni des dates."""
    mots = [c for c in cellules if isinstance(c, str) and any(x.isalpha() for x in c)]
    if len(mots) < 2 or len(set(mots)) < len(mots) / 2:
        return 0
    valeurs = sum(1 for c in cellules if c != "") - len(mots)
    connus = sum(max((p.note for p in pistes(c)), default=90 if tranche(c) else 0) for c in mots if len(c) <= 60)
    return max(10 * connus + 5 * len(mots) - 400 * valeurs, 1 if not valeurs else 0)


def _connue(nom: str) -> bool:
    return bool(pistes(nom)) or tranche(nom) is not None


def _largeur(cellules: Sequence[Cellule]) -> int:
    return max((i for i, c in enumerate(cellules, 1) if c != ""), default=0)


def _noms(cellules: Sequence[Cellule], largeur: int) -> tuple[str, ...]:
    noms, vus = [], {}
    for i in range(largeur):
        nom = en_texte(cellules[i]).strip("\ufeff ")[:80] if i < len(cellules) else ""
        nom = nom or f"Colonne {lettre(i)}"
        vus[nom] = vus.get(nom, 0) + 1
        noms.append(nom if vus[nom] == 1 else f"{nom} ({vus[nom]})")
    return tuple(noms)


def lettre(i: int) -> str:
    """0 → A, 26 → AA : la colonne telle que le tableur la nomme."""
    nom = ""
    i += 1
    while i:
        i, reste = divmod(i - 1, 26)
        nom = chr(65 + reste) + nom
    return nom


# --- Ce que les valeurs montrent -------------------------------------------------------------


def natures(tableau: Tableau) -> list[domaine.Nature]:
    """Une par colonne, d'après les deux cents premières lignes."""
    return natures_de(len(tableau.colonnes), (x for _, x in islice(tableau.lignes(None), ECHANTILLON)))


def natures_de(largeur: int, lignes: Iterable[Sequence[Cellule]]) -> list[domaine.Nature]:
    dates = [profil.ProfilDates() for _ in range(largeur)]
    montants = [profil.ProfilMontants() for _ in range(largeur)]
    noms = [0] * largeur
    for cellules in lignes:
        if est_total(cellules):
            continue
        for i, c in enumerate(cellules[: len(noms)]):
            dates[i].voir(_datable(c))
            montants[i].voir(c)
            noms[i] += isinstance(c, str) and " " in c and sum(x.isalpha() for x in c) > len(c) / 2
    return [
        domaine.Nature(
            date=d.plausible or not d.lues,
            montant=m.plausible or not m.lues,
            nom=n * 2 > m.lues > 0,
        )
        for d, m, n in zip(dates, montants, noms, strict=True)
    ]


def _datable(c: Cellule):
    """Un nombre de classeur peut être un numéro de jour, ou AAAAMMJJ."""
    return str(int(c)) if isinstance(c, Decimal) and c == c.to_integral_value() and 0 < c < 10**8 else c


def profiler(tableau: Tableau, p: domaine.Proposition) -> None:
    """Lit toutes les valeurs des colonnes de dates et de montants ; pose les options et ce qui reste ambigu."""
    dates, montants = profil.ProfilDates(), profil.ProfilMontants()
    places = {champ: tableau.colonnes.index(nom) for champ, nom in p.colonnes.items()}
    de_date = [i for champ, i in places.items() if champ in domaine.DATES]
    de_montant = [i for champ, i in places.items() if champ in domaine.MONTANTS or champ.startswith("tranche:")]
    for _, cellules in tableau.lignes(None):
        largeur = len(cellules)
        for i in de_date:
            if i < largeur and cellules[i] != "":
                dates.voir(_datable(cellules[i]))
        for i in de_montant:
            if i < largeur and cellules[i] != "":
                montants.voir(cellules[i])
    p.options["dates"] = dates.format
    if dates.ambigu:
        p.a_confirmer.append(
            "Les dates se lisent jour d'abord ou mois d'abord, rien dans le fichier ne le dit : choisissez."
            if not (dates.jour_en_tete and dates.mois_en_tete)
            else "Des dates n'existent que jour d'abord, d'autres que mois d'abord : le fichier mêle les deux."
        )
    p.options["decimale"] = montants.decimale
    if montants.ambigu:
        p.a_confirmer.append("Des montants comme « 1.234 » : mille deux cents, ou un virgule deux ? Choisissez.")
    if p.genre == domaine.BALANCE and (jour := date_des_titres(tableau)):
        p.options["date_defaut"] = jour.isoformat()


def date_des_titres(tableau: Tableau) -> date | None:
    """La dernière date écrite au-dessus de l'en-tête ou dans le nom de la feuille : « Balance âgée au 31/12/2025 »."""
    trouvees = []
    for titre in (*tableau.titres, tableau.feuille):
        for texte in _DATE.findall(titre):
            try:
                trouvees.append(en_date(texte))
            except Illisible:
                continue
    return max(trouvees, default=None)


# --- Lignes qui ne sont pas des pièces -------------------------------------------------------

_TOTAL = re.compile(
    r"(?:sous|s|sub) ?tot(?:al|aux)\b|grand total\b|totaux\b|report$|reporter$|cumul$|solde general\b|total [0-9]"
    r"|total (?:general|generaux|client|customer|compte|tiers|devise|eur|euros?|page|echu|par|piece|recouvrer|for)\b"
    r"|total$"
)


_INDICES = ("tot", "report", "cumul", "solde")  # un nom de colonne se normalise ; chaque cellule, ce serait trop cher


def _annonce_un_total(texte: str) -> bool:
    bas = texte.casefold()
    return any(indice in bas for indice in _INDICES) and _TOTAL.match(normaliser(texte)) is not None


def est_total(cellules: Sequence[Cellule]) -> bool:
    """Une des trois premières cellules remplies annonce un total ou un report (« Total Énergies » est un client)."""
    vues = 0
    for c in cellules:
        if c == "":
            continue
        if isinstance(c, str) and len(c) < 80 and _annonce_un_total(c):
            return True
        vues += 1
        if vues == 3:
            return False
    return False


def est_entete_repete(cellules: Sequence[Cellule], colonnes: Sequence[str]) -> bool:
    """L'en-tête d'une page suivante."""
    pareilles = sum(1 for c, nom in zip(cellules, colonnes, strict=False) if isinstance(c, str) and c == nom)
    return pareilles >= 2 and pareilles >= sum(1 for c in cellules if c != "") - 1
