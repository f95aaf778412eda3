"""Délais de procédure (CPC, art. 640 à 642) et leur asymétrie prudente."""

from datetime import date

import pytest

from contentieux.domaine.delais import Duree, ajouter_mois


@pytest.mark.parametrize(
    ("jour", "mois", "attendu"),
    [
        (date(2026, 1, 31), 1, date(2026, 2, 28)),
        (date(2024, 1, 31), 1, date(2024, 2, 29)),
        (date(2024, 2, 29), 12, date(2025, 2, 28)),
        (date(2026, 11, 30), 3, date(2027, 2, 28)),
        (date(2026, 12, 15), 1, date(2027, 1, 15)),
        (date(2026, 3, 31), -1, date(2026, 2, 28)),
        (date(2026, 1, 15), -1, date(2025, 12, 15)),
        (date(2026, 6, 30), 0, date(2026, 6, 30)),
    ],
)
def test_un_mois_finit_le_meme_quantieme_ou_le_dernier_jour(jour, mois, attendu):
    assert ajouter_mois(jour, mois) == attendu


def test_le_jour_de_l_acte_ne_compte_pas():
    assert Duree.lire("15 jours").apres(date(2026, 9, 1)) == date(2026, 9, 16)


@pytest.mark.parametrize(
    ("depart", "brut", "reporte"),
    [
        (date(2026, 9, 15), date(2026, 10, 15), date(2026, 10, 15)),  # jeudi
        (date(2026, 9, 17), date(2026, 10, 17), date(2026, 10, 19)),  # samedi → lundi
        (date(2026, 10, 1), date(2026, 11, 1), date(2026, 11, 2)),  # Toussaint, dimanche → lundi
        (date(2026, 4, 1), date(2026, 5, 1), date(2026, 5, 4)),  # 1er mai, vendredi → lundi
        (date(2026, 11, 25), date(2026, 12, 25), date(2026, 12, 28)),
    ],
)
def test_un_delai_a_tenir_n_est_pas_reporte_une_attente_l_est(depart, brut, reporte):
    mois = Duree.lire("1 mois")
    assert mois.apres(depart) == brut
    assert mois.attente_apres(depart) == reporte


def test_l_attente_suit_les_feries_du_lieu_et_la_distance():
    mois = Duree.lire("1 mois")
    assert mois.attente_apres(date(2025, 11, 26)) == date(2025, 12, 26)
    assert mois.attente_apres(date(2025, 11, 26), region="alsace") == date(2025, 12, 29)
    assert mois.attente_apres(date(2026, 1, 15), distance_mois=2) == date(2026, 4, 15)


@pytest.mark.parametrize(("texte", "lu"), [("15 jours", "15 jours"), ("1 mois", "1 mois"), ("10 ans", "10 ans")])
def test_une_duree_se_lit_et_se_relit(texte, lu):
    assert str(Duree.lire(texte)) == lu


@pytest.mark.parametrize("texte", ["", "mois", "un mois", "1 semaine", "-1 mois"])
def test_une_duree_illisible_est_refusee(texte):
    with pytest.raises(ValueError, match="durée illisible"):
        Duree.lire(texte)


def test_les_mois_de_distance_s_ajoutent_avant_de_chercher_le_quantieme():
    """CPC, art. 641 et 643 : deux mois et un depuis le 31 décembre font trois mois, jamais le 28 mars."""
    assert Duree.lire("2 mois").attente_apres(date(2025, 12, 31), distance_mois=1) == date(2026, 3, 31)
    assert Duree.lire("1 an").attente_apres(date(2025, 1, 31), distance_mois=1) == date(2026, 3, 2)
    assert Duree.lire("15 jours").attente_apres(date(2026, 1, 16), distance_mois=1) == date(2026, 3, 2)
