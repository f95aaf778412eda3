"""Tous les volets de la fiche, par nom d'adresse ; ceux qui ont une touche s'offrent d'abord, dans cet ordre."""

from .volet_appel import Appel
from .volet_blocage import Bloquer
from .volet_coordonnees import NePasAppeler, NouvelleAdresse
from .volet_etape import Etape
from .volet_litige import Echange, Litige, SuiteLitige
from .volet_noter import Noter
from .volet_perte import Perte
from .volet_promesse import Promesse
from .volet_renvoi import Renvoyer
from .volet_sms import PlusDeSms
from .volets import Contact, Jugement, Modifier, Suspendre, Volet
from .volets_pieces import Affecter, Encaissement, Exclure

VOLETS: dict[str, type[Volet]] = {
    volet.nom: volet
    for volet in (
        Appel, Noter, Promesse, Litige, SuiteLitige, Echange, Encaissement, Affecter, Suspendre, Exclure, Renvoyer,
        Etape, Contact, Modifier, Jugement, Bloquer, Perte, NePasAppeler, PlusDeSms, NouvelleAdresse,
    )
}  # fmt: skip
