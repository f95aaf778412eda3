"""Produire les statuts 212 « Encaissée » d'une période ou d'une facture, et les télécharger."""

from datetime import date

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from factures.models import Facture, StatutRecu
from factures.rendu_cdar import nom_fichier, rendre_cdar, rendre_csv, rendre_zip
from factures.services.statuts_fe_212 import a_produire, emis, produire
from recouvrement.commun import formats
from recouvrement.commun.horloge import aujourd_hui
from recouvrement.commun.vues import Liste, entier, fait, parametres, rediriger, rendre
from recouvrement.comptes.courante import restreindre
from recouvrement.comptes.droits import Droit, exige, peut, societes_pour

DEBUT = date(1950, 1, 1)
MONTRES = 100
TELECHARGES_MAX = 5_000  # messages dans une archive


def _periode(request, donnees=None) -> tuple[date, date]:
    """Du premier du mois d'avant à aujourd'hui, sauf demande ; une date illisible vaut le défaut."""
    donnees, au = donnees if donnees is not None else request.GET, aujourd_hui()
    mois_avant = date(au.year - (au.month == 1), (au.month - 2) % 12 + 1, 1)

    def lue(nom: str, defaut: date) -> date:
        try:
            return date.fromisoformat(donnees.get(nom, ""))
        except ValueError:
            return defaut

    return lue("du", mois_avant), lue("au", au)


@require_safe
@exige(Droit.VOIR)
def liste(request):
    du, au = _periode(request)
    factures = restreindre(request, Facture.objects.visibles_pour(request.user))
    attendus = a_produire(factures, du=du, au=au)
    produits = emis(restreindre(request, StatutRecu.objects.visibles_pour(request.user))).filter(le__range=(du, au))
    page = Liste(request, produits, tris={"le": ["le"], "facture": ["facture__numero"]}, defaut="-le")
    contexte = {
        "liste": page,
        "du": du,
        "au": au,
        "attendus": attendus[:MONTRES],
        "n": len(attendus),
        "peut_agir": peut(request.user, Droit.AGIR),
        "peut_exporter": peut(request.user, Droit.EXPORTER),
        "url_zip": reverse("factures:statuts_212_fichier") + parametres(request, du=du, au=au, format="zip"),
        "url_csv": reverse("factures:statuts_212_fichier") + parametres(request, du=du, au=au, format="csv"),
        "annonce": ngettext("%(n)s statut produit", "%(n)s statuts produits", page.total)
        % {"n": formats.nombre(page.total)},
    }
    return rendre(request, "factures/statuts_212.html", "factures/_statuts_212.html", contexte)


@require_POST
@exige(Droit.AGIR)
def faire(request):
    """Toute la période, ou une seule facture (`facture`), dans chaque société où la personne agit."""
    factures = restreindre(request, Facture.objects.visibles_pour(request.user))
    du, au = _periode(request, request.POST)
    seule = entier(request.POST.get("facture"))
    if seule:
        factures, du, au = factures.filter(pk=seule), DEBUT, aujourd_hui()
    societes = societes_pour(request.user, Droit.AGIR).filter(pk__in=factures.values("societe").distinct())
    n = sum(len(produire(factures, societe=s, du=du, au=au, acteur=request.user)) for s in societes)
    if n:
        phrase = ngettext(
            "%(n)s statut « Encaissée » produit : téléchargez-le et déposez-le sur votre plateforme.",
            "%(n)s statuts « Encaissée » produits : téléchargez-les et déposez-les sur votre plateforme.",
            n,
        )
        fait(request, phrase % {"n": n})
    else:
        messages.info(request, _("Rien à produire : tout encaissement est déjà déclaré."))
    if seule:
        return rediriger(request, reverse("factures:fiche", args=[seule]) + "#statut-fe")
    return rediriger(request, f"{reverse('factures:statuts_212')}?du={du}&au={au}")


@require_safe
@exige(Droit.EXPORTER)
def fichier(request):
    """`?statut=` : un message ; sinon la période, en `zip` (un message par statut) ou en `csv`."""
    statuts = emis(
        restreindre(request, StatutRecu.objects.visibles_pour(request.user)).filter(
            societe__in=societes_pour(request.user, Droit.EXPORTER)
        )
    )
    if cle := request.GET.get("statut"):
        statut = statuts.filter(pk=entier(cle) or 0).first()
        if statut is None:
            raise Http404
        return _joindre(rendre_cdar(statut), nom_fichier(statut), "application/xml")
    du, au = _periode(request)
    lot = list(statuts.filter(le__range=(du, au))[: TELECHARGES_MAX + 1])
    if len(lot) > TELECHARGES_MAX:
        messages.error(
            request, _("Plus de %(n)s statuts : choisissez une période plus courte.") % {"n": TELECHARGES_MAX}
        )
        return rediriger(request, f"{reverse('factures:statuts_212')}?du={du}&au={au}")
    nom = f"statuts-212_{du:%Y%m%d}-{au:%Y%m%d}"
    if request.GET.get("format") == "csv":
        return _joindre(rendre_csv(lot).encode(), f"{nom}.csv", "text/csv; charset=utf-8")
    return _joindre(rendre_zip(lot), f"{nom}.zip", "application/zip")


def _joindre(contenu: bytes, nom: str, genre: str) -> HttpResponse:
    reponse = HttpResponse(contenu, content_type=genre)
    reponse["Content-Disposition"] = f'attachment; filename="{nom}"'
    return reponse
