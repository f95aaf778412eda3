"""Le FEC, reconnu à ses colonnes réglementaires ou à la racine de sa forme XML (A47 A-1 du LPF)."""

from . import fec, fec_lecture
from .fec_xml import FecXml, est_un_fec_xml
from .fichier import Fichier, Genre
from .lecteurs import ContexteLecture
from .lot import LotLu


def reconnait(fichier: Fichier) -> dict[str, int]:
    if fichier.genre is Genre.XML:
        return {"fec": 100} if est_un_fec_xml(fichier.tete) else {}
    if fichier.genre is not Genre.TEXTE:
        return {}
    premiere = next((x for x in fichier.texte.debut().split("\n") if x.strip()), "")
    return {"fec": 100} if fec_lecture.lire_entete(premiere) else {}


def lire(fichier: Fichier, contexte: ContexteLecture) -> LotLu:
    return fec.lire(
        FecXml(fichier) if fichier.genre is Genre.XML else fichier.texte,
        echeance_de=contexte.echeance_de,
        connus=contexte.connus,
        corrections=contexte.corrections,
    )
