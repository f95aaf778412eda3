"""Les bornes d'une déclaration : ce qu'elle retient, ce qui vaut sans relecture."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relances.domaine.declarations import (
    ACHEMINEMENT_MAX,
    Examen,
    est_arrive,
    examen_d_une_promesse,
    fin_d_attente_d_un_paiement,
    fin_d_examen,
    masquer,
    propre,
)

VENDREDI = date(2026, 11, 20)
MILLE = Decimal(1000)


@pytest.mark.parametrize(
    ("dit_le", "moyen", "attendu"),
    [
        (VENDREDI, "virement", date(2026, 11, 25)),
        (date(2026, 11, 18), "virement", date(2026, 11, 23)),
        (VENDREDI, "cheque", date(2026, 12, 2)),
        (date(2026, 9, 1), "virement", date(2026, 11, 23)),  # vieux paiement : le temps de regarder, pas plus
        (date(2026, 12, 30), "virement", date(2026, 11, 25)),  # daté de l'avenir : compté d'aujourd'hui
        (VENDREDI, "pigeon", date(2026, 11, 27)),
    ],
)
def test_un_paiement_declare_retient_le_temps_d_arriver(dit_le, moyen, attendu):
    assert fin_d_attente_d_un_paiement(dit_le, le=VENDREDI, moyen=moyen, region="metropole") == attendu


@given(
    st.dates(date(2020, 1, 1), date(2030, 12, 31)), st.dates(date(2020, 1, 1), date(2030, 12, 31)),
    st.sampled_from(["virement", "cheque", "carte", "autre", "?"]),
)  # fmt: skip
def test_la_retenue_ne_depasse_jamais_dix_jours_ouvres_ni_ne_precede_la_declaration(dit_le, le, moyen):
    fin = fin_d_attente_d_un_paiement(dit_le, le=le, moyen=moyen, region="metropole")
    assert le < fin <= le + timedelta(days=ACHEMINEMENT_MAX * 2 + 7)


def test_un_examen_ne_retient_pas_plus_de_trente_jours():
    assert fin_d_examen(VENDREDI, jours=7) == date(2026, 11, 27)
    assert fin_d_examen(VENDREDI, jours=365) == date(2026, 12, 20)
    assert fin_d_examen(VENDREDI, jours=-3) == VENDREDI


@pytest.mark.parametrize(
    ("montant", "jours", "deja", "rompue", "attendu"),
    [
        (1000, 30, False, False, Examen.AUCUN),
        (1000, 31, False, False, Examen.TROP_LOIN),
        (500, 15, False, False, Examen.AUCUN),
        (500, 16, False, False, Examen.TROP_LOIN),
        (999, 16, False, False, Examen.TROP_LOIN),
        (499, 1, False, False, Examen.TROP_PEU),
        (1000, 1, True, False, Examen.DEJA_PROMIS),
        (1000, 1, False, True, Examen.DEJA_ROMPUE),
    ],
)
def test_exigence_31_une_promesse_vaut_dans_les_bornes_seulement(montant, jours, deja, rompue, attendu):
    obtenu = examen_d_une_promesse(
        montant=Decimal(montant), du=MILLE, pour_le=VENDREDI + timedelta(days=jours), au=VENDREDI, deja_promis=deja,
        rompue_recente=rompue,
    )  # fmt: skip
    assert obtenu is attendu


def test_un_encaissement_repond_a_j_ai_paye():
    assert est_arrive(MILLE, VENDREDI, [(VENDREDI, MILLE)])
    assert est_arrive(MILLE, VENDREDI, [(VENDREDI, Decimal(600)), (VENDREDI + timedelta(1), Decimal(400))])
    assert not est_arrive(MILLE, VENDREDI, [(VENDREDI, Decimal(999))])
    assert not est_arrive(MILLE, VENDREDI, [(VENDREDI - timedelta(6), MILLE), (VENDREDI + timedelta(46), MILLE)])
    assert not est_arrive(MILLE, VENDREDI, [])


def test_le_texte_d_un_inconnu_se_lit_tel_quel():
    assert propre("<b>Bonjour</b>\x00\x1b[31m", longueur=80) == "<b>Bonjour</b>[31m"
    assert propre("facture \u202efdp.exe\u202c", longueur=80) == "facture fdp.exe"
    assert propre("un\r\ndeux\rtrois", longueur=80, lignes=True) == "un\ndeux\ntrois"
    assert propre("un\ndeux", longueur=80) == "undeux"
    assert propre("شركة النور", longueur=80) == "شركة النور"
    assert propre("x" * 100, longueur=5) == "xxxxx"
    assert propre("a\ud800b", longueur=5) == "ab"


def test_une_adresse_se_masque():
    assert masquer("comptabilite@entreprise.fr") == "c…@entreprise.fr"
    assert masquer("a@b.fr") == "a…@b.fr"
    assert masquer("") == ""
