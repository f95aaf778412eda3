"""Clore un appel : l'issue choisie fait sa suite toute seule (exigence 30, décision 31)."""

from datetime import date

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from clients.models import Client, Contact
from factures.models import Echeance
from recouvrement.commun import formats
from recouvrement.journal.services import deja_consigne
from relances.domaine.appels import SUITES, Effet, Issue

from . import renvois
from .taches import consigner_appel


@transaction.atomic
def conclure_appel(
    client: Client,
    *,
    issue: Issue,
    au: date,
    acteur,
    pieces: list[Echeance] = (),
    contact: Contact | None = None,
    commentaire: str = "",
    motif: str = "",
    suite_le: date | None = None,
    cle: str = "",
) -> str:
    """Consigne l'appel et fait sa suite : facture renvoyée, paiement attendu, tâche. Rend ce qu'elle dit.

    pieces : celles dont on a parlé, pour un renvoi ou un paiement parti. La promesse et le litige s'enregistrent par
    leurs services, dans la même transaction. cle : celle du formulaire ; la rejouer n'écrit rien et rend "".
    Lève ValidationError : suite passée, « autre » sans phrase, aucune pièce pour un renvoi.
    """
    Client.objects.select_for_update(no_key=True, of=("self",)).get(pk=client.pk)
    if deja_consigne("appel.consigne", client=client, cle=cle):
        return ""
    effet, phrase, renvoi = SUITES[Issue(issue)].effet, "", None
    if effet in (Effet.RENVOI, Effet.RETENUE) and not pieces:
        raise ValidationError(_("Cochez les pièces dont vous avez parlé : ce sont elles qui attendront."))
    if effet is Effet.RENVOI:
        renvoi = renvois.renvoyer(client, list(pieces), au=au, acteur=acteur)
        phrase = renvois.dire(renvoi)
    elif effet is Effet.RETENUE:
        fin = renvois.retenir_pour_paiement(client, list(pieces), au=au, acteur=acteur)
        phrase = _("Ces pièces attendent jusqu'au %(jour)s.") % {"jour": formats.jour(fin)}
    consigner_appel(
        client, issue=issue, au=au, acteur=acteur, contact=contact, commentaire=commentaire, motif=motif,
        suite_le=suite_le, cle=cle, renvoyee=renvoi is not None,
    )  # fmt: skip
    return phrase
