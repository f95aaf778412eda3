"""Ce qu'un prestataire de paiement doit savoir faire : ouvrir sa page, prouver ce qu'il notifie."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Protocol

from django.core import signing

from relances.models import LienPortail, ReglagePortail

SEL = "portail.paiement.reference"
REFERENCE_MAX = 480  # caractères : ce qu'un prestataire garde avec la session
PIECES_MAX = 40
CENTIMES = frozenset({"EUR", "GBP", "USD", "CHF", "CAD", "SEK", "NOK", "DKK", "PLN"})  # devises à deux décimales


class PaiementImpossible(Exception):
    """La page de paiement ne s'ouvre pas ; le texte se montre au client."""


class NotificationRefusee(Exception):
    """Cette notification ne vient pas du prestataire, ou elle est trop vieille : rien n'est lu."""


@dataclass(frozen=True)
class Paiement:
    """Un paiement confirmé par le prestataire. identifiant : le même pour toute notification de ce paiement."""

    identifiant: str
    montant: Decimal
    devise: str
    reference: str


class Fournisseur(Protocol):
    """Un prestataire, réglé pour une société."""

    def creer_session(
        self, montant: Decimal, devise: str, reference: str, retour: str, *, libelle: str, cle: str
    ) -> str:
        """Ouvre un paiement ; rend l'adresse de la page du prestataire. cle : rejouée, elle rend la même session.

        retour : adresse où le client revient. Lève PaiementImpossible.
        """

    def verifier_notification(self, corps: bytes, entetes: Mapping[str, str], *, moment: datetime) -> Paiement | None:
        """Le paiement prouvé, ou None si la notification parle d'autre chose. Lève NotificationRefusee."""


@dataclass(frozen=True)
class Commande:
    """Ce qu'on a demandé de payer, tel que le serveur l'a signé : relu de la notification, il ne vient de personne."""

    lien: LienPortail
    montant: Decimal
    devise: str
    pieces: list[int]


def ecrire_reference(lien: LienPortail, montant: Decimal, devise: str, pieces: list[int]) -> str:
    """La commande, signée par le serveur ; elle voyage chez le prestataire et revient avec sa notification."""
    corps = {"l": lien.pk, "m": str(montant), "d": devise, "p": pieces[:PIECES_MAX]}
    reference = signing.dumps(corps, salt=SEL, compress=True)
    if len(reference) > REFERENCE_MAX:
        reference = signing.dumps(corps | {"p": []}, salt=SEL, compress=True)
    return reference


def lire_reference(reference: str) -> Commande | None:
    """La commande de cette référence ; None si le serveur ne l'a pas signée (compte du prestataire partagé)."""
    try:
        corps = signing.loads(reference, salt=SEL)
    except signing.BadSignature:
        return None
    liens = LienPortail.objects.select_related("client__societe", "courrier", "message")
    lien = liens.filter(pk=corps["l"]).first()
    return lien and Commande(lien, Decimal(corps["m"]), corps["d"], corps["p"])


def fournisseur(reglage: ReglagePortail) -> Fournisseur | None:
    """Le prestataire réglé par la société ; None : pas de carte, ou une clé qui ne se lit plus."""
    if reglage.carte == ReglagePortail.Carte.STRIPE and reglage.carte_secret:
        from .stripe import Stripe

        return Stripe(secret=reglage.carte_secret, signature=reglage.carte_signature or "")
    if reglage.carte == ReglagePortail.Carte.ESSAI:
        from .essai import Essai

        return Essai(signature=reglage.carte_signature or "")
    return None
