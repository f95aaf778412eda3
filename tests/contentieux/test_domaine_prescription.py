"""Prescription : durée par nature, départ, interruptions vraies et fausses, alertes (exigence 37)."""

from datetime import date, timedelta

import pytest

from contentieux.domaine.prescription import (
    Acte,
    Interruption,
    PrescriptionIndeterminee,
    calculer,
    lire_table,
    point_de_depart,
)
from contentieux.donnees import lire, natures

LIVRAISON = date(2026, 2, 18)


@pytest.mark.parametrize(
    ("nature", "depart", "origine"),
    [
        ("commerce", LIVRAISON, date(2031, 2, 18)),
        ("consommateur", LIVRAISON, date(2028, 2, 18)),
        ("public", LIVRAISON, date(2030, 12, 31)),
        ("public", date(2026, 1, 1), date(2030, 12, 31)),
        ("public", date(2025, 12, 31), date(2029, 12, 31)),
        ("transport", LIVRAISON, date(2027, 2, 18)),
        ("telecoms", LIVRAISON, date(2027, 2, 18)),
        ("bail_habitation", LIVRAISON, date(2029, 2, 18)),
        ("cheque", date(2026, 8, 31), date(2027, 2, 28)),
        ("titre_executoire", LIVRAISON, date(2036, 2, 18)),
        ("commerce", date(2024, 2, 29), date(2029, 2, 28)),
    ],
)
def test_la_duree_suit_la_nature_de_la_creance(nature, depart, origine):
    """Exigence 37 : le jour de départ ne compte pas, la fin est à l'expiration du dernier jour."""
    resultat = calculer(natures()[nature], depart)
    assert resultat.origine == resultat.possible == origine


def test_toutes_les_lignes_de_la_table_se_lisent_avec_leur_texte():
    assert len(natures()) == len(lire("prescription.csv")) == 22
    assert all(n.texte for n in natures().values())


def test_une_nature_sans_duree_ne_se_calcule_pas():
    for code in ("commissaire_de_justice", "butoir"):
        with pytest.raises(PrescriptionIndeterminee, match="durée à déterminer"):
            calculer(natures()[code], LIVRAISON)


def test_un_code_en_double_arrete_la_lecture():
    ligne = lire("prescription.csv")[0]
    with pytest.raises(ValueError, match="double"):
        lire_table([ligne, ligne])


def test_le_depart_est_l_execution_jamais_la_facture():
    depart, avertissements = point_de_depart(
        natures()["commerce"], execution=LIVRAISON, emission=date(2026, 3, 31), exigibilite=date(2026, 4, 30)
    )
    assert (depart, avertissements) == (LIVRAISON, ())


def test_sans_date_d_execution_le_depart_est_l_emission_et_le_dit():
    depart, avertissements = point_de_depart(
        natures()["commerce"], execution=None, emission=date(2026, 3, 31), exigibilite=date(2026, 4, 30)
    )
    assert depart == date(2026, 3, 31)
    assert "exécution inconnue" in avertissements[0]


def test_une_creance_a_terme_part_de_son_exigibilite():
    depart, avertissements = point_de_depart(
        natures()["telecoms"], execution=None, emission=date(2026, 3, 31), exigibilite=date(2026, 4, 30)
    )
    assert (depart, avertissements) == (date(2026, 4, 30), ())


@pytest.mark.parametrize(
    ("titre", "depart", "dit"), [(date(2026, 9, 3), date(2026, 9, 3), False), (None, date(2026, 3, 31), True)]
)
def test_un_titre_executoire_part_de_son_jour_jamais_de_l_execution(titre, depart, dit):
    """CPCEx, art. L111-4 ; sans sa date, l'émission de la facture, plus ancienne, est la lecture prudente."""
    obtenu, avertissements = point_de_depart(
        natures()["titre_executoire"], execution=date(2026, 2, 1), emission=date(2026, 3, 31),
        exigibilite=date(2026, 4, 30), titre=titre,
    )  # fmt: skip
    assert (obtenu, bool(avertissements)) == (depart, dit)


def test_une_simple_reclamation_n_interrompt_ni_le_prive_ni_l_assurance():
    """C. assur., art. L114-2 : une lettre recommandée ; la réclamation écrite est celle de la loi 68-1250."""
    for code in ("commerce", "assurance"):
        faits = [Interruption(LIVRAISON + timedelta(60), Acte.RECLAMATION)]
        assert not calculer(natures()[code], LIVRAISON, faits).etapes[1].interrompt


