"""Remettre un SMS : un fournisseur derrière une interface étroite, un canal fichier par défaut.

Trois issues, comme pour un courriel : remis, refusé (rien n'est parti, c'est certain), incertain (une personne
tranche).
"""

import http.client
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.utils import timezone
from django.utils.module_loading import import_string

DELAI = 15  # secondes par échange
REPONSE_MAX = 16 * 1024  # octets lus d'une réponse
PASSAGERS = frozenset({401, 403, 408, 425, 429, 503})  # clé à corriger, ou plus tard : rien n'est parti


class SmsRefuse(Exception):
    """Rien n'est parti. passager : réessayer a un sens. oppose : le destinataire a dit STOP au fournisseur.

    numero : c'est le numéro qui est refusé, il ne resservira pas.
    """

    def __init__(self, motif: str, *, passager: bool = False, oppose: bool = False, numero: bool = False):
        super().__init__(motif)
        self.passager, self.oppose, self.numero = passager, oppose, numero


class SmsIncertain(Exception):
    """Le SMS a pu partir : une personne tranche."""


@dataclass(frozen=True)
class RemiseSms:
    identifiant: str
    reponse: str


@runtime_checkable
class FournisseurSms(Protocol):
    """reference : la même pour le même SMS ; un fournisseur qui la connaît déjà ne le renvoie pas."""

    code: str

    def envoyer(self, numero: str, texte: str, reference: str, *, expediteur: str = "") -> RemiseSms:
        """numero : E.164. Lève SmsRefuse ou SmsIncertain."""


class Fichier:
    """Sans fournisseur : un fichier par SMS dans `SMS_DOSSIER`, une seule fois par référence."""

    code = "fichier"

    def envoyer(self, numero: str, texte: str, reference: str, *, expediteur: str = "") -> RemiseSms:
        dossier = Path(settings.SMS_DOSSIER)
        nom = "".join(c if c.isalnum() or c in "-_" else "_" for c in reference)[:120] + ".json"
        corps = {
            "a": numero,
            "de": expediteur,
            "texte": texte,
            "reference": reference,
            "le": timezone.now().isoformat(),
        }
        try:
            dossier.mkdir(parents=True, exist_ok=True)
            descripteur = os.open(dossier / nom, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            return RemiseSms(nom, "déjà écrit")
        except OSError as erreur:
            raise SmsRefuse(f"dossier des SMS inaccessible : {erreur}", passager=True) from erreur
        with os.fdopen(descripteur, "w", encoding="utf-8") as sortie:
            json.dump(corps, sortie, ensure_ascii=False, indent=1)
        return RemiseSms(nom, "écrit")


class Http:
    """Un appel par SMS : POST JSON `{to, from, text, reference}` à `SMS_URL`, jeton en `Authorization: Bearer`.

    2xx : remis. 4xx : refusé ; le corps peut dire `{"error": "opted_out"}` ou `"invalid_number"`. 5xx, délai, coupure
    après l'envoi : sort inconnu. https seulement, aucune redirection.
    """

    code = "http"

    def __init__(self):
        self.url = urlsplit(settings.SMS_URL)
        if self.url.scheme != "https" or not self.url.hostname:
            raise ImproperlyConfigured("SMS_URL doit être une adresse https.")

    def envoyer(self, numero: str, texte: str, reference: str, *, expediteur: str = "") -> RemiseSms:
        corps = json.dumps({"to": numero, "from": expediteur, "text": texte, "reference": reference}).encode()
        entetes = {
            "Authorization": f"Bearer {settings.SMS_JETON}", "Content-Type": "application/json",
            "Accept": "application/json", "Idempotency-Key": reference,
        }  # fmt: skip
        lien = self._lien()
        try:
            lien.connect()
        except OSError as erreur:  # rien n'a quitté la machine
            lien.close()
            raise SmsRefuse(f"fournisseur injoignable : {type(erreur).__name__}", passager=True) from erreur
        try:
            lien.request("POST", self.url.path or "/", corps, entetes)
            reponse = lien.getresponse()
            statut, lu = reponse.status, reponse.read(REPONSE_MAX)
        except (OSError, http.client.HTTPException) as erreur:
            raise SmsIncertain(f"connexion perdue pendant la remise : {type(erreur).__name__}") from erreur
        finally:
            lien.close()
        return _juger(statut, _json(lu), reference)

    def _lien(self) -> http.client.HTTPConnection:
        return http.client.HTTPSConnection(self.url.hostname, self.url.port, timeout=DELAI)


def _json(octets: bytes) -> dict:
    try:
        lu = json.loads(octets)
    except ValueError:
        return {}
    return lu if isinstance(lu, dict) else {}


def _juger(statut: int, corps: dict, reference: str) -> RemiseSms:
    if 200 <= statut < 300:
        return RemiseSms(str(corps.get("id") or corps.get("messageId") or reference)[:120], f"accepté ({statut})")
    dit = str(corps.get("error") or "")[:80]
    if statut in PASSAGERS:
        raise SmsRefuse(f"refusé par le fournisseur ({statut}) {dit}".strip(), passager=True)
    if 300 <= statut < 500:
        raise SmsRefuse(
            f"refusé par le fournisseur ({statut}) {dit}".strip(),
            oppose=dit == "opted_out",
            numero=dit == "invalid_number",
        )
    raise SmsIncertain(f"le fournisseur a répondu {statut}")


def fournisseur() -> FournisseurSms:
    """Celui de `FOURNISSEUR_SMS` : « fichier », « http », ou « module.Classe ». Lève ImproperlyConfigured."""
    nom = settings.FOURNISSEUR_SMS
    if nom in (Fichier.code, Http.code):
        return Fichier() if nom == Fichier.code else Http()
    try:
        choisi = import_string(nom)()
    except (ImportError, TypeError) as erreur:
        raise ImproperlyConfigured(f"FOURNISSEUR_SMS = {nom!r} ne se charge pas : {erreur}") from erreur
    if not isinstance(choisi, FournisseurSms):
        raise ImproperlyConfigured(f"FOURNISSEUR_SMS = {nom!r} n'a pas envoyer.")
    return choisi
