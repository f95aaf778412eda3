"""Imports : déposer un fichier, lire ce qu'il changerait, l'appliquer, retrouver ce qui est entré."""

from datetime import date
from pathlib import Path

from django.conf import settings
from django.contrib import messages
from django.db.models import Case, IntegerField, Min, Value, When
from django.http import FileResponse, Http404
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.timezone import localdate
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

import factures.imports
from factures import presentation_import as presentation
from factures.formulaires_import import ApplicationForm, DepotForm
from factures.imports import depots
from factures.imports.lecteurs import FORMATS
from factures.models import Lot
from factures.tasks import apercevoir_lot, appliquer_lot
from recouvrement.commun import formats, reveil
from recouvrement.commun.horloge import aujourd_hui
from recouvrement.commun.vues import Liste, entier, fait, rediriger, rendre, texte
from recouvrement.comptes.courante import restreindre, societe_courante
from recouvrement.comptes.droits import Droit, exige, societes_pour, verifier_droit

MODELES = Path(factures.imports.__file__).parent / "modeles"
NOMS_MODELES = ("clients", "factures", "encaissements")
REJETS_MONTRES = 100
EN_ATTENTE = {Lot.Statut.DEPOSE, Lot.Statut.EN_LECTURE, Lot.Statut.EN_COURS}
TONS = {
    Lot.Statut.APPLIQUE: "bon", Lot.Statut.REFUSE: "mal", Lot.Statut.APERCU: "att", Lot.Statut.A_CORRESPONDRE: "att",
    Lot.Statut.DEFAIT: "",
}  # fmt: skip
TOUT_OU_RIEN = {"fec"}  # formats dont une part fausserait les soldes
TABLEAUX = {"csv-clients", "csv-factures", "csv-encaissements", "xlsx", "ods"}
RELISIBLES = {Lot.Statut.APERCU, Lot.Statut.REFUSE}
ENSEMBLE_MAX = 50  # fichiers déposés d'un coup que la page suit
TRIS = {"quand": ["created_at"], "fichier": ["fichier"], "societe": ["societe__raison_sociale"]}


def lots_visibles(request):
    lots = restreindre(request, Lot.objects.visibles_pour(request.user))
    return lots.select_related("societe", "auteur", "source", "defait_par")


def reveiller(tache, lot: Lot) -> bool:
    """Le courtier ne fait que réveiller : s'il ne répond pas, le lot attend et la page le dit."""
    return reveil.reveiller(tache, lot.pk)


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
        lots = [
            depots.deposer(fichier, fichier.name, form.cleaned_data["societe"], auteur=request.user, format=format)
            for fichier, format in form.dans_l_ordre()
        ]
        for lot in lots:
            reveiller(apercevoir_lot, lot)
        if len(lots) == 1:
            return rediriger(request, reverse("factures:import", args=[lots[0].pk]))
        return rediriger(request, f"{reverse('factures:imports')}?ensemble={'-'.join(str(lot.pk) for lot in lots)}")
    ensemble = _ensemble(request)
    filtres = _filtres(request)
    lots = lots_visibles(request).defer("compte_rendu", "corrections")
    if ensemble:  # dans l'ordre où ils s'appliquent
        rangs = Case(*(When(pk=pk, then=Value(i)) for i, pk in enumerate(ensemble)), output_field=IntegerField())
        liste = Liste(request, lots.filter(pk__in=ensemble).order_by(rangs), par_page=ENSEMBLE_MAX)
    else:
        liste = Liste(request, lots.filter(**filtres), tris=TRIS, defaut="-quand", par_page=25)
    contexte = {
        "form": form,
        "liste": liste,
        "lots": [(lot, TONS.get(lot.statut, "info"), presentation.nom_format(lot.format)) for lot in liste],
        "modeles": [(nom, reverse("factures:import_modele", args=[nom])) for nom in NOMS_MODELES],
        "annonce": ngettext("%(n)s import", "%(n)s imports", liste.total) % {"n": formats.nombre(liste.total)},
        "taille_max": settings.TAILLE_MAX_IMPORT // 1024 // 1024,
        "etats": Lot.Statut.choices,
        "formats": [(nom, presentation.nom_format(nom)) for nom in FORMATS],
        "origines": Lot.Origine.choices,
        "societes": [(s.pk, s.raison_sociale) for s in form.fields["societe"].queryset],
        "filtree": bool(filtres),
        "ensemble": bool(ensemble),
        "suite": bool(ensemble) and any(lot.statut in EN_ATTENTE for lot in liste),
        "du": filtres.get("created_at__date__gte") or _premier(request),
        "au": filtres.get("created_at__date__lte", aujourd_hui()),
    }
    statut = 422 if request.method == "POST" else 200
    return rendre(request, "factures/imports.html", "factures/_imports.html", contexte, status=statut)


