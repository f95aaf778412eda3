"""Annonces BODACC de procédures collectives."""

from .fichier import Fichier
from .lecteurs import ContexteLecture
from .lot import LotLu
from .texte import FichierRefuse


def reconnait(fichier: Fichier) -> dict[str, int]:
    return {}


def lire(fichier: Fichier, contexte: ContexteLecture) -> LotLu:
    raise FichierRefuse("Ce format n'est pas encore lu.")
