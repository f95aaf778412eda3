"""Routes de la page du client : publiques, sans compte, chacune vérifie son lien (`acces.par_lien`).

« introuvable » reste la dernière : tout ce qui n'est pas ici répond la même 404.
"""

from django.urls import path, re_path

from .views import code, page

app_name = "portail"

urlpatterns = [
    path("code", code.saisir, name="code"),
    path("<slug:jeton>", page.page, name="page"),
    path("<slug:jeton>/donnees", page.donnees, name="donnees"),
    path("<slug:jeton>/facture/<int:copie>", page.facture, name="facture"),
    path("<slug:jeton>/qr/<str:devise>", page.qr_total, name="qr_total"),
    path("<slug:jeton>/qr/piece/<int:echeance>", page.qr_piece, name="qr_piece"),
    re_path(r"^.*$", page.introuvable, name="introuvable"),
]
