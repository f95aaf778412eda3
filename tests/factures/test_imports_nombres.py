"""Montants et dates : ce qui se lit, ce qui se refuse, et pourquoi."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from factures.imports.fec_lecture import montant_fec
from factures.imports.nombres import Illisible, identifiant, jour, montant


@pytest.mark.parametrize(
    ("texte", "attendu"),
    [
        ("1234,56", "1234.56"), ("1234.56", "1234.56"), ("1 234,56 €", "1234.56"), ("1\u202f234,56\xa0€", "1234.56"),
        ("1.234,56", "1234.56"), ("1,234.56", "1234.56"), ("1'234.56", "1234.56"), ("1.234.567,8", "1234567.80"),
        ("1 234 567", "1234567.00"), ("12000", "12000.00"), ("0000000074,70", "74.70"), (",5", "0.50"), ("5,", "5.00"),
        ("-12,5", "-12.50"), ("12,50-", "-12.50"), ("(12,50)", "-12.50"), ("−12,50", "-12.50"), ("+3", "3.00"),
        ("12,500000", "12.50"), ("1234.560", "1234.56"), ("EUR 12", "12.00"), ("0", "0.00"), ("-0,00", "0.00"),
    ],
)  # fmt: skip
def test_un_montant_se_lit_a_la_francaise_comme_en_iso(texte, attendu):
    lu = montant(texte)
    assert lu == Decimal(attendu)
    assert lu.as_tuple().exponent == -2


@pytest.mark.parametrize(
    ("texte", "motif"),
    [
        ("", "vide"), ("   ", "vide"), ("1,5E+03", "scientifique"), ("2E5", "scientifique"), ("1.234", "ambigu"),
        ("1,234", "ambigu"), ("12,345", "ambigu"),
        ("1234,567", "plus de deux décimales"), ("abc", "n'est pas un montant"),
        ("1.250,5O", "lettre O"),
        ("1,2,3", "séparateurs"), ("1.23,4.5", "séparateurs"), ("--5", "n'est pas un montant"),
        ("-5-", "deux signes"), ("(5", "n'est pas un montant"),
        ("١٢", "n'est pas un montant"), ("NaN", "n'est pas un montant"),
        ("9" * 14, "dépasse"), ("9" * 500, "dépasse"), ("1 234,5 6,7", "séparateurs"),
    ],
)  # fmt: skip
def test_un_montant_douteux_est_refuse_avec_son_motif(texte, motif):
    with pytest.raises(Illisible, match=motif) as refus:
        montant(texte)
    assert refus.value.conseil


@given(st.decimals(min_value="-9999999.99", max_value="9999999.99", places=2))
def test_ce_qui_s_ecrit_se_relit(valeur):
    francais = f"{valeur:,.2f}".replace(",", "\u202f").replace(".", ",")
    assert montant(francais) == montant(f"{valeur:.2f}") == valeur


@given(st.text(max_size=30))
def test_aucun_texte_ne_fait_planter_la_lecture(texte):
    for lire in (montant, jour, montant_fec):
        try:
            lire(texte)
        except Illisible as refus:
            assert refus.constat


@pytest.mark.parametrize(
    ("texte", "attendu"),
    [
        ("31/10/2026", date(2026, 10, 31)), ("2026-10-31", date(2026, 10, 31)), ("20261031", date(2026, 10, 31)),
        ("1/3/2026", date(2026, 3, 1)), ("31-10-2026", date(2026, 10, 31)), ("31.10.2026", date(2026, 10, 31)),
        ("31/10/26", date(2026, 10, 31)),
        ("2026-10-31T00:00:00", date(2026, 10, 31)), (" 29/02/2024 ", date(2024, 2, 29)),
        ("2026-10-31 00:00:00", date(2026, 10, 31)), ("31/10/2026 00:00", date(2026, 10, 31)),
    ],
)  # fmt: skip
def test_une_date_se_lit_a_la_francaise_en_iso_et_compacte(texte, attendu):
    assert jour(texte) == attendu


@pytest.mark.parametrize(
    ("texte", "motif"),
    [
        ("31/02/2026", "n'existe pas au calendrier"), ("29/02/2025", "n'existe pas"), ("12/31/2026", "pas de mois 31"),
        ("20230231", "n'existe pas"), ("46326", "tableur"), ("", "vide"), ("demain", "n'est pas une date"),
        ("01/01/0001", "invraisemblable"), ("2226-01-01", "invraisemblable"), ("00000000", "invraisemblable"),
    ],
)  # fmt: skip
def test_une_date_fausse_est_refusee_avec_son_motif(texte, motif):
    with pytest.raises(Illisible, match=motif):
        jour(texte)


def test_un_fec_n_a_pas_de_separateur_de_milliers():
    assert montant_fec("12,500") == Decimal("12.50")
    assert montant_fec("0000000074,70") == Decimal("74.70")
    assert montant_fec("   ") == 0
    with pytest.raises(Illisible, match="plus de deux décimales"):
        montant_fec("12,505")


def test_un_identifiant_abime_par_un_tableur_est_refuse():
    assert identifiant("F2026-001", 60) == "F2026-001"
    for mauvais in ("2,02E+10", "1E+5", "", "x" * 61):
        with pytest.raises(Illisible):
            identifiant(mauvais, 60)
