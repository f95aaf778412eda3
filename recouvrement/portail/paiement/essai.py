"""Le prestataire d'essai : une page à nous, aucun argent, les mêmes notifications signées qu'un vrai."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.utils.translation import gettext as _

from .interface import CENTIMES, Paiement, PaiementImpossible
from .stripe import centimes, lire_evenement, signer, verifier_signature


def cle_d_essai(signature: str) -> str:
    """La clé réglée, sinon celle du serveur : un essai n'en demande pas."""
    return signature or f"essai-{settings.SECRET_KEY}"


@dataclass(frozen=True)
class Essai:
    signature: str = ""

    def creer_session(
        self, montant: Decimal, devise: str, reference: str, retour: str, *, libelle: str, cle: str
    ) -> str:
        if devise not in CENTIMES:
            raise PaiementImpossible(_("Cette devise ne se paie pas par carte ici."))
        return f"{urlsplit(retour).path}/carte/essai?{urlencode({'reference': reference, 'cle': cle})}"

    def notification(
        self, montant: Decimal, devise: str, reference: str, *, cle: str, moment: datetime
    ) -> tuple[bytes, dict]:
        """(corps, en-têtes) que ce prestataire posterait, payé."""
        session = {
            "id": f"essai_{cle}", "payment_status": "paid", "amount_total": centimes(montant),
            "currency": devise.lower(), "metadata": {"reference": reference},
        }  # fmt: skip
        corps = json.dumps({"type": "checkout.session.completed", "data": {"object": session}}).encode()
        instant = str(int(moment.timestamp()))
        return corps, {"Stripe-Signature": f"t={instant},v1={signer(corps, cle_d_essai(self.signature), instant)}"}

    def verifier_notification(self, corps: bytes, entetes: Mapping[str, str], *, moment: datetime) -> Paiement | None:
        verifier_signature(corps, entetes.get("Stripe-Signature", ""), cle_d_essai(self.signature), moment=moment)
        return lire_evenement(corps)
