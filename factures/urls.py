"""Factures : liste, fiche, balance âgée, encaissements, imports."""

from django.urls import path

from .views import (
    balance_agee,
    copies,
    decompte,
    encaissements,
    fiche,
    gestes,
    imports,
    liste,
    prelevements,
    sources,
    statuts_fe,
)

app_name = "factures"

urlpatterns = [
    path("factures/", liste.liste, name="liste"),
    path("factures/<int:pk>/", fiche.fiche, name="fiche"),
    path("factures/<int:pk>/statut/", statuts_fe.noter, name="statut"),
    path("factures/<int:pk>/copies/", copies.deposer, name="copies"),
    path("factures/copies/<int:pk>/", copies.telecharger, name="copie"),
    path("factures/copies/<int:pk>/retirer/", copies.retirer, name="copie_retirer"),
    path("factures/client/<int:client>/copies/", copies.par_nom, name="copies_client"),
    path("factures/<int:pk>/renoncer/", decompte.renonciation, name="renoncer"),
    path(
        "factures/<int:pk>/renonciations/<int:renonciation>/annuler/",
        decompte.renonciation_annuler,
        name="renonciation_annuler",
    ),
    path("decomptes/<int:client>/", decompte.ecran, name="decompte"),
    path("decomptes/<int:client>/export/<slug:format>/", decompte.export, name="decompte_export"),
    path("decomptes/<int:client>/clause/", decompte.plancher, name="plancher"),
    path("balance-agee/", balance_agee.balance_agee, name="balance_agee"),
    path("balance-agee/client/<int:client>/<slug:devise>/", balance_agee.ligne, name="balance_ligne"),
    path("balance-agee/export/<slug:format>/", balance_agee.export, name="balance_export"),
    path("encaissements/", encaissements.encaissements, name="encaissements"),
    path("encaissements/nouveau/", gestes.nouveau, name="encaissement_nouveau"),
    path("encaissements/clients/", gestes.suggestions, name="encaissement_clients"),
    path("encaissements/<slug:genre>/<int:pk>/affecter/", gestes.affecter, name="affecter"),
    path("encaissements/<slug:genre>/<int:pk>/ecart/", gestes.ecart, name="ecart"),
    path(
        "encaissements/<slug:genre>/<int:pk>/affectations/<str:cle>/defaire/",
        gestes.desaffecter,
        name="desaffecter",
    ),
    path("factures/echeances/<int:pk>/prelevement-rejete/", prelevements.rejeter, name="prelevement_rejete"),
    path("imports/", imports.imports, name="imports"),
    path("imports/modeles/<slug:nom>.csv", imports.modele, name="import_modele"),
    path("imports/<int:pk>/", imports.import_, name="import"),
    path("imports/<int:pk>/appliquer/", imports.appliquer, name="import_appliquer"),
    path("imports/<int:pk>/relancer/", imports.relancer, name="import_relancer"),
    path("imports/<int:pk>/abandonner/", imports.abandonner, name="import_abandonner"),
    path("imports/<int:pk>/rejets.csv", imports.rapport, name="import_rapport"),
    path("administration/sources/", sources.sources, name="sources"),
    path("administration/sources/nouvelle/", sources.source_nouvelle, name="source_nouvelle"),
    path("administration/sources/<int:pk>/", sources.source, name="source"),
    path("administration/sources/<int:pk>/essayer/", sources.source_essayer, name="source_essayer"),
    path("administration/sources/<int:pk>/relever/", sources.source_relever, name="source_relever"),
]
