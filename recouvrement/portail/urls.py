"""Routes de la page du client : publiques, sans compte, chacune vérifie son lien (`acces.par_lien`).

« introuvable » reste la dernière : tout ce qui n'est pas ici répond la même 404.
"""

from django.urls import path, re_path

from .views import code, declarations, page, paiement, signature

app_name = "portail"

urlpatterns = [
    path("code", code.saisir, name="code"),
    path("paiement/<int:societe>", paiement.notification, name="notification"),
    path("<slug:jeton>", page.page, name="page"),
    path("<slug:jeton>/donnees", page.donnees, name="donnees"),
    path("<slug:jeton>/facture/<int:copie>", page.facture, name="facture"),
    path("<slug:jeton>/qr/<str:devise>", page.qr_total, name="qr_total"),
    path("<slug:jeton>/qr/piece/<int:echeance>", page.qr_piece, name="qr_piece"),
    path("<slug:jeton>/declarer/<slug:genre>", declarations.declarer, name="declarer"),
    path("<slug:jeton>/recu/<int:pk>", declarations.recu, name="recu"),
    path("<slug:jeton>/accord/<int:pk>", signature.accord, name="accord"),
    path("<slug:jeton>/accord/<int:pk>/accord.pdf", signature.fichier, name="accord_pdf"),
    path("<slug:jeton>/accord/<int:pk>/code", signature.code, name="accord_code"),
    path("<slug:jeton>/accord/<int:pk>/signer", signature.signer, name="accord_signer"),
    path("<slug:jeton>/carte", paiement.carte, name="carte"),
    path("<slug:jeton>/carte/essai", paiement.essai, name="carte_essai"),
    re_path(r"^.*$", page.introuvable, name="introuvable"),
]
