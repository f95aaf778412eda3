"""Routes du contentieux : un dossier se nomme par le code de sa société et sa référence."""

from django.urls import path

from .views import actions, fiche, liste, prescription, sources

app_name = "contentieux"

DOSSIER = "<slug:societe>/<slug:reference>/"

urlpatterns = [
    path("", liste.liste, name="liste"),
    path("ouvrir/<int:pk>/", actions.ouvrir, name="ouvrir"),
    path("declaration/<int:pk>/", actions.declaration, name="declaration"),
    path("sources/", sources.sources, name="sources"),
    path("prescriptions/", prescription.approches, name="prescriptions"),
    path("prescriptions/<int:pk>/", prescription.facture, name="prescription"),
    path("prescriptions/<int:pk>/resume/", prescription.resume, name="prescription_resume"),
    path("prescriptions/<int:pk>/acte/", prescription.relever, name="prescription_acte"),
    path("prescriptions/<int:pk>/creance/", prescription.qualifier, name="prescription_creance"),
    path("prescriptions/<int:pk>/actes/<int:acte>/annuler/", prescription.annuler, name="prescription_annuler"),
    path("prescriptions/<int:pk>/actes/<int:acte>/preuve/", prescription.preuve, name="prescription_preuve"),
    path("<int:pk>/", fiche.par_identifiant, name="dossier"),
    path(DOSSIER, fiche.fiche, name="fiche"),
    path(f"{DOSSIER}gestes/<slug:geste>/", actions.geste, name="geste"),
    path(f"{DOSSIER}pieces/<int:piece>/", actions.piece, name="piece"),
    path(f"{DOSSIER}requete/", actions.requete, name="requete"),
    path(f"{DOSSIER}decompte/", actions.decompte, name="decompte"),
    path(f"{DOSSIER}dossier.zip", actions.archive, name="archive"),
]
