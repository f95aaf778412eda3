"""Encaissements : à qui est cet argent ? La file à gauche, l'affectation au centre, le compte à droite."""

from decimal import Decimal

from django.core.exceptions import ValidationError
from django.db.models import F, Sum
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.html import format_html_join
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_http_methods, require_safe

from clients.models import Client
from factures.forms import EncaissementForm, clients_proposes
from factures.models import Avoir, Encaissement
from factures.services import enregistrer_encaissement
from recouvrement.commun import formats
from recouvrement.commun.horloge import aujourd_hui
from recouvrement.commun.vues import Liste, onglets, parametres, rediriger, rendre, valeur_parmi
from recouvrement.comptes.courante import restreindre
from recouvrement.comptes.droits import Droit, exige, peut, societes_pour, verifier_droit

from .affectation import contexte_affectation, source_visible
from .parametres import clients_visibles

VUES = {
    "a_affecter": gettext_lazy("À affecter"),
    "avoirs": gettext_lazy("Avoirs"),
    "tous": gettext_lazy("Tous"),
}
PAR_PAGE = 30


def _file(request):
    """(vue, mouvements triés) : non affectés d'abord, les plus récents en tête."""
    vue = valeur_parmi(request, "f", VUES)
    modele = Avoir if vue == "avoirs" else Encaissement
    jour = "date_emission" if vue == "avoirs" else "date"
    mouvements = restreindre(request, modele.objects.visibles_pour(request.user)).select_related("client")
    if q := request.GET.get("q", "").strip()[:60]:
        mouvements = mouvements.filter(client__raison_sociale__icontains=q) | mouvements.filter(
            **{("numero__icontains" if vue == "avoirs" else "reference__icontains"): q}
        )
    if vue != "tous":
        return vue, mouvements.filter(impute__lt=F("montant")).order_by(f"-{jour}", "-pk")
    mouvements = mouvements.annotate(ouvert=F("montant") - F("impute"))
    return vue, mouvements.order_by(F("ouvert").desc(), f"-{jour}", "-pk")


@require_safe
@exige(Droit.VOIR)
def encaissements(request):
    vue, mouvements = _file(request)
    liste = Liste(request, mouvements, par_page=PAR_PAGE)
    choisi = source_visible(request, request.GET.get("v", ""))
    page = [(m, f"{m._meta.model_name}-{m.pk}") for m in liste]
    if choisi is None and page and not request.GET.get("v"):
        choisi = page[0][0]
    restes = _restes(request)
    contexte = {
        "liste": liste,
        "mouvements": [(m, cle, parametres(request, v=cle, p=None, page=request.GET.get("page"))) for m, cle in page],
        "vues": onglets(request, "f", [(v, libelle) for v, libelle in VUES.items()]),
        "vue": vue,
        "choisi": choisi,
        "cle_choisie": f"{choisi._meta.model_name}-{choisi.pk}" if choisi else "",
        "annonce": ngettext("%(n)s mouvement", "%(n)s mouvements", liste.total) % {"n": formats.nombre(liste.total)},
        "resume": " · ".join(formats.somme(reste, devise) for devise, reste in restes),
        "peut_saisir": peut(request.user, Droit.AGIR),
        "url_saisie": reverse("factures:encaissement_nouveau"),
    }
    if choisi:
        contexte |= contexte_affectation(request, choisi)
    return rendre(request, "factures/encaissements.html", "factures/_encaissements.html", contexte)


def _restes(request) -> list[tuple[str, Decimal]]:
    """Ce qui reste à affecter, par devise."""
    ouverts = restreindre(request, Encaissement.objects.visibles_pour(request.user)).filter(impute__lt=F("montant"))
    return list(
        ouverts.order_by("devise")
        .values("devise")
        .annotate(reste=Sum(F("montant") - F("impute")))
        .values_list("devise", "reste")
    )


def _agissables(request):
    """Clients pour qui la personne peut saisir."""
    return clients_visibles(request).filter(societe__in=societes_pour(request.user, Droit.AGIR))


@require_http_methods(["GET", "HEAD", "POST"])
@exige(Droit.AGIR)
def nouveau(request):
    """Saisir un encaissement, puis l'affecter."""
    au = aujourd_hui()
    clients = _agissables(request)
    if request.method == "POST":
        form = EncaissementForm(request.POST, clients=clients, au=au)
        if form.is_valid():
            donnees = form.cleaned_data
            client: Client = donnees["client"]
            verifier_droit(request.user, Droit.AGIR, client.societe_id)
            try:
                encaissement = enregistrer_encaissement(client, au=au, acteur=request.user, **_champs(donnees))
            except ValidationError as erreur:
                form.add_error(None, erreur.messages)
            else:
                return rediriger(request, f"{reverse('factures:encaissements')}?v=encaissement-{encaissement.pk}")
        return _saisie(request, form, status=422)
    depart = {}
    if (demande := request.GET.get("client", "")).isdecimal() and len(demande) < 18:
        client = clients.filter(pk=int(demande)).first()
        depart = {"client": f"{client.code} – {client.raison_sociale}"} if client else {}
    form = EncaissementForm(initial=depart, clients=clients, au=au)
    return _saisie(request, form)


def _saisie(request, form, status=200):
    contexte = {"form": form, "url_suggestions": reverse("factures:encaissement_clients")}
    return render(request, "factures/encaissement_nouveau.html", contexte, status=status)


def _champs(donnees: dict) -> dict:
    return {nom: donnees[nom] for nom in ("montant", "devise", "recu_le", "mode", "reference", "libelle", "cle")}


@require_safe
@exige(Droit.AGIR)
def suggestions(request):
    """Clients dont le nom ou le code répond à la frappe, en options de liste."""
    trouves = clients_proposes(_agissables(request), request.GET.get("client", ""))
    options = format_html_join("", '<option value="{} – {}">', ((c.code, c.raison_sociale) for c in trouves))
    return HttpResponse(options)
