"""Récepteur HTTP véritable pour les webhooks : note ce qu'il reçoit, répond ce qu'on lui dit, tombe et revient."""

import threading
from collections import Counter
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import demarrer


@dataclass
class Recu:
    chemin: str
    entetes: dict
    corps: bytes


@dataclass
class Recepteur:
    """`statut` : réponse à la requête suivante ; `verifier(entetes, corps) -> bool` la juge avant (400 si faux)."""

    statut: int = 204
    verifier: object = None
    entetes_reponse: dict = field(default_factory=dict)
    corps_reponse: bytes = b""

    def __post_init__(self):
        self.port = demarrer.port_libre()
        self.recus: list[Recu] = []
        self.serveur = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/annonces"

    def ouvrir(self) -> None:
        pair = self

        class Reponse(BaseHTTPRequestHandler):
            def do_POST(self):
                corps = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                entetes = dict(self.headers.items())
                juste = pair.verifier is None or pair.verifier(entetes, corps)
                pair.recus.append(Recu(self.path, entetes, corps))
                self.send_response(pair.statut if juste else 400)
                for nom, valeur in pair.entetes_reponse.items():
                    self.send_header(nom, valeur)
                self.end_headers()
                try:
                    self.wfile.write(pair.corps_reponse)
                except OSError:
                    return

            def log_message(self, *_args):
                return

        class Serveur(ThreadingHTTPServer):
            daemon_threads = True
            allow_reuse_address = True

            def handle_error(self, *_args):
                return

        self.serveur = Serveur(("127.0.0.1", self.port), Reponse)
        threading.Thread(target=self.serveur.serve_forever, args=(0.05,), daemon=True).start()

    def fermer(self) -> None:
        if self.serveur:
            self.serveur.shutdown()
            self.serveur.server_close()
            self.serveur = None

    def identifiants(self) -> Counter:
        return Counter(recu.entetes["Recouvrement-Identifiant"] for recu in self.recus)
