"""Après l'aperçu : défaire un import, le relire, télécharger ce que chaque ligne est devenue."""

import csv
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings
from django.contrib import messages
from django.http import StreamingHttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from factures import presentation_import as presentation
from factures.exports import inoffensif
from factures.imports import depots
from factures.imports import rapport as rapports
from factures.models import Lot
from factures.services.annulation import AnnulationImpossible, apercu, bloqueurs
from factures.services.annulation import defaire as defaire_lot
from factures.tasks import apercevoir_lot
from recouvrement.commun import depot
from recouvrement.commun.horloge import aujourd_hui
from recouvrement.commun.vues import fait, rediriger
from recouvrement.comptes.droits import Droit, exige, verifier_droit

from .imports import lots_visibles, reveiller


@require_http_methods(["GET", "HEAD", "POST"])
@exige(Droit.IMPORTER)
def defaire(request, pk: int):
    """Ce qui disparaîtra, ou ce qui l'empêche ; puis le geste."""
    lot = get_object_or_404(lots_visibles(request), pk=pk)
    retour = reverse("factures:import", args=[pk])
    if request.method == "POST":
        verifier_droit(request.user, Droit.IMPORTER, lot.societe_id)
        try:
            if defaire_lot(lot, acteur=request.user, moment=timezone.now(), au=aujourd_hui()):
                fait(request, _("Import défait : le grand livre est ce qu’il était avant."))
            return rediriger(request, retour)
        except AnnulationImpossible as impossible:
            contexte = {"lot": lot, "bloqueurs": impossible.raisons, "disparaitra": []}
            return render(request, "factures/import_defaire.html", contexte, status=422)
    if lot.statut != Lot.Statut.APPLIQUE:
        return rediriger(request, retour)
    raisons = bloqueurs(lot)
    contexte = {
        "lot": lot, "bloqueurs": raisons, "disparaitra": [] if raisons else presentation.disparaitra(apercu(lot))
    }  # fmt: skip
    return render(request, "factures/import_defaire.html", contexte)


@require_POST
@exige(Droit.IMPORTER)
def relire(request, pk: int):
    """Un aperçu vieilli, ou un refus dont la cause a changé (une fiche créée depuis), se relit."""
    lot = get_object_or_404(lots_visibles(request), pk=pk)
    verifier_droit(request.user, Droit.IMPORTER, lot.societe_id)
    if depots.relire(lot):
        reveiller(apercevoir_lot, lot)
    else:
        messages.warning(request, _("Cet import ne se relit plus."))
    return rediriger(request, reverse("factures:import", args=[pk]))


@require_safe
@exige(Droit.IMPORTER)
def rapport(request, pk: int):
    """Chaque ligne du fichier : créée, inchangée, refusée ou ignorée, et pourquoi. CSV en flux."""
    lot = get_object_or_404(lots_visibles(request), pk=pk)
    reponse = StreamingHttpResponse(_rapport(lot), content_type="text/csv; charset=utf-8")
    reponse["Content-Disposition"] = f'attachment; filename="import-{lot.pk}-lignes.csv"'
    return reponse


class _Ligne:
    """Le tampon d'un `csv.writer` qui rend chaque ligne au lieu de la garder."""

    def write(self, texte: str) -> str:
        return texte


def _rapport(lot: Lot) -> Iterator[str]:
    ecrire = csv.writer(_Ligne(), delimiter=";").writerow
    yield "\ufeff" + ecrire(
        [_("ligne"), _("sort"), _("objet"), _("désignation"), _("champ"), _("motif"), _("que faire")]
    )
    mots = rapports.sorts()
    rejets: dict[int, list[dict]] = {}
    for rejet in lot.compte_rendu.get("rejets", []):
        rejets.setdefault(rejet["ligne"], []).append(rejet)
    attendue = 2  # la première est l'en-tête
    for ligne, objet, designation, sort in _lignes(lot):
        for absente in range(attendue, ligne):
            yield from _sans_piece(ecrire, absente, rejets, mots)
        attendue = max(attendue, ligne + 1)
        mot, motif = mots[sort]
        if sort == "refusee" and ligne in rejets:
            yield from _rejets(ecrire, ligne, rejets.pop(ligne), objet, designation, mot)
        elif ligne:
            yield ecrire([ligne, mot, *map(inoffensif, (objet, designation)), "", motif, ""])
    lignes = lot.compte_rendu.get("lignes", 0)
    if lot.compte_rendu.get("rapport"):
        for absente in range(attendue, lignes + 2):
            yield from _sans_piece(ecrire, absente, rejets, mots)
    for ligne, siens in sorted(rejets.items()):
        yield from _rejets(ecrire, ligne, siens, "", "", mots["refusee"][0])
    for x in lot.compte_rendu.get("inexpliques", []):
        dits = map(inoffensif, (x["client"], x["nature"], x["detail"]))
        yield ecrire([x["ligne"] or "", _("à vérifier"), _("client"), *dits, x["montant"]])


def _lignes(lot: Lot) -> Iterator[tuple[int, str, str, str]]:
    """Rien si le rapport n'a pas été rangé (aperçu, refus, autre famille) : restent les rejets."""
    range_ = lot.compte_rendu.get("rapport") or {}
    if not range_ or depot.verifier(range_["chemin"], range_["empreinte"]):
        return
    for ligne, objet, designation, sort in rapports.lire(Path(settings.DEPOT) / range_["chemin"]):
        yield int(ligne), objet, designation, sort


def _sans_piece(ecrire, ligne: int, rejets: dict, mots: dict) -> Iterator[str]:
    if ligne in rejets:
        yield from _rejets(ecrire, ligne, rejets.pop(ligne), "", "", mots["refusee"][0])
    else:
        mot, motif = mots["ignoree"]
        yield ecrire([ligne, mot, "", "", "", motif, ""])


def _rejets(ecrire, ligne: int, rejets: list[dict], objet: str, designation: str, mot: str) -> Iterator[str]:
    for x in rejets:
        motif, conseil = x.get("constat", x["motif"]), x.get("conseil", "")
        yield ecrire([ligne, mot, *map(inoffensif, (objet, designation, x["champ"], motif, conseil))])
