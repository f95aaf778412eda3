"""Gestes de la fiche : un POST, un service, un retour sur la fiche."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from clients import services
from clients.forms import CourrielForm, RetourForm
from factures.models import Avoir, Encaissement, Exclusion
from factures.services import desimputer, exclusions
from recouvrement.commun.horloge import aujourd_hui
from recouvrement.commun.vues import fait, rediriger, rendre
from recouvrement.comptes.droits import Droit, exige, verifier_droit
from relances.models import Message
from relances.services import confirmations, renvois

from .fiche import client_visible, rendre_fiche, volet_demande
from .volets import Fiche, reporter


def _fiche(request, pk: int) -> Fiche:
    client = client_visible(request, pk)
    verifier_droit(request.user, Droit.AGIR, client.societe_id)
    return Fiche(client, au=aujourd_hui(), user=request.user)


def _retour(request, f: Fiche, **params):
    """Vers la fiche, ou vers le client suivant quand on les enchaîne depuis Ma journée."""
    if request.GET.get("suite") == "journee":
        return rediriger(request, f"{reverse('pilotage:suivant')}?{urlencode({'apres': f.client.pk})}")
    url = reverse("clients:fiche", args=[f.client.pk])
    return rediriger(request, f"{url}?{urlencode(params)}" if params else url)


@require_POST
@exige(Droit.AGIR)
def geste(request, pk: int, volet: str):
    """Enregistre un volet ; refusé, il revient avec sa saisie et ses erreurs (422)."""
    f = _fiche(request, pk)
    v = volet_demande(f, volet, request.GET)
    v.fichiers = request.FILES
    form = v.formulaire(request.POST)
    conflit = None
    if form.is_valid():
        try:
            issue = v.enregistrer(form)
        except ValidationError as erreur:
            reporter(form, erreur)
        except services.ConflitEdition as perime:
            conflit = perime
            # La personne a lu le bandeau : enregistrer de nouveau écrira en connaissance de cause.
            form.data = form.data.copy()
            form.data["version"] = perime.version
            f.client.refresh_from_db()
        else:
            fait(request, issue.texte, annuler=issue.annuler)
            return rediriger(request, issue.vers) if issue.vers else _retour(request, f)
    return rendre_fiche(request, f, volet=v, form=form, status=422, conflit=conflit)


@require_safe
@exige(Droit.AGIR)
def effet(request, pk: int, volet: str):
    """« Ce que cela fera », d'après la saisie en cours ; n'écrit rien."""
    f = _fiche(request, pk)
    v = volet_demande(f, volet, request.GET)
    form = v.formulaire(request.GET)
    return rendre(request, "clients/_effets.html", "clients/_effets.html", {"effets": v.effets(form), "volet": v})


@require_POST
@exige(Droit.AGIR)
def lever(request, pk: int, suspension: int):
    f = _fiche(request, pk)
    en_cours = get_object_or_404(f.client.suspensions, pk=suspension)
    if services.lever_suspension(en_cours, acteur=request.user):
        fait(request, _("Suspension levée : les relances reprennent au prochain passage."))
    return _retour(request, f)


@require_POST
@exige(Droit.AGIR)
def reintegrer(request, pk: int, exclusion: int):
    """La pièce exclue rentre tout de suite dans l'échelle."""
    f = _fiche(request, pk)
    en_cours = get_object_or_404(Exclusion.objects.select_related("echeance"), pk=exclusion, echeance__client=f.client)
    if exclusions.reintegrer(en_cours, acteur=request.user):
        fait(request, _("Pièce réintégrée : elle suit l'échelle dès le prochain passage."))
    else:
        messages.info(request, _("Cette pièce était déjà réintégrée."))
    form = RetourForm(request.POST)
    if form.is_valid() and form.cleaned_data["retour"] == "facture":
        return rediriger(request, reverse("factures:fiche", args=[en_cours.echeance.facture_id]))
    return _retour(request, f)


@require_POST
@exige(Droit.AGIR)
def promesse_annuler(request, pk: int, promesse: int):
    f = _fiche(request, pk)
    notee = get_object_or_404(f.client.promesses, pk=promesse)
    annulee, confirmation = confirmations.defaire_promesse(notee, au=f.au, acteur=request.user)
    if annulee and confirmation == "partie":
        messages.warning(request, _("Promesse annulée. Sa confirmation était déjà partie : écrivez au client."))
    elif annulee and confirmation:
        fait(request, _("Promesse annulée, sa confirmation aussi."))
    elif annulee:
        fait(request, _("Promesse annulée."))
    else:
        messages.info(request, _("Cette promesse était déjà conclue ou annulée."))
    return _retour(request, f)


@require_POST
@exige(Droit.AGIR)
def renvoi_annuler(request, pk: int, message: int):
    """Le renvoi d'une facture, avant qu'il parte : le courriel et le délai qu'il donnait."""
    f = _fiche(request, pk)
    ecrit = get_object_or_404(f.client.messages.filter(genre=Message.Genre.FACTURE), pk=message)
    defait, parti = renvois.defaire_renvoi(ecrit, acteur=request.user)
    if defait:
        fait(request, _("Renvoi annulé : les pièces reprennent leur place."))
    elif parti:
        messages.info(request, _("La facture est déjà partie, ou son renvoi était déjà annulé."))
    return _retour(request, f)


@require_POST
@exige(Droit.AGIR)
def desaffecter(request, pk: int, genre: str, source: int, cle: str):
    """Défait l'affectation posée par un formulaire, reconnue à sa clé."""
    f = _fiche(request, pk)
    modeles = {"encaissement": Encaissement, "avoir": Avoir}
    if genre not in modeles:
        raise Http404
    objet = get_object_or_404(modeles[genre], pk=source, client=f.client)
    if desimputer(objet, au=aujourd_hui(), cle=cle, acteur=request.user):
        fait(request, _("Affectation défaite."))
    return _retour(request, f)


@require_POST
@exige(Droit.AGIR)
def adresse(request, pk: int):
    """L'adresse en erreur a été vérifiée : elle sert de nouveau."""
    f = _fiche(request, pk)
    form = CourrielForm(request.POST)
    if form.is_valid() and services.rehabiliter_adresse(
        f.client, courriel=form.cleaned_data["courriel"], acteur=request.user
    ):
        fait(request, _("Adresse rétablie."))
    return _retour(request, f, o="contacts")
