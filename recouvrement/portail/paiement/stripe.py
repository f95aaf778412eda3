"""Stripe Checkout, page hébergée : la carte ne passe jamais par ici.

Source : docs.stripe.com/api/checkout/sessions/create, docs.stripe.com/webhooks (signature « t=…,v1=… », HMAC-SHA256 de
« t.corps »). Le client suit un lien vers checkout.stripe.com ; une autre adresse rendue par l'API se refuse.
"""

import hashlib
import hmac
import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from urllib.parse import urlsplit

import requests
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from .interface import CENTIMES, NotificationRefusee, Paiement, PaiementImpossible

log = logging.getLogger(__name__)
API = "https://api.stripe.com/v1/checkout/sessions"
DELAIS = (5, 15)  # secondes : connexion, lecture
REPONSE_MAX = 200_000  # octets
TOLERANCE = 300  # secondes entre l'heure signée et la nôtre
PAYES = {"checkout.session.completed", "checkout.session.async_payment_succeeded"}


@dataclass(frozen=True)
class Stripe:
    secret: str
    signature: str

    def creer_session(
        self, montant: Decimal, devise: str, reference: str, retour: str, *, libelle: str, cle: str
    ) -> str:
        if devise not in CENTIMES:
            raise PaiementImpossible(_("Cette devise ne se paie pas par carte ici."))
        separe = "&" if "?" in retour else "?"
        ligne = "line_items[0][price_data]"
        donnees = {
            "mode": "payment", "success_url": f"{retour}{separe}carte=faite", "cancel_url": retour,
            "locale": (get_language() or "fr")[:2], "metadata[reference]": reference,
            "line_items[0][quantity]": "1", f"{ligne}[currency]": devise.lower(),
            f"{ligne}[unit_amount]": str(centimes(montant)), f"{ligne}[product_data][name]": libelle[:120],
        }  # fmt: skip
        entetes = {"Authorization": f"Bearer {self.secret}", "Idempotency-Key": cle}
        try:
            with requests.post(
                API, data=donnees, headers=entetes, timeout=DELAIS, allow_redirects=False, stream=True
            ) as reponse:
                octets = reponse.raw.read(REPONSE_MAX, decode_content=True)
                statut = reponse.status_code
        except requests.RequestException as erreur:
            log.warning("Stripe injoignable : %s", type(erreur).__name__)
            raise PaiementImpossible(
                _("Le paiement par carte ne répond pas : réessayez, ou payez par virement.")
            ) from None
        if statut != 200:
            log.warning("Stripe refuse une session : %s", statut)
            raise PaiementImpossible(_("Le paiement par carte ne répond pas : réessayez, ou payez par virement."))
        return adresse_de_stripe(octets)

    def verifier_notification(self, corps: bytes, entetes: Mapping[str, str], *, moment: datetime) -> Paiement | None:
        verifier_signature(corps, entetes.get("Stripe-Signature", ""), self.signature, moment=moment)
        return lire_evenement(corps)


def centimes(montant: Decimal) -> int:
    """1 234,56 → 123456. Lève ValueError : plus de deux décimales."""
    entier = montant * 100
    if entier != entier.to_integral_value():
        raise ValueError(f"montant au-delà du centime : {montant}")
    return int(entier)


def adresse_de_stripe(octets: bytes) -> str:
    """L'adresse de la page de paiement ; jamais ailleurs que chez Stripe, en https. Lève PaiementImpossible."""
    try:
        url = str(json.loads(octets)["url"])
        lue = urlsplit(url)
        hote, port = lue.hostname or "", lue.port
    except (ValueError, KeyError, TypeError):
        url, hote, lue, port = "", "", urlsplit(""), None
    bonne = lue.scheme == "https" and (hote == "stripe.com" or hote.endswith(".stripe.com")) and port in (None, 443)
    if not bonne or lue.username or not url.isascii() or any(c.isspace() for c in url):
        log.warning("Stripe rend une adresse de paiement qui n'est pas la sienne")
        raise PaiementImpossible(_("Le paiement par carte ne répond pas : réessayez, ou payez par virement."))
    return url


def verifier_signature(corps: bytes, entete: str, secret: str, *, moment: datetime) -> None:
    """Lève NotificationRefusee : clé non réglée, en-tête absent, heure à plus de cinq minutes, signature fausse."""
    if not secret:
        raise NotificationRefusee("clé des notifications non réglée")
    morceaux = [m.strip().partition("=") for m in entete.split(",")[:20]]
    instants = [v for nom, _e, v in morceaux if nom == "t" and v.isascii() and v.isdecimal() and len(v) < 16]
    if not instants:
        raise NotificationRefusee("en-tête de signature absent ou illisible")
    if abs(moment.timestamp() - int(instants[0])) > TOLERANCE:
        raise NotificationRefusee("notification trop ancienne, ou heure fausse")
    attendue = signer(corps, secret, instants[0]).encode()
    if not any(nom == "v1" and hmac.compare_digest(attendue, v.encode()) for nom, _e, v in morceaux):
        raise NotificationRefusee("signature fausse")


def signer(corps: bytes, secret: str, instant: str) -> str:
    return hmac.new(secret.encode(), instant.encode() + b"." + corps, hashlib.sha256).hexdigest()


def lire_evenement(corps: bytes) -> Paiement | None:
    """Le paiement d'une notification authentique ; None si elle n'en constate pas. Lève NotificationRefusee."""
    try:
        evenement = json.loads(corps)
        session = evenement["data"]["object"]
        if evenement["type"] not in PAYES or session.get("payment_status") != "paid":
            return None
        total, devise = session["amount_total"], str(session["currency"]).upper()
        if not isinstance(total, int) or isinstance(total, bool) or not 0 < total < 10**14 or devise not in CENTIMES:
            raise ValueError(f"montant ou devise : {total} {devise}")
        reference = str((session.get("metadata") or {}).get("reference", ""))
        return Paiement(str(session["id"])[:60], Decimal(total) / 100, devise, reference)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as erreur:
        raise NotificationRefusee(f"notification illisible : {type(erreur).__name__}") from erreur