def _premier(request) -> date:
    """Le jour du plus ancien import : depuis toujours."""
    le = lots_visibles(request).aggregate(le=Min("created_at"))["le"]
    return localdate(le) if le else aujourd_hui()


def _ensemble(request) -> list[int]:
    """Les imports déposés d'un coup, dans l'ordre de l'adresse."""
    cles = (entier(x) for x in texte(request, "ensemble", 600).split("-")[:ENSEMBLE_MAX])
    return [cle for cle in cles if cle]


def _filtres(request) -> dict:
    """Ceux de l'adresse, en conditions ORM ; une valeur inconnue ne filtre rien."""
    filtres: dict[str, object] = {}
    for nom, permis in (("statut", Lot.Statut.values), ("format", FORMATS), ("origine", Lot.Origine.values)):
        if (choix := texte(request, nom)) in permis:
            filtres[nom] = choix
    if societe := entier(texte(request, "societe_id")):
        filtres["societe"] = societe
    for nom, condition in (("du", "created_at__date__gte"), ("au", "created_at__date__lte")):
        try:
            filtres[condition] = date.fromisoformat(texte(request, nom))
        except ValueError:
            continue
    return filtres


@require_safe
@exige(Droit.IMPORTER)
def import_(request, pk: int):
    """Un import : sa progression, son aperçu ou son compte rendu ; le fragment se relit toutes les deux secondes."""
    lot = get_object_or_404(lots_visibles(request), pk=pk)
    if lot.statut == Lot.Statut.A_CORRESPONDRE:
        return rediriger(request, reverse("factures:correspondre", args=[pk]))
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
        "crees_detail": presentation.compter(crees),
        "inchanges": sum(inchanges.values()),
        "inchanges_detail": presentation.compter(inchanges),
        "modifies": rendu.get("modifies", {}).get("clients", 0),
        "peut_partiel": lot.format not in TOUT_OU_RIEN and bool(rejets),
        "format": presentation.nom_format(lot.format),
        "faits": presentation.faits(rendu),
        "a_correspondre": lot.statut == Lot.Statut.A_CORRESPONDRE,
        "colonnes_a_revoir": lot.statut in RELISIBLES and lot.format in TABLEAUX,
        "relisible": bool(lot.chemin) and lot.statut in RELISIBLES,
        "corrigeable": lot.format == "fec" and lot.statut in RELISIBLES and bool(rendu.get("par_client")),
        "deja": deja.exclude(pk=lot.pk).order_by("-applique_le").first() if lot.empreinte else None,
    }


@require_POST
@exige(Droit.IMPORTER)
def appliquer(request, pk: int):
    """Écrit l'aperçu, tout ou les seules lignes saines."""
    lot = get_object_or_404(lots_visibles(request), pk=pk)
    verifier_droit(request.user, Droit.IMPORTER, lot.societe_id)
    form = ApplicationForm(request.POST)
    partiel = form.is_valid() and form.cleaned_data["partiel"]
    if lot.compte_rendu.get("rejets") and not partiel:
        return rediriger(request, reverse("factures:import", args=[pk]))
    if depots.demander(lot, partiel=partiel):
        reveiller(appliquer_lot, lot)
    return rediriger(request, reverse("factures:import", args=[pk]))


@require_POST
@exige(Droit.IMPORTER)
def relancer(request, pk: int):
    """Réveille de nouveau un import qui attend (worker arrêté, courtier absent)."""
    lot = get_object_or_404(lots_visibles(request), pk=pk)
    verifier_droit(request.user, Droit.IMPORTER, lot.societe_id)
    if lot.statut in EN_ATTENTE:
        tache = appliquer_lot if lot.statut == Lot.Statut.EN_COURS else apercevoir_lot
        if reveiller(tache, lot):
            fait(request, _("Import réveillé."))
        else:
            messages.warning(request, _("Le service de fond ne répond pas : réessayez plus tard."))
    return rediriger(request, reverse("factures:import", args=[pk]))


@require_POST
@exige(Droit.IMPORTER)
def abandonner(request, pk: int):
    """Ferme un aperçu sans rien écrire."""
    lot = get_object_or_404(lots_visibles(request), pk=pk)
    verifier_droit(request.user, Droit.IMPORTER, lot.societe_id)
    if depots.abandonner(lot, motif=_("Abandonné par %(qui)s, rien n'est écrit.") % {"qui": request.user}):
        fait(request, _("Import abandonné, rien n’est écrit."))
    return rediriger(request, reverse("factures:imports"))


@require_safe
@exige(Droit.IMPORTER)
def modele(request, nom: str):
    """Modèle CSV à remplir."""
    if nom not in NOMS_MODELES:
        raise Http404
    return FileResponse(open(MODELES / f"{nom}.csv", "rb"), as_attachment=True, content_type="text/csv; charset=utf-8")
