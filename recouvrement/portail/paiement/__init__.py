"""Payer par carte : un protocole étroit, un prestataire par société, jamais un montant venu du navigateur."""

from .interface import Fournisseur, NotificationRefusee, Paiement, PaiementImpossible, fournisseur

__all__ = ["Fournisseur", "NotificationRefusee", "Paiement", "PaiementImpossible", "fournisseur"]
