"""Imports : déposer un fichier, lire ce qu'il changerait, l'appliquer, retrouver ce qui est entré."""

import csv
from io import StringIO
from pathlib import Path

from django.conf import settings
from django.contrib import messages
from django.http import FileResponse, Http404, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from kombu.exceptions import OperationalError

import factures.imports
from factures.exports import inoffensif
from factures.formulaires_import import ApplicationForm, DepotForm
from factures.imports import depots
from factures.models import Lot
from factures.tasks import apercevoir_lot, appliquer_lot
from recouvrement.commun import formats
from recouvrement.commun.vues import Liste, fait, rediriger, rendre
from recouvrement.comptes.courante import restreindre, societe_courante
from recouvrement.comptes.droits import Droit, exige, societes_pour, verifier_droit

MODELES = Path(factures.imports.__file__).parent / "modeles"
NOMS_MODELES = ("clients", "factures", "encaissements")
REJETS_MONTRES = 100
EN_ATTENTE = {Lot.Statut.DEPOSE, Lot.Statut.EN_LECTURE, Lot.Statut.EN_COURS}
TONS = {Lot.Statut.APPLIQUE: "bon", Lot.Statut.REFUSE: "mal", Lot.Statut.APERCU: "att"}
TRIS = {"quand": ["created_at"], "fichier": ["fichier"], "societe": ["societe__raison_sociale"]}


def _lots(request):
    lots = restreindre(request, Lot.objects.visibles_pour(request.user))
    return lots.select_related("societe", "auteur")


def _reveiller(tache, lot: Lot) -> bool:
    """Le courtier ne fait que réveiller : s'il ne répond pas, le lot attend et la page le dit."""
    try:
        tache.apply_async((lot.pk,), retry=False)
    except OperationalError:
        return False
    return True


@require_http_methods(["GET", "HEAD", "POST"])
@exige(Droit.IMPORTER)
def imports(request):
    """Dépôt d'un fichier et historique."""
    form = DepotForm(
        request.POST or None,
        request.FILES or None,
        societes=societes_pour(request.user, Droit.IMPORTER),
        courante=societe_courante(request),
    )
    if request.method == "POST" and form.is_valid():
        fichier = form.cleaned_data["fichier"]
        lot = depots.deposer(fichier, fichier.name, form.cleaned_data["societe"], auteur=request.user)
        _reveiller(apercevoir_lot, lot)
        return rediriger(request, reverse("factures:import", args=[lot.pk]))
    liste = Liste(request, _lots(request), tris=TRIS, defaut="-quand", par_page=25)
    contexte = {
        "form": form,
        "liste": liste,
        "lots": [(lot, TONS.get(lot.statut, "info")) for lot in liste],
        "modeles": [(nom, reverse("factures:import_modele", args=[nom])) for nom in NOMS_MODELES],
        "annonce": ngettext("%(n)s import", "%(n)s imports", liste.total) % {"n": formats.nombre(liste.total)},
        "taille_max": settings.TAILLE_MAX_IMPORT // 1024 // 1024,
    }
    statut = 422 if request.method == "POST" else 200
    return rendre(request, "factures/imports.html", "factures/_imports.html", contexte, status=statut)


@require_safe
@exige(Droit.IMPORTER)
def import_(request, pk: int):
    """Un import : sa progression, son aperçu ou son compte rendu ; le fragment se relit toutes les deux secondes."""
    lot = get_object_or_404(_lots(request), pk=pk)
    return rendre(request, "factures/import.html", "factures/_import.html", contexte_lot(lot))


def contexte_lot(lot: Lot) -> dict:
    rendu = lot.compte_rendu or {}
    rejets = rendu.get("rejets", [])
    refuses = len({r["ligne"] for r in rejets}) + rendu.get("rejets_non_detailles", 0)
    crees, inchanges = rendu.get("crees", {}), rendu.get("inchanges", {})
    deja = Lot.objects.filter(societe=lot.societe_id, empreinte=lot.empreinte, statut=Lot.Statut.APPLIQUE)
    return {
        "lot": lot,
        "rendu": rendu,
        "ton": TONS.get(lot.statut, "info"),
        "en_attente": lot.statut in EN_ATTENTE,
        "a_l_apercu": lot.statut == Lot.Statut.APERCU,
        "applique": lot.statut == Lot.Statut.APPLIQUE,
        "rejets": rejets[:REJETS_MONTRES],
        "autres_rejets": max(len(rejets) - REJETS_MONTRES, 0) + rendu.get("rejets_non_detailles", 0),
        "refusees": refuses,
        "saines": max(rendu.get("lignes", 0) - refuses, 0),
        "crees": sum(crees.values()),
        "crees_detail": _detail(crees),
        "inchanges": sum(inchanges.values()),
        "inchanges_detail": _detail(inchanges),
        "modifies": rendu.get("modifies", {}).get("clients", 0),
        "peut_partiel": lot.format != "fec" and bool(rejets),
        "deja": deja.exclude(pk=lot.pk).order_by("-applique_le").first() if lot.empreinte else None,
    }


