"""Ce qu'une source a reçu : un arrivage par fichier, son nom assaini, sa taille bornée, sa clé dans la source."""

import fnmatch
import hashlib
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import BinaryIO, Protocol

from factures.models import SourceImport

PROVISOIRES = (".part", ".tmp", ".filepart", ".crdownload", ".partial", ".swp", "~")
ARRIVAGES_MAX = 200  # par lecture ; la suivante prend le reste
NOM_MAX = 160  # caractères


class ErreurSource(Exception):
    """La source ne se lit pas ; le message dit pourquoi et quoi faire. La lecture suivante reprend."""


@dataclass
class Arrivage:
    """Un fichier à importer. `cle` : la même d'une lecture à l'autre, 250 caractères au plus.

    `refus` : ce fichier ne s'importera pas, pour cette raison (trop gros, archive) ; `contenu` est alors vide.
    `ranger(accepte)` : le sort de ses traces ; appelé une fois le lot écrit, peut être rejoué.
    """

    cle: str
    nom: str
    taille: int
    contenu: BinaryIO | None = None
    refus: str = ""
    ranger: Callable[[bool], None] = lambda accepte: None


@dataclass
class Constat:
    """Une ligne d'« Essayer maintenant »."""

    nom: str
    taille: int
    etat: str  # « pret », « attend », « ecarte »
    detail: str = ""


@dataclass
class Regard:
    """Ce qu'une source contient, sans rien importer."""

    constats: list[Constat] = field(default_factory=list)
    erreur: str = ""


class Lecteur(Protocol):
    """Une source ouverte. `arrivages` rend les fichiers un à un, déjà lus en entier. Lève ErreurSource."""

    def arrivages(self, deja: Callable[[str], bool]) -> Iterator[Arrivage]: ...

    def regarder(self) -> list[Constat]: ...


def ouvrir(source: SourceImport) -> AbstractContextManager[Lecteur]:
    """Le lecteur de cette source, connexion ouverte et refermée par le bloc. Lève ErreurSource."""
    from . import dossier, imap

    lecteurs = {SourceImport.Genre.DOSSIER: dossier.Dossier, SourceImport.Genre.IMAP: imap.Boite}
    return lecteurs[SourceImport.Genre(source.genre)](source)


def nom_sur(nom: str, defaut: str = "sans-nom") -> str:
    """Dernier élément du chemin, sans caractère de commande ni point en tête, borné en gardant son suffixe."""
    nom = unicodedata.normalize("NFC", nom).replace("\\", "/").rpartition("/")[2]
    nom = "".join(c for c in nom if unicodedata.category(c)[0] != "C").strip().lstrip(".")
    tige, point, suffixe = nom.rpartition(".")
    if point and tige and len(suffixe) <= 10:
        return f"{tige[: NOM_MAX - len(suffixe) - 1]}.{suffixe}"
    return nom[:NOM_MAX] or defaut


def retenu(nom: str, motif: str) -> bool:
    """Le motif (« *.csv », « fec*;*.ofx ») admet ce nom, sans regarder la casse ; vide : tout."""
    motifs = [m.strip().lower() for m in motif.split(";") if m.strip()] or ["*"]
    return any(fnmatch.fnmatchcase(nom.lower(), m) for m in motifs)


def provisoire(nom: str) -> bool:
    """Caché, ou qu'un autre programme est en train d'écrire sous un nom d'attente."""
    return nom.startswith((".", "~")) or nom.lower().endswith(PROVISOIRES)


def empreinte(flux: BinaryIO) -> str:
    """SHA-256 du flux, ramené au début."""
    flux.seek(0)
    somme = hashlib.file_digest(flux, "sha256").hexdigest()
    flux.seek(0)
    return somme
