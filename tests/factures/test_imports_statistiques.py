"""Un aperçu laisse des lignes mortes : l'import qui suit ne doit pas les prendre pour une table vide (PostgreSQL)."""

import pytest
from django.db import connection

from tests.comptes.factories import SocieteFactory
from tests.factures.fec_essai import Fec
from tests.factures.imports_essai import CLIENTS, ENCAISSEMENTS, FACTURES, defauts_de_soldes, prendre, prendre_fec

pytestmark = pytest.mark.django_db
PIECES = 1_500


@pytest.fixture
def bornee():
    """Une requête qui ne finit pas échoue, au lieu d'attendre des heures."""
    if connection.vendor == "postgresql":
        with connection.cursor() as curseur:
            curseur.execute("set local statement_timeout = '20s'")


def test_un_apercu_de_reglements_ne_fait_pas_trainer_l_import(bornee):
    societe = SocieteFactory()
    numeros = range(1, PIECES + 1)
    prendre(societe, CLIENTS + "".join(f"C{n};Client {n};30J;;;;;;\n" for n in numeros))
    prendre(societe, FACTURES + "".join(f"F{n};C{n};2025-11-05;2025-12-05;;;{n}.50;;;\n" for n in numeros))
    reglements = ENCAISSEMENTS + "".join(f"V{n};C{n};2026-01-02;{n}.50;virement;F{n}\n" for n in numeros)
    for essai in (True, False):
        rendu = prendre(societe, reglements, essai=essai)
        assert rendu.crees["imputations"] == PIECES, rendu.refus
    assert rendu.ecrit and defauts_de_soldes() == []


def test_un_apercu_de_fec_ne_fait_pas_trainer_l_import(bornee):
    societe, fec = SocieteFactory(), Fec()
    for n in range(1, PIECES + 1):
        let = f"L{n}"
        fec.vente(f"C{n}", f"F{n}", f"{n}.50", let).reglement(f"C{n}", f"{n}.50", let)
    for essai in (True, False):
        rendu = prendre_fec(societe, fec, essai=essai)
        assert rendu.crees["imputations"] == PIECES, rendu.refus
    assert rendu.ecrit and defauts_de_soldes() == []
