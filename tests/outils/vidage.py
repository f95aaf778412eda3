"""Vider la base entre deux essais transactionnels, malgré le journal inaltérable.

Les déclencheurs ne sont levés que le temps de vider ; les taux livrés par migration sont gardés.
"""

import importlib

import pytest
from django.db import connection

LIVREES = {"factures_tauxbce", "factures_tauxlegal", "factures_semestreconnu"}


def rendre_videable(retouche: pytest.MonkeyPatch) -> None:
    """Enveloppe l'ordre de vidage de la base en cours."""
    operations = type(connection.ops)
    origine = operations.sql_flush
    figer = importlib.import_module("recouvrement.journal.migrations.0002_inalterable")

    def sql_flush(self, style, tables, **options):
        ordres = origine(self, style, [t for t in tables if t not in LIVREES], **options)
        if self.connection.vendor == "postgresql":
            triggers = "alter table journal_maillon {} trigger user"
            return [triggers.format("disable"), *ordres, triggers.format("enable")]
        return [*figer.SQLITE_RETOUR, *ordres, *figer.SQLITE]

    retouche.setattr(operations, "sql_flush", sql_flush)
