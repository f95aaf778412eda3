"""Prestataires de recommandés : une interface étroite, et le manuel livré.

Un prestataire se branche par le réglage FOURNISSEUR_RECOMMANDES, sans rien changer ailleurs. Le manuel imprime un
lot et laisse une personne saisir numéros, dépôt et retours.
"""

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string

from .interface import DepotRefuse, Fournisseur, PliARemettre, Suivi
from .manuel import Manuel

__all__ = ["DepotRefuse", "Fournisseur", "Manuel", "PliARemettre", "Suivi", "fournisseur"]


def fournisseur() -> Fournisseur:
    """Celui du réglage. Lève ImproperlyConfigured s'il ne se charge pas ou n'a pas l'interface."""
    nom = settings.FOURNISSEUR_RECOMMANDES
    if nom == Manuel.code:
        return Manuel()
    try:
        choisi = import_string(nom)()
    except (ImportError, TypeError) as erreur:
        raise ImproperlyConfigured(f"FOURNISSEUR_RECOMMANDES = {nom!r} ne se charge pas : {erreur}") from erreur
    if not isinstance(choisi, Fournisseur):
        raise ImproperlyConfigured(f"FOURNISSEUR_RECOMMANDES = {nom!r} n'a ni deposer, ni statut.")
    return choisi
