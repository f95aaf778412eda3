"""Ce qu'un jeton voit : ce que voit sa personne, dans la seule société du jeton."""

from django.db.models import Model, QuerySet

from .problemes import introuvable


def visibles(request, modele: type[Model], chemin: str = "societe") -> QuerySet:
    jeton = request.jeton
    return modele.objects.visibles_pour(jeton.utilisateur).filter(**{chemin: jeton.societe_id})


def trouver(lignes: QuerySet, cle: int):
    """L'objet, ou un 404 : le même qu'il n'existe pas ou qu'il soit à un autre."""
    objet = lignes.filter(pk=cle).first()
    if objet is None:
        raise introuvable()
    return objet
