"""Copies des factures : déposer, par facture ou par nom de fichier, télécharger, retirer."""

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from clients.models import Client
from factures.models import CopieFacture, Facture
from factures.services import copies
from recouvrement.commun import depot
from recouvrement.commun.vues import fait, rediriger
from recouvrement.comptes.droits import Droit, exige, peut, verifier_droit
from relances.services import copies as copies_jointes

A_LA_FOIS = 20


class FichiersInput(forms.ClearableFileInput):
    allow_multiple_selected = True


class FichiersField(forms.FileField):
    """Un ou plusieurs fichiers, vingt au plus ; leur contenu est jugé par le service."""

    widget = FichiersInput(attrs={"accept": "application/pdf,.pdf", "multiple": True})

    def clean(self, data, initial=None):
        fichiers = data if isinstance(data, (list, tuple)) else [data]
        lus = [super(FichiersField, self).clean(fichier, initial) for fichier in fichiers or [None]]
        if len(lus) > A_LA_FOIS:
            raise ValidationError(_("%(max)d fichiers au plus à la fois.") % {"max": A_LA_FOIS})
        return lus


class CopiesForm(forms.Form):
    fichiers = FichiersField(
        label=gettext_lazy("Fichiers PDF"), help_text=gettext_lazy("PDF, 10 Mo chacun, vingt à la fois au plus.")
    )


def _lire(fichier) -> bytes:
    """Octets reçus, un de trop au plus : le service refuse ce qui dépasse sans le tenir en mémoire."""
    return fichier.read(copies.TAILLE_MAX + 1)


def _dire_les_refus(request, refus: list[str]) -> None:
    for phrase in refus:
        messages.error(request, phrase)


@require_POST
@exige(Droit.AGIR)
def deposer(request, pk: int):
    """Un ou plusieurs PDF de cette facture."""
    facture = get_object_or_404(Facture.objects.visibles_pour(request.user).select_related("societe"), pk=pk)
    verifier_droit(request.user, Droit.AGIR, facture.societe_id)
    retour = f"{reverse('factures:fiche', args=[pk])}#copies"
    form = CopiesForm(request.POST, request.FILES)
    if not form.is_valid():
        _dire_les_refus(request, [e for liste in form.errors.values() for e in liste])
        return rediriger(request, retour)
    neuves, refus = 0, []
    for fichier in form.cleaned_data["fichiers"]:
        try:
            _copie, neuve = copies.deposer(facture, octets=_lire(fichier), nom=fichier.name, acteur=request.user)
            neuves += neuve
        except ValidationError as erreur:
            refus.append(f"{fichier.name} : {' '.join(erreur.messages)}")
    if neuves:
        fait(request, ngettext("%(n)d copie déposée.", "%(n)d copies déposées.", neuves) % {"n": neuves})
    elif not refus:
        messages.info(request, _("Ce PDF était déjà là."))
    _dire_les_refus(request, refus)
    return rediriger(request, retour)


def _copie(request, pk: int) -> CopieFacture:
    visibles = CopieFacture.objects.visibles_pour(request.user).select_related("facture__societe")
    return get_object_or_404(visibles, pk=pk)


@require_safe
@exige(Droit.VOIR)
def telecharger(request, pk: int):
    copie = _copie(request, pk)
    try:
        octets = depot.lire(copie.chemin, copie.empreinte)
    except depot.ErreurDepot:
        messages.error(request, _("Ce fichier manque au dépôt, ou ne correspond plus à son empreinte."))
        return rediriger(request, reverse("factures:fiche", args=[copie.facture_id]))
    return HttpResponse(
        octets,
        content_type="application/pdf",
        headers={"Content-Disposition": content_disposition_header(True, copie.nom)},
    )


@require_POST
@exige(Droit.AGIR)
def retirer(request, pk: int):
    copie = _copie(request, pk)
    verifier_droit(request.user, Droit.AGIR, copie.facture.societe_id)
    try:
        if copies_jointes.retirer(copie, acteur=request.user):
            fait(request, _("Copie retirée."))
    except ValidationError as refus:
        messages.error(request, " ".join(refus.messages))
    return rediriger(request, f"{reverse('factures:fiche', args=[copie.facture_id])}#copies")


@require_http_methods(["GET", "HEAD", "POST"])
@exige(Droit.AGIR)
def par_nom(request, client: int):
    """Plusieurs PDF d'un coup, rangés par le numéro que porte leur nom ; chaque sort se dit."""
    visibles = Client.objects.visibles_pour(request.user).select_related("societe")
    debiteur = get_object_or_404(visibles, pk=client)
    verifier_droit(request.user, Droit.AGIR, debiteur.societe_id)
    sorts, form = None, CopiesForm()
    if request.method == "POST":
        form = CopiesForm(request.POST, request.FILES)
        if form.is_valid():
            recus = ((fichier.name, _lire(fichier)) for fichier in form.cleaned_data["fichiers"])
            sorts = copies.deposer_par_nom(debiteur, recus, acteur=request.user)
    contexte = {"client": debiteur, "form": form, "sorts": sorts}
    return render(request, "factures/copies.html", contexte, status=422 if form.errors else 200)


def contexte(request, facture: Facture) -> dict:
    """Ce que la fiche de la facture montre de ses copies : deux requêtes."""
    jointes = copies_jointes.jointes_a(facture)
    lignes = [(c, jointes.get(c.empreinte, "")) for c in facture.copies.select_related("ajoutee_par")]
    return {
        "copies": lignes,
        "copies_form": CopiesForm() if peut(request.user, Droit.AGIR, facture.societe_id) else None,
    }
