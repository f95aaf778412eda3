"""Lire l'adresse d'un écran : une date plausible, un gestionnaire ou un segment du périmètre."""

from datetime import date

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from clients.models import Client
from recouvrement.commun.horloge import aujourd_hui
from recouvrement.commun.vues import entier
from recouvrement.comptes.courante import restreindre
from recouvrement.comptes.models import Utilisateur

PREMIER_JOUR, DERNIER_JOUR = date(1990, 1, 1), date(2199, 12, 31)
AUCUN = "aucun"  # clients sans gestionnaire, ou sans segment


def jour_demande(request, parametre: str = "au") -> date:
    """Date de l'adresse si elle se lit et reste dans deux siècles, sinon aujourd'hui."""
    return _lire_jour(request, parametre) or aujourd_hui()


def jour_illisible(request, parametre: str = "au") -> bool:
    """L'adresse demande une date qui n'est pas celle montrée : l'écran le dit."""
    return bool(request.GET.get(parametre)) and _lire_jour(request, parametre) is None


def _lire_jour(request, parametre: str) -> date | None:
    try:
        jour = date.fromisoformat(request.GET.get(parametre, ""))
    except ValueError:
        return None
    return jour if PREMIER_JOUR <= jour <= DERNIER_JOUR else None


def clients_visibles(request) -> QuerySet:
    """Clients de la personne, dans la société courante."""
    return restreindre(request, Client.objects.visibles_pour(request.user))


def gestionnaires(clients: QuerySet) -> list[tuple[str, str]]:
    """Choix d'un filtre : qui suit au moins un de ces clients, puis « personne »."""
    suivis = Utilisateur.objects.filter(portefeuille__in=clients).order_by("nom").distinct()
    choix = [(str(pk), nom) for pk, nom in suivis.values_list("pk", "nom")]
    return [*choix, (AUCUN, _("personne"))] if choix else []


def segments(clients: QuerySet) -> list[tuple[str, str]]:
    """Choix d'un filtre : segments de ces clients ; vide s'il n'y en a aucun."""
    connus = clients.exclude(segment="").order_by("segment").values_list("segment", flat=True).distinct()
    return [(segment, segment) for segment in connus]


def du_gestionnaire(clients: QuerySet, demande: str, chemin: str = "gestionnaire") -> QuerySet:
    """Filtre par clé de gestionnaire, ou « aucun » ; toute autre valeur est sans effet."""
    if demande == AUCUN:
        return clients.filter(**{f"{chemin}__isnull": True})
    return clients if (pk := entier(demande)) is None else clients.filter(**{chemin: pk})
