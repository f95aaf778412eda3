"""Le dernier avis d'une mise en demeure restée sans effet, à relire et à signer."""

from django.contrib import messages
from django.http import HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_safe

from recouvrement.commun.horloge import aujourd_hui
from recouvrement.commun.pdf import PdfIndisponible
from recouvrement.commun.vues import rediriger
from recouvrement.comptes.droits import Droit, exige, verifier_droit
from relances.services import derniers_avis
from relances.services.etats import Refus

from .courriers import du_perimetre


@require_safe
@exige(Droit.ENVOYER)
def pdf(request, pk: int):
    """Le projet, recalculé aujourd'hui ; refusé, la fiche du courrier dit pourquoi."""
    courrier = du_perimetre(request, pk)
    verifier_droit(request.user, Droit.ENVOYER, courrier.societe_id)
    try:
        octets = derniers_avis.projet(courrier, au=aujourd_hui())
    except (Refus, PdfIndisponible) as raison:
        messages.error(request, str(raison))
        return rediriger(request, reverse("relances:courrier", args=[courrier.pk]))
    nom = f"dernier-avis-{courrier.reference}.pdf"
    return HttpResponse(
        octets, content_type="application/pdf", headers={"Content-Disposition": f'inline; filename="{nom}"'}
    )
