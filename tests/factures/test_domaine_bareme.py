"""Barème des taux : ce qui est relevé, et rien d'autre."""

from datetime import date
from decimal import Decimal

import pytest

from factures.domaine.bareme import Bareme, TauxManquant, bornes, fin_de_semestre, semestre
from factures.donnees import bareme_livre, lire

SEMESTRES = [x for x in lire("taux_penalites_par_semestre.csv") if x["refi_bce_1er_jour_pct"]]


@pytest.mark.parametrize(
    ("jour", "attendu"),
    [
        (date(2025, 12, 31), "2025-S2"),
        (date(2026, 1, 1), "2026-S1"),
        (date(2026, 6, 30), "2026-S1"),
        (date(2026, 7, 1), "2026-S2"),
        (date(2024, 2, 29), "2024-S1"),
    ],
)
def test_un_semestre_va_du_1er_janvier_au_30_juin_puis_au_31_decembre(jour, attendu):
    assert semestre(jour) == attendu
    premier, dernier = bornes(attendu)
    assert premier <= jour <= dernier == fin_de_semestre(jour)


@pytest.mark.parametrize("faux", ["2026", "2026-S3", "26-S1", "S1-2026", "2026-s1", ""])
def test_un_semestre_illisible_est_refuse(faux):
    with pytest.raises(ValueError, match="semestre illisible"):
        bornes(faux)


@pytest.mark.parametrize("ligne", SEMESTRES, ids=lambda x: x["semestre"])
def test_les_taux_livres_suivent_le_premier_jour_du_semestre(ligne):
    bareme, sem = bareme_livre(), ligne["semestre"]
    assert bareme.refi_du_semestre(sem) == bareme.refi_au(bornes(sem)[0]) == Decimal(ligne["refi_bce_1er_jour_pct"])
    assert bareme.taux_defaut_entreprise(sem) == Decimal(ligne["taux_defaut_b2b_pct"])
    assert bareme.taux_public(sem) == Decimal(ligne["taux_public_bce_plus_8_pct"])
    if ligne["plancher_conventionnel_3x_legal_pct"]:
        assert bareme.plancher(sem) == Decimal(ligne["plancher_conventionnel_3x_legal_pct"])
        sous = "oui" if bareme.taux_defaut_entreprise(sem) < bareme.plancher(sem) else "non"
        assert sous == ligne["defaut_inferieur_au_plancher"]


def test_la_hausse_de_septembre_ne_dit_pas_le_taux_de_janvier():
    bareme = bareme_livre()
    assert bareme.refi_au(date(2026, 9, 16)) == Decimal("2.65")
    assert bareme.refi_au(date(2026, 9, 15)) == Decimal("2.40")
    assert bareme.valable_jusqu_au == bareme.semestres_connus[-1] == "2026-S2"
    for demander in (bareme.taux_defaut_entreprise, bareme.taux_public, bareme.plancher, bareme.taux_legal):
        with pytest.raises(TauxManquant, match="1er semestre 2027") as refus:
            demander("2027-S1")
        assert refus.value.semestre == "2027-S1"
    with pytest.raises(TauxManquant, match="2027-S1"):
        bareme.refi_au(date(2027, 1, 1))


def test_une_hausse_en_cours_de_semestre_est_sans_effet():
    assert bareme_livre().taux_defaut_entreprise("2026-S2") == Decimal("12.40")


def test_avant_2013_la_regle_etait_autre_et_le_calcul_est_refuse():
    with pytest.raises(TauxManquant, match="2e semestre 2012"):
        bareme_livre().taux_defaut_entreprise("2012-S2")


def test_un_semestre_releve_que_l_histoire_dement_est_refuse():
    histoire = [(date(2026, 1, 1), Decimal("2.15"))]
    with pytest.raises(ValueError, match="2026-S1 : taux BCE relevé 2.40, mais 2.15"):
        Bareme(histoire, [], [("2026-S1", Decimal("2.40"))])
    with pytest.raises(ValueError, match="None dans l'histoire"):
        Bareme(histoire, [], [("2025-S2", Decimal("2.15"))])


@pytest.mark.parametrize(
    ("refi", "legal", "message"),
    [
        ([(date(2026, 1, 1), Decimal(1))] * 2, [], "en double"),
        ([], [("2026-S1", Decimal(1)), ("2026-S1", Decimal(2))], "en double"),
        ([(date(2026, 1, 1), Decimal(-1))], [], "négatif"),
        ([], [("2026-1", Decimal(1))], "illisible"),
    ],
)
def test_un_bareme_incoherent_est_refuse(refi, legal, message):
    with pytest.raises(ValueError, match=message):
        Bareme(refi, legal, [])


def test_un_bareme_ne_change_pas():
    with pytest.raises(AttributeError):
        bareme_livre().refi = ()
    assert Bareme([], [], []).valable_jusqu_au == ""
