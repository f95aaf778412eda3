"""Un secret rangé chiffré : mot de passe d'une boîte, clé d'un abonnement. La base seule ne suffit pas à le lire."""

import base64
import hashlib
from functools import lru_cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import models


class SecretIllisible(ImproperlyConfigured):
    """Le secret a été chiffré par une clé que le serveur n'a plus : il se ressaisit."""


@lru_cache(maxsize=4)
def _coffre(cles: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(base64.urlsafe_b64encode(hashlib.sha256(cle.encode()).digest())) for cle in cles])


def coffre() -> MultiFernet:
    """La première clé de CLES_CHIFFREMENT chiffre, toutes déchiffrent ; à défaut, SECRET_KEY et ses anciennes."""
    cles = settings.CLES_CHIFFREMENT or [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    return _coffre(tuple(cles))


def chiffrer(texte: str) -> str:
    return coffre().encrypt(texte.encode()).decode() if texte else ""


def dechiffrer(chiffre: str) -> str:
    """Lève SecretIllisible si aucune clé du serveur ne l'ouvre."""
    if not chiffre:
        return ""
    try:
        return coffre().decrypt(chiffre.encode()).decode()
    except InvalidToken as erreur:
        raise SecretIllisible("Secret chiffré par une autre clé : ressaisissez-le.") from erreur


class ChampChiffre(models.TextField):
    """Texte en clair en Python, chiffré en base ; ne se cherche ni ne se trie.

    Un secret devenu illisible se lit `None` : l'écran demande de le ressaisir, rien ne tombe.
    """

    def from_db_value(self, value, expression, connection):
        if value is None:
            return None
        try:
            return dechiffrer(value)
        except SecretIllisible:
            return None

    def get_prep_value(self, value):
        value = super().get_prep_value(value)
        return chiffrer(value) if value else value
