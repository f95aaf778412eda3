"""Lever un frein pour une nuit, l'approuver à deux, y renoncer : trois POST, le service décide."""

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from clients.models import Client
from factures.models import Echeance
from recouvrement.commun import formats
from recouvrement.commun.horloge import aujourd_hui
from recouvrement.commun.vues import fait, rediriger
from recouvrement.comptes.droits import Droit, exige, verifier_droit
from relances.models import LeveeDeFrein
from relances.services import levees
from relances.services.faits import ouvreur


class LeverForm(forms.Form):
    frein = forms.CharField(max_length=30)
    motif = forms.CharField(max_length=200)


class RetourForm(forms.Form):
    retour = forms.ChoiceField(choices=[("fiche", ""), ("journee", "")], required=False)


def _retour(request, client: Client):
    form = RetourForm(request.POST)
    if form.is_valid() and form.cleaned_data["retour"] == "journee":
        return rediriger(request, reverse("pilotage:ma_journee"))
    return rediriger(request, f"{reverse('clients:fiche', args=[client.pk])}?o=pourquoi")


@require_POST
@exige(Droit.LEVER_FREIN)
def lever(request, pk: int, echeance: int):
    """Pour le prochain passage : ce soir, ou le jour ouvré suivant."""
    visibles = Echeance.objects.visibles_pour(request.user).select_related("societe", "client")
    piece = get_object_or_404(visibles, pk=echeance, client=pk)
    verifier_droit(request.user, Droit.LEVER_FREIN, piece.societe_id)
    form, au = LeverForm(request.POST), aujourd_hui()
    if not form.is_valid():
        messages.error(request, _("Dites pourquoi : la raison reste au dossier de la pièce."))
        return _retour(request, piece.client)
    try:
        levee = levees.lever(piece, **form.cleaned_data, pour_le=ouvreur(piece.societe)(au), par=request.user, au=au)
    except ValidationError as refus:
        messages.error(request, " ".join(refus.messages))
    else:
        annuler = reverse("clients:levee_annuler", args=[pk, levee.pk])
        if levee.a_deux and not levee.approuvee_le:
            fait(request, _("Demandé : une seconde personne doit approuver avant le passage."), annuler=annuler)
        else:
            texte = _("Frein levé pour le passage du %(jour)s.") % {"jour": formats.jour_long(levee.pour_le)}
            fait(request, texte, annuler=annuler)
    return _retour(request, piece.client)


def _levee(request, pk: int, levee: int) -> LeveeDeFrein:
    visibles = LeveeDeFrein.objects.visibles_pour(request.user).select_related("echeance__client")
    trouvee = get_object_or_404(visibles, pk=levee, echeance__client=pk)
    verifier_droit(request.user, Droit.LEVER_FREIN, trouvee.echeance.societe_id)
    return trouvee


@require_POST
@exige(Droit.LEVER_FREIN)
def approuver(request, pk: int, levee: int):
    demandee = _levee(request, pk, levee)
    try:
        if levees.approuver(demandee, par=request.user, au=aujourd_hui()):
            fait(request, _("Approuvé : le frein est levé pour ce passage."))
        else:
            messages.info(request, _("Cette levée n'attendait plus personne."))
    except ValidationError as refus:
        messages.error(request, " ".join(refus.messages))
    return _retour(request, demandee.echeance.client)


@require_POST
@exige(Droit.LEVER_FREIN)
def annuler(request, pk: int, levee: int):
    demandee = _levee(request, pk, levee)
    if levees.annuler(demandee, par=request.user):
        fait(request, _("Levée annulée : le frein retient de nouveau."))
    return _retour(request, demandee.echeance.client)
