"""Les trois plans livrés : trois droits, pas trois tons (exigence 28, droit.md § 1, 3, 4, produit.md § 2)."""

import pytest

from relances.domaine.controle import controler, jours, publiable
from relances.domaine.echelle import PalierRegle
from relances.domaine.natures import Canal, ModePalier, Nature, Reference
from relances.domaine.plans import PLANS, livre_pour, palier_livre

N, C = Nature, Canal
PAR_TYPE = {p.type_debiteur: p for p in PLANS}


def paliers(type_debiteur, *, facultatifs=False):
    livre = PAR_TYPE[type_debiteur]
    tous = [*livre.facultatifs, *livre.paliers] if facultatifs else livre.paliers
    return [
        PalierRegle(n, n, p.nature, p.reference, p.delai, p.canaux, p.mode, p.delai_reponse)
        for n, p in enumerate(tous, 1)
    ]


def test_il_y_a_un_plan_livre_par_type_de_debiteur():
    assert list(PAR_TYPE) == ["entreprise", "administration", "particulier"]


@pytest.mark.parametrize(
    ("type_debiteur", "natures"),
    [
        ("entreprise", [N.RAPPEL_COURTOIS, N.APPEL, N.FORMALISATION, N.MISE_EN_DEMEURE, N.CONTENTIEUX]),
        # Ni mise en demeure de droit privé ni injonction (droit.md § 3).
        ("administration", [N.RAPPEL_COURTOIS, N.APPEL, N.FORMALISATION, N.CONTENTIEUX]),
        ("particulier", [N.RAPPEL_COURTOIS, N.APPEL, N.FORMALISATION, N.MISE_EN_DEMEURE, N.CONTENTIEUX]),
    ],
)
def test_l_ordre_des_paliers_est_celui_du_droit(type_debiteur, natures):
    assert [p.nature for p in PAR_TYPE[type_debiteur].paliers] == natures


@pytest.mark.parametrize("type_debiteur", PAR_TYPE)
@pytest.mark.parametrize("facultatifs", [False, True])
def test_un_plan_livre_se_publie_avec_ou_sans_rappel_avant_echeance(type_debiteur, facultatifs):
    constats = controler(
        paliers(type_debiteur, facultatifs=facultatifs),
        type_debiteur=type_debiteur,
        max_amiables=2,
        delai_entre_contacts=5,
    )
    assert publiable(constats), [c for c in constats if c.ton == "mal"]


@pytest.mark.parametrize("type_debiteur", PAR_TYPE)
def test_le_rappel_avant_echeance_est_facultatif(type_debiteur):
    """Personne ne reçoit de rappel avant terme sans qu'on l'ait choisi."""
    assert N.AVANT_ECHEANCE not in [p.nature for p in PAR_TYPE[type_debiteur].paliers]
    avant = palier_livre(type_debiteur, N.AVANT_ECHEANCE)
    assert avant.delai < 0 and avant.reference is Reference.ECHEANCE


@pytest.mark.parametrize("type_debiteur", ["entreprise", "particulier"])
def test_la_mise_en_demeure_livree_part_en_recommande_et_se_valide(type_debiteur):
    """C. civ., art. 1344 : la preuve se garde ; une personne signe (exigence 25)."""
    palier = palier_livre(type_debiteur, N.MISE_EN_DEMEURE)
    assert (palier.canaux, palier.mode, palier.delai_reponse) == ((C.RECOMMANDE,), ModePalier.A_VALIDER, 15)
    assert palier.reference is Reference.PRECEDENT


@pytest.mark.parametrize("type_debiteur", PAR_TYPE)
def test_le_contentieux_est_toujours_une_decision_humaine(type_debiteur):
    palier = palier_livre(type_debiteur, N.CONTENTIEUX)
    assert (palier.canaux, palier.mode) == ((C.TACHE,), ModePalier.TACHE)


@pytest.mark.parametrize("type_debiteur", PAR_TYPE)
def test_sans_courriel_un_plan_livre_se_replie_et_ne_perd_rien(type_debiteur):
    """Exigence 21."""
    assert all(p.canaux != (C.COURRIEL,) for p in PAR_TYPE[type_debiteur].paliers)


def test_une_administration_a_un_mois_entre_la_reclamation_et_la_saisine():
    """La réclamation chiffrée part d'abord ; la tâche de mandatement d'office vient trente jours après."""
    assert jours(paliers("administration")) == [10, 20, 30, 60]
    assert palier_livre("administration", N.MISE_EN_DEMEURE) is None
    assert palier_livre("administration", N.FORMALISATION).mode is ModePalier.A_VALIDER


def test_un_particulier_a_des_delais_plus_longs_qu_une_entreprise():
    for ici, la in zip(jours(paliers("particulier")), jours(paliers("entreprise")), strict=True):
        assert ici > la


def test_un_type_a_qualifier_suit_le_plan_des_entreprises():
    assert livre_pour("a_qualifier").code == "entreprise"
