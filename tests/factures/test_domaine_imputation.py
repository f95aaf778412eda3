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


# --- L'article 1342-10, degré par degré ------------------------------------------------------------
# (situation, dettes [(clé, reste, jours avant ou après le paiement, intérêt)], montant, choix, ce que chacune reçoit)
DEGRES = [
    ("le débiteur choisit, même une dette à échoir", [("a", "100.00", -60, 0), ("b", "100.00", 20, 0)], "100.00", ["b"],
     {"b": "100.00"}),
    ("il choisit en partie : le reste suit la règle", [("a", "100.00", -60, 0), ("b", "40.00", 20, 0)], "70.00", ["b"],
     {"b": "40.00", "a": "30.00"}),
    ("à défaut, les dettes échues d'abord", [("a", "80.00", 3, 9), ("b", "80.00", -3, 0)], "80.00", (), {"b": "80.00"}),
    ("entre échues, celle qu'il avait le plus d'intérêt d'acquitter", [("vieille", "50.00", -90, 0),
     ("au taux du contrat", "50.00", -5, 2), ("cautionnée", "50.00", -5, 3)], "100.00", (),
     {"cautionnée": "50.00", "au taux du contrat": "50.00"}),
    ("à égalité d'intérêt, la plus ancienne", [("a", "50.00", -5, 1), ("b", "50.00", -6, 1)], "50.00", (),
     {"b": "50.00"}),
    ("toutes choses égales, proportionnellement", [("a", "30.00", -5, 0), ("b", "60.00", -5, 0)], "45.00", (),
     {"a": "15.00", "b": "30.00"}),
    ("aucune échue : mêmes degrés entre dettes à échoir", [("a", "50.00", 30, 0), ("b", "50.00", 10, 0)], "50.00", (),
     {"b": "50.00"}),
    ("l'intérêt ne fait pas passer une dette à échoir avant une échue", [("a", "50.00", 1, 9), ("b", "50.00", 0, 0)],
     "60.00", (), {"b": "50.00", "a": "10.00"}),
]  # fmt: skip


@pytest.mark.parametrize(("situation", "dettes", "montant", "choix", "recu"), DEGRES, ids=[d[0] for d in DEGRES])
def test_l_article_1342_10_degre_par_degre(situation, dettes, montant, choix, recu):
    obtenues, reste = parts(montant, [dette(*d) for d in dettes], choix=choix)
    assert {cle: str(part) for cle, part, _motif in obtenues} == recu
    assert reste == 0
