"""Rejet d'un prélèvement : la pièce redevient relançable."""

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from factures.models import Echeance
from factures.services import rejeter_prelevement
from recouvrement.commun.vues import fait, rediriger
from recouvrement.comptes.droits import Droit, exige, verifier_droit


class RejetForm(forms.Form):
    motif = forms.CharField(max_length=120)


@require_POST
@exige(Droit.AGIR)
def rejeter(request, pk: int):
    visibles = Echeance.objects.visibles_pour(request.user).select_related("societe", "facture")
    echeance = get_object_or_404(visibles, pk=pk)
    verifier_droit(request.user, Droit.AGIR, echeance.societe_id)
    form = RejetForm(request.POST)
    try:
        motif = form.cleaned_data["motif"] if form.is_valid() else ""
        if rejeter_prelevement(echeance, motif=motif, acteur=request.user):
            fait(request, _("Rejet enregistré : la pièce rentre dans l'échelle à la prochaine nuit."))
        else:
            messages.info(request, _("Aucun prélèvement n'était en cours sur cette pièce."))
    except ValidationError as refus:
        messages.error(request, " ".join(refus.messages))
    return rediriger(request, reverse("factures:fiche", args=[echeance.facture_id]))
