"""Contrôle d'un plan avant publication."""

from dataclasses import replace

import pytest

from relances.domaine.controle import controler, jours, publiable
from relances.domaine.echelle import PalierRegle
from relances.domaine.natures import Canal, ModePalier, Nature, Reference
from relances.domaine.plans import PLANS

N, R, C = Nature, Reference, Canal


def paliers(code="entreprise"):
    livre = next(p for p in PLANS if p.code == code)
    return [
        PalierRegle(rang, rang, p.nature, p.reference, p.delai, p.canaux, p.mode, p.delai_reponse)
        for rang, p in enumerate(livre.paliers, 1)
    ]


def codes(liste, *, type_debiteur="entreprise", max_amiables=2, delai=5):
    constats = controler(liste, type_debiteur=type_debiteur, max_amiables=max_amiables, delai_entre_contacts=delai)
    return {c.code for c in constats}, publiable(constats)


def sauf(liste, nature, **champs):
    return [replace(p, **champs) if p.nature is nature else p for p in liste]


@pytest.mark.parametrize("code", ["entreprise", "administration", "particulier"])
def test_les_plans_livres_sont_publiables(code):
    assert codes(paliers(code), type_debiteur=code)[1]


def test_les_jours_se_comptent_depuis_l_echeance():
    assert jours(paliers()) == [5, 12, 20, 35, 55]
    assert jours(sauf(paliers(), N.RAPPEL_COURTOIS, reference=R.FACTURE, delai=40))[0] == 10


@pytest.mark.parametrize(
    ("plan", "attendu"),
    [
        ([], "vide"),
        (list(reversed(paliers())), "ordre"),
        (sauf(paliers(), N.APPEL, delai=3), "calendrier"),
        ([p for p in paliers() if p.nature is not N.FORMALISATION], "sans_formalisation"),
        (sauf(paliers(), N.MISE_EN_DEMEURE, canaux=(C.LETTRE,)), "sans_recommande"),
        (sauf(paliers(), N.APPEL, canaux=()), "sans_canal"),
    ],
)
def test_ce_qui_interdit_de_publier(plan, attendu):
    trouves, ok = codes(plan)
    assert attendu in trouves and not ok


def test_aucune_mise_en_demeure_a_une_administration():
    trouves, ok = codes(paliers(), type_debiteur="administration")
    assert "administration" in trouves and not ok


@pytest.mark.parametrize(
    ("plan", "reglages", "attendu"),
    [
        (paliers(), {"max_amiables": 1}, "trop_amiables"),
        (paliers(), {"delai": 9}, "trop_pres"),
        (sauf(paliers(), N.RAPPEL_COURTOIS, canaux=(C.COURRIEL,)), {}, "sans_repli"),
        (sauf(paliers(), N.MISE_EN_DEMEURE, delai_reponse=7), {}, "delai_court"),
    ],
)
def test_ce_qui_avertit_sans_interdire(plan, reglages, attendu):
    trouves, ok = codes(plan, **reglages)
    assert attendu in trouves and ok


def test_le_delai_entre_contacts_egal_suffit():
    """La veille, le jour : sept jours entre rappel et appel."""
    assert "trop_pres" not in codes(paliers(), delai=7)[0]
    assert "trop_pres" in codes(paliers(), delai=8)[0]


def test_le_mode_n_entre_pas_dans_le_controle():
    assert codes(sauf(paliers(), N.FORMALISATION, mode=ModePalier.A_VALIDER)) == codes(paliers())
