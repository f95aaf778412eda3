"""Expédier un SMS hors de l'échelle. Provisoire : le fournisseur se branche ici."""

from relances.models import Message


def expedier_message_sms(message: Message, *, poser) -> str:
    """Aucun fournisseur : en erreur, dit tel quel."""
    return poser(message, Message.Statut.EN_ERREUR, erreur="aucun fournisseur de SMS n'est réglé")
