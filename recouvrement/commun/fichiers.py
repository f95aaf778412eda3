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

TAILLE_MAX = 15 * 1024 * 1024  # octets ; un scan de cinquante pages en 200 points par pouce y tient
PAGES_MAX = 2000
PIXELS_MAX = 60_000_000  # une page A3 à 400 points par pouce en fait trente
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
    from pypdf.errors import PyPdfError

    logging.getLogger("pypdf").setLevel(logging.ERROR)
    try:
        lecteur = PdfReader(BytesIO(octets))
        if lecteur.is_encrypted:
            raise ValidationError(_("Ce PDF est protégé par un mot de passe : joignez-en une copie lisible."))
        pages = len(lecteur.pages)
        racine = lecteur.trailer["/Root"].get_object()
        piege = _a_une_action(racine)
    except ValidationError:
        raise
    except (PyPdfError, ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError) as erreur:
        raise ValidationError(_("Ce PDF est abîmé ou incomplet : il ne s'ouvre pas.")) from erreur
    if piege:
        raise ValidationError(_("Ce PDF contient un programme ou un fichier caché : imprimez-le en PDF simple."))
    if not 1 <= pages <= PAGES_MAX:
        raise ValidationError(_("Ce PDF n'a pas de page, ou en a trop."))
    return FichierLu("application/pdf", ".pdf", pages)


def _a_une_action(racine) -> bool:
    """Script, lancement de programme ou fichier embarqué déclarés à la racine du document."""
    noms = racine.get("/Names")
    noms = noms.get_object() if noms is not None else {}
    ouverture = racine.get("/OpenAction")
    ouverture = ouverture.get_object() if ouverture is not None else None
    actif = isinstance(ouverture, dict) and ouverture.get("/S") in ("/JavaScript", "/Launch")
    return actif or "/JavaScript" in noms or "/EmbeddedFiles" in noms or "/AA" in racine


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
