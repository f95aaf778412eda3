"""Routes d'équipe de la page du client : son réglage, les liens d'un client, l'aperçu."""

from django.urls import path

from ..views import equipe, reglages

app_name = "page_client"

urlpatterns = [
    path("administration/page-client/", reglages.liste, name="reglages"),
    path("administration/page-client/<int:societe>/", reglages.reglage, name="reglage"),
    path("clients/<int:client>/page/", equipe.client, name="client"),
    path("clients/<int:client>/page/apercu/", equipe.apercu, name="apercu"),
    path("clients/<int:client>/page/donner/", equipe.donner, name="donner"),
    path("clients/<int:client>/page/liens/<int:lien>/revoquer/", equipe.revoquer, name="revoquer"),
]
