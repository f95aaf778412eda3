"""Accords : bornes, mensualités au centime, effets par genre ; table d'essais sans base (exigence 32, droit.md § 9)."""

from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from factures.domaine import accords as d
from factures.domaine.accords import Genre, Proposition, Situation
from factures.domaine.mensualites import Terme

AU = date(2026, 11, 20)
D = Decimal


@dataclass(frozen=True)
class Bornes:
    mensualites_max: int = 6
    mensualite_min: Decimal = D(50)
    premiere_sous_jours: int = 30
    duree_max_jours: int = 190
    montant_max: Decimal | None = D(10_000)
    clause_decheance: bool = True
    penalites: str = "courent"
    remise_max: Decimal = D(0)


BORNES = Bornes()


def plan(montant="900", n=3, premiere=date(2026, 12, 4), **champs) -> Proposition:
    return Proposition(Genre.ECHEANCIER, D(montant), tuple(d.repartir(D(montant), n, premiere)), **champs)


def remise(montant="1000", abandon="100", payer=date(2026, 12, 4), **champs) -> Proposition:
    return Proposition(Genre.REMISE, D(montant), remise=D(abandon), payer_avant=payer, **champs)


def codes(p, reglage=BORNES):
    return [(r.code, r.dure) for r in d.dans_les_bornes(p, reglage, au=AU)]


JUSTE = plan()


@pytest.mark.parametrize(
    ("proposition", "reglage", "attendu"),
    [
        (JUSTE, BORNES, []),
        (plan(n=7), BORNES, [("nombre", False), ("duree", False)]),
        (JUSTE._replace(mensualites=()), BORNES, [("nombre_impossible", True)]),
        (JUSTE._replace(mensualites=(Terme(date(2026, 12, 4), D(900)),)), BORNES, [("nombre_impossible", True)]),
        (JUSTE._replace(montant=D("900.01")), BORNES, [("somme", True)]),
        (JUSTE._replace(mensualites=JUSTE.mensualites[::-1]), replace(BORNES, premiere_sous_jours=90),
         [("desordre", True)]),
        (JUSTE._replace(mensualites=(Terme(date(2026, 12, 4), D(0)), Terme(date(2027, 1, 4), D(900)))), BORNES,
         [("montant_nul", True), ("mensualite_min", False)]),
        (plan(premiere=AU), BORNES, [("premiere_passee", True)]),
        (plan(premiere=AU - timedelta(40)), BORNES, [("premiere_passee", True)]),
        (plan(premiere=AU + timedelta(30)), BORNES, []),
        (plan(premiere=AU + timedelta(31)), BORNES, [("premiere_tard", False)]),
        (plan(n=24), replace(BORNES, mensualites_max=24, mensualite_min=D(1)), [("duree", False)]),
        (plan(n=24, premiere=date(2027, 1, 20)), replace(BORNES, mensualites_max=24, mensualite_min=D(1),
         premiere_sous_jours=90, duree_max_jours=730), [("sans_fin", True)]),
        (plan(montant="120"), BORNES, [("mensualite_min", False)]),
        (plan(montant="100.01", n=2), BORNES, []),
        (plan(capacite=D(300)), BORNES, []),
        (plan(capacite=D("299.99")), BORNES, [("capacite", False)]),
        (plan(montant="10000.01"), BORNES, [("montant_max", False)]),
        (plan(montant="10000"), BORNES, []),
        (plan(montant="10000.01"), replace(BORNES, montant_max=None), []),
        (plan(penalites="abandonnees"), BORNES, [("penalites", False)]),
        (plan(penalites="abandonnees"), replace(BORNES, penalites="abandonnees"), []),
        (plan(clause_decheance=False), BORNES, [("sans_clause", False)]),
        (plan(clause_decheance=False), replace(BORNES, clause_decheance=False), []),
        (remise(), BORNES, [("remise_max", False)]),
        (remise(), replace(BORNES, remise_max=D(10)), []),
        (remise(abandon="100.10"), replace(BORNES, remise_max=D(10)), [("remise_max", False)]),
        (remise(abandon="0"), BORNES, [("remise_impossible", True)]),
        (remise(abandon="1000"), BORNES, [("remise_impossible", True)]),
        (remise(payer=AU - timedelta(1)), replace(BORNES, remise_max=D(10)), [("payer_passe", True)]),
        (remise(payer=None), replace(BORNES, remise_max=D(10)), [("payer_passe", True)]),
        (remise(payer=AU + timedelta(91)), replace(BORNES, remise_max=D(10)), [("payer_tard", True)]),
        (Proposition(Genre.COMPENSATION, D(500)), BORNES, []),
        (Proposition(Genre.NOVATION, D(500), (Terme(date(2026, 12, 4), D(500)),)), BORNES, [("novation", False)]),
        (Proposition(Genre.ECHEANCIER, D(0)), BORNES, [("rien_du", True)]),
    ],
)  # fmt: skip
def test_exigence_32_chaque_borne_se_dit_et_les_dures_ne_se_negocient_pas(proposition, reglage, attendu):
    """Exigence 32 : un échéancier tient dans les bornes de la société, et finit."""
    assert codes(proposition, reglage) == attendu


