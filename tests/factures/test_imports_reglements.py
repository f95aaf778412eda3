"""Règlements importés : ni datés de demain, ni confondus avec le voisin."""

import pytest

from factures.models import Encaissement, Imputation
from tests.clients.factories import ClientFactory
from tests.comptes.factories import SocieteFactory
from tests.factures.imports_essai import ENCAISSEMENTS, F1, FACTURES, defauts_de_soldes, prendre, rejets, restes

pytestmark = pytest.mark.django_db

DEUX = "B:C;C1;2026-01-05;2026-02-04;;;100;;;\nC;C1;2026-01-05;2026-02-04;;;100;;;\n"


@pytest.fixture
def societe():
    societe = SocieteFactory(code="alpha", incomplete=True)
    ClientFactory(societe=societe, code="C1")
    return societe


@pytest.mark.parametrize("fichiers", [["A;{};B:C\nA:B;{};C\n"], ["A;{};B:C\n", "A:B;{};C\n"]])
def test_deux_points_dans_les_noms_ne_confondent_pas_deux_imputations(societe, fichiers):
    prendre(societe, FACTURES + DEUX)
    for lignes in [*fichiers, *fichiers]:
        assert prendre(societe, ENCAISSEMENTS + lignes.replace("{}", "C1;2026-02-01;100;")).accepte
    assert (restes(societe), Imputation.objects.count()) == ({}, 2) and defauts_de_soldes() == []


def test_une_imputation_de_l_ancienne_cle_n_est_pas_refaite(societe):
    """Les bases d'avant portent `CSV:I:référence:facture:rang` : rejouer leur fichier ne change rien."""
    reglement = ENCAISSEMENTS + "R1;C1;2026-02-10;50;;F1\n"
    prendre(societe, FACTURES + F1)
    prendre(societe, reglement)
    Imputation.objects.update(cle_source="CSV:I:R1:F1:1")
    rendu = prendre(societe, reglement)
    assert (rendu.accepte, rendu.crees["imputations"], Imputation.objects.count()) == (True, 0, 1)


def test_un_avoir_rattache_a_une_autre_facture_s_y_impute_pour_son_reste(societe):
    prendre(societe, FACTURES + F1 + DEUX + "A1;C1;2026-01-20;;;;-150;;;F1\n")
    rendu = prendre(societe, FACTURES + "A1;C1;2026-01-20;;;;-150;;;C\n")
    assert rendu.accepte and restes(societe)["C"] == 70


def test_un_reglement_date_d_apres_l_import_est_rejete(societe):
    prendre(societe, FACTURES + F1)
    rendu = prendre(societe, ENCAISSEMENTS + "R1;C1;2026-03-10;10;;F1\nR2;C1;2026-03-11;10;;F1\n")
    assert rejets(rendu) == [
        (
            3,
            "date",
            "R2 est daté du 11/03/2026, après le jour de l'import (10/03/2026). "
            "Un règlement s'importe une fois reçu : corrigez la date, ou attendez ce jour.",
        )
    ]
    assert not Encaissement.objects.exists()


def test_une_ligne_saine_entrainee_par_une_autre_est_nommee(societe, client):
    """En partiel, un règlement refusé à moitié ne perd aucune ligne en silence."""
    prendre(societe, FACTURES)
    texte = "reference;code_client;date;montant;mode;facture\n" + "".join(
        f"LV-1;C1;2026-02-01;{montant};VIREMENT;\n" for montant in ("200,00", "50,00")
    )
    rendu = prendre(societe, texte, partiel=True)
    assert sorted(r.ligne for r in rendu.rejets) == [2, 3]
