"""Le fil d'un litige : ce qui s'est dit, dans l'ordre ; un échange ne se réécrit pas (exigence 33)."""

from datetime import date

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from clients.models import Client, Document
from recouvrement.journal.services import consigner, deja_consigne

from ..models import EchangeLitige, Litige


@transaction.atomic
def noter_echange(
    litige: Litige,
    *,
    sens: str,
    le: date,
    texte: str,
    au: date,
    acteur,
    document: Document | None = None,
    cle: str = "",
) -> EchangeLitige | None:
    """Ajoute au fil ce qui fut reçu, envoyé, ou noté entre soi. cle : la rejouer n'écrit rien et rend None.

    Lève ValidationError : texte vide, jour à venir, document d'un autre client.
    """
    texte = texte.strip()
    client = litige.echeance.client_id
    if not texte:
        raise ValidationError({"texte": _("Écrivez ce qui s'est dit.")})
    if le > au:
        raise ValidationError({"le": _("Un échange ne se date pas à venir.")})
    if document is not None and document.client_id != client:
        raise ValidationError({"document": _("Ce document est celui d'un autre client.")})
    verrou = Client.objects.select_for_update(no_key=True, of=("self",)).select_related("societe").get(pk=client)
    if deja_consigne("litige.echange", client=verrou, cle=cle):
        return None
    echange = EchangeLitige.objects.create(
        litige=litige, sens=sens, le=le, texte=texte[:4000], document=document, auteur=acteur
    )
    consigner(
        "litige.echange", societe=verrou.societe, acteur=acteur, objet=echange, client=client,
        texte=f"{litige.echeance.facture} : {texte[:200]}",
        donnees={"litige": litige.pk, "sens": sens, **({"cle": cle} if cle else {})},
    )  # fmt: skip
    return echange
