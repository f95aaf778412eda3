"""Lire un arbre ISO 20022 sans dépendre de son espace de noms, et sans DTD."""

import re

from ..fichier import Fichier
from ..texte import FichierRefuse

_DTD = re.compile(rb"<\s*!\s*(?:D\0?O\0?C\0?T\0?Y\0?P\0?E|E\0?N\0?T\0?I\0?T\0?Y)", re.IGNORECASE)
REGARDE = 64 * 1024  # le prologue d'un relevé tient en quelques centaines d'octets


class SansDtd:
    """Flux d'octets qui refuse une DTD avant que l'analyseur ne la voie, et suit la lecture."""

    def __init__(self, flux, fichier: Fichier):
        self.flux, self.suivi = flux, fichier.suivi
        self.lus = 0
        self.reste = b""

    def read(self, taille: int = -1) -> bytes:
        bloc = self.flux.read(taille)
        if self.lus < REGARDE:
            vu = (self.reste + bloc).replace(b"\0", b"")
            if _DTD.search(vu[:REGARDE]):
                raise FichierRefuse("Le XML contient une DTD ou des entités : refusé, un relevé n'en porte jamais.")
            self.reste = vu[-16:]
        self.lus += len(bloc)
        if self.suivi:
            self.suivi(self.lus)
        return bloc


def nom_local(element) -> str:
    """Le nom sans son espace, vide pour un commentaire ; `QName` refuserait un espace de noms abîmé."""
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""


def enfant(element, nom: str):
    """Le premier enfant de ce nom local, quel que soit son espace de noms, ou None."""
    return None if element is None else next(element.iterchildren("{*}" + nom), None)


def enfants(element, nom: str) -> list:
    return [] if element is None else list(element.iterchildren("{*}" + nom))


def fils(element, *chemin: str):
    for nom in chemin:
        element = enfant(element, nom)
    return element


def texte_de(element, *chemin: str) -> str:
    """Texte au bout du chemin, sinon celui de son premier descendant (Dt/Dt, Dt/DtTm) ; vide s'il n'y en a pas."""
    trouve = fils(element, *chemin)
    if trouve is None:
        return ""
    propre = (trouve.text or "").strip()
    if not propre and len(trouve) and str(trouve[0].tag).rpartition("}")[2] in ("Dt", "DtTm"):
        propre = (trouve[0].text or "").strip()
    return propre
