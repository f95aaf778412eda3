"""Remettre un corps signé à une adresse : connexion épinglée, délai total, aucune redirection, réponse bornée."""

import http.client
import socket
import ssl
import threading
from contextlib import suppress
from dataclasses import dataclass

from django.utils.translation import gettext as _

from .adresses import AdresseRefusee, Cible, lire, resoudre
from .signature import ENTETE, EVENEMENT, IDENTIFIANT, signer

DELAI = 10  # secondes, du premier paquet à la fin de la réponse
REPONSE_MAX = 16 * 1024  # octets lus, puis la connexion se ferme


@dataclass(frozen=True)
class Issue:
    """statut : réponse HTTP, None si aucune. refusee : l'adresse elle-même ne convient plus."""

    statut: int | None
    erreur: str = ""

    @property
    def livree(self) -> bool:
        return self.statut is not None and 200 <= self.statut < 300

    @property
    def panne(self) -> bool:
        """Le récepteur est tombé ou débordé : l'ordre veut qu'on l'attende. Un 4xx ne vaut que pour cet événement."""
        return self.statut is None or self.statut >= 500 or self.statut in (408, 425, 429)


def remettre(url: str, *, secret: str, corps: str, identifiant: str, evenement: str, instant: int) -> Issue:
    """POST du corps, signé. Ne lève pas : toute panne est une Issue. instant : secondes Unix de l'envoi."""
    octets = corps.encode()
    entetes = {
        "Content-Type": "application/json; charset=utf-8",
        "User-Agent": "Recouvrement-Webhooks/1",
        "Accept": "*/*",
        "Connection": "close",
        IDENTIFIANT: identifiant,
        EVENEMENT: evenement,
        ENTETE: signer(secret, instant, octets),
    }
    try:
        cible = lire(url)
        adresses = resoudre(cible)
    except AdresseRefusee as refus:
        return Issue(None, str(refus)[:250])
    derniere = Issue(None, _("aucune adresse"))
    for famille, adresse in adresses[:3]:
        prise = None
        try:
            prise = _connecter(famille, adresse, cible)
        except (OSError, ValueError) as erreur:
            derniere = Issue(None, _dire(erreur))
            continue
        return _poster(prise, cible, octets, entetes)
    return derniere


def _connecter(famille: int, adresse: str, cible: Cible) -> socket.socket:
    """Prise vers cette adresse et nulle autre ; TLS au nom demandé, certificat vérifié."""
    prise = socket.socket(famille, socket.SOCK_STREAM)
    try:
        prise.settimeout(DELAI)
        prise.connect((adresse, cible.port))
        if cible.tls:
            return ssl.create_default_context().wrap_socket(prise, server_hostname=cible.hote)
        return prise
    except BaseException:
        prise.close()
        raise


def _poster(prise: socket.socket, cible: Cible, octets: bytes, entetes: dict) -> Issue:
    lien = http.client.HTTPConnection(cible.hote, cible.port)
    lien.sock = prise  # déjà connectée : http.client n'en ouvre pas d'autre
    lien.auto_open = 0
    # Le délai d'une prise vaut par lecture : un pair qui distille ses octets le tiendrait sans fin.
    minuterie = threading.Timer(DELAI, _couper, (prise,))
    minuterie.start()
    try:
        lien.request("POST", cible.chemin, body=octets, headers={"Host": cible.entete_hote, **entetes})
        reponse = lien.getresponse()
        with suppress(OSError, http.client.HTTPException):  # la réponse est jugée à son statut
            reponse.read(REPONSE_MAX)
        if 300 <= reponse.status < 400:
            return Issue(reponse.status, _("Redirection refusée : donnez l'adresse définitive."))
        return Issue(reponse.status, "" if 200 <= reponse.status < 300 else f"HTTP {reponse.status}")
    except (OSError, http.client.HTTPException, ValueError) as erreur:
        return Issue(None, _dire(erreur))
    finally:
        minuterie.cancel()
        lien.close()
        _fermer(prise)


def _couper(prise: socket.socket) -> None:
    with suppress(OSError):
        prise.shutdown(socket.SHUT_RDWR)


def _fermer(prise: socket.socket) -> None:
    with suppress(OSError):
        prise.close()


def _dire(erreur: Exception) -> str:
    """Une phrase courte, sans ce que le pair a pu écrire."""
    if isinstance(erreur, ssl.SSLCertVerificationError):
        return _("certificat non reconnu : %(e)s") % {"e": erreur.verify_message}
    if isinstance(erreur, ConnectionRefusedError):
        return _("connexion refusée")
    if isinstance(erreur, TimeoutError):
        return _("pas de réponse en %(n)d secondes") % {"n": DELAI}
    return _("connexion interrompue (%(e)s)") % {"e": type(erreur).__name__}
