"""Routes des comptes : préférences, administration."""

from django.urls import path

from .views import absences, administration, logo, preferences, societes

app_name = "comptes"

urlpatterns = [
    path("preferences/", absences.preferences, name="preferences"),
    path("preferences/absences/", absences.absence_poser, name="absence_poser"),
    path("absences/<int:pk>/annuler/", absences.absence_annuler, name="absence_annuler"),
    path("administration/utilisateurs/<int:pk>/absences/", absences.absences_de, name="absences_de"),
    path("preferences/theme", preferences.theme, name="theme"),
    path("preferences/langue", preferences.langue, name="langue"),
    path("preferences/societe", preferences.societe, name="societe_courante"),
    path("administration/", administration.utilisateurs, name="administration"),
    path("administration/utilisateurs/nouveau/", administration.utilisateur_nouveau, name="utilisateur_nouveau"),
    path("administration/utilisateurs/<int:pk>/", administration.utilisateur, name="utilisateur"),
    path("administration/utilisateurs/<int:pk>/portefeuille", administration.portefeuille, name="portefeuille"),
    path("administration/utilisateurs/<int:pk>/inviter", administration.inviter, name="inviter"),
    path("administration/societes/", societes.societes, name="societes"),
    path("administration/societes/nouvelle/", societes.societe, name="societe_nouvelle"),
    path("administration/societes/<int:pk>/", societes.societe, name="societe"),
    path("administration/societes/<int:pk>/logo/", logo.changer, name="logo"),
    path("administration/societes/<int:pk>/logo.image", logo.image, name="logo_image"),
    path("administration/taux/", societes.taux, name="taux"),
]
