"""Échéancier amiable : proposition au centime, mensualité payée, attendue ou manquée (droit.md § 9)."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from factures.domaine.mensualites import Etat, Terme, depasse_le_juge, mois_apres, proposer, suivre

PREMIERE = date(2026, 12, 1)


def limite(jour):
    return jour + timedelta(days=2)


@pytest.mark.parametrize(
    ("jour", "mois", "attendu"),
    [
        (date(2026, 1, 31), 1, date(2026, 2, 28)),
        (date(2027, 12, 31), 2, date(2028, 2, 29)),  # année bissextile
        (date(2026, 11, 30), 3, date(2027, 2, 28)),
        (date(2026, 12, 15), 1, date(2027, 1, 15)),
        (date(2026, 5, 5), 0, date(2026, 5, 5)),
    ],
)
def test_le_quantieme_se_garde_ou_tombe_au_dernier_jour_du_mois(jour, mois, attendu):
    assert mois_apres(jour, mois) == attendu


@pytest.mark.parametrize(
    ("total", "nombre", "premier", "dernier"),
    [("100", 3, "33.33", "33.34"), ("900", 3, "300", "300"), ("0.05", 5, "0.01", "0.01"), ("10", 1, "10", "10")],
)
def test_la_somme_des_mensualites_est_le_du_au_centime(total, nombre, premier, dernier):
    termes = proposer(Decimal(total), nombre, PREMIERE)
    assert sum(t.montant for t in termes) == Decimal(total)
    assert (termes[0].montant, termes[-1].montant) == (Decimal(premier), Decimal(dernier))
    assert [t.due_le for t in termes] == [mois_apres(PREMIERE, n) for n in range(nombre)]


@pytest.mark.parametrize(("total", "nombre"), [("0.04", 5), ("100", 0)])
def test_une_mensualite_vaut_au_moins_un_centime(total, nombre):
    with pytest.raises(ValueError):
        proposer(Decimal(total), nombre, PREMIERE)


@pytest.mark.parametrize(
    ("derniere", "attendu"),
    [(date(2028, 11, 20), False), (date(2028, 11, 21), True), (date(2027, 1, 1), False)],
)
def test_au_dela_de_deux_ans_l_accord_depasse_ce_qu_un_juge_donnerait(derniere, attendu):
    """Article 1343-5 du code civil : deux ans au plus, pour le juge."""
    termes = [Terme(PREMIERE, Decimal(1)), Terme(derniere, Decimal(1))]
    assert depasse_le_juge(date(2026, 11, 20), termes) is attendu


TERMES = [Terme(mois_apres(PREMIERE, n), Decimal(100)) for n in range(3)]


@pytest.mark.parametrize(
    ("paye", "au", "etats", "parts"),
    [
        ("0", PREMIERE, "AAA", (0, 0, 0)),
        ("0", PREMIERE + timedelta(2), "AAA", (0, 0, 0)),  # la tolérance
        ("0", PREMIERE + timedelta(3), "MAA", (0, 0, 0)),
        ("99.99", PREMIERE + timedelta(3), "MAA", ("99.99", 0, 0)),  # un centime manque
        ("100", PREMIERE + timedelta(3), "PAA", (100, 0, 0)),
        ("150", PREMIERE + timedelta(3), "PAA", (100, 50, 0)),  # d'avance sur la suivante
        ("150", date(2027, 1, 4), "PMA", (100, 50, 0)),
        ("300", PREMIERE, "PPP", (100, 100, 100)),  # tout d'un coup
        ("0", date(2027, 6, 1), "MMM", (0, 0, 0)),
    ],
)
def test_une_mensualite_est_manquee_quand_le_cumul_paye_reste_sous_le_cumul_du(paye, au, etats, parts):
    suivis = suivre(TERMES, Decimal(paye), au=au, limite=limite)
    lettres = {"P": Etat.PAYEE, "A": Etat.ATTENDUE, "M": Etat.MANQUEE}
    assert [s.etat for s in suivis] == [lettres[x] for x in etats]
    assert [s.paye for s in suivis] == [Decimal(p) for p in parts]