@given(
    st.decimals(min_value=D("0.24"), max_value=D("9999999.99"), places=2), st.integers(2, 24),
    st.dates(date(2020, 1, 1), date(2090, 1, 1)),
)  # fmt: skip
def test_les_mensualites_font_la_dette_au_centime_et_finissent(montant, n, premiere):
    termes = d.repartir(montant, n, premiere)
    assert sum(t.montant for t in termes) == montant and len(termes) == n
    assert all(t.montant > 0 and t.montant == t.montant.quantize(D("0.01")) for t in termes)
    assert [t.due_le for t in termes] == sorted({t.due_le for t in termes})
    assert (termes[-1].due_le - premiere).days <= d.DUREE_ABSOLUE


@pytest.mark.parametrize("n", [-1, 0, 1, 25, 10_000])
def test_un_plan_sans_fin_ne_se_repartit_pas(n):
    with pytest.raises(ValueError, match="mensualités"):
        d.repartir(D(900), n, AU)


@pytest.mark.parametrize(("montant", "capacite", "n"), [(900, 300, 3), (900, 299, 4), (900, 1000, 1), (900, 0, 0)])
def test_la_capacite_dit_le_nombre(montant, capacite, n):
    assert d.mensualites_pour(D(montant), D(capacite)) == n


@pytest.mark.parametrize(
    ("genre", "autres", "attendu"),
    [
        (Genre.ECHEANCIER, {}, ("", 0, 1000)),
        (Genre.REMISE, {"remise": D(150)}, ("remise", 150, 850)),
        (Genre.ESCOMPTE, {"remise": D(20)}, ("escompte", 20, 980)),
        (Genre.COMPENSATION, {"opposee": D(400)}, ("compensa", 400, 600)),
        (Genre.COMPENSATION, {"opposee": D(1400)}, ("compensa", 1000, 0)),
        (Genre.NOVATION, {}, ("novation", 1000, 0)),
    ],
)
def test_l_effet_de_chaque_genre(genre, autres, attendu):
    assert d.effet(genre, montant=D(1000), **autres) == attendu


@pytest.mark.parametrize(
    ("genre", "autres"),
    [(Genre.REMISE, {}), (Genre.REMISE, {"remise": D(1000)}), (Genre.COMPENSATION, {}), (Genre.ESCOMPTE, {})],
)
def test_un_effet_impossible_se_refuse(genre, autres):
    with pytest.raises(ValueError, match="de "):
        d.effet(genre, montant=D(1000), **autres)


