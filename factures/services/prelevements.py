"""Prélèvement en cours : la pièce est retenue jusqu'au rejet (exigence 18)."""

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from recouvrement.journal.services import consigner

from ..models import Echeance


@transaction.atomic
def rejeter_prelevement(echeance: Echeance, *, motif: str, acteur) -> bool:
    """La banque a rejeté le prélèvement : la pièce rentre dans l'échelle à la prochaine nuit.

    Faux si aucun prélèvement n'était en cours (double clic). Lève ValidationError sans motif.
    """
    if not motif.strip():
        raise ValidationError({"motif": _("Dites le motif du rejet : il reste au dossier.")})
    if not Echeance.objects.filter(pk=echeance.pk, prelevement=True).update(prelevement=False):
        return False
    consigner(
        "prelevement.rejete",
        societe=echeance.societe,
        acteur=acteur,
        objet=echeance,
        client=echeance.client_id,
        texte=_("Prélèvement rejeté sur %(piece)s : %(motif)s") % {"piece": echeance.facture.numero, "motif": motif},
    )
    return True
