"""Un fichier déposé, quel qu'il soit : mesuré et reconnu à ses premiers octets, jamais chargé en entier d'office."""

import hashlib
import io
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from pathlib import Path

from .texte import BLOC, TAILLE_MAX, FichierRefuse, Texte, examiner


class Genre(StrEnum):
    TEXTE = "texte"  # CSV, FEC, CFONB, OFX 1, MT940…
    XML = "xml"
    JSON = "json"
    PDF = "pdf"
    XLSX = "xlsx"
    ODS = "ods"
    ZIP = "zip"


TETE = 4096


@dataclass
class Fichier:
    """`source` : chemin ou octets. `texte` ne s'examine qu'à la demande : un PDF n'en est pas un."""

    nom: str
    source: Path | bytes
    taille: int
    empreinte: str
    tete: bytes
    genre: Genre
    suivi: Callable[[int], None] | None = None
    _texte: Texte | None = field(default=None, repr=False)

    @cached_property
    def texte(self) -> Texte:
        """Lève FichierRefuse si ce n'est pas du texte lisible."""
        texte = examiner(self.source, self.nom)
        if texte.empreinte != self.empreinte:
            raise FichierRefuse(
                "Le fichier change pendant sa lecture : attendez la fin de son écriture, puis relancez."
            )
        return Texte(texte.nom, texte.source, texte.taille, texte.empreinte, texte.encodage, self.suivi)

    def ouvrir(self) -> io.BufferedIOBase:
        return io.BytesIO(self.source) if isinstance(self.source, bytes) else open(self.source, "rb")

    def octets(self, maximum: int) -> bytes:
        """Tout le contenu. Lève FichierRefuse au-delà de `maximum` octets, ou s'il a changé depuis l'examen."""
        if self.taille > maximum:
            raise FichierRefuse(
                f"Le fichier dépasse {maximum // 1024 // 1024} Mo, trop pour ce format : découpez l'export."
            )
        with self.ouvrir() as flux:
            contenu = flux.read(maximum + 1)
        if hashlib.sha256(contenu).hexdigest() != self.empreinte:
            raise FichierRefuse(
                "Le fichier change pendant sa lecture : attendez la fin de son écriture, puis relancez."
            )
        return contenu


def examiner_fichier(source: Path | str | bytes, nom: str = "", *, taille_max: int = TAILLE_MAX) -> Fichier:
    """Mesure et reconnaît. Lève FichierRefuse : illisible, vide, trop gros."""
    if not isinstance(source, bytes):
        source = Path(source)
        nom = nom or source.name
    empreinte, taille, tete = hashlib.sha256(), 0, b""
    try:
        with io.BytesIO(source) if isinstance(source, bytes) else open(source, "rb") as flux:
            while bloc := flux.read(BLOC):
                tete = tete or bloc[:TETE]
                taille += len(bloc)
                if taille > taille_max:
                    raise FichierRefuse(
                        f"Le fichier dépasse {taille_max // 1024 // 1024} Mo : "
                        "découpez l'export par exercice ou par mois."
                    )
                empreinte.update(bloc)
    except OSError as erreur:
        raise FichierRefuse(f"Le fichier « {nom} » ne s'ouvre pas : {erreur.strerror or erreur}.") from erreur
    if not taille:
        raise FichierRefuse("Le fichier est vide : refaites l'export.")
    return Fichier(nom, source, taille, empreinte.hexdigest(), tete, _genre(source, tete))


def _genre(source: Path | bytes, tete: bytes) -> Genre:
    debut = tete.lstrip(b"\xef\xbb\xbf\xff\xfe\xfe\xff \t\r\n\x00")
    if tete.startswith(b"PK\x03\x04"):
        return _archive(source)
    if b"%PDF-" in tete[:1024]:
        return Genre.PDF
    if debut.startswith((b"<?xml", b"<\x00?\x00x")) or (debut.startswith(b"<") and not debut.startswith(b"<OFX>")):
        return Genre.XML
    if debut.startswith((b"{", b"[")) and not debut.startswith(b"{1:"):  # {1:…} : enveloppe SWIFT d'un MT940
        return Genre.JSON
    return Genre.TEXTE


def _archive(source: Path | bytes) -> Genre:
    """Classeur ou archive : d'après la liste des membres, rien n'est décompressé."""
    try:
        with zipfile.ZipFile(io.BytesIO(source) if isinstance(source, bytes) else source) as archive:
            noms = set(archive.namelist()[:10_000])
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        return Genre.ZIP
    if "xl/workbook.xml" in noms or "xl/workbook.bin" in noms:
        return Genre.XLSX
    return Genre.ODS if "content.xml" in noms else Genre.ZIP
