"""Écriture des nombres et des dates."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from django.utils import translation

from recouvrement.commun import formats

ESP = "\u00a0"


@pytest.mark.parametrize(
    ("valeur", "attendu"),
    [
        (Decimal("1234567.8"), f"1{ESP}234{ESP}567,80"),
        (Decimal("-1200"), f"\u22121{ESP}200,00"),
        (Decimal("0"), "\u2013"),
        (Decimal("0.01"), "0,01"),
        (Decimal("-0.004"), "0,00"),
        (None, ""),
    ],
)
def test_un_montant_de_colonne_s_ecrit_a_la_francaise(valeur, attendu):
    assert formats.montant(valeur) == attendu


def test_un_montant_change_de_separateurs_en_anglais():
    with translation.override("en"):
        assert formats.somme(Decimal("1234.5")) == f"1,234.50{ESP}€"


def test_une_somme_porte_sa_devise_et_un_code_inconnu_reste_lisible():
    assert formats.somme(Decimal("12"), "USD") == f"12,00{ESP}$"
    assert formats.somme(Decimal("12"), "SEK") == f"12,00{ESP}SEK"


@pytest.mark.parametrize(
    ("echeance", "attendu"),
    [
        (date(2026, 9, 28), "53 j"),
        (date(2026, 11, 19), "1 j"),
        (date(2026, 11, 20), "aujourd’hui"),
        (date(2026, 11, 21), "dans 1 j"),
        (None, ""),
    ],
)
def test_le_retard_compte_en_jours_calendaires_et_l_echeance_du_jour_n_est_pas_en_retard(echeance, attendu):
    assert formats.retard(echeance, date(2026, 11, 20)) == attendu


def test_les_dates_se_lisent_en_francais_et_ne_s_inversent_pas_en_anglais():
    jour = date(2026, 11, 2)
    assert (formats.jour(jour), formats.jour_court(jour)) == ("02/11/2026", "02/11")
    assert formats.jour_long(jour) == "lundi 02/11/2026"
    with translation.override("en"):
        assert formats.jour(jour) == "2 Nov 2026"


def test_un_instant_se_lit_a_l_heure_de_paris():
    assert formats.instant(datetime(2026, 11, 20, 5, 12, tzinfo=UTC)) == "20/11/2026 à 06:12"


@pytest.mark.parametrize(
    ("nom", "attendu"), [("Claire Bonnet", "CB"), ("Karim de Saïdi", "KS"), ("Vauquelin", "VA"), ("", "?")]
)
def test_les_initiales_tiennent_en_deux_lettres(nom, attendu):
    assert formats.initiales(nom) == attendu
