"""Défaire « Ne pas appeler » : un POST."""

from django.contrib import messages
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from recouvrement.commun.horloge import aujourd_hui
from recouvrement.commun.vues import fait, rediriger
from recouvrement.comptes.droits import Droit, exige, verifier_droit
from relances.services import sans_appel

from .fiche import client_visible


@require_POST
@exige(Droit.AGIR)
def permettre(request, pk: int):
    client = client_visible(request, pk)
    verifier_droit(request.user, Droit.AGIR, client.societe_id)
    if sans_appel.permettre_les_appels(client, au=aujourd_hui(), acteur=request.user):
        fait(request, _("Ce client se rappelle de nouveau."))
    else:
        messages.info(request, _("Les appels étaient déjà permis."))
    return rediriger(request, reverse("clients:fiche", args=[pk]))
