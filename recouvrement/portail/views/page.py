"""La page du client : son relevé, ses fichiers, ses données. Rien ne s'y change ; une visite n'est qu'une visite."""

from django.shortcuts import render
from django.views.decorators.http import require_safe

from recouvrement.portail import acces as porte
from recouvrement.portail.acces import par_lien, publique


@par_lien
@require_safe
def page(request, acces):
    """Ce qu'il y a à régler, comment, et quoi faire sinon."""
    return render(request, "portail/page.html", {"acces": acces})


@par_lien
@require_safe
def donnees(request, acces):
    """Qui traite les données et pourquoi (RGPD, art. 13 et 14)."""
    return render(request, "portail/donnees.html", {"acces": acces})


@par_lien
@require_safe
def facture(request, acces, copie):
    return porte.introuvable(request)


@par_lien
@require_safe
def qr_total(request, acces, devise):
    return porte.introuvable(request)


@par_lien
@require_safe
def qr_piece(request, acces, echeance):
    return porte.introuvable(request)


@publique
def introuvable(request):
    return porte.introuvable(request)
