"""Conditions de paiement : grammaire, deux lectures de « fin de mois », maximum légal."""

import csv
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from factures.domaine.echeances import (
    Conditions,
    ConditionsIllisibles,
    conditions_excessives,
    echeance,
    lire_conditions,
)
from factures.domaine.maximums import TABLE, Cas, anomalies, maximum

with open(Path(__file__).parent / "donnees/echeances_exemples.csv", encoding="utf-8", newline="") as fichier:
    EXEMPLES = list(csv.DictReader(fichier, delimiter=";"))


@pytest.mark.parametrize("x", EXEMPLES, ids=lambda x: f"{x['date_facture']} {x['condition']}")
def test_chaque_exemple_donne_sa_date_et_son_rapport_au_maximum_legal(x):
    facture = date.fromisoformat(x["date_facture"])
    calcul = echeance(facture, x["condition"])
    assert calcul.echeance == date.fromisoformat(x["echeance"])
    assert (calcul.echeance - facture).days == int(x["jours_depuis_facture"])
    assert ((calcul.echeance - facture).days > 60) is (x["depasse_60_jours"] == "oui")
    assert calcul.conforme is (x["depasse_tout_maximum_legal"] == "non")
    assert any("ne prévoit pas" in s for s in calcul.signalements) is ("non prévue par la loi" in x["condition"])


@pytest.mark.parametrize(
    ("texte", "code"),
    [
        ("30J", "30J"),
        ("30 j", "30J"),
        ("30 jours net", "30J"),
        ("30 jours nets", "30J"),
        ("30 jrs", "30J"),
        ("30 jours date de facture", "30J"),
        ("30 jours à compter de la date de facture", "30J"),
        ("net 30", "30J"),
        ("30 days net", "30J"),
        ("Comptant", "0J"),
        ("à réception de facture", "0J"),
        ("45FDM", "45FDM"),
        ("45fdm-b", "45FDM-B"),
        ("45 FDM A", "45FDM-A"),
        ("FDM45", "45FDM-B"),
        ("FDM10", "10FDM-B"),
        ("45 jours fin de mois", "45FDM"),
        ("45 JOURS FIN DE MOIS - LECTURE B", "45FDM-B"),
        ("45 jours après la fin du mois", "45FDM-B"),
        ("fin de mois + 45 jours", "45FDM-B"),
        ("fin de mois 45 jours", "45FDM-B"),
        ("30 days end of month", "30FDM"),
        ("30 jours fin de mois le 10", "30FDM10"),
        ("30 j fdm le 1er", "30FDM1"),
        ("30FDM10", "30FDM10"),
        ("30FDM10-B", "30FDM10-B"),
        ("fin de mois", "FDM"),
        ("fin de mois le 15", "0FDM15"),
        ("30FD", "30FD"),
        ("FD30", "30FD-B"),
        ("30 jours fin de décade", "30FD"),
        ("30 jours après la fin de la décade", "30FD-B"),
        ("45 jours net (facture périodique : maximum)", "45J"),
    ],
)
def test_une_forme_en_clair_se_ramene_a_son_code_qui_se_relit(texte, code):
    lues = lire_conditions(texte)
    assert lues.code == code and len(code) <= 20
    assert lire_conditions(code) == lues


@pytest.mark.parametrize(
    "texte",
    [
        "",
        "trente jours",
        "30",
        "J",
        "-30J",
        "3O jours",
        "30 jours réception",
        "30 jours (fin de mois)",
        "30 jours fin de mois le 32",
        "30FDM0",
        "30FDM10-C",
        "400J",
        "30J 45FDM",
        "selon contrat",
    ],
)
def test_un_texte_illisible_est_refuse_et_cite(texte):
    with pytest.raises(ConditionsIllisibles) as refus:
        lire_conditions(texte)
    assert f"« {texte} »" in str(refus.value)


