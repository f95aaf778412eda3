"""La seule porte du fournisseur de courriel : fermée sans secret, bornée, et qui ne dit rien à qui devine."""

import logging
import warnings

from anymail.exceptions import AnymailConfigurationError, AnymailInsecureWebhookWarning, AnymailWebhookValidationFailure
from anymail.utils import get_request_basic_auth
from django.conf import settings
from django.core.exceptions import SuspiciousOperation
from django.http import Http404, HttpResponse, HttpResponseNotAllowed
from django.urls import Resolver404, resolve
from django.utils.crypto import constant_time_compare
from django.views.decorators.csrf import csrf_exempt
from kombu.exceptions import OperationalError

from recouvrement.comptes.droits import public

log = logging.getLogger(__name__)
TAILLE_MAX = 40 * 1024 * 1024  # octets : un courriel de trente mégaoctets, codé en base 64


@csrf_exempt
@public
def evenement(request, fournisseur: str, genre: str):
    """Annonce d'un fournisseur (« brevo/tracking », « postmark/inbound »), vérifiée puis confiée à Anymail.

    404 sans secret réglé ou pour un fournisseur inconnu, 403 si le secret ou la signature est faux, 413 trop gros,
    400 illisible, 503 si le courtier est absent : le fournisseur réessaiera.
    """
    if not settings.ANYMAIL_WEBHOOK_SECRET:
        raise Http404
    if request.method not in ("POST", "HEAD"):
        return HttpResponseNotAllowed(["POST", "HEAD"])
    try:
        donnee = get_request_basic_auth(request) or ""
    except (ValueError, SuspiciousOperation):
        donnee = ""
    if not constant_time_compare(donnee.encode(), settings.ANYMAIL_WEBHOOK_SECRET.encode()):
        return HttpResponse(status=403)
    if int(request.META.get("CONTENT_LENGTH") or 0) > TAILLE_MAX:
        return HttpResponse(status=413)
    try:
        vue = resolve(f"/{fournisseur}/{genre}/", urlconf="relances.reponses.adresses_fournisseur")
    except Resolver404 as inconnu:
        raise Http404 from inconnu
    return _confier(vue, request)


def _confier(vue, request) -> HttpResponse:
    try:
        with warnings.catch_warnings():  # le secret est vérifié plus haut
            warnings.simplefilter("ignore", AnymailInsecureWebhookWarning)
            return vue.func(request, *vue.args, **vue.kwargs)
    except AnymailWebhookValidationFailure:
        return HttpResponse(status=403)
    except (AnymailConfigurationError, ImportError) as manque:  # fournisseur que personne n'a réglé
        log.warning("annonce d'un fournisseur pas réglé : %s", manque)
        raise Http404 from manque
    except OperationalError:
        return HttpResponse(status=503)
    except SuspiciousOperation:  # corps ou formulaire démesuré
        return HttpResponse(status=413)
    except Exception as erreur:  # une annonce tordue fait lever n'importe quoi à sa lecture
        log.warning("annonce illisible : %s", type(erreur).__name__, exc_info=True)
        return HttpResponse(status=400)
