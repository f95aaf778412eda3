"""L'API montée : ses ressources, son schéma, et l'enveloppe commune de chaque réponse."""

from collections.abc import Callable
from functools import cache, wraps

from django.http import Http404, HttpResponse, JsonResponse
from django.urls import URLPattern, path, re_path
from django.utils import translation
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext as _
from django.utils.translation.trans_real import parse_accept_lang_header
from django.views.decorators.csrf import csrf_exempt
from ninja import NinjaAPI
from ninja.errors import HttpError
from ninja.errors import ValidationError as SaisieRefusee

from recouvrement.comptes.droits import public

from .acces import entetes_de_debit, taille_permise
from .contrat import completer
from .portees import droit_de
from .problemes import Probleme, introuvable, repondre, traduire, trop_grand
from .ressources import clients, comptes, divers, encaissements, factures, imports, relances

RACINE = "/api/v1/"
DESCRIPTION = (
    "Mêmes services et mêmes règles que les écrans : un jeton voit ce que voit sa personne, dans une seule société, et "
    "jamais plus que ses portées. Montants en chaînes à deux décimales, dates ISO 8601, erreurs "
    "`application/problem+json`. Listes par curseur, clés croissantes. Tout POST porte `Idempotency-Key`."
)
api = NinjaAPI(
    title="Recouvrement", version="1", description=DESCRIPTION, urls_namespace="api", docs_url=None, openapi_url=None
)
for ressource in (divers, clients, factures, encaissements, imports, relances, comptes):
    api.add_router("", ressource.router)


def _probleme(request, erreur):
    return repondre(traduire(erreur))


for genre in (Exception, SaisieRefusee, HttpError, Http404):  # à chacune des siennes, ninja a déjà une réponse
    api.add_exception_handler(genre, _probleme)


def _langue(request) -> str:
    """Celle d'Accept-Language si elle est parlée ici, sinon le français ; jamais celle d'une session."""
    for code, _poids in parse_accept_lang_header(request.headers.get("Accept-Language", "")):
        if code[:2] in ("fr", "en"):
            return code[:2]
    return "fr"


def envelopper(vue: Callable, methodes: tuple[str, ...]) -> Callable:
    """Langue, taille, méthode, erreurs et en-têtes communs ; HEAD lit comme GET."""

    @csrf_exempt  # aucun cookie n'est lu : il n'y a rien à détourner
    @wraps(vue)
    def enveloppee(request, *args, **kwargs):
        with translation.override(_langue(request)):
            try:
                reponse = _servir(vue, methodes, request, *args, **kwargs)
            except Exception as erreur:
                reponse = repondre(traduire(erreur))
            reponse.headers["Content-Language"] = translation.get_language()
        if debit := getattr(request, "debit", None):
            for nom, valeur in entetes_de_debit(debit).items():
                reponse.headers[nom] = valeur
        if getattr(request, "rejouee", False):
            reponse.headers["Idempotency-Replayed"] = "true"
        reponse.headers["Cache-Control"] = "no-store"
        patch_vary_headers(reponse, ["Accept-Language", "Authorization"])
        return reponse

    return enveloppee


def _servir(vue, methodes, request, *args, **kwargs) -> HttpResponse:
    if request.method == "HEAD" and "GET" in methodes:
        request.method = "GET"
    if request.method not in methodes:
        detail = _("Cette adresse n’admet que %(methodes)s.") % {"methodes": ", ".join(methodes)}
        raise Probleme(405, "methode-refusee", detail, entetes={"Allow": ", ".join(methodes)})
    if not taille_permise(request):
        raise trop_grand()
    return vue(request, *args, **kwargs)


def operations() -> dict[str, list]:
    """{chemin: opérations de ninja}."""
    return {chemin: vue.operations for lie in api._get_bound_routers() for chemin, vue in lie.path_operations.items()}


def _vues() -> list[URLPattern]:
    """Les routes, chacune avec ses portées par méthode et le droit qu'il faut au moins pour y lire."""
    routes = []
    for lie in api._get_bound_routers():
        for chemin, vue_de_chemin in lie.path_operations.items():
            portees = {op.methods[0]: op.auth_callbacks[0].portee for op in vue_de_chemin.operations}
            vue = envelopper(vue_de_chemin.get_view(), tuple(sorted(portees)))
            vue.portees = portees
            vue.droit = next((droit_de(p) for p in portees.values() if p), None)
            premiere = vue_de_chemin.operations[0]
            routes.append(path(chemin.replace("{", "<").replace("}", ">"), vue, name=premiere.url_name))
    return routes


@cache
def schema() -> dict:
    """OpenAPI 3.1, calculé à la première demande : rien au démarrage."""
    with translation.override("fr"):
        return completer(dict(api.get_openapi_schema(path_prefix=RACINE)))


@public
def openapi(request):
    return JsonResponse(schema(), json_dumps_params={"ensure_ascii": False})


@public
def perdue(request, reste: str = ""):
    raise introuvable()


openapi_vue = public(envelopper(openapi, ("GET",)))
perdue_vue = public(envelopper(perdue, ("DELETE", "GET", "OPTIONS", "PATCH", "POST", "PUT")))

routes = [
    path("openapi.json", openapi_vue, name="openapi"),
    *_vues(),
    re_path(r"^(?P<reste>.+)$", perdue_vue, name="introuvable"),
]
