"""Un worker Celery réel à côté des pages : même base, même dépôt, même courrier, même jour."""

import pytest

from recouvrement.celery import app

from .processus import jours_jusqu_au_prochain_ouvre, worker


@pytest.fixture
def courtier(redis_url):
    """Le processus d'essai, qui sert les pages, parle au Redis jetable du worker."""
    avant = app.conf.broker_url
    app.conf.broker_url = redis_url
    app._after_fork()  # oublie les connexions déjà ouvertes
    yield
    app.conf.broker_url = avant
    app._after_fork()


@pytest.fixture
def ouvrier(settings, tmp_path, environnement_reel, courtier, smtp_pair):
    """Le worker en marche ; pages et worker se tiennent au prochain jour ouvré."""
    settings.DEPOT = tmp_path / "var" / "depot"
    settings.DECALAGE_JOURS = jours_jusqu_au_prochain_ouvre()
    env = environnement_reel | {
        "DECALAGE_JOURS": str(settings.DECALAGE_JOURS),
        "RECOUVREMENT_DEPOT": str(settings.DEPOT),
        "EMAIL_URL": smtp_pair.url,
    }
    processus = worker(env, tmp_path / "worker.log")
    yield processus
    processus.arreter()
