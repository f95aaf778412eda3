"""Assistant de correspondance : quelle colonne du fichier remplit quel champ ; et la gestion de celles retenues."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from factures.domaine import correspondance as domaine
from factures.formulaires_correspondance import CorrespondanceForm
from factures.imports import tableur
from factures.imports.depots import a_l_ecran
from factures.imports.tableur_apercu import interpreter
from factures.models import Correspondance, Lot
from factures.services import correspondances as service
from factures.tasks import apercevoir_lot
from recouvrement.commun import formats
from recouvrement.commun.vues import Liste, fait, rediriger, rendre
from recouvrement.comptes.courante import restreindre
from recouvrement.comptes.droits import Droit, exige, verifier_droit

from .imports import lots_visibles, reveiller

TRIS = {"nom": ["nom"], "societe": ["societe__raison_sociale"], "genre": ["genre"], "quand": ["updated_at"]}


def _lot(request, pk: int) -> Lot:
    lot = get_object_or_404(lots_visibles(request), pk=pk)
    verifier_droit(request.user, Droit.IMPORTER, lot.societe_id)
    return lot


@require_http_methods(["GET", "HEAD", "POST"])
@exige(Droit.IMPORTER)
def assistant(request, pk: int):
    """Choix des colonnes et aperçu des premières lignes ; rien n'est lu au grand livre, rien n'est écrit."""
    lot = _lot(request, pk)
    apercu = lot.compte_rendu.get("a_correspondre")
    if lot.statut != Lot.Statut.A_CORRESPONDRE or not apercu:
        return rediriger(request, reverse("factures:import", args=[pk]))
    donnees = request.POST if request.method == "POST" else request.GET
    proposition = apercu["proposition"]
    genre, avant = donnees.get("genre", ""), donnees.get("genre_avant", "")
    if genre not in domaine.GENRES:
        genre = proposition["genre"]
    if genre != proposition["genre"]:
        proposition = tableur.reproposer(apercu, genre).en_json()
    saisie = donnees if avant == genre else None  # un autre contenu : tout se repropose
    form = CorrespondanceForm(saisie, apercu=apercu, proposition=proposition, societe=lot.societe, fichier=lot.fichier)
    if request.method == "POST" and form.is_bound and form.is_valid():
        choix = form.choix()
        if manquants := form.manquants():
            form.add_error(None, _("Il manque : %(champs)s.") % {"champs": ", ".join(manquants)})
        else:
            nom = form.cleaned_data["nom"] if form.cleaned_data["retenir"] else ""
            if service.valider(lot, choix, signature=apercu["signature"], nom=nom, auteur=request.user):
                reveiller(apercevoir_lot, lot)
            return rediriger(request, reverse("factures:import", args=[pk]))
    statut = 422 if request.method == "POST" and form.is_bound else 200
    contexte = _contexte(lot, apercu, form)
    return rendre(request, "factures/correspondre.html", "factures/_correspondre.html", contexte, status=statut)


def _contexte(lot: Lot, apercu: dict, form: CorrespondanceForm) -> dict:
    choix, manquants = form.choix(), form.manquants()
    pris = set(choix["colonnes"].values())
    return {
        "lot": lot,
        "form": form,
        "lignes_form": list(form.lignes()),
        "manquants": manquants,
        "a_confirmer": [a_l_ecran(t) for t in form.proposition.get("a_confirmer", [])],
        "apercu": [] if manquants else interpreter(apercu, choix, au=lot.created_at.date()),
        "ignorees": [c for c in apercu["colonnes"] if c not in pris],
        "feuilles": [f for f in apercu.get("feuilles", []) if f != apercu.get("feuille")],
        "feuille": apercu.get("feuille", ""),
        "ligne_entete": apercu.get("ligne_entete", 1),
        "brutes": _brutes(apercu),
    }


def _brutes(apercu: dict) -> dict:
    """Les premières lignes telles que le fichier les donne."""
    from factures.imports.tableur_valeurs import en_texte

    largeur = len(apercu["colonnes"])
    lignes = []
    for numero, cellules in apercu["lignes"][:10]:
        textes = [en_texte(tableur.decoder(c))[:60] for c in cellules[:largeur]]
        lignes.append((numero, textes + [""] * (largeur - len(textes))))
    return {"colonnes": apercu["colonnes"], "lignes": lignes}


@require_POST
@exige(Droit.IMPORTER)
def feuille(request, pk: int):
    """Relit le classeur sur une autre de ses feuilles."""
    lot = _lot(request, pk)
    choisie = request.POST.get("feuille", "")
    if choisie in lot.compte_rendu.get("a_correspondre", {}).get("feuilles", []):
        if service.revoir(lot, feuille=choisie):
            reveiller(apercevoir_lot, lot)
    return rediriger(request, reverse("factures:import", args=[pk]))


@require_POST
@exige(Droit.IMPORTER)
def revoir(request, pk: int):
    """Rouvre l'assistant sur un aperçu déjà lu."""
    lot = _lot(request, pk)
    if service.revoir(lot):
        reveiller(apercevoir_lot, lot)
    else:
        messages.warning(request, _("Cet import n’est plus à l’aperçu : ses colonnes ne se changent plus."))
    return rediriger(request, reverse("factures:import", args=[pk]))


# --- Correspondances retenues ------------------------------------------------------------------


def _retenues(request):
    return restreindre(request, Correspondance.objects.visibles_pour(request.user)).select_related("societe")


def _retenue(request, pk: int) -> Correspondance:
    retenue = get_object_or_404(_retenues(request), pk=pk)
    verifier_droit(request.user, Droit.IMPORTER, retenue.societe_id)
    return retenue


@require_safe
@exige(Droit.IMPORTER)
def liste(request):
    """Celles des sociétés où la personne importe."""
    lignes = Liste(request, _retenues(request), tris=TRIS, defaut="nom", par_page=25)
    contexte = {
        "liste": lignes,
        "annonce": ngettext("%(n)s correspondance", "%(n)s correspondances", lignes.total)
        % {"n": formats.nombre(lignes.total)},
    }
    return rendre(request, "factures/correspondances.html", "factures/_correspondances.html", contexte)


@require_POST
@exige(Droit.IMPORTER)
def renommer(request, pk: int):
    retenue = _retenue(request, pk)
    try:
        service.renommer(retenue, request.POST.get("nom", ""))
        fait(request, _("Correspondance renommée."))
    except ValidationError as erreur:
        messages.error(request, " ".join(erreur.messages))
    return rediriger(request, reverse("factures:correspondances"))


@require_POST
@exige(Droit.IMPORTER)
def supprimer(request, pk: int):
    try:
        nom = service.supprimer(_retenue(request, pk))
        fait(request, _("Correspondance « %(nom)s » supprimée.") % {"nom": nom})
    except ValidationError as erreur:
        messages.error(request, " ".join(erreur.messages))
    return rediriger(request, reverse("factures:correspondances"))