def _detail(comptes: dict) -> str:
    """« 17 clients, 1 187 factures »."""
    n = comptes.get
    phrases = {
        "clients": ngettext("%(n)s client", "%(n)s clients", n("clients", 0)),
        "factures": ngettext("%(n)s facture", "%(n)s factures", n("factures", 0)),
        "avoirs": ngettext("%(n)s avoir", "%(n)s avoirs", n("avoirs", 0)),
        "encaissements": ngettext("%(n)s encaissement", "%(n)s encaissements", n("encaissements", 0)),
        "imputations": ngettext("%(n)s imputation", "%(n)s imputations", n("imputations", 0)),
    }
    return ", ".join(phrase % {"n": formats.nombre(n(nom))} for nom, phrase in phrases.items() if n(nom))


@require_POST
@exige(Droit.IMPORTER)
def appliquer(request, pk: int):
    """Écrit l'aperçu, tout ou les seules lignes saines."""
    lot = get_object_or_404(_lots(request), pk=pk)
    verifier_droit(request.user, Droit.IMPORTER, lot.societe_id)
    form = ApplicationForm(request.POST)
    partiel = form.is_valid() and form.cleaned_data["partiel"]
    if lot.compte_rendu.get("rejets") and not partiel:
        return rediriger(request, reverse("factures:import", args=[pk]))
    if depots.demander(lot, partiel=partiel):
        _reveiller(appliquer_lot, lot)
    return rediriger(request, reverse("factures:import", args=[pk]))


@require_POST
@exige(Droit.IMPORTER)
def relancer(request, pk: int):
    """Réveille de nouveau un import qui attend (worker arrêté, courtier absent)."""
    lot = get_object_or_404(_lots(request), pk=pk)
    verifier_droit(request.user, Droit.IMPORTER, lot.societe_id)
    if lot.statut in EN_ATTENTE:
        tache = appliquer_lot if lot.statut == Lot.Statut.EN_COURS else apercevoir_lot
        if _reveiller(tache, lot):
            fait(request, _("Import réveillé."))
        else:
            messages.warning(request, _("Le service de fond ne répond pas : réessayez plus tard."))
    return rediriger(request, reverse("factures:import", args=[pk]))


@require_POST
@exige(Droit.IMPORTER)
def abandonner(request, pk: int):
    """Ferme un aperçu sans rien écrire."""
    lot = get_object_or_404(_lots(request), pk=pk)
    verifier_droit(request.user, Droit.IMPORTER, lot.societe_id)
    if depots.abandonner(lot, motif=_("Abandonné par %(qui)s, rien n'est écrit.") % {"qui": request.user}):
        fait(request, _("Import abandonné, rien n’est écrit."))
    return rediriger(request, reverse("factures:imports"))


@require_safe
@exige(Droit.IMPORTER)
def rapport(request, pk: int):
    """Rejets et sommes inexpliquées en CSV, une ligne chacun, à corriger dans un tableur."""
    lot = get_object_or_404(_lots(request), pk=pk)
    tampon = StringIO("\ufeff")
    tampon.seek(0, 2)
    ecrire = csv.writer(tampon, delimiter=";").writerow
    ecrire(["ligne", "champ", "motif", "que_faire"])
    for rejet in lot.compte_rendu.get("rejets", []):
        conseil = rejet.get("conseil", "")
        motif = rejet.get("constat", rejet["motif"])
        ecrire([rejet["ligne"], *map(inoffensif, (rejet["champ"], motif, conseil))])
    for x in lot.compte_rendu.get("inexpliques", []):
        ecrire([x["ligne"] or "", *map(inoffensif, (x["client"], x["detail"])), x["montant"]])
    reponse = HttpResponse(tampon.getvalue(), content_type="text/csv; charset=utf-8")
    reponse["Content-Disposition"] = f'attachment; filename="import-{lot.pk}-rejets.csv"'
    return reponse


@require_safe
@exige(Droit.IMPORTER)
def modele(request, nom: str):
    """Modèle CSV à remplir."""
    if nom not in NOMS_MODELES:
        raise Http404
    return FileResponse(open(MODELES / f"{nom}.csv", "rb"), as_attachment=True, content_type="text/csv; charset=utf-8")
