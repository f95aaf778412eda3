"""Répartition d'un encaissement : C. civ., art. 1342-10."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from factures.domaine.imputation import Dette, Motif, repartir

D = Decimal
AU = date(2026, 11, 20)


def dette(cle, reste, jours=-10, interet=0):
    """Dette échue depuis -jours, ou à échoir dans `jours`."""
    return Dette(cle, D(reste), AU + timedelta(jours), interet)


def parts(montant, dettes, **options):
    fini = repartir(D(montant), dettes, au=AU, **options)
    return [(p.cle, p.montant, p.motif) for p in fini.parts], fini.non_affecte


def test_les_dettes_echues_passent_avant_celles_a_echoir_et_les_plus_anciennes_d_abord():
    dettes = [dette("c", "50.00", 5), dette("b", "100.00", -10), dette("a", "100.00", -40)]
    assert parts("220.00", dettes) == (
        [("a", D("100.00"), Motif.ECHUE), ("b", D("100.00"), Motif.ECHUE), ("c", D("20.00"), Motif.A_ECHOIR)],
        0,
    )


@pytest.mark.parametrize(("jours", "motif"), [(-1, Motif.ECHUE), (0, Motif.ECHUE), (1, Motif.A_ECHOIR)])
def test_une_dette_qui_echoit_le_jour_du_paiement_est_echue(jours, motif):
    assert parts("1.00", [dette("a", "1.00", jours)]) == ([("a", D("1.00"), motif)], 0)


def test_le_choix_du_debiteur_l_emporte_et_le_surplus_suit_la_regle():
    dettes = [dette("vieille", "100.00", -90), dette("choisie", "60.00", 30)]
    assert parts("80.00", dettes, choix=["choisie"])[0] == [
        ("choisie", D("60.00"), Motif.CHOIX),
        ("vieille", D("20.00"), Motif.ECHUE),
    ]
    assert parts("50.00", dettes, choix=["choisie", "vieille"])[0] == [("choisie", D("50.00"), Motif.CHOIX)]


def test_le_debiteur_peut_designer_un_montant_par_dette():
    dettes = [dette("a", "100.00"), dette("b", "100.00")]
    assert parts("100.00", dettes, choix={"b": D("70.00"), "a": D("30.00")})[0] == [
        ("b", D("70.00"), Motif.CHOIX),
        ("a", D("30.00"), Motif.CHOIX),
    ]


def test_l_interet_du_debiteur_passe_avant_l_anciennete_mais_apres_l_exigibilite():
    dettes = [dette("vieille", "10.00", -90), dette("couteuse", "10.00", -5, interet=1), dette("future", "10.00", 9, 9)]
    assert [cle for cle, _, _ in parts("30.00", dettes)[0]] == ["couteuse", "vieille", "future"]


def test_a_egalite_parfaite_l_imputation_est_proportionnelle_au_centime():
    dettes = [dette("a", "100.00"), dette("b", "200.00"), dette("c", "0.01")]
    obtenues, reste = parts("100.00", dettes)
    assert obtenues == [("a", D("33.33"), Motif.PRORATA), ("b", D("66.67"), Motif.PRORATA)]
    assert reste == 0


def test_des_dettes_egales_toutes_payees_ne_sont_pas_au_prorata():
    obtenues, reste = parts("25.00", [dette("a", "10.00"), dette("b", "10.00")])
    assert {motif for _, _, motif in obtenues} == {Motif.ECHUE}
    assert reste == D("5.00")


@pytest.mark.parametrize("dettes", [[], [dette("a", "0.00")]])
def test_sans_dette_ouverte_tout_reste_a_affecter(dettes):
    assert parts("12.00", dettes) == ([], D("12.00"))


def test_un_centime_va_a_une_seule_dette():
    assert parts("0.01", [dette("a", "5.00"), dette("b", "5.00")])[0] == [("a", D("0.01"), Motif.PRORATA)]


@pytest.mark.parametrize(
    ("montant", "dettes", "choix", "message"),
    [
        ("-1.00", [], (), "négatif"),
        ("1.001", [], (), "deux décimales"),
        ("1.00", [dette("a", "-1.00")], (), "négatif"),
        ("1.00", [dette("a", "1.00"), dette("a", "2.00")], (), "même clé"),
        ("1.00", [dette("a", "1.00")], ["z"], "dette désignée absente ou soldée : z"),
        ("1.00", [dette("a", "9.00")], {"a": D("2.00")}, "montant désigné impossible"),
        ("9.00", [dette("a", "1.00")], {"a": D("2.00")}, "montant désigné impossible"),
        ("9.00", [dette("a", "1.00")], {"a": D("0.00")}, "montant désigné impossible"),
    ],
)
def test_une_repartition_impossible_est_refusee(montant, dettes, choix, message):
    with pytest.raises(ValueError, match=message):
        parts(montant, dettes, choix=choix)


@st.composite
def situations(draw):
    restes = draw(st.lists(st.decimals(D("0.00"), D("500.00"), places=2), max_size=8))
    dettes = [dette(i, reste, draw(st.integers(-3, 3)), draw(st.integers(0, 1))) for i, reste in enumerate(restes)]
    ouvertes = [d.cle for d in dettes if d.reste_du]
    choix = draw(st.lists(st.sampled_from(ouvertes), unique=True)) if ouvertes else []
    return draw(st.decimals(D("0.00"), D("3000.00"), places=2)), dettes, choix


@given(situations())
def test_rien_ne_se_perd_et_aucune_dette_n_est_payee_deux_fois(situation):
    montant, dettes, choix = situation
    fini = repartir(montant, dettes, au=AU, choix=choix)
    assert sum((p.montant for p in fini.parts), D(0)) + fini.non_affecte == montant
    recu = {d.cle: sum((p.montant for p in fini.parts if p.cle == d.cle), D(0)) for d in dettes}
    assert all(recu[d.cle] <= d.reste_du for d in dettes)
    assert all(p.montant > 0 for p in fini.parts)
    if fini.non_affecte:
        assert all(recu[d.cle] == d.reste_du for d in dettes)


@given(situations())
def test_une_dette_a_echoir_ne_recoit_rien_tant_qu_une_echue_reste_ouverte(situation):
    montant, dettes, _ = situation
    recu = {p.cle: p.montant for p in repartir(montant, dettes, au=AU).parts}
    if any(d.cle in recu for d in dettes if d.echeance > AU):
        assert all(recu.get(d.cle, 0) == d.reste_du for d in dettes if d.echeance <= AU)
