"""Classeurs XLSX et ODS : ce que l'archive déploie est mesuré avant de l'ouvrir, puis calamine lit les cellules.

calamine charge une feuille entière, en rectangle plein : deux cellules éloignées suffisent à demander des gigaoctets.
D'où les deux mesures préalables : octets réellement décompressés, et cellules du rectangle.
"""

import io
import re
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from xml.parsers import expat

from python_calamine import CalamineError, CalamineWorkbook, PasswordError, XmlError, ZipError
from python_calamine import SheetTypeEnum as Sorte
from python_calamine import SheetVisibleEnum as Visible

from .fichier import Fichier, Genre
from .tableur_valeurs import Cellule, cellule
from .texte import FichierRefuse

MEMBRES_MAX = 2_000
DEPLOYE_MAX = 512 * 1024 * 1024  # octets, toute l'archive
RAPPORT_MAX = 250  # octets déployés par octet lu ; un classeur ordinaire tient sous 30
RAPPORT_DES = 8 * 1024 * 1024  # un petit fichier très répétitif n'est pas une bombe
CELLULES_MAX = 20_000_000
COLONNES_MAX = 2_000
BLOC = 256 * 1024

_REFERENCE = re.compile(rb'[ <]r="([A-Z]{1,3})([0-9]{1,7})"')
_1904 = re.compile(rb"""date1904\s*=\s*["'](?:1|true|on)["']""")
_BOMBE = "Ce classeur se déploie démesurément ({quoi}) : il n'est pas ouvert. Enregistrez la feuille utile en CSV."


@dataclass(frozen=True, slots=True)
class Feuille:
    nom: str
    lignes: Callable[[], Iterator[tuple[int, list[Cellule]]]]  # (numéro de ligne, cellules)
    hauteur: int


@dataclass(frozen=True, slots=True)
class Classeur:
    feuilles: tuple[Feuille, ...]  # visibles d'abord ; jamais vide
    masquees: tuple[str, ...]
    base_1904: bool


def ouvrir(fichier: Fichier) -> Classeur:
    """Lève FichierRefuse : bombe, mot de passe, classeur abîmé, feuilles vides."""
    base_1904 = mesurer(fichier)
    try:
        classeur = CalamineWorkbook.from_object(
            io.BytesIO(fichier.source) if isinstance(fichier.source, bytes) else str(fichier.source)
        )
        masquees = tuple(
            m.name for m in classeur.sheets_metadata if m.typ == Sorte.WorkSheet and m.visible != Visible.Visible
        )
        noms = [m.name for m in classeur.sheets_metadata if m.typ == Sorte.WorkSheet]
        feuilles = []
        for nom in sorted(noms, key=lambda x: x in masquees):
            feuille = classeur.get_sheet_by_name(nom)
            if feuille.start is not None and feuille.height:
                feuilles.append(Feuille(nom, _lignes(feuille), feuille.total_height))
    except PasswordError as erreur:
        raise FichierRefuse("Ce classeur est protégé par un mot de passe : enregistrez-le sans.") from erreur
    except (CalamineError, ZipError, XmlError, OSError, ValueError) as erreur:
        raise FichierRefuse(
            "Ce classeur est abîmé : ouvrez-le dans le tableur et enregistrez-le de nouveau."
        ) from erreur
    except BaseException as erreur:  # une panique de la bibliothèque (Rust) n'hérite pas d'Exception
        if type(erreur).__name__ != "PanicException":
            raise
        raise FichierRefuse("Ce classeur est abîmé : ouvrez-le dans le tableur et enregistrez-le de nouveau.") from None
    if not feuilles:
        raise FichierRefuse("Ce classeur ne contient aucune cellule remplie : vérifiez le fichier déposé.")
    return Classeur(tuple(feuilles), masquees, base_1904)


def _lignes(feuille) -> Callable[[], Iterator[tuple[int, list[Cellule]]]]:
    def lire() -> Iterator[tuple[int, list[Cellule]]]:
        for numero, valeurs in enumerate(feuille.iter_rows(), 1):
            yield numero, [cellule(v) for v in valeurs]

    return lire


# --- Mesure préalable ------------------------------------------------------------------------


def mesurer(fichier: Fichier) -> bool:
    """Déploie l'archive par blocs sans rien garder. Rend vrai si ses dates partent de 1904. Lève FichierRefuse."""
    try:
        with closing(fichier.ouvrir()) as flux, zipfile.ZipFile(flux) as archive:
            membres = archive.infolist()
            if len(membres) > MEMBRES_MAX:
                raise FichierRefuse(_BOMBE.format(quoi=f"{len(membres)} fichiers"))
            if "xl/workbook.bin" in archive.namelist():
                raise FichierRefuse("Ce classeur est au format binaire XLSB : enregistrez-le en XLSX ou en CSV.")
            if sum(m.file_size for m in membres) > DEPLOYE_MAX:
                raise FichierRefuse(_BOMBE.format(quoi=f"plus de {DEPLOYE_MAX // 1024 // 1024} Mo"))
            deploye, base_1904 = 0, False
            for membre in membres:
                examen = _examen(membre.filename, fichier.genre)
                for bloc in _deployer(flux, membre):
                    deploye += len(bloc)
                    if deploye > DEPLOYE_MAX or (deploye > RAPPORT_DES and deploye > RAPPORT_MAX * fichier.taille):
                        raise FichierRefuse(_BOMBE.format(quoi=f"plus de {deploye // 1024 // 1024} Mo"))
                    if examen:
                        examen.voir(bloc)
                if examen:
                    examen.finir()
                    base_1904 = base_1904 or examen.base_1904
            return base_1904
    except (zipfile.BadZipFile, zlib.error, OSError, ValueError, NotImplementedError, EOFError) as erreur:
        raise FichierRefuse(
            "Ce classeur est abîmé : ouvrez-le dans le tableur et enregistrez-le de nouveau."
        ) from erreur