@pytest.mark.parametrize(
    ("conditions", "facture", "attendue"),
    [
        ("FD30", date(2026, 1, 10), date(2026, 2, 9)),
        ("FD30", date(2026, 1, 11), date(2026, 2, 19)),
        ("FD30", date(2026, 1, 20), date(2026, 2, 19)),
        ("FD30", date(2026, 1, 21), date(2026, 3, 2)),
        ("30FD", date(2026, 1, 11), date(2026, 2, 10)),
        ("30FD", date(2026, 1, 12), date(2026, 2, 20)),
        ("30FDM31", date(2026, 1, 1), date(2026, 2, 28)),
        ("30FDM10-B", date(2026, 1, 16), date(2026, 3, 10)),
        ("30FDM2-B", date(2026, 1, 16), date(2026, 3, 2)),
        ("45FDM10-B", date(2026, 1, 16), date(2026, 4, 10)),
        ("FDM", date(2024, 2, 1), date(2024, 2, 29)),
        ("0FDM15", date(2026, 12, 31), date(2027, 1, 15)),
        ("0J", date(2024, 2, 29), date(2024, 2, 29)),
    ],
)
def test_decades_jour_fixe_et_fins_de_mois(conditions, facture, attendue):
    assert echeance(facture, conditions).echeance == attendue


def test_la_lecture_absente_vaut_a_et_se_signale_celle_du_client_s_applique_celle_du_contrat_l_emporte():
    facture = date(2026, 1, 16)
    absente = echeance(facture, "45FDM")
    assert absente.lecture == "A" and "non précisée" in absente.signalements[0]
    assert echeance(facture, "45FDM", "B") == echeance(facture, "45FDM-B")
    assert echeance(facture, "45FDM-A", "B").lecture == "A"
    assert echeance(facture, "45FDM-A").signalements == ()


@pytest.mark.parametrize("conditions", ["30J", "FDM", "0FDM10"])
def test_sans_effet_la_lecture_ne_se_dit_ni_ne_se_signale(conditions):
    calcul = echeance(date(2026, 1, 16), conditions)
    assert (calcul.lecture, calcul.signalements) == ("", ())


EMISE, LIVREE, RECUE = date(2026, 1, 16), date(2026, 1, 12), date(2026, 1, 20)


@pytest.mark.parametrize(
    ("cas", "conditions", "maximum", "conforme"),
    [
        ("droit_commun", "60J", date(2026, 3, 17), True),  # L441-10, I, al. 2 : émission + 60
        ("droit_commun", "61J", date(2026, 3, 17), False),
        ("droit_commun", "45FDM-A", date(2026, 3, 31), True),  # al. 3 : la plus tardive des deux lectures
        ("droit_commun", "45FDM-B", date(2026, 3, 31), True),
        ("silence", "30J", date(2026, 2, 11), False),  # al. 1 : réception ou exécution + 30
        ("periodique", "45J", date(2026, 3, 2), True),  # al. 4
        ("periodique", "45FDM-A", date(2026, 3, 2), False),  # nets : aucun fin de mois
        ("transport", "30J", date(2026, 2, 15), True),  # L441-11, II, 5°
        ("transport", "31J", date(2026, 2, 15), False),
        ("perissable", "26J", date(2026, 2, 11), True),  # livraison + 30
        ("perissable", "27J", date(2026, 2, 11), False),
        ("perissable_periodique", "FD30", date(2026, 2, 19), True),  # fin de la décade de livraison (20/01) + 30
        ("viande", "16J", date(2026, 2, 1), True),  # livraison + 20
        ("viande", "17J", date(2026, 2, 1), False),
        ("alcool", "FDM30", date(2026, 3, 2), True),  # fin du mois de livraison + 30
        ("alcool", "60J", date(2026, 3, 2), False),
        ("vin", "45FDM-A", date(2026, 3, 31), True),
        ("vin", "60J", date(2026, 3, 17), True),
        ("export", "90J", date(2026, 4, 16), True),
        ("public", "30J", date(2026, 2, 19), True),  # réception de la demande + 30
        ("public_sante", "50J", date(2026, 3, 11), True),
        ("entreprise_publique", "60J", date(2026, 3, 21), True),
        ("public", "60J", date(2026, 2, 19), False),
    ],
)
def test_chaque_cas_a_son_maximum_legal_et_son_depart(cas, conditions, maximum, conforme):
    calcul = echeance(EMISE, conditions, cas=Cas(cas), execution=LIVREE, reception=RECUE)
    assert (calcul.maximum_legal, calcul.conforme) == (maximum, conforme)
    assert (TABLE[Cas(cas)].texte in " ".join(calcul.signalements)) is not conforme


