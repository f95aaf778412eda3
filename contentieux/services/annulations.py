"""Ce que le contentieux a bâti sur un import que l'on veut défaire."""

from django.utils.translation import ngettext

from clients.models import Client
from contentieux.models import DossierContentieux, DossierEcheance, Interruption, Piece
from factures.models import Echeance, Facture
from recouvrement.commun import formats

LIENS = (
    (DossierContentieux, Client, "client"),
    (DossierEcheance, Echeance, "echeance"),
    (Piece, Echeance, "echeance"),
    (Interruption, Facture, "facture"),
)


def repondre(de) -> tuple[list[str], set[str]]:
    """de : `factures.services.annulation_objets.Objets`. Rien de ce qui est au dossier ne s'efface."""
    dits = {
        DossierContentieux: lambda n: ngettext("%(n)s dossier contentieux", "%(n)s dossiers contentieux", n),
        DossierEcheance: lambda n: ngettext(
            "%(n)s pièce dans un dossier contentieux", "%(n)s pièces dans un dossier contentieux", n
        ),
        Piece: lambda n: ngettext("%(n)s justificatif au dossier", "%(n)s justificatifs au dossier", n),
        Interruption: lambda n: ngettext(
            "%(n)s acte sur la prescription de ses factures", "%(n)s actes sur la prescription de ses factures", n
        ),
    }
    phrases = []
    for modele, cible, chemin in LIENS:
        lies = modele._base_manager.filter(de.condition(cible, chemin)) if cible in de.nombres else None
        if lies is not None and (n := lies.count()):
            phrases.append(dits[modele](n) % {"n": formats.nombre(n)})
    return phrases, {modele._meta.label_lower for modele, *_reste in LIENS}
