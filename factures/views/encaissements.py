"""Encaissements : à qui est cet argent ? La file à gauche, l'affectation au centre, le compte à droite."""

from decimal import Decimal

from django.db.models import F, Sum
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_safe

from factures.models import Avoir, Encaissement
from recouvrement.commun import formats
from recouvrement.commun.tableaux import Colonne
from recouvrement.commun.vues import Liste, onglets, parametres, rendre, texte, valeur_parmi
from recouvrement.comptes.courante import restreindre
from recouvrement.comptes.droits import Droit, exige, peut
from recouvrement.comptes.exports import demande, exporter

from .affectation import contexte_affectation, source_visible

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
    if q := texte(request, "q", 60):
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
    if demande(request):
        vue, mouvements = _file(request)
        return exporter(request, mouvements.select_related("client__societe"), _colonnes(vue), nom=_("encaissements"))
    return ecran(request, source_visible(request, request.GET.get("v", "")))


def _colonnes(vue: str) -> list[Colonne]:
    avoirs = vue == "avoirs"
    return [
        Colonne(_("Société"), lambda m: m.client.societe.code),
        Colonne(_("Code client"), lambda m: m.client.code),
        Colonne(_("Client"), lambda m: m.client.raison_sociale),
        Colonne(_("Référence"), lambda m: m.numero if avoirs else m.reference),
        Colonne(_("Émis le") if avoirs else _("Reçu le"), lambda m: m.date_emission if avoirs else m.date),
        Colonne(_("Mode"), lambda m: m.get_nature_display() if avoirs else m.get_mode_display()),
        Colonne(_("Devise"), lambda m: m.devise),
        Colonne(_("Montant"), lambda m: m.montant),
        Colonne(_("Affecté"), lambda m: m.impute),
        Colonne(_("À affecter"), lambda m: m.montant - m.impute),
        Colonne(_("Libellé"), lambda m: "" if avoirs else m.libelle),
    ]


def ecran(request, choisi, *, form=None, status: int = 200):
    """La file et le mouvement choisi ; `form` : une affectation refusée, à remontrer."""
    vue, mouvements = _file(request)
    liste = Liste(request, mouvements, par_page=PAR_PAGE)
    page = [(m, f"{m._meta.model_name}-{m.pk}") for m in liste]
    if choisi is None and page and not request.GET.get("v"):
        choisi = page[0][0]
    restes = _restes(request)
    contexte = {
        "liste": liste,
        "url_file": reverse("factures:encaissements"),
        "mouvements": [(m, cle, parametres(request, v=cle, p=None, page=request.GET.get("page"))) for m, cle in page],
        "vues": onglets(request, "f", [(v, libelle) for v, libelle in VUES.items()]),
        "vue": vue,
        "choisi": choisi,
        "refusee": form is not None,
        "cle_choisie": f"{choisi._meta.model_name}-{choisi.pk}" if choisi else "",
        "annonce": ngettext("%(n)s mouvement", "%(n)s mouvements", liste.total) % {"n": formats.nombre(liste.total)},
        "resume": " · ".join(formats.somme(reste, devise) for devise, reste in restes),
        "peut_saisir": peut(request.user, Droit.AGIR),
        "url_saisie": reverse("factures:encaissement_nouveau"),
    }
    if choisi:
        contexte |= contexte_affectation(request, choisi, form)
    return rendre(request, "factures/encaissements.html", "factures/_encaissements.html", contexte, status=status)


def _restes(request) -> list[tuple[str, Decimal]]:
    """Ce qui reste à affecter, par devise."""
    ouverts = restreindre(request, Encaissement.objects.visibles_pour(request.user)).filter(impute__lt=F("montant"))
    return list(
        ouverts.order_by("devise")
        .values("devise")
        .annotate(reste=Sum(F("montant") - F("impute")))
        .values_list("devise", "reste")
    )
