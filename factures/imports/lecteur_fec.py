"""Le FEC, reconnu à ses colonnes réglementaires (A47 A-1 du LPF)."""

from . import fec, fec_lecture
from .fichier import Fichier, Genre
from .lecteurs import ContexteLecture
from .lot import LotLu


def reconnait(fichier: Fichier) -> dict[str, int]:
    if fichier.genre is not Genre.TEXTE:
        return {}
    premiere = next((x for x in fichier.texte.debut().split("\n") if x.strip()), "")
    return {"fec": 100} if fec_lecture.lire_entete(premiere) else {}


def lire(fichier: Fichier, contexte: ContexteLecture) -> LotLu:
    return fec.lire(fichier.texte, echeance_de=contexte.echeance_de, connus=contexte.connus)
