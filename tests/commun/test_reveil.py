"""Réveiller une tâche : jamais d'exception, jamais d'attente."""

import re
import socket
import threading
from types import SimpleNamespace

import pytest

from recouvrement.commun import reveil
from tests.test_maison import fichiers_du_depot


class Tache:
    name = "essai"

    def __init__(self, url, erreur=None):
        self.app, self.appels, self.erreur = SimpleNamespace(conf=SimpleNamespace(broker_url=url)), [], erreur

    def apply_async(self, arguments, **options):
        if self.erreur:
            raise self.erreur
        self.appels.append((arguments, options))


@pytest.fixture(params=["tcp", "unix"])
def ecoute(request, tmp_path):
    """Une prise qui écoute, et son adresse telle qu'un réglage l'écrit."""
    if request.param == "unix":
        prise = socket.socket(socket.AF_UNIX)
        prise.bind(str(tmp_path / "courtier"))
        url = f"unix://{tmp_path / 'courtier'}"
    else:
        prise = socket.socket()
        prise.bind(("127.0.0.1", 0))
        url = f"redis://:secret@127.0.0.1:{prise.getsockname()[1]}/0"
    prise.listen()
    yield prise, url
    prise.close()


def test_un_courtier_qui_repond_recoit_la_tache(ecoute):
    prise, url = ecoute

    def repondre():
        autre, _adresse = prise.accept()
        with autre:
            assert autre.recv(64) == b"PING\r\n"
            autre.sendall(b"-NOAUTH Authentication required.\r\n")

    fil = threading.Thread(target=repondre)
    fil.start()
    tache = Tache(url)
    assert reveil.reveiller(tache, 7, True, countdown=11) is True
    fil.join()
    assert tache.appels == [((7, True), {"retry": False, "countdown": 11})]


def test_un_courtier_qui_accepte_et_se_tait_ne_fait_pas_attendre(ecoute, monkeypatch):
    monkeypatch.setattr(reveil, "DELAI", 0.05)
    tache = Tache(ecoute[1])
    assert reveil.reveiller(tache, 7) is False
    assert tache.appels == []


def test_un_courtier_absent_n_est_pas_appele(ecoute, tmp_path):
    prise, url = ecoute
    prise.close()
    tache = Tache(url)
    assert reveil.reveiller(tache, 7) is False
    assert reveil.reveiller(Tache(f"unix://{tmp_path / 'nulle-part'}"), 7) is False
    assert tache.appels == []


def test_une_remise_qui_echoue_ne_leve_pas():
    assert reveil.reveiller(Tache("memory://", erreur=RuntimeError("parti")), 7) is False
    assert reveil.reveiller(Tache("redis://[mal"), 7) is False


def test_une_requete_ne_reveille_que_par_cette_porte():
    """Les tâches s'appellent entre elles ; tout le reste passe par la sonde."""
    directs = [
        str(f)
        for f in fichiers_du_depot()
        if f.suffix == ".py" and "tests" not in f.parts and f.name not in ("tasks.py", "reveil.py")
        and re.search(r"\.(apply_async|delay)\(", f.read_text(encoding="utf-8"))
    ]  # fmt: skip
    assert directs == []
