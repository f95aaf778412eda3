"""Factures électroniques : Factur-X et ZUGFeRD (PDF), CII, UBL, seules ou par archive.

Le document dit ce qui est dû : le net à payer devient la créance. Ce que sa syntaxe ne dit pas, le lecteur ne l'invente
pas ; ce qu'il a compris, il le dit (`Creance.dit`).
"""

import lzma
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from lxml import etree

from factures.domaine.efacture import DocumentInexploitable

from . import efacture_cii, efacture_ubl
from .efacture_document import Assembleur
from .efacture_pdf import extraire
from .efacture_xml import RACINES, STATUTS, TAILLE_MAX, analyser
from .fichier import Fichier, Genre, examiner_fichier
from .lecteurs import ContexteLecture
from .lot import Element, LotLu, Pdf, Rejet
from .texte import FichierRefuse

LECTEURS = {"cii": efacture_cii.lire, "ubl": efacture_ubl.lire}
TETE = 256 * 1024  # octets
MEMBRES_MAX = 2_000
MEMBRE_MAX = TAILLE_MAX
ARCHIVE_MAX = 1024 * 1024 * 1024  # octets décompressés en tout
# Ce que lève zipfile devant une archive fabriquée.
ABIMEE = (
    zipfile.BadZipFile, OSError, ValueError, NotImplementedError, EOFError, IndexError, KeyError, struct.error,
    zlib.error, lzma.LZMAError,
)  # fmt: skip
RAPPORT_MAX = 200  # compression d'un membre : un XML se réduit de vingt fois, une bombe de mille


def reconnait(fichier: Fichier) -> dict[str, int]:
    if fichier.genre is Genre.PDF:
        return {"facturx": 60}
    if fichier.genre is Genre.ZIP:
        return {"efactures": 40} if _que_des_factures(fichier) else {}
    if fichier.genre is not Genre.XML:
        return {}
    with fichier.ouvrir() as flux:  # un long commentaire de licence peut précéder la racine
        syntaxe = RACINES.get(_racine(flux.read(TETE)), "")
    return {syntaxe: 100} if syntaxe else {}


def _racine(tete: bytes) -> tuple[str, str]:
    """(espace, nom) de l'élément racine, lu dans les premiers octets ; vides s'il n'y est pas."""
    analyseur = etree.XMLPullParser(
        events=("start",), resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False
    )
    try:
        analyseur.feed(tete)
        for _evenement, element in analyseur.read_events():
            espace, _, nom = element.tag.rpartition("}")
            return espace.lstrip("{"), nom
    except (etree.XMLSyntaxError, ValueError, LookupError):
        pass
    return "", ""


def lire(fichier: Fichier, contexte: ContexteLecture) -> LotLu:
    """Lève FichierRefuse : illisible, étranger, d'un autre vendeur. Une archive rejette membre par membre."""
    lot = LotLu(contexte.format, "", "", ())
    assembleur = Assembleur(lot, contexte)
    if fichier.genre is Genre.ZIP:
        lot.format = "efactures"
        lot.elements = _archive(fichier, assembleur)
        return lot
    with _dit(""):
        lot.elements = _un(assembleur, 1, fichier.nom, lambda: fichier.octets(TAILLE_MAX), fichier.genre is Genre.PDF)
    lot.format = assembleur.format
    return lot


def _un(assembleur: Assembleur, ligne: int, nom: str, octets: Callable[[], bytes], pdf: bool) -> list[Element]:
    contenu, copie, jointes = octets(), None, ()
    format_lu = ""
    if pdf:
        lu = extraire(contenu)
        contenu, jointes, format_lu = lu.xml, lu.jointes, "facturx"
        if lu.refus_copie:
            assembleur.avertir(f"{nom} : ce PDF ne se garde pas comme copie, {lu.refus_copie}.")
        else:
            copie = Pdf(nom, lu.pages, octets)
    racine = analyser(contenu, nom)
    if racine.syntaxe not in LECTEURS:
        if racine.nom in STATUTS:
            raise FichierRefuse("C'est un statut de facture électronique, pas une facture : déposez-le à part.")
        if racine.nom == "Document":  # ISO 20022, tel qu'EBICS le livre (C53)
            raise FichierRefuse("C'est un message bancaire, pas une facture : sortez-le de l'archive, déposez-le seul.")
        raise FichierRefuse(
            f"Le XML n'est ni du CII ni de l'UBL (racine « {racine.nom[:60]} »). Attendu : CrossIndustryInvoice, "
            "Invoice ou CreditNote."
        )
    document = LECTEURS[racine.syntaxe](racine)
    assembleur.format = format_lu or racine.syntaxe
    return assembleur.prendre(ligne, document, copie, jointes)