@pytest.mark.parametrize(
    "acte", [Acte.RECONNAISSANCE, Acte.PAIEMENT_PARTIEL, Acte.SIGNIFICATION, Acte.DEMANDE_EN_JUSTICE,
             Acte.MESURE_CONSERVATOIRE, Acte.EXECUTION_FORCEE, Acte.DECLARATION],
)  # fmt: skip
def test_une_interruption_ouvre_un_delai_de_meme_duree_sans_toucher_l_origine(acte):
    faits = [Interruption(date(2026, 11, 20), acte, "pièce 7")]
    resultat = calculer(natures()["commerce"], LIVRAISON, faits)
    assert (resultat.origine, resultat.possible) == (date(2031, 2, 18), date(2031, 11, 20))
    assert resultat.etapes[-1].piece == "pièce 7"


@pytest.mark.parametrize("acte", [Acte.MISE_EN_DEMEURE, Acte.REQUETE, Acte.RECLAMATION])
def test_ni_la_mise_en_demeure_ni_la_requete_n_interrompent(acte):
    resultat = calculer(natures()["commerce"], LIVRAISON, [Interruption(date(2026, 11, 20), acte)])
    assert resultat.possible == resultat.origine
    assert not resultat.etapes[-1].interrompt


@pytest.mark.parametrize("acte", [Acte.RECLAMATION, Acte.MISE_EN_DEMEURE])
def test_une_reclamation_ecrite_interrompt_contre_une_personne_publique(acte):
    resultat = calculer(natures()["public"], LIVRAISON, [Interruption(date(2028, 6, 1), acte)])
    assert (resultat.origine, resultat.possible) == (date(2030, 12, 31), date(2032, 12, 31))


def test_une_forclusion_ne_cede_pas_a_la_reconnaissance():
    faits = [Interruption(date(2026, 11, 20), Acte.RECONNAISSANCE)]
    assert calculer(natures()["credit_consommation"], LIVRAISON, faits).possible == date(2028, 2, 18)


@pytest.mark.parametrize(
    ("jour", "interrompt"),
    [(LIVRAISON, False), (date(2028, 2, 17), True), (date(2028, 2, 18), True), (date(2028, 2, 19), False)],
)
def test_un_acte_tardif_ne_ressuscite_rien(jour, interrompt):
    resultat = calculer(natures()["consommateur"], LIVRAISON, [Interruption(jour, Acte.RECONNAISSANCE)])
    assert resultat.etapes[-1].interrompt is interrompt


def test_les_interruptions_s_enchainent_dans_l_ordre_des_dates():
    faits = [
        Interruption(date(2029, 12, 1), Acte.SIGNIFICATION),  # tardif sans la reconnaissance qui le précède
        Interruption(date(2028, 1, 10), Acte.RECONNAISSANCE),
    ]
    resultat = calculer(natures()["consommateur"], LIVRAISON, faits)
    assert [e.interrompt for e in resultat.etapes] == [False, True, True]
    assert resultat.possible == date(2031, 12, 1)


def test_le_butoir_de_vingt_ans_borne_les_reconnaissances_pas_les_actes_de_justice():
    tous_les_quatre_ans = [date(2026 + 4 * n, 2, 18) for n in range(1, 5)]
    reconnues = [Interruption(j, Acte.RECONNAISSANCE) for j in tous_les_quatre_ans]
    assert calculer(natures()["commerce"], LIVRAISON, reconnues).possible == date(2046, 2, 18)
    jugees = [Interruption(j, Acte.SIGNIFICATION) for j in tous_les_quatre_ans]
    assert calculer(natures()["commerce"], LIVRAISON, jugees).possible == date(2047, 2, 18)


@pytest.mark.parametrize(
    ("au", "alerte"),
    [
        (date(2030, 8, 17), None),
        (date(2030, 8, 18), 6),
        (date(2030, 11, 17), 6),
        (date(2030, 11, 18), 3),
        (date(2031, 2, 18), 3),
        (date(2031, 2, 19), 0),
    ],
)
def test_l_alerte_tombe_six_puis_trois_mois_avant_la_date_d_origine(au, alerte):
    """Exigence 37 : la date possible ne retarde pas l'alerte."""
    faits = [Interruption(date(2028, 1, 10), Acte.RECONNAISSANCE)]
    assert calculer(natures()["commerce"], LIVRAISON, faits).alerte(au) == alerte
