"""Banque : les comptes, leurs relevés enchaînés, leurs mouvements. Le rapprochement a son écran."""

from django import forms
from django.contrib import messages
from django.db.models import Count, Exists, OuterRef, Q, Subquery
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_POST, require_safe

from factures.imports import depots
from factures.imports.banque.comptes import ACCEPTE
from factures.models import CompteBancaire, MouvementBancaire, NatureMouvement, ReleveBancaire
from factures.services.comptes_bancaires import regler
from factures.tasks import apercevoir_lot
from recouvrement.commun import formats
from recouvrement.commun.tableaux import Colonne
from recouvrement.commun.vues import Liste, entier, fait, onglets, rediriger, rendre, texte, valeur_parmi
from recouvrement.comptes.courante import restreindre
from recouvrement.comptes.droits import Droit, exige, peut, verifier_droit
from recouvrement.comptes.exports import demande, exporter

from .imports import lots_visibles, reveiller

TRIS_COMPTES = {"compte": ["libelle", "identifiant"], "au": ["dernier_au"], "solde": ["dernier_solde"]}
TRIS_MOUVEMENTS = {"date": ["date"], "montant": ["montant"], "libelle": ["libelle"]}
TRIS_RELEVES = {"au": ["au"], "cloture": ["solde_cloture"]}
VUES = {"mouvements": gettext_lazy("Mouvements"), "releves": gettext_lazy("Relevés")}
SENS = {"credit": gettext_lazy("Crédits"), "debit": gettext_lazy("Débits")}
TONS = {"a_rapprocher": "att", "rapproche": "bon", "ignore": ""}


class CompteForm(forms.Form):
    libelle = forms.CharField(label=gettext_lazy("Nom"), max_length=80, required=False)
    actif = forms.BooleanField(label=gettext_lazy("Reçoit des relevés"), required=False)


def _comptes(request):
    return restreindre(request, CompteBancaire.objects.visibles_pour(request.user)).select_related("societe")


@require_safe
@exige(Droit.VOIR)
def banque(request):
    """Les comptes : dernier solde, dernier relevé, ce qui manque, ce qui attend d'être rapproché."""
    dates = ReleveBancaire.objects.filter(compte=OuterRef("pk"), au__isnull=False).order_by("-au", "-pk")
    soldes = dates.filter(solde_cloture__isnull=False)
    troues = ReleveBancaire.objects.filter(compte=OuterRef("pk")).exclude(constats=[])
    attente = Q(mouvements__statut=MouvementBancaire.Statut.A_RAPPROCHER, mouvements__montant__gt=0)
    comptes = _comptes(request).annotate(
        dernier_au=Subquery(dates.values("au")[:1]),
        dernier_solde=Subquery(soldes.values("solde_cloture")[:1]),
        solde_au=Subquery(soldes.values("au")[:1]),
        a_voir=Exists(troues),
        en_attente=Count("mouvements", filter=attente),
    )
    q = texte(request, "q", 60)
    if q:
        comptes = comptes.filter(Q(libelle__icontains=q) | Q(identifiant__icontains=q) | Q(iban__icontains=q))
    liste = Liste(request, comptes, tris=TRIS_COMPTES, defaut="compte", par_page=30)
    contexte = {
        "liste": liste,
        "filtree": bool(q),
        "annonce": ngettext("%(n)s compte", "%(n)s comptes", liste.total) % {"n": formats.nombre(liste.total)},
        "peut_importer": peut(request.user, Droit.IMPORTER),
    }
    return rendre(request, "factures/comptes_bancaires.html", "factures/_comptes_bancaires.html", contexte)


@require_safe
@exige(Droit.VOIR)
def compte(request, pk: int):
    """Un compte : ses mouvements (recherche, filtres, tri dans l'adresse) ou ses relevés enchaînés."""
    trouve = get_object_or_404(CompteBancaire.objects.visibles_pour(request.user).select_related("societe"), pk=pk)
    vue = valeur_parmi(request, "f", VUES)
    contexte = {
        "compte": trouve,
        "vue": vue,
        "onglets": onglets(request, "f", VUES.items()),
        "dernier": trouve.releves.filter(solde_cloture__isnull=False, au__isnull=False).order_by("-au", "-pk").first(),
        "a_voir": trouve.releves.exclude(constats=[]).count(),
        "peut_regler": peut(request.user, Droit.ADMINISTRER, trouve.societe_id),
        "form": CompteForm(initial={"libelle": trouve.libelle, "actif": trouve.actif}),
    }
    if vue == "releves":
        liste = Liste(request, trouve.releves.all(), tris=TRIS_RELEVES, defaut="-au", par_page=30)
        annonce = ngettext("%(n)s relevé", "%(n)s relevés", liste.total)
    else:
        mouvements = _mouvements(request, trouve, contexte)
        liste = Liste(request, mouvements, tris=TRIS_MOUVEMENTS, defaut="-date", par_page=50)
        if demande(request):
            return exporter(request, liste.lignes, _colonnes(), nom=_("mouvements bancaires"))
        contexte["tons"] = TONS
        annonce = ngettext("%(n)s mouvement", "%(n)s mouvements", liste.total)
    contexte |= {"liste": liste, "annonce": annonce % {"n": formats.nombre(liste.total)}}
    return rendre(request, "factures/compte_bancaire.html", "factures/_compte_bancaire.html", contexte)


