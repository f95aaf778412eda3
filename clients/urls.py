"""Routes des clients."""

from django.urls import path

from .views import (
    actions,
    annonces,
    blocages,
    coordonnees,
    corrections,
    decision,
    documents,
    echeanciers,
    fiche,
    freins,
    liste,
)

app_name = "clients"

urlpatterns = [
    path("", liste.liste, name="liste"),
    path("annonces/", annonces.liste, name="annonces"),
    path("corrections/", corrections.liste, name="corrections"),
    path("corrections/decider/", corrections.decider, name="corrections_decider"),
    path("blocages/", blocages.liste, name="blocages"),
    path("blocages/<int:pk>/lever/", blocages.lever, name="blocage_lever"),
    path("<int:pk>/", fiche.fiche, name="fiche"),
    path("<int:pk>/gestes/<slug:volet>/", actions.geste, name="geste"),
    path("<int:pk>/gestes/<slug:volet>/effet/", actions.effet, name="effet"),
    path("<int:pk>/suspensions/<int:suspension>/lever/", actions.lever, name="lever"),
    path("<int:pk>/exclusions/<int:exclusion>/reintegrer/", actions.reintegrer, name="reintegrer"),
    path("<int:pk>/echeanciers/nouveau/", echeanciers.nouveau, name="echeancier_nouveau"),
    path("<int:pk>/echeanciers/<int:echeancier>/", echeanciers.echeancier, name="echeancier"),
    path("<int:pk>/echeanciers/<int:echeancier>/annuler/", echeanciers.annuler, name="echeancier_annuler"),
    path("<int:pk>/decisions/ouvrir/", decision.trancher, name="trancher"),
    path("<int:pk>/decisions/<int:tache>/", decision.decision, name="decision"),
    path("<int:pk>/freins/<int:echeance>/lever/", freins.lever, name="frein_lever"),
    path("<int:pk>/freins/levees/<int:levee>/approuver/", freins.approuver, name="levee_approuver"),
    path("<int:pk>/freins/levees/<int:levee>/annuler/", freins.annuler, name="levee_annuler"),
    path("<int:pk>/promesses/<int:promesse>/annuler/", actions.promesse_annuler, name="promesse_annuler"),
    path("<int:pk>/renvois/<int:message>/annuler/", actions.renvoi_annuler, name="renvoi_annuler"),
    path("<int:pk>/affectations/<slug:genre>/<int:source>/<str:cle>/defaire/", actions.desaffecter, name="desaffecter"),
    path("<int:pk>/adresse/", actions.adresse, name="adresse"),
    path("<int:pk>/appels/permettre/", coordonnees.permettre, name="appels_permettre"),
    path("<int:pk>/documents/", documents.joindre, name="documents"),
    path("<int:pk>/documents/<int:document>/", documents.telecharger, name="document"),
    path("<int:pk>/documents/<int:document>/apercu/", documents.apercu, name="document_apercu"),
    path("<int:pk>/documents/<int:document>/retirer/", documents.retirer, name="document_retirer"),
    path("<int:pk>/documents/<int:document>/remettre/", documents.remettre, name="document_remettre"),
]
