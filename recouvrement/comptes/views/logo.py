"""Logo de l'en-tête des lettres : déposé, montré, retiré."""

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from recouvrement.commun import depot
from recouvrement.commun.vues import fait, rediriger

from ..droits import Droit, exige
from ..forms import LogoForm
from ..services import changer_logo
from .administration import administrees


@require_POST
@exige(Droit.ADMINISTRER)
def changer(request, pk: int):
    """Un PNG ou un JPEG ; sans fichier, le logo est retiré."""
    societe = get_object_or_404(administrees(request), pk=pk)
    form = LogoForm(request.POST, request.FILES)
    if not form.is_valid():
        messages.error(request, " ".join(form.errors["image"]))
    else:
        changer_logo(societe, form.cleaned_data["image"], acteur=request.user)
        fait(request, _("Logo enregistré : il figure sur les prochaines lettres."))
    return rediriger(request, reverse("comptes:societe", args=[pk]))


@require_safe
@exige(Droit.ADMINISTRER)
def image(request, pk: int):
    societe = get_object_or_404(administrees(request), pk=pk)
    if not societe.logo:
        raise Http404
    mime = "image/png" if societe.logo.endswith(".png") else "image/jpeg"
    return HttpResponse(depot.lire(societe.logo, societe.empreinte_logo), content_type=mime)
