"""Les fichiers joints à un client : reconnus à leur contenu, rangés par empreinte, retirés sans être effacés."""

from pathlib import PurePath

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from recouvrement.commun import depot
from recouvrement.commun.fichiers import TAILLE_MAX, FichierLu, identifier, nom_sur
from recouvrement.journal.services import consigner

from .models import Client, Document

PAR_CLIENT = 500
PDF, IMAGE = "PDF", "image"
# Ce que l'extension annonce ; une image peut en être une autre (les téléphones s'y trompent), jamais un PDF.
ANNONCES = {".pdf": PDF, ".png": IMAGE, ".jpg": IMAGE, ".jpeg": IMAGE}
EXTENSIONS = {"application/pdf": (".pdf",), "image/png": (".png",), "image/jpeg": (".jpg", ".jpeg")}


def ajouter_document(
    client: Client, *, octets: bytes, nom: str, titre: str = "", origine: str = Document.Origine.EQUIPE, acteur=None
) -> tuple[Document, bool]:
    """Range ce fichier chez le client : (document, vrai s'il est neuf). Le même contenu n'en fait qu'un.

    Lève ValidationError : vide, trop gros, ni PDF ni image, piégé, extension qui ment, trop de documents. Le type que
    le navigateur annonce ne compte pas.
    """
    if len(octets) > TAILLE_MAX:
        raise ValidationError(
            _("Le fichier dépasse %(max)d Mo : réduisez-le, ou découpez-le.") % {"max": TAILLE_MAX // 1024 // 1024}
        )
    lu = identifier(octets)
    nom = _nom(nom, lu)
    chemin, empreinte = depot.ranger(octets, lu.suffixe)
    gardes = Document.objects.gardes().filter(client=client)
    if deja := gardes.filter(empreinte=empreinte).first():
        return deja, False
    if gardes.count() >= PAR_CLIENT:
        raise ValidationError(_("Ce client a déjà %(n)d documents : retirez-en un.") % {"n": PAR_CLIENT})
    try:
        with transaction.atomic():
            document = Document.objects.create(
                client=client, origine=origine, nom=nom, type_mime=lu.mime, titre=titre.strip()[:160], chemin=chemin,
                empreinte=empreinte, taille=len(octets), ajoute_par=acteur,
            )  # fmt: skip
            consigner(
                "document.ajoute", societe=client.societe, acteur=acteur, objet=document, client=client,
                texte=str(document), donnees={"empreinte": empreinte, "origine": origine},
            )  # fmt: skip
    except IntegrityError:  # deux onglets : l'autre l'a rangé entre-temps
        return gardes.get(empreinte=empreinte), False
    return document, True


def _nom(nom: str, lu: FichierLu) -> str:
    """Un nom sans chemin ni caractère caché, à l'extension vraie. Lève ValidationError si elle annonce autre chose."""
    sur = nom_sur(nom, longueur=140)
    extension = PurePath(sur).suffix.lower()
    contenu = PDF if lu.mime == "application/pdf" else IMAGE
    annonce = ANNONCES.get(extension, contenu)
    if annonce != contenu:
        phrases = {
            PDF: _("Ce fichier s'appelle « %(extension)s » et contient un PDF : renommez-le, puis joignez-le."),
            IMAGE: _("Ce fichier s'appelle « %(extension)s » et contient une image : renommez-le, puis joignez-le."),
        }
        raise ValidationError(phrases[contenu] % {"extension": extension})
    if extension in EXTENSIONS[lu.mime]:
        return sur
    tige = sur[: -len(extension)] if extension in ANNONCES else sur
    return (tige or "fichier") + lu.suffixe


@transaction.atomic
def retirer_document(document: Document, *, acteur) -> bool:
    """Le document quitte la fiche, le dépôt le garde ; faux s'il l'avait déjà quittée."""
    if not Document.objects.filter(pk=document.pk, retire_le=None).update(retire_le=timezone.now()):
        return False
    consigner(
        "document.retire", societe=document.client.societe, acteur=acteur, objet=document, client=document.client_id,
        texte=str(document),
    )  # fmt: skip
    return True


@transaction.atomic
def remettre_document(document: Document, *, acteur) -> bool:
    """Défait un retrait ; faux si le même fichier a été joint de nouveau depuis."""
    if Document.objects.gardes().filter(client=document.client_id, empreinte=document.empreinte).exists():
        return False
    if not Document.objects.filter(pk=document.pk, retire_le__isnull=False).update(retire_le=None):
        return False
    consigner(
        "document.remis", societe=document.client.societe, acteur=acteur, objet=document, client=document.client_id,
        texte=str(document),
    )  # fmt: skip
    return True
