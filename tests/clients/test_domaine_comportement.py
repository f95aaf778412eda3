"""Comment un client paie : formules d'exigences.md § 2.5 et § 2.9, bornes comprises (décision 0030)."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clients.domaine.comportement import (
    Part,
    PromesseConclue,
    Sens,
    delai_de_reaction,
    promesses_tenues,
    retard_moyen,
    tendance,
)
from factures.domaine.repartition import PieceOuverte, Repartition, repartir

AU = date(2026, 11, 20)


def il_y_a(jours: int) -> date:
    return AU - timedelta(days=jours)


def payee(echue: int, apres: int, montant=1000) -> Part:
    """Échue il y a `echue` jours, payée `apres` jours après l'échéance."""
    return Part(il_y_a(echue), Decimal(montant), il_y_a(echue - apres))


# --- Retard moyen pondéré (§ 2.5) -----------------------------------------------------------------


def test_le_retard_pese_les_montants_et_compte_l_impaye_jusqu_au_jour_dit():
    parts = [payee(60, 10), Part(il_y_a(30), Decimal(3000))]

    assert retard_moyen(parts, au=AU).jours == 25  # (1 000 × 10 + 3 000 × 30) / 4 000


@pytest.mark.parametrize(("apres", "attendu"), [(-5, -5), (0, 0), (1, 1)])
def test_payer_d_avance_donne_un_retard_negatif(apres, attendu):
    assert retard_moyen([payee(40, apres)], au=AU).jours == attendu


def test_l_echeance_du_jour_et_celle_a_venir_n_y_sont_pas():
    parts = [Part(AU, Decimal(100)), Part(AU + timedelta(1), Decimal(100))]

    assert retard_moyen(parts, au=AU).jours is None


def test_la_periode_exclut_les_echeances_plus_anciennes():
    parts = [payee(400, 5), payee(100, 20)]

    assert retard_moyen(parts, au=AU, depuis=il_y_a(365)).jours == 20


# --- Tendance --------------------------------------------------------------------------------------


def test_la_tendance_compare_deux_semestres_de_paiements():
    recents = [payee(60 + n, 30) for n in range(3)]
    anciens = [payee(250 + n, 10) for n in range(3)]
    lue = tendance(recents + anciens, au=AU)

    assert (lue.sens, lue.recent, lue.avant, lue.ecart) == (Sens.PIRE, 30, 10, 20)
    assert tendance([payee(60 + n, 11) for n in range(3)] + anciens, au=AU).sens is Sens.STABLE
    assert tendance([payee(60 + n, 2) for n in range(3)] + anciens, au=AU).sens is Sens.MIEUX


def test_sous_trois_paiements_dans_un_semestre_c_est_trop_peu():
    lue = tendance([payee(60 + n, 30) for n in range(5)] + [payee(250, 10), payee(251, 10)], au=AU)

    assert (lue.sens, lue.recent, lue.paiements) == (Sens.TROP_PEU, None, (5, 2))


def test_un_impaye_ne_fausse_pas_la_tendance():
    base = [payee(60 + n, 10) for n in range(3)] + [payee(250 + n, 10) for n in range(3)]

    assert tendance([*base, Part(il_y_a(300), Decimal(10**6))], au=AU) == tendance(base, au=AU)


# --- Promesses tenues (§ 2.9) -----------------------------------------------------------------------


def test_les_promesses_se_comptent_en_nombre_et_en_montant():
    lues = promesses_tenues(
        [
            PromesseConclue(Decimal(100), Decimal(150), True),  # payé plus que promis : compté pour le promis
            PromesseConclue(Decimal(300), Decimal(150), False),
            PromesseConclue(Decimal(100), Decimal(0), False),
        ]
    )

    assert (lues.tenues, lues.conclues, lues.taux_montant) == (1, 3, Decimal(50))


def test_sans_promesse_conclue_il_n_y_a_pas_de_taux():
    assert promesses_tenues([]).taux_nombre is None


# --- Réaction après relance -------------------------------------------------------------------------


def test_une_reaction_revient_a_la_derniere_relance_qui_la_precede():
    envois = [il_y_a(200), il_y_a(150), il_y_a(100)]
    lue = delai_de_reaction(envois, [il_y_a(190), il_y_a(146), il_y_a(30)], au=AU)

    assert (lue.jours, lue.suivies, lue.envois) == (7, 2, 3)  # 10 et 4 jours ; la troisième reste sans réponse


def test_une_relance_trop_recente_et_sans_reponse_n_est_pas_un_silence():
    lue = delai_de_reaction([il_y_a(200), il_y_a(150), il_y_a(100), il_y_a(3)], [il_y_a(195)], au=AU)

    assert (lue.suivies, lue.envois) == (1, 3)


def test_deux_lettres_le_meme_jour_n_en_font_qu_une_et_moins_de_trois_c_est_trop_peu():
    assert delai_de_reaction([il_y_a(90)] * 5, [il_y_a(80)], au=AU).jours is None


# --- Le compte, au centime --------------------------------------------------------------------------


def test_chaque_centime_est_dans_un_seul_etat():
    e = Decimal
    lu = repartir(
        [
            PieceOuverte("EUR", e("100.10"), contentieux=True, promesse=1, conteste=e(10)),
            PieceOuverte("EUR", e("200.20"), echelonnee=True, conteste=e(10)),
            PieceOuverte("EUR", e("300.30"), conteste=e("120.10"), promesse=1),
            PieceOuverte("EUR", e("50.00"), exclue=True),
            PieceOuverte("EUR", e("7.77")),
            PieceOuverte("GBP", e("9.00")),
        ],
        promesses={1: e("150.00")},
        credits=[("EUR", e("8.37")), ("USD", e("5.00"))],
    )

    assert lu["EUR"] == Repartition(
        "EUR", libre=e("37.97"), promis=e(150), conteste=e("120.10"), echelonne=e("200.20"), exclu=e(50),
        contentieux=e("100.10"), a_affecter=e("8.37"), pieces=5,
    )  # fmt: skip
    assert lu["EUR"].encours == e("650.00")
    assert (lu["GBP"].encours, lu["USD"].encours) == (e(9), e(-5))


CENTIMES = st.decimals(0, 10**6, places=2)


@given(
    st.lists(
        st.builds(
            PieceOuverte, devise=st.sampled_from(["EUR", "GBP"]), reste=CENTIMES, conteste=CENTIMES,
            contentieux=st.booleans(), echelonnee=st.booleans(), exclue=st.booleans(),
            promesse=st.sampled_from([None, 1, 2]),
        )
    ),
    st.dictionaries(st.sampled_from([1, 2]), CENTIMES),
)  # fmt: skip
def test_la_somme_des_etats_est_toujours_la_somme_des_restes(pieces, promesses):
    lu = repartir(pieces, promesses=promesses)

    for devise, r in lu.items():
        assert r.ouvert == sum((p.reste for p in pieces if p.devise == devise), Decimal(0))
        assert min(r.libre, r.promis, r.conteste, r.echelonne, r.exclu, r.contentieux) >= 0
    assert sum((r.promis for r in lu.values()), Decimal(0)) <= sum(promesses.values(), Decimal(0))
