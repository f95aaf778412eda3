"""Corriger la lecture d'un FEC avant de l'appliquer : client par client, ce qui est déduit, deviné, et ce qui reste."""

from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from clients.models import Client
from factures.formulaires_corrections import ClientForm, PiecesForm, VentilationForm
from factures.imports import depots
from factures.models import Lot
from factures.tasks import apercevoir_lot
from recouvrement.commun.vues import fait, rediriger, texte
from recouvrement.comptes.droits import Droit, exige, verifier_droit

from .imports import lots_visibles, reveiller

MONTRES = 100


@require_http_methods(["GET", "HEAD", "POST"])
@exige(Droit.IMPORTER)
def corriger(request, pk: int):
    lot = get_object_or_404(lots_visibles(request), pk=pk)
    retour = reverse("factures:import", args=[pk])
    if lot.format != "fec" or lot.statut not in (Lot.Statut.APERCU, Lot.Statut.REFUSE):
        return rediriger(request, retour)
    poste = request.POST if request.method == "POST" else None
    recherche = texte(request, "q").casefold()
    lignes = [x for x in lot.compte_rendu.get("par_client", []) if _repond(x, recherche)]
    montrees = lignes[:MONTRES]
    fiches = Client.objects.filter(societe=lot.societe_id).values_list("code", flat=True)
    codes = frozenset(fiches if poste is not None else ())
    pieces = PiecesForm(poste, initial=lot.corrections)
    clients = [(x, ClientForm.pour(x, i, lot.corrections, poste, codes)) for i, x in enumerate(montrees)]
    ventilations = [
        (x, VentilationForm.pour(x, i, lot.corrections, poste))
        for i, x in enumerate(lot.compte_rendu.get("a_ventiler", []))
    ]
    formulaires = [pieces, *(f for _x, f in clients), *(f for _x, f in ventilations)]
    if poste is not None:
        verifier_droit(request.user, Droit.IMPORTER, lot.societe_id)
        if all([f.is_valid() for f in formulaires]):
            corrections = _reunir(lot.corrections, pieces, [f for _x, f in clients], [f for _x, f in ventilations])
            if depots.relire(lot, corrections=corrections):
                reveiller(apercevoir_lot, lot)
                fait(request, _("Corrections gardées : l’aperçu se recalcule."))
            return rediriger(request, retour)
    contexte = {
        "lot": lot,
        "pieces": pieces,
        "clients": clients,
        "ventilations": ventilations,
        "tous": len(lot.compte_rendu.get("par_client", [])),
        "autres": len(lignes) - len(montrees),
        "recherche": recherche,
    }
    return render(request, "factures/import_corrections.html", contexte, status=422 if poste is not None else 200)


def _repond(ligne: dict, recherche: str) -> bool:
    return recherche in ligne["code"].casefold() or recherche in ligne["nom"].casefold()


def _reunir(
    anciennes: dict, pieces: PiecesForm, clients: list[ClientForm], ventilations: list[VentilationForm]
) -> dict:
    """Les corrections d'avant, remplacées pour les seuls comptes montrés ; jamais vide, « rien » est une réponse."""
    tables = {nom: dict(anciennes.get(nom) or {}) for nom in ("conditions", "fiches", "ventiler")}
    ecartes = set(anciennes.get("non_clients") or [])
    for form in clients:
        donnees = form.cleaned_data
        code = donnees["code"]
        ecartes.discard(code)
        if donnees["pas_un_client"]:
            ecartes.add(code)
        for nom in ("conditions", "fiches"):
            origine = code if nom == "conditions" else form.origine
            tables[nom].pop(origine, None)
            if donnees[nom] and donnees[nom] != code:
                tables[nom][origine] = donnees[nom]
    for form in ventilations:
        tables["ventiler"].pop(form.cle, None)
        if form.cleaned_data["client"]:
            tables["ventiler"][form.cle] = form.cleaned_data["client"]
    return tables | {"non_clients": sorted(ecartes), "pieces": pieces.cleaned_data["pieces"], "relu": True}
