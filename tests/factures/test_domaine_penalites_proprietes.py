"""Propriétés du calcul des intérêts, sur des comptes tirés au hasard."""

from datetime import date, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from factures.domaine.penalites import calculer, interets_courus
from factures.donnees import bareme_livre

JOURS = st.dates(date(2015, 7, 1), date(2026, 12, 31))
MONTANTS = st.decimals(Decimal("0.00"), Decimal("1000000.00"), places=2)
SOMMES = st.decimals(Decimal("0.01"), Decimal("5000.00"), places=2)
TAUX = st.none() | st.decimals(Decimal("0.00"), Decimal("30.00"), places=2)
DEBITEURS = st.sampled_from(["entreprise", "administration", "particulier"])
CENT = Decimal("0.01")


@st.composite
def comptes(draw):
    """Arguments d'un calcul : échéance, mise en demeure et arrêté dans l'ordre, le reste quelconque."""
    echeance, mise_en_demeure, au = sorted((draw(JOURS), draw(JOURS), draw(JOURS)))
    return dict(
        montant=draw(MONTANTS),
        echeance=echeance,
        au=au,
        debiteur=draw(DEBITEURS),
        bareme=bareme_livre(),
        taux_stipule=draw(TAUX),
        mise_en_demeure=draw(st.sampled_from([None, mise_en_demeure])),
        base=draw(st.sampled_from([365, 366])),
        plancher=draw(st.booleans()),
    )


@st.composite
def paiements(draw):
    return draw(st.lists(st.tuples(JOURS, SOMMES), max_size=5))


@given(comptes(), JOURS)
def test_couper_une_periode_ne_change_la_somme_que_de_l_arrondi(compte, coupure):
    if compte["debiteur"] == "administration":
        compte["debiteur"] = "entreprise"  # le taux public dépend du départ : couper l'y changerait
    coupure = min(max(coupure, compte["echeance"], compte["mise_en_demeure"] or compte["echeance"]), compte["au"])
    entier = calculer(**compte).interets
    reprise = {**compte, "echeance": coupure, "mise_en_demeure": compte["mise_en_demeure"] and coupure}
    morceaux = calculer(**{**compte, "au": coupure}).interets + calculer(**reprise).interets
    assert abs(entier - morceaux) <= CENT


@given(comptes(), st.integers(1, 400), SOMMES, st.decimals(Decimal("0.01"), Decimal(5), places=2))
def test_plus_de_jours_de_principal_ou_de_taux_ne_doit_jamais_moins(compte, jours, plus, points):
    interets = calculer(**compte).interets
    assert calculer(**{**compte, "montant": compte["montant"] + plus}).interets >= interets
    plus_tard = min(compte["au"] + timedelta(jours), date(2026, 12, 31))
    assert calculer(**{**compte, "au": plus_tard}).interets >= interets
    if compte["taux_stipule"] is not None and not compte["plancher"]:
        assert calculer(**{**compte, "taux_stipule": compte["taux_stipule"] + points}).interets >= interets


@given(comptes(), paiements(), st.randoms(use_true_random=False), st.sampled_from(["interets", "principal"]))
def test_l_ordre_ou_les_paiements_sont_donnes_est_indifferent(compte, verses, hasard, imputation):
    melanges = list(verses)
    hasard.shuffle(melanges)
    a = calculer(**compte, paiements=verses, imputation=imputation)
    b = calculer(**compte, paiements=melanges, imputation=imputation)
    assert (a.segments, a.total, a.interets_restants, a.principal_restant, a.trop_percu) == (
        b.segments,
        b.total,
        b.interets_restants,
        b.principal_restant,
        b.trop_percu,
    )


@given(comptes(), paiements(), st.sampled_from(["interets", "principal"]))
def test_rien_ne_se_perd_du_compte_paiements_trop_percu_et_reste(compte, verses, imputation):
    fini = calculer(**compte, paiements=verses, imputation=imputation)
    verse = sum((p.montant for p in fini.paiements), Decimal(0))
    assert fini.interets == sum((s.interets for s in fini.segments), Decimal(0))
    assert compte["montant"] + fini.interets + fini.indemnite + fini.trop_percu - verse == fini.total
    assert min(fini.total, fini.principal_restant, fini.interets_restants, fini.trop_percu) >= 0
    for p in fini.paiements:
        assert p.sur_interets + p.sur_principal + p.sur_indemnite + p.trop_percu == p.montant


