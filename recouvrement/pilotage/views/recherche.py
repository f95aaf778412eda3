"""Écran « Recherche » et sa liste rapide sous la barre (Ctrl K)."""

from django.shortcuts import redirect
from django.views.decorators.http import require_safe

from recouvrement.commun.vues import adresse, rendre, texte, veut_fragment
from recouvrement.comptes.droits import Droit, exige

from ..recherche import MINIMUM, chercher

RAPIDE, COMPLET = 5, 25


@require_safe
@exige(Droit.VOIR)
def recherche(request):
    """Une seule réponse s'ouvre d'elle-même ; sinon la liste, par nature."""
    q = texte(request, "q", 100)
    rapide = veut_fragment(request)
    groupes = chercher(request.user, q, par_groupe=RAPIDE if rapide else COMPLET)
    nombre = sum(len(groupe.trouvailles) for groupe in groupes)
    if nombre == 1 and not rapide:
        seule = groupes[0].trouvailles[0]
        if url := adresse(seule.route, seule.cle):
            return redirect(url)
    contexte = {"q": q, "groupes": groupes, "nombre": nombre, "minimum": MINIMUM}
    return rendre(request, "pilotage/recherche.html", "pilotage/_recherche_rapide.html", contexte)
