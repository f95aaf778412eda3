"""Réveiller une tâche depuis la requête d'une personne : un courtier absent ne la fait pas attendre.

La base garde ce qui reste à faire et le tic le refera : le courtier ne sert qu'à aller plus vite.
"""

import logging
import socket
from urllib.parse import urlsplit

log = logging.getLogger(__name__)
DELAI = 0.3  # secondes : `apply_async` en met plus de six à s'apercevoir que personne n'écoute


def courtier_repond(url: str) -> bool:
    """Vrai si un Redis parle à cette adresse (un refus d'authentification compte), ou si elle n'est pas à sonder."""
    parts = urlsplit(url.split(";")[0])
    if parts.scheme not in ("redis", "rediss", "unix", "redis+socket"):
        return True
    try:
        with _prise(parts) as prise:
            if parts.scheme == "rediss":  # la poignée de main chiffrée revient au client
                return True
            prise.sendall(b"PING\r\n")
            return prise.recv(1) in (b"+", b"-")
    except OSError:
        return False


def _prise(parts) -> socket.socket:
    if parts.scheme.startswith("redis") and parts.scheme != "redis+socket":
        return socket.create_connection((parts.hostname or "127.0.0.1", parts.port or 6379), timeout=DELAI)
    prise = socket.socket(socket.AF_UNIX)
    try:
        prise.settimeout(DELAI)
        prise.connect(parts.path)
    except OSError:
        prise.close()
        raise
    return prise


def reveiller(tache, *arguments, **options) -> bool:
    """Confie la tâche au courtier s'il répond ; faux sinon, sans jamais lever. options : celles d'`apply_async`."""
    try:
        if courtier_repond(str(tache.app.conf.broker_url or "")):
            tache.apply_async(arguments, retry=False, **options)
            return True
    except Exception as erreur:  # courtier parti entre la sonde et la remise, mot de passe refusé
        log.warning("%s : courtier sans réponse (%s)", tache.name, type(erreur).__name__)
    return False
