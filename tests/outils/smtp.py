"""Pair SMTP véritable pour les essais : reçoit, refuse, se tait ou raccroche, et note ce qu'il a vu."""

import asyncio
import email
import logging
import threading
from collections import Counter
from email import policy
from email.message import EmailMessage
from enum import StrEnum

from aiosmtpd.controller import Controller

import demarrer

logging.getLogger("mail.log").setLevel(logging.WARNING)  # sinon chaque ligne du dialogue est journalisée


class Mode(StrEnum):
    """Conduite du pair devant un message."""

    ACCEPTE = "accepte"
    REFUSE_DESTINATAIRE = "refuse destinataire"  # 550 au RCPT : définitif
    REFUSE = "refuse"  # 554 après DATA : définitif
    REPORTE = "reporte"  # 451 après DATA : à retenter
    BLOQUE = "bloque"  # message lu, jamais de réponse
    MEURT = "meurt"  # raccroche avant d'avoir lu le message
    MEURT_APRES = "meurt après"  # message gardé, puis raccroche sans répondre


class PairSMTP:
    """Serveur dans un fil ; `messages` dans l'ordre de réception. Changer `mode` vaut pour le message suivant.

    `refuses` : adresses toujours refusées au RCPT, quel que soit le mode. `lenteur` : secondes avant chaque réponse.
    """

    def __init__(self):
        self.mode = Mode.ACCEPTE
        self.refuses: set[str] = set()
        self.lenteur = 0.0
        self.messages: list[EmailMessage] = []
        self._verrou = threading.Lock()
        self.port = demarrer.port_libre()

    def ouvrir(self) -> None:
        """Écoute sur `port`, le même après une fermeture : une panne d'une minute se joue ainsi."""
        self._controleur = Controller(self, hostname="127.0.0.1", port=self.port, ready_timeout=10)
        self._controleur.start()

    def fermer(self) -> None:
        self._controleur.stop(no_assert=True)

    @property
    def url(self) -> str:
        """Valeur pour EMAIL_URL."""
        return f"smtp://127.0.0.1:{self.port}"

    def vider(self) -> None:
        with self._verrou:
            self.messages.clear()

    def decompte(self, entete: str = "Message-ID") -> Counter:
        """Nombre de réceptions par valeur d'un en-tête : tout compte au-dessus de 1 est un doublon."""
        with self._verrou:
            return Counter(str(message[entete]) for message in self.messages)

    async def handle_RCPT(self, server, session, envelope, address, rcpt_options):
        if self.mode is Mode.REFUSE_DESTINATAIRE or address in self.refuses:
            return "550 5.1.1 Boîte inconnue"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        mode = self.mode
        if self.lenteur:
            await asyncio.sleep(self.lenteur)
        if mode is Mode.MEURT:
            return self._raccrocher(server)
        if mode is Mode.REFUSE:
            return "554 5.7.1 Message refusé"
        if mode is Mode.REPORTE:
            return "451 4.3.0 Réessayez plus tard"
        if mode is Mode.BLOQUE:
            await asyncio.sleep(3600)
        message = email.message_from_bytes(envelope.content, policy=policy.default)
        with self._verrou:
            self.messages.append(message)
        if mode is Mode.MEURT_APRES:
            return self._raccrocher(server)
        return "250 2.0.0 Message accepté"

    @staticmethod
    def _raccrocher(server) -> str:
        server.transport.abort()
        return "421 Fermeture"
