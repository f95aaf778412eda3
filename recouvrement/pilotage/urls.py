"""Routes des écrans qui lisent toutes les applications."""

from django.urls import path

from .views import recherche

app_name = "pilotage"

urlpatterns = [
    path("recherche/", recherche.recherche, name="recherche"),
]
