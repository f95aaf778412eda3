"""Thème, langue, société courante : trois petits POST qui ramènent d'où l'on vient."""

from django.conf import settings
from django.http import HttpResponse
from django.utils import translation
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from recouvrement.commun.vues import fait, rediriger

from ..courante import CLE_SESSION, PARAMETRE, societes_visibles
from ..droits import Droit, exige, public
from ..forms import LangueForm, SocieteCouranteForm, ThemeForm

UN_AN = 365 * 24 * 3600


def _suite(request) -> str:
    """L'adresse d'où l'on vient, si elle est à nous ; sinon l'accueil."""
    suite = request.POST.get("suite", "")
    sure = url_has_allowed_host_and_scheme(suite, allowed_hosts={request.get_host()}, require_https=request.is_secure())
    return suite if sure else "/"


@require_POST
@exige(Droit.VOIR)
def theme(request):
    """Enregistre le thème ; le script n'attend aucune page en retour."""
    formulaire = ThemeForm(request.POST, instance=request.user)
    if not formulaire.is_valid():
        return HttpResponse(status=422)
    formulaire.save()
    return rediriger(request, _suite(request)) if "suite" in request.POST else HttpResponse(status=204)


@require_POST
@public
def langue(request):
    """Langue de la personne ; avant la connexion, celle du navigateur par un témoin."""
    formulaire = LangueForm(request.POST)
    if not formulaire.is_valid():
        return HttpResponse(status=422)
    choisie = formulaire.cleaned_data["langue"]
    reponse = rediriger(request, _suite(request))
    if request.user.is_authenticated:
        request.user.langue = choisie
        request.user.save(update_fields=["langue"])
    reponse.set_cookie(settings.LANGUAGE_COOKIE_NAME, choisie, max_age=UN_AN, samesite="Lax", httponly=True)
    with translation.override(choisie):
        fait(request, _("L’application parle maintenant français."))
    return reponse


@require_POST
@exige(Droit.VOIR)
def societe(request):
    """Change la société courante ; l'adresse perd son `?societe=`, qui l'emporterait sur le choix."""
    formulaire = SocieteCouranteForm(request.POST, societes=societes_visibles(request))
    if not formulaire.is_valid():
        return HttpResponse(status=422)
    request.session[CLE_SESSION] = formulaire.cleaned_data["societe"]
    chemin, _point, requete = _suite(request).partition("?")
    gardes = [p for p in requete.split("&") if p and not p.startswith((f"{PARAMETRE}=", "page="))]
    return rediriger(request, f"{chemin}?{'&'.join(gardes)}" if gardes else chemin)
