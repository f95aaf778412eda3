"""Routes de l'API et de ses jetons."""

from django.urls import include, path

from .application import routes
from .views import documentation, jetons

app_name = "api"

urlpatterns = [
    path("administration/acces-api/", jetons.jetons, name="jetons"),
    path("administration/acces-api/<int:pk>/revoquer/", jetons.revoquer, name="jeton_revoquer"),
    path("api/v1/", documentation.documentation, name="documentation"),
    path("api/v1/", include(routes)),
]
