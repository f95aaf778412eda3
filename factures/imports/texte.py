"""Du fichier déposé au texte lisible : taille, binaire, encodage, fins de ligne, séparateur.

Rien n'est chargé en entier : un premier passage par blocs mesure et reconnaît, le second décode en flux.
"""

import codecs
import hashlib
import io
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

TAILLE_MAX = 500 * 1024 * 1024  # octets
UTF16_MAX = 50 * 1024 * 1024
TRANCHE = 64 * 1024  # une tranche sans fin de ligne trahit une ligne démesurée (d'ordinaire : cent à cinq cents octets)
BLOC = 16 * TRANCHE
EXTRAITS_MAX = 200_000  # suites d'octets accentués relevées pour reconnaître l'encodage

# Signatures de ce qui n'est pas du texte : on dit ce que c'est plutôt que « illisible ».
SIGNATURES = (
    (b"PK\x03\x04", "un classeur ou une archive (XLSX, ODS, ZIP)"),
    (b"\xd0\xcf\x11\xe0", "un ancien classeur Excel (XLS)"),
    (b"%PDF", "un PDF"),
    (b"\x1f\x8b", "une archive GZIP"),
    (b"Rar!", "une archive RAR"),
    (b"7z\xbc\xaf", "une archive 7-Zip"),
    (b"\x89PNG", "une image"),
    (b"\xff\xd8\xff", "une image"),
    (b"GIF8", "une image"),
)
JOURNALCODE_EBCDIC = "JournalCode".encode("cp500")

_HAUTS = re.compile(rb"[\x00-\x7f]?[\x80-\xff]+[\x00-\x7f]?")
_COMMANDES = bytes(set(range(32)) - set(b"\t\n\r\x0c\x1a")) + b"\x7f"


class FichierRefuse(Exception):
    """Le fichier entier est refusé, rien n'est écrit ; le message dit quoi faire.

    `rejets` : lignes fautives quand elles sont connues (FEC déséquilibré, par exemple).
    """

    def __init__(self, message: str, rejets=()):
        super().__init__(message)
        self.rejets = list(rejets)


@dataclass(frozen=True, slots=True)
class Texte:
    """Un fichier texte reconnu, relisible à volonté en flux."""

    nom: str
    source: Path | bytes
    taille: int  # octets
    empreinte: str  # SHA-256, hexadécimal
    encodage: str
    suivi: Callable[[int], None] | None = None  # appelé avec le nombre d'octets lus

    def ouvrir(self) -> io.TextIOWrapper:
        """Flux décodé ; CR, LF et CRLF mêlés deviennent une seule fin de ligne."""
        if isinstance(self.source, bytes):
            brut = io.BytesIO(self.source)
        else:
            brut = io.BufferedReader(_Suivi(self.source, self.suivi), BLOC)
        return io.TextIOWrapper(brut, encoding=self.encodage, errors="strict", newline=None)

    def lignes(self) -> Iterator[str]:
        """Lignes sans leur fin. Lève FichierRefuse si le fichier a changé ou ne se décode plus."""
        try:
            with self.ouvrir() as flux:
                for ligne in flux:
                    yield ligne.rstrip("\n")
        except (UnicodeDecodeError, UnicodeError) as erreur:
            raise FichierRefuse(
                f"Le fichier n'est pas du texte {self.encodage} d'un bout à l'autre : exportez-le de nouveau en UTF-8."
            ) from erreur

    def debut(self, caracteres: int = 8192) -> str:
        try:
            with self.ouvrir() as flux:
                return flux.read(caracteres)
        except (UnicodeDecodeError, UnicodeError) as erreur:
            raise FichierRefuse(
                f"Le fichier n'est pas du texte {self.encodage} : exportez-le de nouveau en UTF-8."
            ) from erreur


class _Suivi(io.FileIO):
    """Fichier qui dit où il en est, bloc par bloc."""

    def __init__(self, chemin: Path, suivi: Callable[[int], None] | None):
        super().__init__(chemin)
        self.suivi = suivi
        self.lus = 0

    def readinto(self, tampon) -> int:
        lus = super().readinto(tampon)
        self.lus += lus or 0
        if self.suivi:
            self.suivi(self.lus)
        return lus


