"""Le XML d'un PDF Factur-X ou ZUGFeRD : la pièce jointe de ce nom, une seule, et ce que le PDF cache d'autre."""

import logging
from dataclasses import dataclass
from io import BytesIO

from django.core.exceptions import ValidationError
from pypdf import PdfReader
from pypdf.generic import DictionaryObject, NameObject

from recouvrement.commun.fichiers import PAGES_MAX, agit
from recouvrement.commun.fichiers import TAILLE_MAX as COPIE_MAX

from .efacture_xml import TAILLE_MAX
from .texte import FichierRefuse

PIECES = ("factur-x.xml", "zugferd-invoice.xml", "xrechnung.xml")
JOINTES_MAX = 200
REFAITE = "Demandez le PDF d'origine, sans l'imprimer ni l'annoter."


@dataclass(frozen=True, slots=True)
class PdfLu:
    """xml : la facture ; jointes : les autres pièces ; refus_copie : pourquoi ce PDF ne se garde pas, ou vide."""

    xml: bytes
    jointes: tuple[str, ...]
    pages: int
    refus_copie: str


def extraire(octets: bytes) -> PdfLu:
    """Lève FichierRefuse : chiffré, tronqué, sans facture électronique, ou plusieurs qui diffèrent."""
    logging.getLogger("pypdf").setLevel(logging.CRITICAL)
    try:
        lecteur = PdfReader(BytesIO(octets))
        if lecteur.is_encrypted:
            raise FichierRefuse("Ce PDF est protégé par un mot de passe : demandez-en une copie lisible.")
        candidates, jointes = _pieces(lecteur)
        pages = len(lecteur.pages)
        refus = _refus_copie(lecteur, len(octets), pages)
    except FichierRefuse:
        raise
    except Exception as erreur:  # un PDF fabriqué fait lever n'importe quoi au lecteur : un refus, jamais une panne
        raise FichierRefuse(f"Ce PDF est abîmé ou incomplet : il ne s'ouvre pas. {REFAITE}") from erreur
    if not candidates:
        detail = f" Pièces jointes : {', '.join(jointes[:10])}." if jointes else " Il n'a aucune pièce jointe."
        raise FichierRefuse(
            f"Ce PDF n'est pas une facture électronique : la pièce factur-x.xml y manque.{detail} {REFAITE}"
        )
    if len(set(candidates)) > 1:
        raise FichierRefuse(
            f"Ce PDF porte {len(candidates)} factures électroniques différentes : on ne sait laquelle est la bonne. "
            f"{REFAITE}"
        )
    return PdfLu(candidates[0], tuple(jointes), pages, refus)


def _pieces(lecteur: PdfReader) -> tuple[list[bytes], list[str]]:
    """(contenus des pièces de facture, noms des autres). Un XML de nom inconnu ne compte que si aucun n'est attendu."""
    attendues, autres, jointes = [], [], []
    for rang, piece in enumerate(lecteur.attachment_list):
        if rang >= JOINTES_MAX:
            raise FichierRefuse(f"Ce PDF a plus de {JOINTES_MAX} pièces jointes : ce n'est pas une facture.")
        nom = (piece.name or "").rpartition("/")[2][:120]
        if nom.lower() in PIECES:
            attendues.append(_contenu(piece))
        elif nom.lower().endswith(".xml"):
            autres.append((nom, piece))
        else:
            jointes.append(nom)
    if not attendues and len(autres) == 1:
        return [_contenu(autres[0][1])], jointes
    return attendues, jointes + [nom for nom, _piece in autres]


def _contenu(piece) -> bytes:
    contenu = piece.content
    if not isinstance(contenu, bytes):
        raise FichierRefuse(f"La pièce jointe {piece.name} ne se lit pas. {REFAITE}")
    if len(contenu) > TAILLE_MAX:
        raise FichierRefuse(f"La pièce {piece.name} dépasse {TAILLE_MAX // 1024 // 1024} Mo.")
    return contenu


def _refus_copie(lecteur: PdfReader, taille: int, pages: int) -> str:
    """Un PDF qui partirait au débiteur ne fait rien d'autre que se lire ; ses pièces jointes à lui sont permises."""
    if taille > COPIE_MAX:
        return f"il dépasse {COPIE_MAX // 1024 // 1024} Mo"
    if not 1 <= pages <= PAGES_MAX:
        return "il n'a pas de page, ou en a trop"
    racine = lecteur.trailer["/Root"].get_object()
    sans_pieces = DictionaryObject({cle: v for cle, v in racine.items() if cle not in ("/AF", "/Names")})
    if (noms := racine.get("/Names")) is not None:
        noms = noms.get_object()
        sans_pieces[NameObject("/Names")] = DictionaryObject(
            {cle: v for cle, v in noms.items() if cle != "/EmbeddedFiles"}
        )
    try:
        return "il contient un programme ou une action cachée" if agit(sans_pieces) else ""
    except ValidationError as erreur:
        return " ".join(erreur.messages)
