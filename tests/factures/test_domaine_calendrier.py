"""Jours ouvrés, fériés et dates limites (exigence 15)."""

from datetime import date

import holidays
import pytest

from factures.domaine.calendrier import (
    ALSACE_MOSELLE,
    METROPOLE,
    ajouter_jours_ouvres,
    date_limite,
    est_ouvre,
    feries,
    jour_ouvre_suivant,
    paques,
)


@pytest.mark.parametrize(("region", "subdivision"), [(METROPOLE, None), (ALSACE_MOSELLE, "57")])
def test_les_feries_sont_ceux_d_une_bibliotheque_tierce(region, subdivision):
    for annee in range(2008, 2061):  # de 2005 à 2007, le lundi de Pentecôte ne comptait pas
        assert feries(annee, region) == set(holidays.France(years=annee, subdiv=subdivision))


def test_paques_et_ses_fetes_mobiles_de_2027():
    assert paques(2027) == date(2027, 3, 28)
    assert {date(2027, 3, 29), date(2027, 5, 6), date(2027, 5, 17)} <= feries(2027)
    assert len(feries(2026)) == 11


def test_deux_feries_du_meme_jour_n_en_font_qu_un():
    """En 2008, l'Ascension tombait le 1er mai."""
    assert len(feries(2008)) == 10


def test_le_vendredi_saint_et_le_26_decembre_ne_sont_feries_qu_en_alsace_moselle():
    for jour in (date(2026, 4, 3), date(2025, 12, 26)):
        assert est_ouvre(jour) and not est_ouvre(jour, ALSACE_MOSELLE)


@pytest.mark.parametrize(
    ("jour", "ouvre"),
    [
        (date(2026, 11, 20), True),  # vendredi
        (date(2026, 11, 21), False),  # samedi
        (date(2026, 11, 22), False),  # dimanche
        (date(2026, 11, 11), False),  # mercredi férié
        (date(2024, 2, 29), True),
    ],
)
def test_un_jour_ouvre_n_est_ni_samedi_ni_dimanche_ni_ferie(jour, ouvre):
    assert est_ouvre(jour) is ouvre
    assert (jour_ouvre_suivant(jour) == jour) is ouvre


def test_une_etape_glisse_au_jour_ouvre_suivant_par_dessus_un_pont():
    """Le 1er mai 2026 est un vendredi férié."""
    assert jour_ouvre_suivant(date(2026, 5, 1)) == date(2026, 5, 4)
    assert jour_ouvre_suivant(date(2026, 12, 25), ALSACE_MOSELLE) == date(2026, 12, 28)


@pytest.mark.parametrize(
    ("nombre", "attendu"),
    [
        (0, date(2026, 5, 7)),
        (1, date(2026, 5, 11)),  # par-dessus le vendredi 8 mai
        (4, date(2026, 5, 15)),  # par-dessus l'Ascension du 14
        (-1, date(2026, 5, 6)),
        (-5, date(2026, 4, 29)),  # par-dessus le vendredi 1er mai
    ],
)
def test_ajouter_des_jours_ouvres_saute_feries_et_fins_de_semaine(nombre, attendu):
    assert ajouter_jours_ouvres(date(2026, 5, 7), nombre) == attendu


def test_la_date_limite_est_calendaire_et_jamais_un_jour_chome():
    assert date_limite(date(2026, 11, 20), 8) == date(2026, 11, 30)  # le 28 est un samedi
    assert date_limite(date(2026, 11, 20), 7) == date(2026, 11, 27)
    assert date_limite(date(2026, 12, 11), 15, ALSACE_MOSELLE) == date(2026, 12, 28)
    with pytest.raises(ValueError, match="délai négatif"):
        date_limite(date(2026, 11, 20), -1)


def test_une_region_inconnue_est_refusee():
    with pytest.raises(ValueError, match="région de jours fériés inconnue"):
        est_ouvre(date(2026, 1, 2), "bretagne")
