"""Pages par curseur : la suite d'une liste, sans trou ni doublon même si des lignes s'ajoutent entre deux pages.

L'ordre est la clé croissante, toujours : ce qui naît après se lit à la fin. Le curseur est signé, propre à sa liste.
"""

from collections.abc import Callable

from django.core.signing import BadSignature, Signer
from django.utils.translation import gettext as _

from .problemes import saisie

SIGNATURE = Signer(salt="recouvrement.api.curseur")


def ecrire(liste: str, apres) -> str:
    return SIGNATURE.sign_object([liste, apres])


def lire(liste: str, curseur: str | None):
    """Ce que `ecrire` a noté ; None au début. Lève un 422 si le curseur n'est pas celui de cette liste."""
    if not curseur:
        return None
    try:
        nom, apres = SIGNATURE.unsign_object(curseur)
    except (BadSignature, ValueError, TypeError):
        nom = None
    if nom != liste:
        raise saisie([("curseur", _("Ce curseur n’est pas de cette liste : repartez de la première page."))])
    return apres


def paginer(lignes, filtres, *, liste: str, montrer: Callable) -> dict:
    """{donnees, curseur_suivant} ; une requête, quel que soit le nombre de lignes (hors préchargements)."""
    apres = lire(liste, filtres.curseur)
    if apres is not None:
        lignes = lignes.filter(pk__gt=apres)
    page = list(lignes.order_by("pk")[: filtres.limite + 1])
    suite = len(page) > filtres.limite
    page = page[: filtres.limite]
    return {
        "donnees": [montrer(ligne) for ligne in page],
        "curseur_suivant": ecrire(liste, page[-1].pk) if suite else None,
    }
