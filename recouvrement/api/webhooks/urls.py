"""Routes des webhooks."""

from django.urls import path

from ..views import webhooks

app_name = "webhooks"

urlpatterns = [
    path("", webhooks.liste, name="liste"),
    path("nouveau/", webhooks.nouveau, name="nouveau"),
    path("<int:pk>/", webhooks.abonnement, name="abonnement"),
    path("<int:pk>/essayer/", webhooks.essayer, name="essayer"),
    path("<int:pk>/cle/", webhooks.renouveler, name="cle"),
    path("<int:pk>/basculer/", webhooks.basculer, name="basculer"),
    path("<int:pk>/livraisons/<int:livraison>/rejouer/", webhooks.rejouer, name="rejouer"),
]
