"""Fichiers reçus d'une personne : reconnus à leur contenu, jamais à leur nom ni au type annoncé.

Un PDF lisible et sans action cachée, une image PNG ou JPEG de taille raisonnable ; tout le reste est refusé
avec une phrase pour l'écran.
"""

import logging
import re
import warnings
from dataclasses import dataclass
from io import BytesIO

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

log = logging.getLogger(__name__)
TAILLE_MAX = 15 * 1024 * 1024  # octets ; un scan de cinquante pages en 200 points par pouce y tient
PAGES_MAX = 2000
PIXELS_MAX = 60_000_000  # une page A3 à 400 points par pouce en fait trente
OBJETS_MAX = 400_000  # dictionnaires et listes d'un PDF : deux mille pages balisées en ont moins
ACTIONS = frozenset({"/OpenAction", "/A", "/PA", "/Next"})
PERMISES = ("/GoTo", "/URI")
ACTIFS = frozenset({"/AA", "/JavaScript", "/JS", "/EmbeddedFiles", "/EF", "/XFA"})
MEDIAS = ("/FileAttachment", "/RichMedia", "/Screen", "/Movie", "/Sound", "/3D")
_ADRESSE_LOCALE = re.compile(r"\s*(?:(?!https?:|mailto:|tel:)[a-z][a-z0-9+-]*:(?!\d)|\\\\)", re.I)
IMAGES = {"PNG": ("image/png", ".png"), "JPEG": ("image/jpeg", ".jpg")}


@dataclass(frozen=True)
class FichierLu:
    """Ce que le contenu prouve."""

    mime: str
    suffixe: str
    pages: int


def identifier(octets: bytes) -> FichierLu:
    """Reconnaît un PDF, un PNG ou un JPEG. Lève ValidationError : vide, trop gros, autre format, abîmé, piégé."""
    if not octets:
        raise ValidationError(_("Le fichier est vide."))
    if len(octets) > TAILLE_MAX:
        raise ValidationError(_("Le fichier dépasse %(max)d Mo.") % {"max": TAILLE_MAX // 1024 // 1024})
    if octets[:5] == b"%PDF-":
        return _pdf(octets)
    if octets[:8] == b"\x89PNG\r\n\x1a\n" or octets[:3] == b"\xff\xd8\xff":
        return _image(octets)
    raise ValidationError(_("Joignez un PDF, un PNG ou un JPEG : ce fichier n'en est pas un."))


def _pdf(octets: bytes) -> FichierLu:
    from pypdf import PdfReader

    logging.getLogger("pypdf").setLevel(logging.ERROR)
    try:
        lecteur = PdfReader(BytesIO(octets))
        if lecteur.is_encrypted:
            raise ValidationError(_("Ce PDF est protégé par un mot de passe : joignez-en une copie lisible."))
        pages = len(lecteur.pages)
        piege = agit(lecteur.trailer["/Root"])
    except ValidationError:
        raise
    except Exception as erreur:
        # Un fichier fabriqué fait lever n'importe quoi au lecteur : toujours un refus, jamais une panne.
        log.warning("PDF illisible : %s", erreur, exc_info=True)
        raise ValidationError(_("Ce PDF est abîmé ou incomplet : il ne s'ouvre pas.")) from erreur
    if piege:
        raise ValidationError(_("Ce PDF contient un programme ou un fichier caché : imprimez-le en PDF simple."))
    if not 1 <= pages <= PAGES_MAX:
        raise ValidationError(_("Ce PDF n'a pas de page, ou en a trop."))
    return FichierLu("application/pdf", ".pdf", pages)


def agit(racine) -> bool:
    """Le document fait-il autre chose que se lire ? Script, programme, envoi, fichier ou média, où qu'il soit.

    Parcourt tout ce que la racine atteint (pages, annotations, signets, champs, suites d'actions) : seuls un renvoi
    interne et une adresse web ou de courriel sont permis. Lève ValidationError au-delà de OBJETS_MAX.
    """
    from pypdf.generic import ArrayObject, DictionaryObject, IndirectObject

    a_lire, vus, lus = [racine], set(), 0
    while a_lire:
        objet = a_lire.pop()
        if isinstance(objet, IndirectObject):
            if objet.idnum in vus:
                continue
            vus.add(objet.idnum)
            objet = objet.get_object()
        if isinstance(objet, DictionaryObject):
            if _interdit(objet):
                return True
            suite = objet.values()
        elif isinstance(objet, ArrayObject):
            suite = objet
        else:
            continue
        lus += 1
        if lus > OBJETS_MAX:
            raise ValidationError(_("Ce PDF est trop complexe : imprimez-le en PDF simple."))
        a_lire += [x for x in suite if isinstance(x, (DictionaryObject, ArrayObject, IndirectObject))]
    return False


def _interdit(objet) -> bool:
    if objet.keys() & ACTIFS or objet.get("/Subtype") in MEDIAS:
        return True
    for nom in ACTIONS & objet.keys():
        action = objet[nom]
        # Une destination est une liste ; un attribut de structure ou un signet voisin n'a pas de type d'action.
        for une in action if isinstance(action, list) else [action]:
            une = une.get_object()
            genre = une.get("/S") if isinstance(une, dict) else None
            if genre is not None and genre not in PERMISES:
                return True
            if genre == "/URI" and _ADRESSE_LOCALE.match(str(une.get("/URI", ""))):
                return True
    return False


def _image(octets: bytes) -> FichierLu:
    from PIL import Image, UnidentifiedImageError

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            image = Image.open(BytesIO(octets), formats=list(IMAGES))
            if image.width * image.height > PIXELS_MAX:
                raise ValidationError(_("Cette image est trop grande : réduisez-la."))
            format_lu = image.format
            image.verify()
    except ValidationError:
        raise
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, Image.DecompressionBombError, Warning) as erreur:
        raise ValidationError(_("Cette image est abîmée : elle ne s'ouvre pas.")) from erreur
    mime, suffixe = IMAGES[format_lu]
    return FichierLu(mime, suffixe, 1)


def nom_sur(texte: str, suffixe: str = "", *, longueur: int = 80) -> str:
    """Nom de fichier sans chemin ni caractère spécial, pour une archive ou un téléchargement."""
    plat = re.sub(r"[^\w.,()’' -]+", " ", texte.rpartition("/")[2].rpartition("\\")[2])
    return " ".join(plat.split()).strip(". ")[:longueur] + suffixe or f"fichier{suffixe}"
