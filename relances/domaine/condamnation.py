"""Quand des rejets passagers condamnent une adresse. Règle pure de la maison."""

from collections.abc import Iterable
from datetime import date, timedelta

FENETRE = timedelta(days=15)
JOURS_DE_REJET = 3


def adresse_condamnee(jours: Iterable[date], *, au: date) -> bool:
    """Vrai si l'adresse a rejeté, même passagèrement, trois jours différents en quinze, le jour `au` compris.

    Plusieurs rapports du même jour n'en font qu'un : un serveur répète volontiers « je réessaie ».
    """
    return len({jour for jour in jours if au - FENETRE < jour <= au}) >= JOURS_DE_REJET
