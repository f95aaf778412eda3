"""Chaque essai a son dépôt de fichiers."""

import pytest


@pytest.fixture(autouse=True)
def depot_jetable(settings, tmp_path):
    settings.DEPOT = tmp_path / "depot"