def examiner(source: Path | str | bytes, nom: str = "", *, taille_max: int = TAILLE_MAX) -> Texte:
    """Reconnaît un fichier texte. Lève FichierRefuse : vide, trop gros, binaire, ligne sans fin, encodage inconnu."""
    if not isinstance(source, bytes):
        source = Path(source)
        nom = nom or source.name
    examen = _Examen(taille_max)
    try:
        with io.BytesIO(source) if isinstance(source, bytes) else open(source, "rb") as flux:
            while bloc := flux.read(BLOC):
                examen.ajouter(bloc)
    except OSError as erreur:
        raise FichierRefuse(f"Le fichier « {nom} » ne s'ouvre pas : {erreur.strerror or erreur}.") from erreur
    return Texte(nom, source, examen.taille, examen.empreinte.hexdigest(), examen.encodage())


class _Examen:
    """Accumule, bloc par bloc, ce qui suffit à décider ; mémoire bornée."""

    def __init__(self, taille_max: int):
        self.taille_max = taille_max
        self.taille = 0
        self.commandes = 0
        self.empreinte = hashlib.sha256()
        self.debut = b""
        self.fin = b""
        self.utf8 = None  # décodeur incrémental ; False dès qu'un octet le dément
        self.multioctets = False
        self.utf16 = ""
        self.extraits: Counter[bytes] = Counter()
        self.releves = 0

    def ajouter(self, bloc: bytes) -> None:
        if not self.taille:
            self._commencer(bloc)
        self.taille += len(bloc)
        if self.taille > self.taille_max:
            raise FichierRefuse(
                f"Le fichier dépasse {self.taille_max // 1024 // 1024} Mo : découpez l'export par exercice ou par mois."
            )
        self.empreinte.update(bloc)
        if self.utf16:
            if self.taille > UTF16_MAX:  # ses lignes ne se mesurent pas en octets : on borne le tout
                raise FichierRefuse("Un fichier UTF-16 de cette taille n'est pas lu : exportez-le en UTF-8.")
            return
        if b"\x00" in bloc:
            raise FichierRefuse("Le fichier contient des octets nuls : il est binaire ou abîmé. Refaites l'export.")
        for debut in range(0, len(bloc) - TRANCHE + 1, TRANCHE):
            if bloc.find(b"\n", debut, debut + TRANCHE) < 0 and bloc.find(b"\r", debut, debut + TRANCHE) < 0:
                raise FichierRefuse(
                    f"Une ligne dépasse {TRANCHE} octets : ce n'est pas un grand livre, ou ses fins de ligne manquent."
                )
        self.commandes += len(bloc) - len(bloc.translate(None, _COMMANDES))
        self.fin = bloc[-4:]
        if self.utf8:
            try:
                self.multioctets = self.multioctets or not self.utf8.decode(bloc).isascii()
            except UnicodeDecodeError:
                self.utf8 = False
        if self.utf8 is False and self.releves < EXTRAITS_MAX:
            extraits = _HAUTS.findall(bloc)
            self.releves += len(extraits)
            self.extraits.update(extraits)

    def _commencer(self, bloc: bytes) -> None:
        self.debut = bloc[:512]
        for signature, quoi in SIGNATURES:
            if bloc.startswith(signature):
                raise FichierRefuse(f"Ce fichier est {quoi}, pas du texte : enregistrez-le en CSV ou exportez le FEC.")
        if bloc.startswith((codecs.BOM_UTF32_BE, codecs.BOM_UTF32_LE)):
            raise FichierRefuse("Le fichier est en UTF-32 : exportez-le de nouveau en UTF-8.")
        if bloc.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            self.utf16 = "utf-16"
        if JOURNALCODE_EBCDIC in bloc[:64]:
            raise FichierRefuse("Le FEC est codé en EBCDIC : demandez un export en ISO 8859-15 ou en UTF-8.")
        self.utf8 = codecs.getincrementaldecoder("utf-8")()

    def encodage(self) -> str:
        if not self.taille:
            raise FichierRefuse("Le fichier est vide : refaites l'export.")
        if self.utf16:
            return self.utf16
        if self.commandes > max(8, self.taille // 200):
            raise FichierRefuse("Le fichier est binaire : attendu, un CSV ou un FEC en texte.")
        if self.utf8:
            try:
                self.utf8.decode(b"", final=True)
                return "utf-8-sig" if self.debut.startswith(b"\xef\xbb\xbf") else "utf-8"
            except UnicodeDecodeError as erreur:
                if self.multioctets:
                    raise FichierRefuse("Le fichier est coupé au milieu d'un caractère : il est tronqué.") from erreur
                self.extraits.update(_HAUTS.findall(self.fin))
        if self.debut.startswith(b"\xef\xbb\xbf"):
            raise FichierRefuse("Le fichier s'annonce en UTF-8 et ne l'est pas jusqu'au bout : il est tronqué ou mêlé.")
        return encodage_8_bits(self.extraits)


# --- Encodages à un octet --------------------------------------------------------------------
# Tous décodent n'importe quoi : on départage par la vraisemblance du français obtenu.

CANDIDATS = ("iso8859-15", "cp1252", "cp850")
_FRANCAIS = set("éèêëàâçîïôùûœŒÉÈÊÀÇ")
_VOISINES = set("áäãåíìñóòöõúüßøýæÁÂÄÅÍÎÏËÑÓÔÖÚÙÛÜØÿšŠžŽŸðþÐÞÃÕÆÝÌÒ")
_ENTRE_MOTS = set("«»–—…“”„•\xa0")


def encodage_8_bits(extraits: dict[bytes, int]) -> str:
    """Encodage le plus vraisemblable de suites d'octets hauts, chacune avec ses voisins immédiats."""
    notes = {candidat: _vraisemblance(extraits, candidat) for candidat in CANDIDATS}
    meilleur = max(CANDIDATS, key=notes.__getitem__)
    if extraits and notes[meilleur] < -sum(extraits.values()):
        raise FichierRefuse(
            "L'encodage du fichier n'est pas reconnu : exportez-le de nouveau en UTF-8, ISO 8859-15 ou Windows 1252."
        )
    return meilleur


def _vraisemblance(extraits: dict[bytes, int], candidat: str) -> int:
    note = 0
    for octets, fois in extraits.items():
        try:
            texte = octets.decode(candidat)
        except UnicodeDecodeError:
            note -= 10 * fois
            continue
        note += fois * sum(
            _note(texte[i - 1] if i else " ", c, texte[i + 1] if i + 1 < len(texte) else " ")
            for i, c in enumerate(texte)
            if c > "\x7f"
        )
    return note


def _note(avant: str, c: str, apres: str) -> int:
    """Vraisemblance d'un caractère entre ses voisins : « n° 12 » plaide pour CP850, « Sørensen » contre."""
    en_mot = avant.isalpha() or apres.isalpha()
    # Une casse qui change au milieu d'un mot n'est pas du français : « CREATø » est « CREAT° » mal lu.
    casse = (c.isupper() and avant.islower()) or (c.islower() and avant.isupper() and not apres.islower())
    if c in _FRANCAIS:
        return -1 if casse else 3 if en_mot else 1
    if c == "°":
        return 3 if avant.isalnum() and not apres.isalpha() else -1
    if c == "€":
        return 3 if not en_mot else -1
    if c in "’‘":
        return 2 if avant.isalpha() and apres.isalpha() else 0
    if c in _VOISINES:
        return -1 if casse or not en_mot else 1
    if c in _ENTRE_MOTS:
        return 1 if not (avant.isalpha() and apres.isalpha()) else -2
    if "\x80" <= c <= "\x9f" or "─" <= c <= "▟":
        return -5
    return -2


# --- Séparateur et en-tête -------------------------------------------------------------------

SEPARATEURS = (";", "\t", ",", "|")


def separateur(entete: str) -> str:
    """Séparateur le plus fréquent de l'en-tête, hors guillemets ; « ; » s'il n'y en a aucun."""
    hors_guillemets = re.sub(r'"[^"]*"', "", entete)
    return max(SEPARATEURS, key=hors_guillemets.count)


def nettoyer(valeur: str) -> str:
    """Blancs de bord retirés, blancs intérieurs réduits à un, caractères de commande ôtés."""
    if not valeur.isprintable():  # l'espace insécable n'est pas « imprimable » : split() le retire plus bas
        valeur = "".join(c for c in valeur if c.isprintable() or c.isspace())
    return " ".join(valeur.split())
