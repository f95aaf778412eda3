"""Moteurs réels et jetables pour les essais : PostgreSQL, Redis, Chromium.

Chacun vit dans un dossier temporaire, n'écoute que sur 127.0.0.1 et disparaît avec l'essai.
Bibliothèque standard seule : le lanceur s'en sert avant que pytest ne soit chargé.
"""

import contextlib
import glob
import os
import pwd
import re
import secrets
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import demarrer

REGLAGES_POSTGRES = {
    "listen_addresses": "127.0.0.1",
    "fsync": "off",  # base jetable : la durabilité ne sert à rien
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_connections": "100",
}


@dataclass(frozen=True)
class Moteur:
    """Un moteur en marche : version lisible et adresse de connexion."""

    version: str
    url: str


def binaires_postgres() -> Path | None:
    """Dossier qui contient initdb et postgres, le plus récent d'abord ; None si PostgreSQL manque."""
    rangement = "/usr/lib/postgresql/*/bin/initdb"
    rangees = sorted(glob.glob(rangement), key=lambda chemin: int(Path(chemin).parts[4]), reverse=True)
    for initdb in [*rangees, shutil.which("initdb")]:
        if initdb and Path(initdb).with_name("postgres").exists():
            return Path(initdb).parent
    return None


def chromium() -> str | None:
    """Chemin d'un Chromium : variable CHROMIUM, sinon celui de la machine ; jamais téléchargé."""
    noms = ("chromium", "chromium-browser", "google-chrome")
    return os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, noms)), None)


def version(nom: str, binaire: str | Path) -> str:
    """« Redis 7.0.15 » : le nom donné et le premier numéro que le programme annonce."""
    reponse = subprocess.run([binaire, "--version"], capture_output=True, text=True).stdout
    numero = re.search(r"\d+(\.\d+)+", reponse)
    return f"{nom} {numero.group() if numero else '(version inconnue)'}"


def compte_sans_droits() -> dict:
    """Arguments de subprocess pour quitter root : `initdb` et `postgres` le refusent."""
    if os.geteuid() != 0:
        return {}
    for nom in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            compte = pwd.getpwnam(nom)
            return {"user": compte.pw_uid, "group": compte.pw_gid, "extra_groups": []}
    return {}


def executer(commande: list, journal: Path, **options) -> subprocess.Popen:
    """Lance un serveur qui meurt avec nous, sorties dans `journal`."""
    with journal.open("ab") as sortie:
        return subprocess.Popen(
            [str(mot) for mot in commande],
            stdin=subprocess.DEVNULL,
            stdout=sortie,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=demarrer.mourir_avec_le_pere,
            **options,
        )


@contextlib.contextmanager
def dossier_jetable(nom: str) -> Iterator[Path]:
    dossier = Path(tempfile.mkdtemp(prefix=f"recouvrement-{nom}-"))
    try:
        yield dossier
    finally:
        shutil.rmtree(dossier, ignore_errors=True)


@contextlib.contextmanager
def postgres_jetable(**autres: str) -> Iterator[Moteur | None]:
    """Grappe PostgreSQL neuve, détruite à la sortie ; None si PostgreSQL n'est pas installé.

    autres : réglages du serveur en plus, ou à la place de ceux des essais (le banc mesure avec fsync).
    """
    binaires = binaires_postgres()
    if binaires is None:
        yield None
        return
    compte = compte_sans_droits()
    with dossier_jetable("postgres") as dossier:
        donnees, mot_de_passe = dossier / "donnees", secrets.token_hex(12)
        secret = dossier / "secret"
        secret.write_text(mot_de_passe)
        if compte:
            for chemin in (dossier, secret):
                os.chown(chemin, compte["user"], compte["group"])
        options = {"cwd": dossier, **compte}
        initdb = [binaires / "initdb", "-D", donnees, "-U", "essais", "--pwfile", secret, "-A", "scram-sha-256"]
        initdb += ["-E", "UTF8", "--locale=C.UTF-8", "--no-sync"]
        fini = subprocess.run(initdb, capture_output=True, text=True, **options)
        if fini.returncode:
            raise RuntimeError(f"initdb a échoué :\n{fini.stderr}")
        port = demarrer.port_libre()
        reglages = REGLAGES_POSTGRES | {"port": port, "unix_socket_directories": dossier} | autres
        arguments = [mot for cle, valeur in reglages.items() for mot in ("-c", f"{cle}={valeur}")]
        journal = dossier / "postgres.log"
        serveur = executer([binaires / "postgres", "-D", donnees, *arguments], journal, **options)
        try:
            pret = [binaires / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(port)]
            if not demarrer.attendre(lambda: subprocess.run(pret).returncode == 0, 30):
                raise RuntimeError(f"PostgreSQL ne répond pas :\n{journal.read_text()[-2000:]}")
            url = f"postgres://essais:{mot_de_passe}@127.0.0.1:{port}/postgres"
            yield Moteur(version("PostgreSQL", binaires / "postgres"), url)
        finally:
            serveur.send_signal(signal.SIGQUIT)
            serveur.wait()


@contextlib.contextmanager
def redis_jetable(*, port: int | None = None) -> Iterator[Moteur]:
    """Redis ou Valkey neuf, sans disque. `port` permet de le rouvrir au même endroit après une panne."""
    binaire = demarrer.binaire_courtier()
    port = port or demarrer.port_libre()
    with dossier_jetable("redis") as dossier:
        commande = [binaire, "--port", port, "--dir", dossier, *demarrer.OPTIONS_COURTIER]
        serveur = executer(commande, dossier / "redis.log")
        url = f"redis://127.0.0.1:{port}/0"
        try:
            if not demarrer.attendre(lambda: demarrer.redis_repond(url), 10):
                raise RuntimeError(f"{binaire} ne répond pas :\n{(dossier / 'redis.log').read_text()[-2000:]}")
            yield Moteur(version("Valkey" if "valkey" in binaire else "Redis", binaire), url)
        finally:
            serveur.kill()
            serveur.wait()
