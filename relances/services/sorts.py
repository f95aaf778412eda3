"""Un message hors de l'échelle resté en route : en erreur, corrigé et remis ; les sorts inconnus sont à `messages`."""

from datetime import timedelta

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from clients.models import Client, Contact
from recouvrement.journal.services import consigner
from relances.models import Message

from .messages import DELAI_ANNULATION

S = Message.Statut
A_VOIR = (S.INCERTAIN, S.EN_ERREUR)


@transaction.atomic
def remettre_message(message: Message, *, destinataire: str, acteur) -> bool:
    """Remet à envoyer un message en erreur, à l'adresse dite ; faux s'il n'est plus en erreur.

    Lève ValidationError : un code de signature (il a expiré, le client en redemande un), une adresse en erreur.
    """
    if message.genre == Message.Genre.CODE:
        raise ValidationError(_("Un code de signature expire : le client en demande un autre sur sa page."))
    if _en_erreur(message.client, destinataire):
        raise ValidationError({"destinataire": _("Cette adresse est en erreur : corrigez-la, ou choisissez-en une.")})
    partant = timezone.now() + DELAI_ANNULATION
    remis = Message.objects.filter(pk=message.pk, statut=S.EN_ERREUR).update(
        statut=S.A_ENVOYER, destinataire=destinataire, erreur="", message_id="", reponse="", envoye_le=None,
        tentatives=0, pas_avant=partant, updated_at=timezone.now(),
    )  # fmt: skip
    if not remis:
        return False
    consigner(
        "message.remis", societe=message.societe, acteur=acteur, objet=message, client=message.client_id,
        texte=_("Remis à envoyer à %(adresse)s : %(objet)s") % {"adresse": destinataire, "objet": message.objet},
        donnees={"destinataire": destinataire, "avant": message.destinataire},
    )  # fmt: skip
    transaction.on_commit(lambda: _reveiller(message.pk, DELAI_ANNULATION))
    return True


def _reveiller(message_id: int, delai: timedelta) -> None:
    from .messages import _reveiller as reveiller

    reveiller(message_id, delai)


def _en_erreur(client: Client, adresse: str) -> bool:
    if Client.objects.filter(pk=client.pk, courriel__iexact=adresse, courriel_invalide_le__isnull=False).exists():
        return True
    return Contact.objects.filter(client=client, courriel__iexact=adresse, invalide_le__isnull=False).exists()


@transaction.atomic
def abandonner_message(message: Message, *, acteur) -> bool:
    """Le message ne partira pas : une autre voie a été prise. Faux s'il n'est plus en erreur."""
    if not Message.objects.filter(pk=message.pk, statut=S.EN_ERREUR).update(statut=S.ANNULE):
        return False
    consigner(
        "message.annule", societe=message.societe, acteur=acteur, objet=message, client=message.client_id,
        texte=message.objet,
    )  # fmt: skip
    return True
