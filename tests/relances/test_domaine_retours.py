"""Le retour d'un recommandé : ce qu'il vaut, quand il est reçu, si l'électronique est admis (droit.md, § 6 et § 17)."""

from datetime import date

import pytest

from relances.domaine import retours
from relances.domaine.retours import EFFETS, Geste, Issue, RefusLre, Valeur

LUNDI, JEUDI = date(2026, 2, 9), date(2026, 2, 12)

# issue, valeur, confiance, un geste qu'elle demande, une tâche ?
TABLE = [
    (Issue.DISTRIBUE, Valeur.PLEINE, "S", Geste.RANGER_L_AVIS, False),  # CPC, 669
    (Issue.NON_RECLAME, Valeur.VALABLE, "S", Geste.GARDER_FERMEE, False),  # Civ. 1re, 20/01/2021, n° 19-20.680
    (Issue.REFUSE, Valeur.VALABLE, "S", Geste.GARDER_FERMEE, False),  # a fortiori
    (Issue.NPAI, Valeur.INCERTAINE, "C", Geste.CHERCHER_L_ADRESSE, True),
    (Issue.LRE_ACCEPTEE, Valeur.PLEINE, "S", Geste.COPIER_LA_PREUVE, True),  # CPCEpost, L100
    (Issue.LRE_REFUSEE, Valeur.PROBABLE, "L", Geste.DOUBLER_EN_PAPIER, True),
    (Issue.LRE_NON_RECLAMEE, Valeur.PROBABLE, "L", Geste.DOUBLER_EN_PAPIER, True),
]


@pytest.mark.parametrize(("issue", "valeur", "confiance", "geste", "suite"), TABLE)
def test_chaque_issue_a_son_effet_sa_confiance_et_ce_qu_il_faut_faire(issue, valeur, confiance, geste, suite):
    effet = EFFETS[issue]
    assert (effet.valeur, effet.confiance, effet.suite) == (valeur, confiance, suite)
    assert geste in effet.gestes and effet.source


def test_toute_issue_a_un_effet():
    assert set(EFFETS) == set(Issue) == {ligne[0] for ligne in TABLE}


@pytest.mark.parametrize(
    ("retour", "electronique", "attendue"),
    [
        ("", False, None),
        ("distribue", False, Issue.DISTRIBUE),
        ("npai", False, Issue.NPAI),
        ("distribue", True, Issue.LRE_ACCEPTEE),
        ("refuse", True, Issue.LRE_REFUSEE),
        ("non_reclame", True, Issue.LRE_NON_RECLAMEE),
    ],
)
def test_l_issue_se_lit_du_retour_et_du_canal(retour, electronique, attendue):
    assert retours.issue(retour, electronique=electronique) is attendue


@pytest.mark.parametrize(("retour", "electronique"), [("perdu", False), ("npai", True)])
def test_une_issue_impossible_se_refuse(retour, electronique):
    with pytest.raises(ValueError):
        retours.issue(retour, electronique=electronique)


@pytest.mark.parametrize(
    ("issue", "remis", "presente", "attendu"),
    [
        (Issue.DISTRIBUE, JEUDI, LUNDI, JEUDI),  # avisé lundi, retiré jeudi : reçu jeudi (CPC, 669)
        (Issue.DISTRIBUE, JEUDI, None, JEUDI),
        (Issue.LRE_ACCEPTEE, JEUDI, LUNDI, JEUDI),
        (Issue.NON_RECLAME, JEUDI, LUNDI, LUNDI),  # jamais remis : première présentation
        (Issue.NON_RECLAME, JEUDI, None, None),  # revenu jeudi, présenté on ne sait quand : rien ne court
        (Issue.LRE_NON_RECLAMEE, JEUDI, LUNDI, LUNDI),
        (Issue.REFUSE, JEUDI, LUNDI, LUNDI),
        (Issue.REFUSE, JEUDI, None, JEUDI),  # on ne refuse que ce qui est présenté
        (Issue.NPAI, JEUDI, LUNDI, None),
        (None, None, LUNDI, LUNDI),  # l'avis n'est pas rentré, la présentation est connue
        (None, None, None, None),
    ],
)
def test_recu_le_jour_de_la_remise_a_defaut_de_la_premiere_presentation(issue, remis, presente, attendu):
    assert retours.date_de_reception(issue, remis_le=remis, presente_le=presente) == attendu


def test_quinze_jours_a_compter_du_lendemain_de_l_avis_electronique():
    """CPCEpost, art. R53-3 : avisé le 9, il s'accepte jusqu'au 24 compris."""
    assert retours.fin_du_delai_lre(LUNDI) == date(2026, 2, 24)


@pytest.mark.parametrize(
    ("debiteur", "accord", "courriel", "attendu"),
    [
        ("entreprise", None, "a@b.example", None),
        ("administration", None, "a@b.example", None),
        ("particulier", LUNDI, "a@b.example", None),
        ("particulier", JEUDI, "a@b.example", None),
        ("particulier", None, "a@b.example", RefusLre.SANS_ACCORD),  # CPCEpost, L100
        ("particulier", date(2026, 2, 13), "a@b.example", RefusLre.ACCORD_A_VENIR),
        ("a_qualifier", LUNDI, "a@b.example", RefusLre.A_QUALIFIER),
        ("entreprise", None, "", RefusLre.SANS_COURRIEL),
    ],
)
def test_le_recommande_electronique_demande_l_accord_d_un_non_professionnel(debiteur, accord, courriel, attendu):
    assert retours.refus_de_l_electronique(debiteur, accord_le=accord, courriel=courriel, au=JEUDI) is attendu
