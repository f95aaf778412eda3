"""Écriture des lettres : espaces insécables, dates, taux, numéros."""

from datetime import date
from decimal import Decimal

import pytest

from recouvrement.commun.domaine import ecriture as e

NB = "\u00a0"
JOUR = date(2026, 11, 20)


@pytest.mark.parametrize(
    ("valeur", "francais", "anglais"),
    [
        (Decimal("1234.56"), f"1{NB}234,56{NB}€", "€1,234.56"),
        (Decimal("1234567.80"), f"1{NB}234{NB}567,80{NB}€", "€1,234,567.80"),
        (Decimal("0"), f"0,00{NB}€", "€0.00"),
        (Decimal("-240"), f"−{NB}240,00{NB}€", "−€240.00"),
        (Decimal("0.005"), f"0,01{NB}€", "€0.01"),
        (Decimal("-0.004"), f"0,00{NB}€", "€0.00"),
        (999, f"999,00{NB}€", "€999.00"),
    ],
)
def test_un_montant_en_euros(valeur, francais, anglais):
    assert e.euros(valeur) == francais
    assert e.montant(valeur) == francais.removesuffix(f"{NB}€")
    assert e.eur_en(valeur) == anglais
    assert e.amount(valeur) == anglais.replace("€", "")


def test_une_autre_devise_porte_son_code():
    assert e.somme(Decimal("1234.5")) == f"1{NB}234,50{NB}€"
    assert e.somme(Decimal("1234.5"), "USD") == f"1{NB}234,50{NB}USD"
    assert e.somme_en(Decimal("1234.5")) == "€1,234.50"
    assert e.somme_en(Decimal("1234.5"), "USD") == f"USD{NB}1,234.50"


def test_un_sms_reste_dans_l_alphabet_gsm():
    assert e.sms(Decimal("1234.56")) == "1234,56 EUR"
    assert e.sms(Decimal("1234.56")).isascii()


def test_les_taux_ont_deux_decimales():
    assert e.pct(Decimal("12.4")) == f"12,40{NB}%"
    assert e.pct_en(Decimal("12.4")) == "12.40%"


def test_les_dates_s_ecrivent_en_chiffres_et_en_toutes_lettres():
    assert e.jj(date(2026, 1, 5)) == "05/01/2026"
    assert e.jjmm(JOUR) == "20/11"
    assert e.date_longue(JOUR) == f"20{NB}novembre{NB}2026"
    assert e.date_longue(date(2027, 1, 1)) == f"1er{NB}janvier{NB}2027"
    assert e.date_jour(JOUR) == f"vendredi{NB}20{NB}novembre{NB}2026"
    assert e.date_en(JOUR) == f"20{NB}November{NB}2026"
    assert e.date_en_day(JOUR) == f"Friday{NB}20{NB}November{NB}2026"


def test_les_semestres():
    assert (e.semestre("2026-S1"), e.semestre("2026-S2")) == ("1er semestre 2026", "2e semestre 2026")
    assert (e.semestre_en("2026-S1"), e.semestre_en("2026-S2")) == ("first half of 2026", "second half of 2026")


def test_les_numeros_se_groupent_sans_se_couper():
    assert e.siren("732829320") == e.siren("732 829 320") == f"732{NB}829{NB}320"
    assert e.siren("73282932000074") == f"732{NB}829{NB}320{NB}00074"
    assert e.iban("FR7630006000011234567890189") == NB.join("FR76 3000 6000 0112 3456 7890 189".split())
