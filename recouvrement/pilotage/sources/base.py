"""Ce que toute source partage : ce qu'elle lit, ce qu'elle rend, à qui."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from recouvrement.commun import formats
from recouvrement.commun.vues import adresse

from ..domaine.priorite import Genre, Groupe

PLAFOND = 500  # actions lues par source
HORIZON = timedelta(days=7)  # ce qui « peut attendre » se voit une semaine d'avance


@dataclass
class Action:
    """Une chose à faire : sa consigne au verbe, sa raison, son jour, où la faire.

    tient : un report du client ne la cache pas (délai légal, envoi au sort inconnu, chose confiée en propre).
    """

    genre: Genre
    client_id: int
    consigne: str
    le: date
    raison: str = ""
    nature: int = 0
    url: str = ""
    tache_id: int | None = None
    levee_id: int | None = None
    mention_id: int | None = None
    butoir: bool = False
    tient: bool = False
    groupe: Groupe = Groupe.AUJOURDHUI


@dataclass(frozen=True)
class Portee:
    """Pour qui et sur quoi.

    ids : les clients de la journée ; visibles : ceux où l'on cherche ce qui est adressé à la personne même (chose
    confiée, mention, décision à prendre) ; moi : elle et ceux qu'elle remplace ; equipe : le travail de tous.
    """

    ids: QuerySet
    visibles: QuerySet
    user: object
    moi: frozenset[int]
    au: date
    equipe: bool = False


@dataclass(frozen=True)
class Source:
    """ouverts(portee) : ce qui attend, sans ordre ; chemin : de là au client ; tenaces : ce qu'un report laisse."""

    ouverts: Callable[[Portee], QuerySet]
    actions: Callable[[QuerySet, Portee], Iterable[Action]]
    chemin: str = "client"
    tenaces: Callable[[QuerySet, Portee], QuerySet] | None = None


def jour_ou_aujourdhui(jour: date, au: date) -> str:
    return _("aujourd'hui") if jour == au else formats.jour_court(jour)


def minuscule(texte: str) -> str:
    """« Recommandé AR » → « recommandé AR » : les sigles restent."""
    return texte[:1].lower() + texte[1:]


def fiche(client_id: int, **parametres) -> str:
    """Adresse de la fiche, sur un onglet ou un volet."""
    suite = "&".join(f"{cle}={valeur}" for cle, valeur in parametres.items())
    return f"{adresse('clients:fiche', client_id)}?{suite}" if suite else adresse("clients:fiche", client_id)
