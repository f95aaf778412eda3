"""Prélèvement en cours : la pièce est retenue jusqu'au rejet (exigence 18).

Une pièce est tenue pour prélevée si elle est marquée « prélèvement en cours », ou si son client est réglé par
prélèvement ; dans les deux cas jusqu'à ce que son rejet soit constaté.
"""

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q
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
    prelevee = Echeance.objects.filter(pk=echeance.pk, prelevement_rejete=False)
    prelevee = prelevee.filter(Q(prelevement=True) | Q(client__prelevement=True))
    if not prelevee.update(prelevement=False, prelevement_rejete=True):
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