def _mouvements(request, trouve: CompteBancaire, contexte: dict):
    mouvements = trouve.mouvements.all()
    q, releve = texte(request, "q", 60), entier(request.GET.get("releve"))
    sens, statut, nature = (request.GET.get(nom, "") for nom in ("sens", "statut", "nature"))
    if q:
        cherche = Q(libelle__icontains=q) | Q(contrepartie__icontains=q) | Q(reference__icontains=q)
        mouvements = mouvements.filter(cherche | Q(contrepartie_iban__icontains=q))
    if sens in SENS:
        mouvements = mouvements.filter(**{"montant__gt" if sens == "credit" else "montant__lt": 0})
    if statut in MouvementBancaire.Statut.values:
        mouvements = mouvements.filter(statut=statut)
    if nature in NatureMouvement.values:
        mouvements = mouvements.filter(nature=nature)
    if releve:
        mouvements = mouvements.filter(releve=releve)
    contexte |= {
        "sens": list(SENS.items()),
        "statuts": MouvementBancaire.Statut.choices,
        "natures": NatureMouvement.choices,
        "filtree": any((q, sens, statut, nature, releve)),
    }
    return mouvements


def _colonnes() -> list[Colonne]:
    return [
        Colonne(_("Date"), lambda m: m.date),
        Colonne(_("Date de valeur"), lambda m: m.date_valeur),
        Colonne(_("Montant"), lambda m: m.montant),
        Colonne(_("Devise"), lambda m: m.devise),
        Colonne(_("Nature"), lambda m: m.get_nature_display()),
        Colonne(_("Libellé"), lambda m: m.libelle),
        Colonne(_("Référence"), lambda m: m.reference),
        Colonne(_("Contrepartie"), lambda m: m.contrepartie),
        Colonne(_("IBAN de la contrepartie"), lambda m: m.contrepartie_iban),
        Colonne(_("Motif du rejet"), lambda m: m.motif_rejet),
        Colonne(_("État"), lambda m: m.get_statut_display()),
    ]


@require_POST
@exige(Droit.ADMINISTRER)
def regler_compte(request, pk: int):
    """Renomme le compte, ou cesse d'en recevoir les relevés."""
    trouve = get_object_or_404(CompteBancaire.objects.visibles_pour(request.user).select_related("societe"), pk=pk)
    verifier_droit(request.user, Droit.ADMINISTRER, trouve.societe_id)
    form = CompteForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("Le nom d’un compte tient en 80 caractères."))
    elif regler(trouve, acteur=request.user, **form.cleaned_data):
        fait(request, _("Compte réglé."))
    return rediriger(request, reverse("factures:compte_bancaire", args=[pk]))


@require_POST
@exige(Droit.IMPORTER)
def accepter_compte(request, pk: int):
    """À l'aperçu d'un relevé : « oui, ce compte est bien celui de la société », puis le fichier se relit."""
    lot = get_object_or_404(lots_visibles(request), pk=pk)
    verifier_droit(request.user, Droit.IMPORTER, lot.societe_id)
    demandes = (lot.compte_rendu.get("faits") or {}).get("comptes_a_confirmer") or []
    acceptes = {nom: ACCEPTE for nom in demandes if nom in request.POST.getlist("compte")}
    comptes = (lot.corrections.get("comptes") or {}) | acceptes
    if acceptes and depots.relire(lot, corrections={**lot.corrections, "comptes": comptes}):
        reveiller(apercevoir_lot, lot)
    else:
        messages.warning(request, _("Rien à confirmer : cet import ne se relit plus."))
    return rediriger(request, reverse("factures:import", args=[pk]))
