"""Le lien de la page du client dans un courrier : sa place sur un aperçu, sa vraie adresse au départ."""

from dataclasses import replace
from datetime import date

from relances.domaine.natures import Canal
from relances.models import Courrier
from relances.rendu import contexte as c

from . import liens

PAPIER = (Canal.LETTRE, Canal.RECOMMANDE)


def paiement(courrier: Courrier, reference: str) -> c.Paiement:
    """Comment payer, tel qu'un aperçu le montre ; aucune requête si le réglage de la société est déjà lu."""
    if liens.reglage_ouvert(courrier.societe) is None:
        return c.Paiement(reference=reference)
    if courrier.canal in PAPIER:
        return c.Paiement(reference=reference, lien=liens.adresse_du_code(), code=liens.CODE_APERCU)
    return c.Paiement(reference=reference, lien=liens.adresse_d_apercu())


def paiement_definitif(courrier: Courrier, apercu: c.Paiement, *, au: date) -> c.Paiement:
    """Le même avec le lien de ce courrier, créé une seule fois ; sans lien si la page est fermée ou le lien révoqué."""
    if not apercu.lien:
        return apercu
    papier = courrier.canal in PAPIER
    courrier.client.societe = courrier.societe  # son réglage est déjà lu
    lien = liens.lien_pour(courrier.client, au=au, courrier=courrier, papier=papier)
    if lien is None or lien.revoque_le:
        return replace(apercu, lien="", code="")
    if papier:
        return replace(apercu, code=liens.ecrire_code(liens.code_du_lien(lien)))
    return replace(apercu, lien=liens.adresse(lien))


def poser(texte: str, adresse: str) -> str:
    """Le texte avec la vraie adresse à la place de celle de l'aperçu ; sans adresse, sa ligne tombe.

    Un texte repris par une personne garde l'adresse de l'aperçu jusqu'au départ : elle n'ouvre rien.
    """
    place = liens.adresse_d_apercu()
    if place not in texte:
        return texte
    if adresse:
        return texte.replace(place, adresse)
    return "\n".join(ligne for ligne in texte.split("\n") if place not in ligne)
