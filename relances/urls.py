"""Relances : ce soir, courriers, plans."""

from django.urls import path

from .views import apercus, ce_soir, courriers, plans, postes

app_name = "relances"

urlpatterns = [
    path("relances/", ce_soir.ce_soir, name="ce_soir"),
    path("relances/apercu/<int:client>/<int:palier>/<str:devise>/", apercus.apercu, name="apercu"),
    path(
        "relances/apercu/<int:client>/<int:palier>/<str:devise>/page-<int:page>.png", apercus.image, name="apercu_image"
    ),
    path("relances/apercu/<int:client>/<int:palier>/<str:devise>/lettre.pdf", apercus.pdf, name="apercu_pdf"),
    path("relances/valider/", courriers.valider, name="valider"),
    path("relances/imprimer/", postes.imprimer, name="imprimer"),
    path("relances/bordereau/", postes.bordereau, name="bordereau"),
    path("relances/deposer/", postes.deposer, name="deposer"),
    path("relances/retenir/", courriers.retenir_choisis, name="retenir_choisis"),
    path("relances/client/<int:pk>/", courriers.manuel, name="manuel"),
    path("relances/courriers/<int:pk>/", courriers.fiche, name="courrier"),
    path("relances/courriers/<int:pk>/lettre.pdf", courriers.pdf, name="pdf"),
    path("relances/courriers/<int:pk>/page-<int:page>.png", courriers.image, name="image"),
    path("relances/courriers/<int:pk>/texte/", courriers.texte, name="texte"),
    path("relances/courriers/<int:pk>/retenir/", courriers.retenir, name="retenir"),
    path("relances/courriers/<int:pk>/remettre/", courriers.remettre, name="remettre"),
    path("relances/courriers/<int:pk>/trancher/", courriers.trancher, name="trancher"),
    path("relances/courriers/<int:pk>/poster/", postes.poster, name="poster"),
    path("relances/courriers/<int:pk>/retour/", postes.retour, name="retour"),
    path("relances/courriers/<int:pk>/avis/", postes.avis, name="avis"),
    path("plans/", plans.liste, name="plans"),
    path("plans/<int:pk>/", plans.fiche, name="plan"),
    path("plans/<int:pk>/brouillon/", plans.brouillon, name="plan_brouillon"),
    path("plans/<int:pk>/comparaison/", plans.comparaison, name="plan_comparaison"),
    path("plans/<int:pk>/regles/", plans.regles, name="plan_regles"),
    path("plans/<int:pk>/ajouter/", plans.ajouter, name="plan_ajouter"),
    path("plans/<int:pk>/abandonner/", plans.abandonner, name="plan_abandonner"),
    path("plans/palier/<int:pk>/", plans.palier, name="plan_palier"),
    path("plans/palier/<int:pk>/retirer/", plans.retirer, name="plan_retirer"),
    path("plans/<int:pk>/publier/", plans.publier, name="plan_publier"),
]