@given(comptes(), paiements())
def test_les_segments_se_suivent_du_lendemain_du_depart_sans_trou_ni_recouvrement(compte, verses):
    segments = calculer(**compte, paiements=verses).segments
    for avant, apres in zip(segments, segments[1:], strict=False):
        assert apres.du == avant.au + timedelta(1)
    for s in segments:
        assert s.jours == (s.au - s.du).days + 1 >= 1 and s.principal > 0
        assert compte["echeance"] < s.du <= s.au <= compte["au"]


@given(comptes())
def test_le_chemin_rapide_donne_le_meme_montant(compte):
    complet = calculer(**compte).interets
    assert interets_courus(compte.pop("montant"), compte.pop("echeance"), **compte) == complet


@given(comptes())
def test_un_particulier_ne_doit_jamais_les_quarante_euros(compte):
    indemnite = calculer(**compte).indemnite
    due = compte["debiteur"] != "particulier" and compte["montant"] > 0 and compte["au"] > compte["echeance"]
    assert indemnite == (40 if due else 0)


@given(comptes(), st.lists(SOMMES, min_size=2, max_size=5), JOURS, st.sampled_from(["interets", "principal"]))
def test_l_ordre_des_paiements_d_un_meme_jour_est_indifferent(compte, sommes, jour, imputation):
    """Le même jour, deux virements valent leur somme : ni l'ordre, ni le découpage ne changent le compte."""
    separes = calculer(**compte, paiements=[(jour, s) for s in sommes], imputation=imputation)
    inverses = calculer(**compte, paiements=[(jour, s) for s in reversed(sommes)], imputation=imputation)
    un_seul = calculer(**compte, paiements=[(jour, sum(sommes))], imputation=imputation)
    for autre in (inverses, un_seul):
        assert autre.segments == separes.segments
        assert (autre.total, autre.principal_restant, autre.interets_restants, autre.trop_percu) == (
            separes.total,
            separes.principal_restant,
            separes.interets_restants,
            separes.trop_percu,
        )


@given(comptes(), paiements(), st.sampled_from(["interets", "principal"]))
def test_rejouer_l_histoire_des_imputations_donne_le_solde(compte, verses, imputation):
    """Partir du montant, ajouter chaque segment, retrancher chaque imputation : on retrouve chaque reste."""
    fini = calculer(**compte, paiements=verses, imputation=imputation)
    principal, interets, indemnite = compte["montant"], Decimal(0), fini.indemnite
    faits = [(s.au, 0, s) for s in fini.segments] + [(p.jour, 1, p) for p in fini.paiements]
    for _jour, rang, fait in sorted(faits, key=lambda f: f[:2]):
        if rang == 0:
            assert fait.principal == principal
            interets += fait.interets
        else:
            principal -= fait.sur_principal
            interets -= fait.sur_interets
            indemnite -= fait.sur_indemnite
            assert fait.principal_restant == principal
    assert (principal, interets) == (fini.principal_restant, fini.interets_restants)
    assert principal + interets + indemnite == fini.total


@given(comptes(), st.decimals(Decimal("0.01"), Decimal(5), places=2))
def test_un_taux_plus_haut_ne_doit_jamais_moins_meme_releve_au_plancher(compte, points):
    """Relevé ou non, à l'arrondi près : un semestre relevé a son propre segment, donc son propre arrondi."""
    if compte["taux_stipule"] is None:
        return
    bas = calculer(**compte)
    haut = calculer(**{**compte, "taux_stipule": compte["taux_stipule"] + points})
    assert haut.interets >= bas.interets - CENT * len(bas.segments)


@given(comptes(), st.decimals(Decimal("0.00"), Decimal("2.00"), places=2))
def test_un_avoir_reduit_des_l_origine(compte, part):
    """Un avoir n'est pas un paiement : le compte est celui d'une facture plus petite, jamais plus cher."""
    reduit = (compte["montant"] * min(part, 1)).quantize(CENT)
    assert calculer(**{**compte, "montant": reduit}).total <= calculer(**compte).total
