"""Les compteurs du menu, gardés trente secondes en mémoire par personne : chaque page les montre, peu les changent.

Exacts dès le geste de la personne elle-même : toute requête qui écrit pose un témoin (`TemoinDeGesteMiddleware`) et la
page suivante recompte. Ce qu'un collègue, un client ou la nuit changent se voit trente secondes plus tard. En mémoire
et non en base : un GET n'écrit rien, et un import qui tient SQLite ne fait attendre aucune page.
"""

from collections.abc import Callable
from secrets import token_hex

from django.conf import settings
from django.core.cache import caches

DUREE = 30  # secondes
TEMOIN = "geste"
SURS = ("GET", "HEAD", "OPTIONS")


def compte(request, nom: str, compter: Callable[[], int], *, societe: int | None, au) -> int:
    """Ce compteur pour cette personne, dans cette société (None : toutes), ce jour. Recompté pendant un geste."""
    if request.method not in SURS:
        return compter()
    temoin = request.COOKIES.get(TEMOIN, "")[:32]
    cle = f"menu:{request.user.pk}:{societe or 0}:{au:%Y%m%d}:{nom}:{temoin if temoin.isalnum() else ''}"
    su = getattr(request, "_comptes_sus", {}).get(nom)
    if su is None:
        return caches["memoire"].get_or_set(cle, compter, DUREE)
    caches["memoire"].set(cle, su, DUREE)
    return su


def retenir(request, nom: str, n: int) -> None:
    """La page vient de compter elle-même : son menu dit le même nombre qu'elle, sans autre requête."""
    request._comptes_sus = getattr(request, "_comptes_sus", {}) | {nom: n}


class TemoinDeGesteMiddleware:
    """Pose le témoin après chaque requête qui écrit, pour qui a une session ; le portail et l'API n'en ont pas."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        reponse = self.get_response(request)
        if request.method not in SURS and settings.SESSION_COOKIE_NAME in request.COOKIES:
            reponse.set_cookie(
                TEMOIN, token_hex(8), httponly=True, samesite="Lax", secure=settings.SESSION_COOKIE_SECURE
            )
        return reponse
