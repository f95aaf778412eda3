"""Contrat des commandes `penalites` et `echeance` : sortie, codes de sortie, aucune base."""

import json
from io import StringIO

import pytest
from django.core.management import call_command, execute_from_command_line

ENTREPRISE = {"montant": "12000", "echeance": "2025-03-31", "au": "2025-09-20", "debiteur": "entreprise"}


def argv(commande, **options):
    mots = ["manage.py", commande]
    for nom, valeur in options.items():
        for une in valeur if isinstance(valeur, list) else [valeur]:
            mots += [f"--{nom.replace('_', '-')}"] + ([] if une is True else [une])
    return mots


def lancer(capsys, commande, **options):
    """Code de sortie, objet JSON de la sortie standard (None si vide), sortie d'erreur."""
    try:
        execute_from_command_line(argv(commande, json=True, **options))
        code = 0
    except SystemExit as sortie:
        code = sortie.code
    sortie, erreur = capsys.readouterr()
    return code, json.loads(sortie) if sortie else None, erreur


def test_penalites_imprime_l_objet_du_contrat(capsys):
    """C14 : paiement partiel imputé sur les intérêts d'abord."""
    code, objet, _ = lancer(capsys, "penalites", **ENTREPRISE, paiement="2025-06-15=5000")
    assert code == 0
    assert objet["segments"][0] == {
        "du": "2025-04-01",
        "au": "2025-06-15",
        "jours": 76,
        "principal": "12000.00",
        "taux": "13.15",
        "interets": "328.57",
    }
    del objet["segments"]
    assert objet == {
        "interets": "568.21",
        "interets_restants": "239.64",
        "indemnite": "40.00",
        "principal_restant": "7328.57",
        "total": "7608.21",
        "trop_percu": "0.00",
        "avertissements": [],
    }


@pytest.mark.parametrize(
    ("options", "interets", "indemnite"),
    [
        ({"imputation": "principal", "paiement": "2025-06-15=5000"}, "557.47", "40.00"),
        ({"paiement": ["2025-06-15=3000", "2025-06-15=2000,00"]}, "568.21", "40.00"),
        ({"debiteur": "administration"}, "634.18", "40.00"),
        ({"debiteur": "particulier"}, "0.00", "0.00"),
        ({"debiteur": "particulier", "mise_en_demeure": "2025-06-30"}, "74.41", "0.00"),
        ({"taux": "18"}, "1023.78", "40.00"),
        ({"taux": "5"}, "284.38", "40.00"),
        ({"taux": "5", "plancher": True}, "556.21", "40.00"),
        ({"echeance": "2024-01-31", "au": "2024-04-30", "montant": "10000", "base": "366"}, "356.56", "40.00"),
        ({"jugement_ouverture": "2025-04-02"}, "4.32", "40.00"),
        ({"echeance": "2025-06-30", "apres_jugement": "2025-06-30"}, "209.20", "0.00"),
    ],
)
def test_chaque_option_de_penalites_change_le_calcul_qu_elle_dit(capsys, options, interets, indemnite):
    code, objet, _ = lancer(capsys, "penalites", **ENTREPRISE | options)
    assert (code, objet["interets"], objet["indemnite"]) == (0, interets, indemnite)


def test_un_taux_du_contrat_a_trois_decimales_s_imprime_comme_il_a_servi(capsys):
    _, objet, _ = lancer(capsys, "penalites", **ENTREPRISE, taux="12.125")
    assert [s["taux"] for s in objet["segments"]] == ["12.125"]


def test_un_taux_sous_le_plancher_avertit(capsys):
    _, objet, _ = lancer(capsys, "penalites", **ENTREPRISE, taux="5")
    assert [a["code"] for a in objet["avertissements"]] == ["stipule_sous_plancher"]


def test_un_semestre_absent_est_un_refus_qui_le_nomme(capsys):
    code, objet, erreur = lancer(capsys, "penalites", **ENTREPRISE | {"au": "2027-01-01"})
    assert (code, objet["semestre"]) == (1, "2027-S1")
    assert "1er semestre 2027" in objet["refus"] and objet["refus"] in erreur


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"montant": "1.005"}, "deux décimales"),
        ({"montant": "-1"}, "nombre positif"),
        ({"montant": "NaN"}, "nombre positif"),
        ({"au": "20/09/2025"}, "AAAA-MM-JJ"),
        ({"debiteur": "a_qualifier"}, "invalid choice"),
        ({"base": "360"}, "invalid choice"),
        ({"paiement": "2025-06-15"}, "nombre positif"),
        ({"paiement": "2025-06-15=0"}, "paiement nul"),
    ],
)
def test_une_erreur_d_usage_de_penalites_sort_en_2_sans_rien_imprimer(capsys, options, message):
    code, objet, erreur = lancer(capsys, "penalites", **ENTREPRISE | options)
    assert (code, objet) == (2, None)
    assert message in erreur


def test_penalites_se_lit_aussi_sans_json():
    sortie = StringIO()
    call_command("penalites", *argv("penalites", **ENTREPRISE)[2:], stdout=sortie)
    assert "01/04/2025 – 30/06/2025" in sortie.getvalue()
    assert "Total restant dû : 12 760,97 €" in sortie.getvalue().replace("\u00a0", " ")


def test_echeance_imprime_l_objet_du_contrat(capsys):
    code, objet, _ = lancer(capsys, "echeance", facture="2026-01-31", conditions="30FDM10")
    assert code == 0
    assert len(objet.pop("signalements")) == 2
    assert objet == {"echeance": "2026-04-10", "lecture": "A", "maximum_legal": "2026-04-01", "conforme": False}
    _, objet, _ = lancer(capsys, "echeance", facture="2026-01-31", conditions="45FDM-B")
    assert (objet["echeance"], objet["lecture"], objet["conforme"]) == ("2026-03-17", "B", True)
    assert lancer(capsys, "echeance", facture="2026-01-31", conditions="30J")[1]["lecture"] is None


def test_des_conditions_illisibles_sont_refusees_une_date_illisible_est_une_erreur_d_usage(capsys):
    code, objet, _ = lancer(capsys, "echeance", facture="2026-01-31", conditions="selon contrat")
    assert code == 1 and "selon contrat" in objet["refus"]
    assert lancer(capsys, "echeance", facture="31/01/2026", conditions="30J")[:2] == (2, None)


def test_echeance_se_lit_aussi_sans_json():
    sortie = StringIO()
    call_command("echeance", "--facture", "2026-01-16", "--conditions", "60FDM", stdout=sortie)
    assert "Échéance : 31/03/2026 (lecture A)" in sortie.getvalue()
    assert "formule que la loi ne prévoit pas" in sortie.getvalue()