@contextmanager
def _dit(nom: str):
    """Tout ce qu'un document refuse se dit d'un seul genre d'erreur, précédé du nom du membre."""
    try:
        yield
    except DocumentInexploitable as erreur:
        raise FichierRefuse(f"{nom} : {erreur}" if nom else str(erreur)) from erreur


# --- Archives --------------------------------------------------------------------------------


def _que_des_factures(fichier: Fichier) -> bool:
    try:
        with fichier.ouvrir() as flux, zipfile.ZipFile(flux) as archive:
            noms = [i.filename.lower() for i in archive.infolist()[: MEMBRES_MAX * 2]]
    except ABIMEE:
        return False
    utiles = [nom for nom in noms if not nom.endswith("/") and not _accessoire(nom)]
    return bool(utiles) and all(nom.endswith((".xml", ".pdf")) for nom in utiles)


def _accessoire(nom: str) -> bool:
    """Ce qu'un système ajoute à une archive, et qui n'est pas un document."""
    dernier = nom.rpartition("/")[2]
    return nom.startswith("__macosx/") or dernier in (".ds_store", "thumbs.db") or dernier.startswith("._")


def _archive(fichier: Fichier, assembleur: Assembleur) -> Iterator[Element]:
    """Chaque membre est une facture, lue l'une après l'autre ; rien ne s'écrit sur le disque. Lève FichierRefuse."""
    empreinte = fichier.empreinte
    try:
        with fichier.ouvrir() as flux, zipfile.ZipFile(flux) as archive:
            membres = [i for i in archive.infolist() if not _accessoire(i.filename.lower())]
            membres = [i for i in membres if not i.filename.endswith("/")]
            _controler_archive(membres)
            for ligne, membre in enumerate(membres, start=1):
                nom = membre.filename.rpartition("/")[2][:150]
                try:
                    with _dit(""):
                        yield from _membre(fichier, archive, membre, nom, ligne, assembleur)
                except FichierRefuse as refus:
                    assembleur.lot.rejeter(Rejet(ligne, nom, str(refus)))
    except ABIMEE as erreur:
        raise FichierRefuse("L'archive est abîmée ou incomplète : refaites-la.") from erreur
    assembleur.conclure(empreinte)


def _controler_archive(membres: list[zipfile.ZipInfo]) -> None:
    if not membres:
        raise FichierRefuse("L'archive est vide : mettez-y des factures électroniques, PDF ou XML.")
    if len(membres) > MEMBRES_MAX:
        raise FichierRefuse(f"L'archive a {len(membres)} fichiers, {MEMBRES_MAX} au plus : découpez-la.")
    if sum(i.file_size for i in membres) > ARCHIVE_MAX:
        raise FichierRefuse(f"L'archive dépasse {ARCHIVE_MAX // 1024 // 1024} Mo une fois ouverte : découpez-la.")
    for i in membres:
        if i.flag_bits & 0x1:
            raise FichierRefuse(f"L'archive est protégée par un mot de passe ({i.filename[:80]}) : ôtez-le.")
        if i.file_size > MEMBRE_MAX or i.file_size > RAPPORT_MAX * max(i.compress_size, 1024):
            raise FichierRefuse(f"{i.filename[:80]} : une fois ouvert, ce membre est démesuré. L'archive est refusée.")


def _membre(fichier, archive, membre, nom, ligne, assembleur) -> list[Element]:
    contenu = _lire_membre(archive, membre)
    lu = examiner_fichier(contenu, nom)
    if lu.genre not in (Genre.PDF, Genre.XML):
        raise FichierRefuse("Ni un PDF ni un XML : ôtez-le de l'archive.")

    def relire() -> bytes:
        with fichier.ouvrir() as flux, zipfile.ZipFile(flux) as a:
            return _lire_membre(a, membre)

    premier = [contenu]
    return _un(assembleur, ligne, nom, lambda: premier.pop() if premier else relire(), lu.genre is Genre.PDF)


def _lire_membre(archive: zipfile.ZipFile, membre: zipfile.ZipInfo) -> bytes:
    """Jamais plus que la taille annoncée, elle-même bornée."""
    try:
        with archive.open(membre) as flux:
            contenu = flux.read(MEMBRE_MAX + 1)
    except (*ABIMEE, RuntimeError) as erreur:
        raise FichierRefuse("Ce membre de l'archive ne s'ouvre pas.") from erreur
    if len(contenu) > MEMBRE_MAX:
        raise FichierRefuse(f"Ce membre dépasse {MEMBRE_MAX // 1024 // 1024} Mo.")
    return contenu
