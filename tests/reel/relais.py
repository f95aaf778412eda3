"""Relais TCP que l'on coupe et rétablit : une base ou un courtier disparaît une minute, puis revient."""

import contextlib
import socket
import threading
from urllib.parse import urlsplit, urlunsplit


class Relais:
    """Écoute sur un port local et relaie vers `adresse` ; `couper` ferme tout et refuse, `retablir` rouvre."""

    def __init__(self, url: str):
        self.origine = urlsplit(url)
        self.cible = (self.origine.hostname, self.origine.port)
        self.verrou, self.prises = threading.Lock(), set()
        self.ecoute = None
        self.port = 0
        self.retablir()

    @property
    def url(self) -> str:
        """L'adresse d'origine, par le relais."""
        identite = self.origine.netloc.rpartition("@")[0]
        hote = f"127.0.0.1:{self.port}"
        return urlunsplit(self.origine._replace(netloc=f"{identite}@{hote}" if identite else hote))

    def retablir(self) -> None:
        self.ecoute = socket.create_server(("127.0.0.1", self.port))
        self.port = self.ecoute.getsockname()[1]
        threading.Thread(target=self._accepter, args=(self.ecoute,), daemon=True).start()

    def couper(self) -> None:
        # shutdown réveille le fil bloqué dans accept ; close seul le laisserait écouter.
        with contextlib.suppress(OSError):
            self.ecoute.shutdown(socket.SHUT_RDWR)
        self.ecoute.close()
        with self.verrou:
            for prise in self.prises:
                with contextlib.suppress(OSError):
                    prise.shutdown(socket.SHUT_RDWR)
            self.prises.clear()

    def _accepter(self, ecoute) -> None:
        while True:
            try:
                client, _adresse = ecoute.accept()
                serveur = socket.create_connection(self.cible)
            except OSError:
                return
            with self.verrou:
                self.prises |= {client, serveur}
            for de, vers in ((client, serveur), (serveur, client)):
                threading.Thread(target=self._verser, args=(de, vers), daemon=True).start()

    def _verser(self, de, vers) -> None:
        try:
            while octets := de.recv(65536):
                vers.sendall(octets)
        except OSError:
            pass  # coupé : c'est l'objet du relais
        finally:
            for prise in (de, vers):
                with contextlib.suppress(OSError):
                    prise.shutdown(socket.SHUT_RDWR)
            with self.verrou:
                self.prises -= {de, vers}
            de.close()
