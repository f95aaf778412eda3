"""Règles communes à tous les essais : pas de réseau, gabarits stricts, moteurs réels à la demande."""

import os
import shutil
from pathlib import Path

import pytest
from django.utils import translation

from recouvrement.celery import app as celery_app
from recouvrement.commun import catalogues
from tests.outils import gabarits, moteurs, reseau, smtp, vidage

RACINE = Path(__file__).resolve().parent.parent
CHROMIUM = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-dev-shm-usage"]
CHROMIUM += ["--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1 , EXCLUDE localhost"]
FIXTURES_DE_BASE = {"db", "transactional_db", "django_db_setup", "live_server"}


def pytest_configure(config):
    catalogues.compiler(RACINE / "locale")


def pytest_unconfigure(config):
    """Retire le dossier var que settings.test a créé (xdist : le processus principal seul)."""
    var = os.environ.get("RECOUVREMENT_VAR", "")
    if "recouvrement-essais-" in var and not hasattr(config, "workerinput"):
        shutil.rmtree(var, ignore_errors=True)


@pytest.hookimpl(tryfirst=True)  # avant que -m ne trie
def pytest_collection_modifyitems(items):
    """Marque `base` l'essai qui touche la base : pytest-django la ferme à tous les autres."""
    for essai in items:
        if essai.get_closest_marker("django_db") or FIXTURES_DE_BASE & set(essai.fixturenames):
            essai.add_marker(pytest.mark.base)


@pytest.fixture(scope="session", autouse=True)
def sans_reseau():
    """Aucune connexion hors de la machine."""
    with pytest.MonkeyPatch.context() as retouche:
        reseau.fermer_la_sortie(retouche)
        yield


@pytest.fixture(scope="session", autouse=True)
def courtier_en_memoire():
    """Une requête réveille une tâche sans chercher de Redis ; tests/reel en met un vrai."""
    with pytest.MonkeyPatch.context() as retouche:
        retouche.setattr(celery_app.conf, "broker_url", "memory://")
        yield


@pytest.fixture(scope="session", autouse=True)
def journal_videable():
    """Un essai transactionnel vide la base, journal inaltérable compris."""
    with pytest.MonkeyPatch.context() as retouche:
        vidage.rendre_videable(retouche)
        yield


@pytest.fixture(autouse=True)
def gabarits_stricts(request, monkeypatch):
    """Variable de gabarit inconnue = échec, sauf marqueur `variables_inconnues_permises`."""
    if not request.node.get_closest_marker("variables_inconnues_permises"):
        gabarits.rendre_strict(monkeypatch)


@pytest.fixture(autouse=True)
def langue_de_depart():
    """Chaque essai part en français, quelle que soit la langue où la requête d'avant a laissé le fil."""
    translation.activate("fr")


@pytest.fixture(scope="session")
def corpus() -> Path:
    """Échantillons réels, hors du dépôt : dossier désigné par la variable CORPUS."""
    dossier = os.environ.get("CORPUS", "")
    chemin = (RACINE / dossier).resolve()
    if not dossier or not chemin.is_dir():
        pytest.skip("CORPUS ne désigne pas de dossier d'échantillons")
    return chemin


@pytest.fixture(scope="session")
def redis_url():
    """Redis réel : celui de REDIS_URL s'il est donné (une base par processus de xdist), sinon un Redis jetable."""
    if url := os.environ.get("REDIS_URL"):
        rang = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
        yield f"{url.removesuffix('/0')}/{rang % 16}" if url.endswith("/0") else url
        return
    with moteurs.redis_jetable() as redis:
        yield redis.url


@pytest.fixture
def smtp_pair():
    """Pair SMTP réel sur un port libre ; voir tests/outils/smtp.py pour ses conduites."""
    pair = smtp.PairSMTP()
    pair.ouvrir()
    yield pair
    pair.fermer()


@pytest.fixture
def environnement_reel(transactional_db, redis_url, settings, tmp_path) -> dict[str, str]:
    """Variables pour de vrais processus (worker, beat, commandes) sur la base d'essai de ce test."""
    from django.db import connection

    base = connection.settings_dict
    url = f"sqlite:///{base['NAME']}"
    if connection.vendor == "postgresql":
        url = f"postgres://{base['USER']}:{base['PASSWORD']}@{base['HOST']}:{base['PORT']}/{base['NAME']}"
    return os.environ | {
        "DJANGO_SETTINGS_MODULE": "recouvrement.settings.dev",
        "DATABASE_URL": url,
        "REDIS_URL": redis_url,
        "RECOUVREMENT_VAR": str(tmp_path / "var"),
        "SECRET_KEY": settings.SECRET_KEY,
    }


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args):
    """Chromium de la machine, jamais téléchargé, sans autre réseau que la boucle locale."""
    chemin = moteurs.chromium()
    if not chemin:
        pytest.skip("Chromium absent")
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"  # playwright tient une boucle dans le fil du test
    return {**browser_type_launch_args, "executable_path": chemin, "args": CHROMIUM}