def _deployer(flux: io.BufferedIOBase, membre: zipfile.ZipInfo) -> Iterator[bytes]:
    """Octets réels d'un membre, quelle que soit la taille qu'il s'annonce (un en-tête ment)."""
    if membre.flag_bits & 0x1:
        raise FichierRefuse("Ce classeur est chiffré : enregistrez-le sans mot de passe.")
    if membre.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise FichierRefuse("La compression de ce classeur n'est pas lue : enregistrez-le de nouveau en XLSX.")
    flux.seek(membre.header_offset)
    entete = flux.read(30)
    if len(entete) < 30 or entete[:4] != b"PK\x03\x04":
        raise zipfile.BadZipFile
    nom, extra = int.from_bytes(entete[26:28], "little"), int.from_bytes(entete[28:30], "little")
    flux.seek(membre.header_offset + 30 + nom + extra)
    reste = membre.compress_size
    inflateur = zlib.decompressobj(-15) if membre.compress_type == zipfile.ZIP_DEFLATED else None
    while reste > 0:
        bloc = flux.read(min(BLOC, reste))
        if not bloc:
            raise EOFError
        reste -= len(bloc)
        if inflateur is None:
            yield bloc
            continue
        while bloc:
            deploye = inflateur.decompress(bloc, BLOC)
            bloc = inflateur.unconsumed_tail
            if deploye:
                yield deploye
            elif not bloc or inflateur.eof:
                break
    if inflateur is not None and (fin := inflateur.flush()):
        yield fin


def _examen(nom: str, genre: Genre) -> "_Feuille | _Contenu | _Reglages | None":
    if genre is Genre.XLSX and nom.startswith("xl/worksheets/") and nom.endswith(".xml"):
        return _Feuille()
    if genre is Genre.XLSX and nom == "xl/workbook.xml":
        return _Reglages()
    return _Contenu() if genre is Genre.ODS and nom == "content.xml" else None


class _Reglages:
    def __init__(self):
        self.base_1904, self.debut = False, b""

    def voir(self, bloc: bytes) -> None:
        if len(self.debut) < BLOC:
            self.debut += bloc

    def finir(self) -> None:
        self.base_1904 = _1904.search(self.debut) is not None


class _Feuille:
    """Rectangle des cellules d'une feuille XLSX, d'après leurs références."""

    base_1904 = False

    def __init__(self):
        self.queue, self.colonne, self.ligne = b"", 1, 1
        self.vues: set[bytes] = set()

    def voir(self, bloc: bytes) -> None:
        bloc = self.queue + bloc
        for lettres, chiffres in _REFERENCE.findall(bloc):
            if lettres not in self.vues:
                self.vues.add(lettres)
                self.colonne = max(self.colonne, _rang(lettres))
            if (ligne := int(chiffres)) > self.ligne:
                self.ligne = ligne
        self.queue = bloc[-24:]

    def finir(self) -> None:
        _borner(self.ligne, self.colonne)


def _rang(lettres: bytes) -> int:
    rang = 0
    for lettre in lettres:
        rang = rang * 26 + lettre - 64
    return rang


def _borner(lignes: int, colonnes: int) -> None:
    if lignes * colonnes > CELLULES_MAX or colonnes > COLONNES_MAX:
        raise FichierRefuse(_BOMBE.format(quoi=f"{lignes} lignes sur {colonnes} colonnes"))


class _Contenu:
    """Rectangle des cellules d'un ODS : les répétitions s'y déplient."""

    base_1904 = False

    def __init__(self):
        self.expat = expat.ParserCreate(namespace_separator=" ")
        self.expat.StartElementHandler, self.expat.EndElementHandler = self._debut, self._fin
        self.expat.StartDoctypeDeclHandler = self._doctype
        self.ligne = self.colonne = self.largeur = self.repete = 0
        self.derniere = 0

    def _doctype(self, *_):
        raise FichierRefuse("Ce classeur porte une DTD, ce qu'aucun tableur n'écrit : il n'est pas ouvert.")

    def _debut(self, nom: str, attributs: dict) -> None:
        nom = nom.rpartition(" ")[2]
        if nom == "table":
            self.ligne = self.derniere = self.largeur = 0
        elif nom == "table-row":
            self.repete, self.colonne, self.pleine = _repetition(attributs, "rows"), 0, 0
        elif nom in ("table-cell", "covered-table-cell"):
            self.colonne += _repetition(attributs, "columns")
            if any(cle.endswith("value-type") for cle in attributs):
                self.pleine = self.colonne

    def _fin(self, nom: str) -> None:
        nom = nom.rpartition(" ")[2]
        if nom == "table-row":
            self.ligne += self.repete
            if self.pleine:
                self.derniere, self.largeur = self.ligne, max(self.largeur, self.pleine)
                _borner(self.derniere, self.largeur)

    def voir(self, bloc: bytes) -> None:
        try:
            self.expat.Parse(bloc, False)
        except (expat.ExpatError, AttributeError) as erreur:
            raise FichierRefuse("Le contenu de ce classeur ODS n'est pas du XML lisible.") from erreur

    def finir(self) -> None:
        pass


def _repetition(attributs: dict, quoi: str) -> int:
    lu = next((v for cle, v in attributs.items() if cle.endswith(f"number-{quoi}-repeated")), "1")
    return max(int(lu), 1) if lu.isdecimal() and len(lu) < 9 else 10**9
