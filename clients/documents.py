"""Les fichiers joints à un client : reconnus à leur contenu, rangés par empreinte, retirés sans être effacés."""

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from recouvrement.commun import depot
from recouvrement.commun.fichiers import identifier, nom_sur
from recouvrement.journal.services import consigner

from .models import Client, Document

TAILLE_MAX = 15 * 1024 * 1024  # octets
PAR_CLIENT = 500


def ajouter_document(
    client: Client, *, octets: bytes, nom: str, titre: str = "", origine: str = Document.Origine.EQUIPE, acteur=None
) -> tuple[Document, bool]:
    """Range ce fichier chez le client : (document, vrai s'il est neuf). Le même contenu n'en fait qu'un.

    Lève ValidationError : vide, trop gros, ni PDF ni image, piégé, trop de documents. Le type annoncé ne compte pas.
    """
    if len(octets) > TAILLE_MAX:
        raise ValidationError(_("Le fichier dépasse %(max)d Mo.") % {"max": TAILLE_MAX // 1024 // 1024})
    lu = identifier(octets)
    chemin, empreinte = depot.ranger(octets, lu.suffixe)
    gardes = Document.objects.gardes().filter(client=client)
    if deja := gardes.filter(empreinte=empreinte).first():
        return deja, False
    if gardes.count() >= PAR_CLIENT:
        raise ValidationError(_("Ce client a déjà %(n)d documents : retirez-en un.") % {"n": PAR_CLIENT})
    try:
        with transaction.atomic():
            document = Document.objects.create(
                client=client, origine=origine, nom=nom_sur(nom, longueur=150) or f"document{lu.suffixe}",
                type_mime=lu.mime, titre=titre.strip()[:160], chemin=chemin, empreinte=empreinte, taille=len(octets),
                ajoute_par=acteur,
            )  # fmt: skip
            consigner(
                "document.ajoute", societe=client.societe, acteur=acteur, objet=document, client=client,
                texte=str(document), donnees={"empreinte": empreinte, "origine": origine},
            )  # fmt: skip
    except IntegrityError:  # deux onglets : l'autre l'a rangé entre-temps
        return gardes.get(empreinte=empreinte), False
    return document, True


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
