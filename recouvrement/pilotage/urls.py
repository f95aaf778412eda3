"""Routes des écrans qui lisent toutes les applications."""

from django.urls import path

from .views import archives, ma_journee, recherche

app_name = "pilotage"

urlpatterns = [
    path("", ma_journee.ma_journee, name="ma_journee"),
    path("journee/suivant/", ma_journee.suivant, name="suivant"),
    path("journee/apercu/<int:pk>/", ma_journee.apercu, name="apercu"),
    path("taches/<int:pk>/faite/", ma_journee.tache_faite, name="tache_faite"),
    path("taches/<int:pk>/reporter/", ma_journee.tache_reporter, name="tache_reporter"),
    path("archives/clients/<int:pk>.zip", archives.client, name="archive_client"),
    path("archives/societes/<int:pk>.zip", archives.societe, name="archive_societe"),
    path("recherche/", recherche.recherche, name="recherche"),
]