def test_toute_ligne_de_la_table_dit_son_texte_et_sa_confiance():
    assert set(TABLE) == set(Cas)
    assert all(r.texte and r.confiance in "SCV" for r in TABLE.values())


def test_la_demande_de_paiement_d_un_acheteur_public_attend_le_service_fait():
    """R2192-10 : le délai part de la réception, ou du service fait s'il est postérieur."""
    assert maximum(Cas.PUBLIC, EMISE, reception=EMISE, execution=RECUE).jour == RECUE + timedelta(30)


@pytest.mark.parametrize(("cas", "mot"), [("viande", "exécution inconnue"), ("public", "demande de paiement inconnue")])
def test_un_depart_inconnu_se_dit(cas, mot):
    assert mot in " ".join(echeance(EMISE, "20J", cas=Cas(cas)).signalements)


@pytest.mark.parametrize(
    ("echeance_le", "options", "mot"),
    [
        (date(2026, 3, 17), {}, ""),
        (date(2026, 3, 18), {}, "maximum légal est le 17/03/2026 (C. com., art. L441-10, I)"),
        (date(2026, 3, 31), {"conditions": "45FDM"}, ""),
        (date(2026, 4, 1), {"conditions": "45 jours fin de mois"}, "31/03/2026"),
        (date(2026, 1, 15), {}, "antérieure à la facture"),
        (date(2026, 6, 1), {"debiteur": "particulier"}, ""),  # aucun maximum entre un professionnel et un consommateur
        (date(2026, 6, 1), {"debiteur": "a_qualifier"}, ""),
        (date(2026, 3, 18), {"debiteur": "administration"}, "acheteur public"),
        (date(2026, 2, 1), {"au": date(2026, 1, 15)}, "datée de l'avenir"),
        (date(2026, 2, 1), {"au": EMISE}, ""),
    ],
)
def test_une_echeance_anormale_avertit_sans_bloquer(echeance_le, options, mot):
    dites = anomalies(EMISE, echeance_le, **{"debiteur": "entreprise"} | options)
    assert bool(dites) is bool(mot)
    assert mot in " ".join(dites)


def test_une_echeance_un_jour_chome_n_est_pas_decalee():
    assert echeance(date(2026, 11, 25), "30J").echeance == date(2026, 12, 25)


def test_une_lecture_inconnue_est_refusee():
    with pytest.raises(ValueError, match="lecture inconnue"):
        echeance(date(2026, 1, 1), "45FDM", "C")


@given(
    st.dates(date(2000, 1, 1), date(2100, 1, 1)),
    st.builds(
        Conditions,
        st.sampled_from(["mois", "decade"]),
        st.integers(1, 120),
        st.sampled_from(["A", "B"]),
        st.none(),
    ),
)
def test_une_echeance_ne_precede_jamais_le_delai_ni_ne_le_depasse_d_une_periode(facture, conditions):
    calcul = echeance(facture, conditions)
    retard = (calcul.echeance - facture).days - conditions.jours
    assert 0 <= retard <= (30 if conditions.nature == "mois" else 10)
    assert echeance(facture, conditions.code) == calcul


@pytest.mark.parametrize(
    ("conditions", "lecture", "dit"),
    [
        ("60J", "A", ""),
        ("61J", "A", "facture du 01/01/2026 échoit le 03/03/2026, au plus tard le 02/03/2026"),
        ("45FDM", "B", ""),
        ("30FDM10", "A", "facture du 30/01/2026 échoit le 10/04/2026"),  # conforme le 1er, pas le 30
        ("selon contrat", "A", ""),
    ],
)
def test_des_conditions_qui_depassent_un_seul_jour_de_l_annee_se_disent(conditions, lecture, dit):
    phrase = conditions_excessives(conditions, lecture, 2026)
    assert bool(phrase) is bool(dit) and dit in phrase