@given(st.lists(st.decimals(D("0.01"), D(9999), places=2), min_size=1, max_size=30), st.data())
def test_un_avoir_se_pose_entier_sans_depasser_une_piece(restes, donnees):
    total = sum(restes)
    avoir = donnees.draw(st.decimals(D("0.01"), total, places=2))
    parts = d.poser(avoir, list(enumerate(restes)))
    assert sum(m for _pk, m in parts) == avoir
    assert all(0 < m <= restes[pk] for pk, m in parts)
    with pytest.raises(ValueError, match="de trop"):
        d.poser(total + D("0.01"), list(enumerate(restes)))


@pytest.mark.parametrize(
    ("genre", "autres", "attendu"),
    [
        (Genre.ECHEANCIER, {"mensualites": JUSTE.mensualites}, date(2026, 12, 3)),
        (Genre.ECHEANCIER, {"mensualites": (Terme(AU + timedelta(60), D(1)),)}, AU + timedelta(30)),
        (Genre.REMISE, {"payer_avant": AU + timedelta(5)}, AU + timedelta(5)),
        (Genre.REMISE, {"payer_avant": AU}, AU),
        (Genre.COMPENSATION, {}, AU + timedelta(30)),
    ],
)
def test_on_signe_avant_le_premier_paiement(genre, autres, attendu):
    assert d.expire_le(genre, au=AU, **autres) == attendu


def situation(genre, type_debiteur="entreprise", **champs):
    return Situation(type_debiteur, genre, **champs)


@pytest.mark.parametrize(
    ("s", "refus"),
    [
        (situation(Genre.ECHEANCIER), []),
        (situation(Genre.ECHEANCIER, procedure=True), ["procedure"]),
        (situation(Genre.ECHEANCIER, surendettement=True), ["surendettement"]),
        (situation(Genre.REMISE, procedure=True), ["procedure"]),
        (situation(Genre.COMPENSATION, certaine=True), []),
        (situation(Genre.COMPENSATION), ["compensation_incertaine"]),
        (situation(Genre.COMPENSATION, certaine=True, procedure=True), ["procedure_compensation"]),
        (situation(Genre.COMPENSATION, certaine=True, procedure=True, connexite=True), []),
        (situation(Genre.COMPENSATION, certaine=True, conteste=D(1)), ["compensation_contestee"]),
        (situation(Genre.COMPENSATION, certaine=True, a_echoir=True), ["compensation_a_echoir"]),
        (situation(Genre.COMPENSATION, "administration", certaine=True), ["compensation_publique"]),
        (situation(Genre.NOVATION), ["novation_presumee"]),
        (situation(Genre.NOVATION, intention=True), []),
        (situation(Genre.REMISE, "administration", abandonne_les_penalites=True), ["interets_publics"]),
        (situation(Genre.REMISE, "administration"), []),
        (situation(Genre.ECHEANCIER, "particulier"), []),
        (situation(Genre.ECHEANCIER, "a_qualifier"), ["a_qualifier"]),
    ],
)
def test_ce_que_le_droit_refuse(s, refus):
    """droit.md § 3 et § 9 : compensation connexe seule en procédure, novation explicite, intérêts publics."""
    assert [a.code for a in d.avis(s) if a.refus] == refus


@pytest.mark.parametrize(
    ("s", "mot"),
    [
        (situation(Genre.REMISE), "vente_a_perte"),
        (situation(Genre.ECHEANCIER, "administration"), "comptable_public"),
        (situation(Genre.ECHEANCIER, "particulier"), "particulier_sans_frais"),
        (situation(Genre.NOVATION, intention=True), "novation_suretes"),
        (situation(Genre.ECHEANCIER, conteste=D(10)), "conteste"),
        (situation(Genre.ECHEANCIER, promesse=True), "promesse"),
    ],
)
def test_ce_dont_on_avertit(s, mot):
    assert mot in [a.code for a in d.avis(s) if not a.refus]
