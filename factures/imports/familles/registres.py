"""Annonces BODACC et fichiers SIRENE : des objets lus à la base."""

from collections.abc import Iterator

from ..ecriture import Contexte, Ecrits
from ..lot import LotLu, Rejet


def ecrire(contexte: Contexte, lu: LotLu, ecrits: Ecrits) -> Iterator[Rejet]:
    """Rien n'est encore écrit pour cette famille."""
    yield from ()
