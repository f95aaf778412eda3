"""Ce que la journée d'une requête lit : la personne, sa société courante, son portefeuille ou l'équipe."""

from datetime import date

from django.db.models import QuerySet

from clients.models import Client
from recouvrement.comptes.courante import restreindre

from .. import journee


def lire_portee(request, au: date, *, de: str | None = None) -> tuple[journee.Portee, QuerySet, str]:
    """(portée, clients, « moi » ou « equipe ») : son portefeuille, ou l'équipe (`?de=equipe`)."""
    visibles = restreindre(request, Client.objects.visibles_pour(request.user))
    demande = request.GET.get("de", "") if de is None else de
    clients, de = journee.perimetre(visibles, request.user, demande)
    portee = journee.portee(clients, au=au, user=request.user, visibles=visibles, equipe=de == "equipe")
    return portee, clients, de
