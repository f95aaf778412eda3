"""La page du client : son relevé, ses fichiers, ses données. Rien ne s'y change ; une visite n'est qu'une visite."""

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from factures.models import CopieFacture
from recouvrement.commun import depot
from recouvrement.portail import acces as porte
from recouvrement.portail import visites
from recouvrement.portail.acces import par_lien, publique
from recouvrement.portail.presentation import contexte_de_la_page, contexte_des_donnees
from recouvrement.portail.releve import qr_png, relever


@par_lien
@require_safe
def page(request, acces):
    """Ce qu'il y a à régler, comment, et quoi faire sinon."""
    if request.method == "GET":
        visites.noter(acces, visites.Genre.VISITE)
    return render(request, "portail/page.html", contexte_de_la_page(acces))


@par_lien
@require_safe
def donnees(request, acces):
    """Qui traite les données et pourquoi (RGPD, art. 13 et 14)."""
    return render(request, "portail/donnees.html", contexte_des_donnees(acces))


@par_lien
@require_safe
def facture(request, acces, copie):
    """Le PDF d'une facture du relevé ; une facture réglée n'y est plus, celle d'un autre n'existe pas."""
    trouvee = CopieFacture.objects.filter(facture__client=acces.client, pk=copie).select_related("facture").first()
    if trouvee is None or trouvee.facture_id not in relever(acces.client, au=acces.au).factures:
        return porte.introuvable(request)
    try:
        octets = depot.lire(trouvee.chemin, trouvee.empreinte)
    except depot.ErreurDepot:
        return porte.introuvable(request)
    if request.method == "GET":
        visites.noter(acces, visites.Genre.FICHIER, trouvee.facture.numero)
    reponse = HttpResponse(octets, content_type="application/pdf")
    nom = "".join(c if c.isascii() and (c.isalnum() or c in "-_") else "-" for c in trouvee.facture.numero)
    reponse["Content-Disposition"] = f'attachment; filename="{nom}.pdf"'
    return reponse


@par_lien
@require_safe
def qr_total(request, acces, devise):
    """Le code de virement de tout ce qui est à régler."""
    releve = relever(acces.client, au=acces.au)
    compte = releve.compte(devise)
    if compte is None or not releve.qr_possible(devise, compte.a_regler):
        return porte.introuvable(request)
    return _image(qr_png(releve, compte.a_regler), releve.reference)


@par_lien
@require_safe
def qr_piece(request, acces, echeance):
    """Le code de virement d'une seule pièce."""
    releve = relever(acces.client, au=acces.au)
    piece = releve.piece(echeance)
    if piece is None or not piece.payable or not releve.qr_possible(piece.echeance.devise, piece.echeance.reclame):
        return porte.introuvable(request)
    return _image(qr_png(releve, piece.echeance.reclame, piece.numero), piece.numero)


def _image(octets: bytes, nom: str) -> HttpResponse:
    reponse = HttpResponse(octets, content_type="image/png")
    propre = "".join(c if c.isascii() and c.isalnum() else "-" for c in nom)
    reponse["Content-Disposition"] = f'inline; filename="virement-{propre}.png"'
    return reponse


@publique
def introuvable(request):
    return porte.introuvable(request)
