"""Recevoir une notification de paiement : prouvée, rattachée, écrite une fois ; aucun encaissement."""

import logging
from collections.abc import Mapping
from datetime import datetime

from recouvrement.portail.paiement.interface import Paiement, fournisseur, lire_reference
from relances.models import Declaration, ReglagePortail
from relances.services.declarations_portail_suites import constater_carte

from .interface import NotificationRefusee

log = logging.getLogger(__name__)


def recevoir(reglage: ReglagePortail, corps: bytes, entetes: Mapping[str, str], *, moment: datetime):
    """(déclaration, vrai si elle est neuve), ou (None, faux) si la notification ne nous concerne pas.

    Lève NotificationRefusee : rien n'a été lu ni écrit. Le même paiement notifié dix fois n'écrit qu'une déclaration.
    """
    prestataire = fournisseur(reglage)
    if prestataire is None:
        raise NotificationRefusee("aucun prestataire réglé")
    paiement = prestataire.verifier_notification(corps, entetes, moment=moment)
    if paiement is None:
        return None, False
    return rattacher(reglage, paiement, moment=moment)


def rattacher(reglage: ReglagePortail, paiement: Paiement, *, moment: datetime) -> tuple[Declaration | None, bool]:
    """La commande signée dit le client et le montant demandé ; un autre compte du même prestataire ne l'a pas."""
    commande = lire_reference(paiement.reference)
    if commande is None or commande.lien.client.societe_id != reglage.societe_id:
        log.warning("paiement par carte sans commande à nous : %s", paiement.identifiant)
        return None, False
    return constater_carte(
        commande.lien, cle=f"carte:{paiement.identifiant}", montant=paiement.montant, devise=paiement.devise,
        attendu=commande.montant, devise_attendue=commande.devise, pieces=commande.pieces, moment=moment,
    )  # fmt: skip
