"""Routes des comptes : préférences, administration."""

from django.urls import path

from .views import preferences

app_name = "comptes"

urlpatterns = [
    path("preferences/theme", preferences.theme, name="theme"),
    path("preferences/langue", preferences.langue, name="langue"),
    path("preferences/societe", preferences.societe, name="societe"),
]
