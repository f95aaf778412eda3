"""Routes du contentieux : un dossier se nomme par le code de sa société et sa référence."""

from django.urls import path

from .views import actions, fiche, liste

app_name = "contentieux"

DOSSIER = "<slug:societe>/<slug:reference>/"

urlpatterns = [
    path("", liste.liste, name="liste"),
    path("ouvrir/<int:pk>/", actions.ouvrir, name="ouvrir"),
    path("<int:pk>/", fiche.par_identifiant, name="dossier"),
    path(DOSSIER, fiche.fiche, name="fiche"),
    path(f"{DOSSIER}gestes/<slug:geste>/", actions.geste, name="geste"),
    path(f"{DOSSIER}pieces/<int:piece>/", actions.piece, name="piece"),
    path(f"{DOSSIER}requete/", actions.requete, name="requete"),
    path(f"{DOSSIER}decompte/", actions.decompte, name="decompte"),
    path(f"{DOSSIER}dossier.zip", actions.archive, name="archive"),
]
