"""Les vues d'Anymail, à la racine : `relances.views.evenements` y choisit celle du fournisseur qui écrit."""

from django.urls import include, path

from . import fournisseur  # noqa: F401 : branche les signaux

urlpatterns = [path("", include("anymail.urls"))]
