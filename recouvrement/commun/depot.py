"""Fichiers rangés par empreinte : ce qui est parti ou reçu se relit octet pour octet (exigence 27).

Un fichier s'appelle d'après son SHA-256 (« 3f/9a/3f9a….pdf », relatif à settings.DEPOT) : deux contenus égaux
n'en font qu'un, un contenu ne se remplace pas, et une altération se voit à la lecture. La base garde
le chemin et l'empreinte. Rien ne s'efface ici.
"""

import hashlib
import io
import os
import re
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from django.conf import settings

BLOC = 1024 * 1024  # octets
SUFFIXE = re.compile(r"\.[a-z0-9]{1,8}")
CHEMIN = re.compile(r"([0-9a-f]{2})/([0-9a-f]{2})/(\1\2[0-9a-f]{60})(\.[a-z0-9]{1,8})")


class ErreurDepot(Exception):
    """Le dépôt ne peut pas rendre ce fichier."""


class FichierAbsent(ErreurDepot):
    """Le fichier n'est pas dans le dépôt, ou n'est pas lisible."""


class FichierAltere(ErreurDepot):
    """Le contenu ne correspond plus à son empreinte."""


def _emplacement(chemin: str) -> Path:
    """Chemin absolu ; seul un nom fabriqué par `ranger` passe. Lève ErreurDepot sinon."""
    if not CHEMIN.fullmatch(chemin or ""):
        raise ErreurDepot(f"chemin étranger au dépôt : {chemin!r}")
    return Path(settings.DEPOT) / chemin


def _empreinte(flux: BinaryIO) -> str:
    return hashlib.file_digest(flux, "sha256").hexdigest()


def _synchroniser(dossier: Path) -> None:
    """Le nom du fichier survit lui aussi à une coupure de courant."""
    descripteur = os.open(dossier, os.O_RDONLY)
    try:
        os.fsync(descripteur)
    finally:
        os.close(descripteur)


def ranger_flux(flux: BinaryIO, suffixe: str) -> tuple[str, str, int]:
    """Range un flux binaire sans le charger ; renvoie (chemin, empreinte, taille en octets).

    suffixe : « .pdf », minuscules. Lève ValueError s'il est mal formé, FichierAltere si le disque ne rend
    pas ce qu'on vient d'y écrire, OSError s'il est plein.
    """
    if not SUFFIXE.fullmatch(suffixe):
        raise ValueError(f"suffixe refusé : {suffixe!r}")
    racine = Path(settings.DEPOT)
    racine.mkdir(parents=True, exist_ok=True)
    somme, taille = hashlib.sha256(), 0
    descripteur, provisoire = tempfile.mkstemp(prefix=".arrivee-", dir=racine)
    try:
        with open(descripteur, "w+b") as fichier:
            while bloc := flux.read(BLOC):
                somme.update(bloc)
                taille += len(bloc)
                fichier.write(bloc)
            fichier.flush()
            os.fsync(fichier.fileno())
            fichier.seek(0)
            empreinte = somme.hexdigest()
            if _empreinte(fichier) != empreinte:
                raise FichierAltere(f"relecture différente de l'écriture : {empreinte}")
            os.fchmod(fichier.fileno(), 0o440)
        chemin = f"{empreinte[:2]}/{empreinte[2:4]}/{empreinte}{suffixe}"
        cible = racine / chemin
        if not _intact(cible, empreinte):  # déjà là : rien à écrire ; altéré : le bon contenu le remplace
            cible.parent.mkdir(parents=True, exist_ok=True)
            os.replace(provisoire, cible)
            _synchroniser(cible.parent)
    finally:
        with suppress(FileNotFoundError):
            os.unlink(provisoire)
    return chemin, empreinte, taille


def _intact(cible: Path, empreinte: str) -> bool:
    try:
        with cible.open("rb") as fichier:
            return _empreinte(fichier) == empreinte
    except OSError:
        return False


def ranger(octets: bytes, suffixe: str) -> tuple[str, str]:
    """Range ces octets ; renvoie (chemin, empreinte). Ranger deux fois le même contenu ne fait qu'un fichier."""
    chemin, empreinte, _taille = ranger_flux(io.BytesIO(octets), suffixe)
    return chemin, empreinte


def ouvrir(chemin: str) -> BinaryIO:
    """Flux de lecture, non vérifié : à préférer à `lire` pour un gros fichier. Lève ErreurDepot."""
    try:
        return _emplacement(chemin).open("rb")
    except OSError as erreur:
        raise FichierAbsent(f"fichier absent du dépôt : {chemin}") from erreur


def lire(chemin: str, empreinte: str) -> bytes:
    """Octets rangés, vérifiés. Lève FichierAbsent, ou FichierAltere si l'empreinte ne correspond pas."""
    with ouvrir(chemin) as flux:
        octets = flux.read()
    if hashlib.sha256(octets).hexdigest() != empreinte:
        raise FichierAltere(f"contenu différent de son empreinte : {chemin}")
    return octets


def verifier(chemin: str, empreinte: str) -> str:
    """« » si le fichier est là et intact, sinon la phrase qui dit pourquoi ; mémoire bornée."""
    try:
        with ouvrir(chemin) as flux:
            return "" if _empreinte(flux) == empreinte else f"altéré : {chemin}"
    except ErreurDepot as erreur:
        return str(erreur)
