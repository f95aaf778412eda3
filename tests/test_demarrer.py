"""La mise en route : réglages, courtier, superviseur ; un vrai départ, une panne, un vrai arrêt."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from pathlib import Path

import pytest

import demarrer

RACINE = Path(demarrer.__file__).parent


@pytest.fixture
def dossier(tmp_path, monkeypatch):
    """demarrer.py dirigé vers un dossier vide."""
    monkeypatch.setattr(demarrer, "RACINE", tmp_path)
    monkeypatch.setattr(demarrer, "VAR", tmp_path / "var")
    monkeypatch.delenv("REDIS_URL", raising=False)
    return tmp_path


def test_la_premiere_mise_en_route_tire_une_cle_lisible_du_seul_proprietaire(dossier):
    demarrer.preparer_env()
    assert (dossier / ".env").stat().st_mode & 0o777 == 0o600
    assert len(demarrer.reglage("SECRET_KEY")) >= 50
    assert demarrer.reglage("DEMO") == "1"


def test_un_fichier_env_existant_n_est_jamais_recrit(dossier):
    (dossier / ".env").write_text("SECRET_KEY=la-mienne\n")
    demarrer.preparer_env()
    assert (dossier / ".env").read_text() == "SECRET_KEY=la-mienne\n"


def test_l_environnement_l_emporte_sur_le_fichier(dossier, monkeypatch):
    (dossier / ".env").write_text("REDIS_URL='redis://fichier:1/0'\n")
    assert demarrer.reglage("REDIS_URL") == "redis://fichier:1/0"
    monkeypatch.setenv("REDIS_URL", "redis://environnement:2/0")
    assert demarrer.reglage("REDIS_URL") == "redis://environnement:2/0"


def test_un_port_pris_n_est_pas_libre():
    with socket.create_server(("127.0.0.1", 0)) as prise:
        port = prise.getsockname()[1]
        assert demarrer.port_libre(port) is None
        with pytest.raises(SystemExit, match=str(port)):
            demarrer.choisir_port(port)


def servir_une_fois(reponse: bytes) -> int:
    """Serveur d'une seule réponse ; renvoie son port."""
    prise = socket.create_server(("127.0.0.1", 0))

    def repondre():
        with prise, prise.accept()[0] as client:
            client.recv(64)
            client.sendall(reponse)

    threading.Thread(target=repondre, daemon=True).start()
    return prise.getsockname()[1]


@pytest.mark.parametrize(
    ("reponse", "est_redis"),
    [(b"+PONG\r\n", True), (b"-NOAUTH Authentication required.\r\n", True), (b"HTTP/1.1 400 Bad Request\r\n", False)],
)
def test_seul_un_redis_est_reconnu_comme_redis(reponse, est_redis):
    assert demarrer.redis_repond(f"redis://127.0.0.1:{servir_une_fois(reponse)}/0") is est_redis


def test_une_adresse_muette_n_est_pas_un_redis():
    assert demarrer.redis_repond(f"redis://127.0.0.1:{demarrer.port_libre()}/0") is False


def test_un_redis_demande_mais_muet_arrete_la_mise_en_route(dossier, monkeypatch):
    monkeypatch.setenv("REDIS_URL", f"redis://127.0.0.1:{demarrer.port_libre()}/0")
    with pytest.raises(SystemExit, match="REDIS_URL"):
        demarrer.choisir_courtier()


def test_le_courtier_embarque_ecoute_la_boucle_et_cache_son_mot_de_passe(dossier):
    fils, url = demarrer.courtier_embarque()
    mot_de_passe = re.match(r"redis://:(.+)@127\.0\.0\.1:", url).group(1)
    reglages = dossier / "var" / "courtier" / "courtier.conf"
    assert (reglages.read_text(), reglages.stat().st_mode & 0o777) == (f"requirepass {mot_de_passe}\n", 0o600)
    assert mot_de_passe not in " ".join(fils.commande)
    assert "127.0.0.1" in fils.commande


def test_sans_les_droits_la_commande_est_affichee(monkeypatch, capsys):
    monkeypatch.setattr(demarrer.shutil, "which", lambda nom: f"/usr/bin/{nom}")
    monkeypatch.setattr(demarrer, "elevation", lambda: None)
    assert demarrer.installer_paquets(["libpango-1.0-0"]) is False
    assert "sudo apt-get install" in capsys.readouterr().out


def test_un_fils_mort_est_relance_avec_un_recul_croissant(dossier, monkeypatch, capsys):
    instant = [1000.0]
    monkeypatch.setattr(demarrer.time, "monotonic", lambda: instant[0])
    fils = demarrer.Fils("bref", [sys.executable, "-c", ""])
    fils.surveiller()
    reculs = []
    for _ in range(7):
        fils.processus.wait()
        fils.surveiller()
        reculs.append(fils.retour - instant[0])
        fils.surveiller()
        assert fils.processus is None  # trop tôt
        instant[0] = fils.retour
        fils.surveiller()
        assert fils.processus is not None
    assert reculs == [1, 2, 4, 8, 16, 30, 30]
    instant[0] += 61
    fils.processus.wait()
    fils.surveiller()
    assert fils.retour - instant[0] == 1
    assert "bref s'est arrêté (code 0)" in capsys.readouterr().out


