"""Routes racines."""

from django.http import HttpResponse
from django.urls import include, path

from recouvrement.comptes.droits import public


@public
def sante(request):
    """Sonde : le processus répond."""
    return HttpResponse("ok", content_type="text/plain")


urlpatterns = [
    path("sante", sante, name="sante"),
    path("compte/", include("allauth.urls")),
    path("", include("recouvrement.comptes.urls")),
    path("", include("recouvrement.api.urls")),
    path("", include("recouvrement.pilotage.urls")),
    path("p/", include("recouvrement.portail.urls")),
    path("", include("recouvrement.portail.equipe.urls")),
    path("clients/", include("clients.urls")),
    path("", include("factures.urls")),
    path("", include("relances.urls")),
    path("contentieux/", include("contentieux.urls")),
    path("administration/webhooks/", include("recouvrement.api.webhooks.urls")),
]
