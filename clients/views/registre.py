"""Tous les volets de la fiche, par nom d'adresse ; ceux qui ont une touche s'offrent d'abord, dans cet ordre."""

from .volet_appel import Appel
from .volet_blocage import Bloquer
from .volets import Contact, Jugement, Modifier, Noter, Suspendre, Volet
from .volets_pieces import Affecter, Encaissement, Exclure, Litige, Promesse, SuiteLitige

VOLETS: dict[str, type[Volet]] = {
    volet.nom: volet
    for volet in (
        Appel, Noter, Promesse, Litige, SuiteLitige, Encaissement, Affecter, Suspendre, Exclure, Contact,
        Modifier, Jugement, Bloquer,
    )
}  # fmt: skip
