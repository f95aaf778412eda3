"""Signer un corps, et dire comment le vérifier : HMAC-SHA256 de « instant.corps » (docs/webhooks.md)."""

import hashlib
import hmac
import secrets

ENTETE = "Recouvrement-Signature"
IDENTIFIANT = "Recouvrement-Identifiant"
EVENEMENT = "Recouvrement-Evenement"


def nouveau_secret() -> str:
    """Clé de 256 bits, préfixée pour se reconnaître dans un journal."""
    return f"whsec_{secrets.token_urlsafe(32)}"


def signer(secret: str, instant: int, corps: bytes) -> str:
    """Valeur de l'en-tête. instant : secondes Unix ; il est signé, pour qu'un ancien envoi ne se rejoue pas."""
    empreinte = hmac.new(secret.encode(), f"{instant}.".encode() + corps, hashlib.sha256).hexdigest()
    return f"t={instant},v1={empreinte}"
