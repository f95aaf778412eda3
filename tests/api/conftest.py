import pytest
from django.core.cache import cache

from factures.tasks import apercevoir_lot, appliquer_lot
from recouvrement.comptes.models import Role

from .monde import Programme, jeton_de, monde_complet


@pytest.fixture
def monde(db, settings, tmp_path, time_machine, monkeypatch):
    """Voir monde_complet ; le 20 novembre 2026, sans courtier ni limite de débit atteinte."""
    settings.DEPOT = tmp_path / "depot"
    time_machine.move_to("2026-11-20 10:00 +0100", tick=False)
    cache.clear()
    reveils = []
    for tache in (apercevoir_lot, appliquer_lot):
        monkeypatch.setattr(tache, "apply_async", lambda args, nom=tache.name, **_: reveils.append((nom, *args)))
    monde = monde_complet()
    monde.reveils = reveils
    return monde


@pytest.fixture
def api(monde) -> Programme:
    """Le programme du responsable, toutes portées."""
    return Programme(jeton_de(monde.equipe[Role.RESPONSABLE], monde.societe))
