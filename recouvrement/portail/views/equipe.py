"""Côté équipe : les liens d'un client, ses visites pour ce qu'elles sont, révoquer, donner un lien, voir sa page."""

from datetime import timedelta

from django.db.models import Count
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from clients.models import Client
from recouvrement.commun.horloge import aujourd_hui, maintenant
from recouvrement.commun.vues import Liste, fait, rediriger, rendre
from recouvrement.comptes.droits import Droit, exige, peut, verifier_droit
from recouvrement.portail.acces import Acces, langue_demandee, proteger
from recouvrement.portail.presentation import contexte_de_la_page
from relances.models import LienPortail, ReglagePortail, VisitePortail
from relances.services import liens

VISITES = 30


def _client(request, pk: int) -> Client:
    visibles = Client.objects.visibles_pour(request.user)
    return get_object_or_404(visibles.select_related("societe__reglage_portail", "gestionnaire"), pk=pk)


@never_cache
@require_safe
@exige(Droit.VOIR)
def client(request, client: int):
    """Écran « Page du client » d'un client : ses liens, d'où ils viennent, qui les a ouverts."""
    trouve, au = _client(request, client), aujourd_hui()
    agit = peut(request.user, Droit.AGIR, trouve.societe_id)
    tous = LienPortail.objects.filter(client=trouve).select_related("courrier", "message", "revoque_par")
    page = Liste(request, tous.annotate(ouvertures=Count("visites")).order_by("-pk"), par_page=20)
    for lien in page:
        lien.etat = _etat(lien, au)
        # L'adresse est une clé : elle ne se montre qu'à qui peut agir pour ce client.
        lien.adresse = liens.adresse(lien) if agit and lien.etat[0] == "valable" else ""
    contexte = {
        "client": trouve,
        "au": au,
        "ouverte": liens.reglage_ouvert(trouve.societe) is not None,
        "liste": page,
        "visites": VisitePortail.objects.filter(lien__client=trouve).select_related("lien").order_by("-le")[:VISITES],
        "peut_agir": agit,
        "fil": [
            (_("Clients"), reverse("clients:liste")),
            (trouve.raison_sociale, reverse("clients:fiche", args=[trouve.pk])),
        ],
    }
    return rendre(request, "portail/equipe/client.html", "portail/equipe/client.html", contexte)


def _etat(lien: LienPortail, au) -> tuple[str, str, str]:
    """(code, mot, ton)."""
    if lien.revoque_le:
        return "revoque", _("révoqué"), "mal"
    if lien.expire_le < au:
        return "expire", _("expiré"), "vide"
    return "valable", _("valable"), "bon"


@require_POST
@exige(Droit.AGIR)
def donner(request, client: int):
    """Un lien à transmettre soi-même (au téléphone, dans sa propre messagerie) ; un par jour suffit."""
    trouve = _client(request, client)
    verifier_droit(request.user, Droit.AGIR, trouve.societe)
    if liens.donner(trouve, par=request.user, au=aujourd_hui()):
        fait(request, _("Lien prêt : copiez son adresse ci-dessous."))
    else:
        fait(request, _("La page du client n’est pas ouverte dans cette société."))
    return rediriger(request, reverse("page_client:client", args=[trouve.pk]))


@require_POST
@exige(Droit.AGIR)
def revoquer(request, client: int, lien: int):
    """Le lien ne s'ouvre plus ; ceux des autres courriers restent."""
    trouve = _client(request, client)
    verifier_droit(request.user, Droit.AGIR, trouve.societe)
    a_revoquer = get_object_or_404(LienPortail.objects.select_related("client__societe"), client=trouve, pk=lien)
    if liens.revoquer(a_revoquer, par=request.user, moment=maintenant()):
        fait(request, _("Lien révoqué : il n’ouvre plus rien."))
    return rediriger(request, reverse("page_client:client", args=[trouve.pk]))


@require_safe
@exige(Droit.VOIR)
def apercu(request, client: int) -> HttpResponse:
    """Ce que ce client verrait aujourd'hui ; ni lien, ni visite, et aucune de ses adresses n'y est active."""
    trouve, au = _client(request, client), aujourd_hui()
    reglage = ReglagePortail.objects.filter(societe=trouve.societe).first() or ReglagePortail(societe=trouve.societe)
    langue = langue_demandee(request, trouve.langue)
    expire = au + timedelta(days=reglage.duree_jours)
    acces = Acces(
        lien=LienPortail(client=trouve, cree_le=au, expire_le=expire), client=trouve, societe=trouve.societe,
        reglage=reglage, au=au, langue=langue, jeton="", adresse_ip="", agent="", apercu=True,
    )  # fmt: skip
    with translation.override(langue):
        return proteger(render(request, "portail/page.html", contexte_de_la_page(acces)), langue)
