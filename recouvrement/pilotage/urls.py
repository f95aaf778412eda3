"""Routes des écrans qui lisent toutes les applications."""

from django.urls import path

from .views import archives, enchainement, gestes, ma_journee, recherche

app_name = "pilotage"

urlpatterns = [
    path("", ma_journee.ma_journee, name="ma_journee"),
    path("journee/suivant/", enchainement.suivant, name="suivant"),
    path("journee/apercu/<int:pk>/", ma_journee.apercu, name="apercu"),
    path("journee/clients/<int:pk>/reporter/", gestes.client_reporter, name="client_reporter"),
    path("journee/reports/<int:pk>/reprendre/", gestes.report_annuler, name="report_annuler"),
    path("journee/mentions/<int:pk>/lue/", gestes.mention_lue, name="mention_lue"),
    path("taches/<int:pk>/faite/", gestes.tache_faite, name="tache_faite"),
    path("taches/<int:pk>/reporter/", gestes.tache_reporter, name="tache_reporter"),
    path("taches/<int:pk>/confier/", gestes.tache_confier, name="tache_confier"),
    path("taches/<int:pk>/rendre/", gestes.tache_rendre, name="tache_rendre"),
    path("archives/clients/<int:pk>.zip", archives.client, name="archive_client"),
    path("archives/societes/<int:pk>.zip", archives.societe, name="archive_societe"),
    path("recherche/", recherche.recherche, name="recherche"),
]