def test_l_arret_tue_ce_qui_n_obeit_pas(dossier):
    sourd = (
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('prêt', flush=True); time.sleep(60)"
    )
    fils = demarrer.Fils("sourd", [sys.executable, "-c", sourd])
    fils.lancer()
    assert demarrer.attendre(lambda: "prêt" in fils.chemin_journal.read_text(), 10)
    debut = time.monotonic()
    demarrer.arreter([fils], delai=0.3)
    assert fils.processus.returncode == -signal.SIGKILL
    assert time.monotonic() - debut < 2


def test_un_journal_trop_gros_est_mis_de_cote(dossier, monkeypatch):
    monkeypatch.setattr(demarrer, "JOURNAL_MAX", 3)
    fils = demarrer.Fils("bavard", [sys.executable, "-c", "print('neuf')"])
    for attendu in ("neuf\n", "neuf\n"):
        fils.lancer()
        fils.processus.wait()
        assert fils.chemin_journal.read_text() == attendu
    assert fils.chemin_journal.with_suffix(".ancien.log").read_text() == "neuf\n"


# --- Un vrai départ -------------------------------------------------------------------------------


def processus_de(dossier: Path) -> dict[int, str]:
    """Processus dont `dossier` est le dossier courant : numéro → ligne de commande."""
    trouves = {}
    for lien in Path("/proc").glob("[0-9]*/cwd"):
        try:
            if lien.resolve(strict=True) == dossier:
                trouves[int(lien.parent.name)] = (lien.parent / "cmdline").read_text().replace("\0", " ")
        except OSError:
            continue  # processus disparu entre-temps
    return trouves


@pytest.fixture
def copie(tmp_path):
    """Copie du projet qui partage l'environnement Python déjà posé."""
    if not demarrer.TEMOIN.exists():
        pytest.skip(".venv n'a pas été posé par demarrer.py : il le remplacerait")
    ignores = shutil.ignore_patterns(".venv", ".git", ".env", "var", "__pycache__", "tests", "docs", "*_cache")
    dossier = tmp_path / "projet"
    shutil.copytree(RACINE, dossier, ignore=ignores)
    (dossier / ".venv").symlink_to(demarrer.VENV)
    return dossier.resolve()


@pytest.fixture
def superviseur(copie, redis_url):
    """demarrer.py en marche dans la copie, sur sa propre base ; arrêté quoi qu'il arrive."""
    heritees = ("DATABASE_URL", "DJANGO_SETTINGS_MODULE", "RECOUVREMENT_VAR", "EMAIL_URL")
    env = {cle: valeur for cle, valeur in os.environ.items() if cle not in heritees}
    env |= {"REDIS_URL": redis_url, "DEMO": "0"}
    commande = [sys.executable, "demarrer.py", "--port", str(demarrer.port_libre())]
    lance = subprocess.Popen(
        commande,
        cwd=copie,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    yield lance
    if lance.poll() is None:
        lance.kill()
    lance.stdout.close()
    lance.wait()


def lire_jusqu_a(sortie, motif: str) -> re.Match:
    """Première ligne du superviseur qui répond au motif ; échec s'il renonce ou se tait."""
    lues = []
    for ligne in sortie:
        lues.append(ligne)
        if trouve := re.search(motif, ligne):
            return trouve
        if "ne répond pas" in ligne:
            break
    pytest.fail("jamais vu « {} » dans :\n{}".format(motif, "".join(lues)))


@pytest.mark.reel
@pytest.mark.timeout(300)
@pytest.mark.skipif(sys.platform != "linux", reason="lit /proc")
def test_depart_panne_et_arret(superviseur, copie):
    adresse = lire_jusqu_a(superviseur.stdout, r"prêt : (http://127\.0\.0\.1:\d+/)").group(1)
    with urllib.request.urlopen(f"{adresse}compte/login/", timeout=10) as page:
        assert page.status == 200
    lignes = processus_de(copie)
    assert [ligne for ligne in lignes.values() if " worker " in ligne and (" -B " in ligne or "--beat" in ligne)] == []
    assert sum(" beat " in ligne for ligne in lignes.values()) == 1

    (worker,) = [numero for numero, ligne in lignes.items() if " worker " in ligne and est_chef(numero)]
    os.kill(worker, signal.SIGKILL)
    lire_jusqu_a(superviseur.stdout, r"worker s'est arrêté")
    assert demarrer.attendre(
        lambda: any(
            " worker " in ligne and numero != worker
            for numero, ligne in processus_de(copie).items()
            if est_chef(numero)
        ),
        10,
    )

    debut = time.monotonic()
    superviseur.send_signal(signal.SIGINT)
    assert superviseur.wait(10) == 0
    assert time.monotonic() - debut < 3
    assert processus_de(copie) == {}


@pytest.mark.reel
@pytest.mark.timeout(300)
@pytest.mark.skipif(sys.platform != "linux", reason="PR_SET_PDEATHSIG")
def test_un_superviseur_tue_n_abandonne_pas_ses_fils(superviseur, copie):
    lire_jusqu_a(superviseur.stdout, r"prêt : ")
    superviseur.kill()
    superviseur.wait()
    assert demarrer.attendre(lambda: processus_de(copie) == {}, 15), processus_de(copie)


def est_chef(numero: int) -> bool:
    """Vrai si le processus mène sa session : c'est un fils direct du superviseur."""
    try:
        return os.getsid(numero) == numero
    except ProcessLookupError:
        return False
