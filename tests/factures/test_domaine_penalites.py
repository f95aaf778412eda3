"""Intérêts de retard et 40 € : exemples publiés et calculés, bords, refus."""

import csv
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from factures.domaine.bareme import TauxManquant
from factures.domaine.penalites import DebiteurAQualifier, calculer, interets_courus
from factures.donnees import bareme_livre

D = Decimal
QUALITES = {"professionnel": "entreprise", "consommateur": "particulier", "personne publique": "administration"}
with open(Path(__file__).parent / "donnees/exemples_penalites.csv", encoding="utf-8", newline="") as fichier:
    EXEMPLES = {ligne["id"]: ligne for ligne in csv.DictReader(fichier, delimiter=";")}


def compte(montant="10000.00", echeance=date(2026, 6, 30), au=date(2026, 11, 21), debiteur="entreprise", **reste):
    return calculer(D(montant), echeance, au=au, debiteur=debiteur, bareme=bareme_livre(), **reste)


def rejouer(x):
    """Une ligne d'exemple → le compte, avec ce que sa règle et sa note précisent."""
    qualite = next(q for debut, q in QUALITES.items() if x["type_debiteur"].startswith(debut))
    taux = D(x["taux_pct"].split("|")[0]) if x["taux_pct"] else None
    options = {"base": int(x["base_jours"])}
    if x["date_echeance"]:
        echeance, au = date.fromisoformat(x["date_echeance"]), date.fromisoformat(x["date_paiement"])
    else:  # exemple sans dates : placé au premier semestre 2026, dont le défaut est 12,15 %
        echeance = date(2025, 12, 31)
        au = echeance + timedelta(int(x["jours"]))
    if x["id"] == "P04":  # règle discutée : l'outil public relève la clause au plancher
        options |= {"taux_stipule": D(5), "plancher": True}
    elif x["regle_taux"].startswith("taux stipulé") or x["id"] == "P12":  # P12 : un an plein, taux non découpé
        options["taux_stipule"] = taux
    if "mise en demeure" in x["regle_taux"] and "aucune" not in x["regle_taux"]:
        options["mise_en_demeure"] = echeance  # la note de P05 : la date portée est celle de la mise en demeure
    if x["id"] == "C12":
        options["majoration_depuis"] = echeance
    if x["id"] in ("C14", "C15"):
        options["paiements"] = [(date(2025, 6, 15), D(5000))]
        options["imputation"] = "interets" if x["id"] == "C14" else "principal"
    return compte(x["montant_ttc"], echeance, au, qualite, **options)


@pytest.mark.parametrize("numero", [n for n in EXEMPLES if n not in ("P13", "P14")])
def test_chaque_exemple_se_retrouve_au_centime(numero):
    x = EXEMPLES[numero]
    obtenu = rejouer(x)
    assert obtenu.interets == D(x["interets_attendus"])
    assert obtenu.indemnite == D(x["indemnite_40"])
    assert obtenu.interets + obtenu.indemnite == D(x["total_hors_principal"])
    assert sum(s.jours for s in obtenu.segments) == int(x["jours"])
    if obtenu.segments and numero not in ("P12",):
        assert {s.taux for s in obtenu.segments} == {D(t) for t in x["taux_pct"].split("|")}


def test_l_exemple_en_mois_arrondi_a_l_euro_ne_donne_que_le_taux():
    """P13 : publié en mois et à l'euro, inutilisable au centime ; son taux est le bon."""
    x = EXEMPLES["P13"]
    assert bareme_livre().taux_defaut_entreprise("2014-S1") == D(x["taux_pct"])
    assert (D(x["montant_ttc"]) * D(x["taux_pct"]) / 100 * 3 / 12).quantize(D(1)) == D(x["interets_attendus"])


def test_le_contre_exemple_au_taux_legal_simple_est_signale():
    """P14 : 18,87 publié, 18,88 au centime, et une clause sous le plancher de 2,64 %."""
    x = EXEMPLES["P14"]
    obtenu = compte(x["montant_ttc"], date(2018, 7, 1), date(2018, 11, 4), taux_stipule=D(x["taux_pct"]))
    assert obtenu.interets == D("18.88") != D(x["interets_attendus"])
    [avertissement] = obtenu.avertissements
    assert avertissement.code == "stipule_sous_plancher"
    assert "2018-S2 : 2,64 %" in avertissement.texte and "à décider" in avertissement.texte


# --- bords ---------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("au", "jours", "indemnite"),
    [(date(2026, 6, 29), 0, "0.00"), (date(2026, 6, 30), 0, "0.00"), (date(2026, 7, 1), 1, "40.00")],
)
def test_rien_ne_court_le_jour_de_l_echeance_tout_court_le_lendemain(au, jours, indemnite):
    obtenu = compte(au=au)
    assert sum(s.jours for s in obtenu.segments) == jours
    assert obtenu.indemnite == D(indemnite)
    assert obtenu.interets == (D("3.40") if jours else D(0))


def test_le_29_fevrier_compte_pour_un_jour():
    obtenu = compte("36500.00", date(2024, 2, 28), date(2024, 3, 1))
    assert [(s.du, s.au, s.jours) for s in obtenu.segments] == [(date(2024, 2, 29), date(2024, 3, 1), 2)]
    assert obtenu.interets == D("29.00")  # 2 jours à 14,50 %


def test_base_exacte_seuls_les_jours_d_une_annee_bissextile_valent_un_366e():
    """Un segment à cheval sur 2023 et 2024 n'est arrondi qu'une fois : 10 jours /365 + 10 jours /366."""
    options = dict(echeance=date(2023, 12, 21), au=date(2024, 1, 10), taux_stipule=D("36.50"))
    assert compte("36600.00", **options, base=365).interets == D("732.00")
    assert compte("36600.00", **options, base=366).interets == D("731.00")  # 366,00 + 365,00
    assert compte(au=date(2026, 11, 21), base=366).interets == compte(au=date(2026, 11, 21), base=365).interets


@pytest.mark.parametrize(("montant", "interets", "indemnite"), [("0.00", "0.00", "0.00"), ("0.01", "0.00", "40.00")])
def test_zero_ne_doit_rien_un_centime_en_retard_doit_quarante_euros(montant, interets, indemnite):
    obtenu = compte(montant)
    assert (obtenu.interets, obtenu.indemnite) == (D(interets), D(indemnite))
    assert obtenu.total == D(montant) + D(indemnite)


def test_l_arrondi_est_au_demi_superieur_une_fois_par_segment():
    """Un demi-centime exact monte ; en dessous, il descend."""
    un_jour = dict(echeance=date(2026, 6, 30), au=date(2026, 7, 1))
    assert compte("36.50", **un_jour, taux_stipule=D("4.99")).interets == D("0.00")
    assert compte("36.50", **un_jour, taux_stipule=D("5.00")).interets == D("0.01")  # 0,005 exactement
    assert compte("365.00", **un_jour, taux_stipule=D("2.50")).interets == D("0.03")  # 0,025 exactement


def test_par_defaut_un_segment_par_semestre_meme_a_taux_egal_stipule_un_seul():
    periode = dict(echeance=date(2025, 6, 30), au=date(2026, 6, 30))
    assert [s.semestre for s in compte(**periode).segments] == ["2025-S2", "2026-S1"]
    assert len({s.taux for s in compte(**periode).segments}) == 1
    assert len(compte(**periode, taux_stipule=D(18)).segments) == 1


# --- taux ----------------------------------------------------------------------------------------
def test_le_defaut_n_est_jamais_releve_au_plancher():
    """2024 : 14,50 et 14,25 % restent dus alors que 3 × le taux légal est plus haut."""
    obtenu = compte(echeance=date(2023, 12, 31), au=date(2024, 12, 31), plancher=True)
    assert [s.taux for s in obtenu.segments] == [D("14.50"), D("14.25")]
    assert obtenu.avertissements == ()


def test_le_taux_public_est_fige_au_semestre_du_premier_jour_d_interets():
    """L'échéance du 30 juin fait courir les intérêts le 1er juillet : c'est le second semestre qui compte."""
    assert [s.taux for s in compte(debiteur="administration").segments] == [D("10.40")]
    avant = compte(echeance=date(2026, 6, 29), debiteur="administration")
    assert [(s.taux, s.jours) for s in avant.segments] == [(D("10.15"), 145)]


def test_le_taux_public_fige_se_passe_des_semestres_suivants():
    obtenu = compte(au=date(2027, 2, 1), debiteur="administration")
    assert [s.taux for s in obtenu.segments] == [D("10.40")]


def test_un_semestre_inconnu_bloque_en_le_nommant():
    with pytest.raises(TauxManquant, match="1er semestre 2027"):
        compte(au=date(2027, 1, 1))
    assert compte(au=date(2026, 12, 31)).segments[-1].au == date(2026, 12, 31)
    with pytest.raises(TauxManquant, match="2027-S1"):
        compte(au=date(2027, 1, 1), debiteur="particulier", mise_en_demeure=date(2026, 12, 31))


def test_un_principal_eteint_avant_le_semestre_inconnu_se_calcule():
    solde = dict(paiements=[(date(2026, 12, 1), D(20000))], au=date(2027, 2, 1))
    assert compte(**solde).principal_restant == 0
    releve = compte(**solde, taux_stipule=D(5), plancher=True)
    assert [x.code for x in releve.avertissements] == ["stipule_releve", "trop_percu"]


def test_sous_le_plancher_le_taux_stipule_est_applique_et_signale():
    obtenu = compte(taux_stipule=D(5))
    assert [s.taux for s in obtenu.segments] == [D(5)]
    assert [a.code for a in obtenu.avertissements] == ["stipule_sous_plancher"]
    assert compte(taux_stipule=D("8.25")).avertissements == ()  # au plancher exactement : licite


def test_le_plancher_releve_semestre_par_semestre_et_laisse_le_reste_au_taux_stipule():
    """13 % : sous le plancher en 2024 seulement (15,21 puis 14,76)."""
    obtenu = compte(echeance=date(2022, 12, 31), au=date(2025, 12, 31), taux_stipule=D(13), plancher=True)
    assert [(s.taux, s.du) for s in obtenu.segments] == [
        (D("13"), date(2023, 1, 1)),
        (D("15.21"), date(2024, 1, 1)),
        (D("14.76"), date(2024, 7, 1)),
        (D("13"), date(2025, 1, 1)),
    ]
    assert [a.code for a in obtenu.avertissements] == ["stipule_releve"]


def test_un_taux_stipule_licite_ne_change_pas_avec_le_plancher():
    periode = dict(echeance=date(2026, 2, 28), au=date(2026, 8, 31), taux_stipule=D(18))
    assert compte("7200.00", **periode, plancher=True) == compte("7200.00", **periode)


def test_un_plancher_inconnu_se_signale_ou_bloque_s_il_faut_l_appliquer():
    obtenu = compte(au=date(2027, 1, 15), taux_stipule=D(15))
    assert [a.code for a in obtenu.avertissements] == ["plancher_inconnu"]
    assert "2027-S1" in obtenu.avertissements[0].texte
    with pytest.raises(TauxManquant, match="2027-S1"):
        compte(au=date(2027, 1, 15), taux_stipule=D(15), plancher=True)


@pytest.mark.parametrize("debiteur", ["administration", "particulier"])
def test_un_taux_stipule_ne_sort_pas_des_relations_entre_professionnels(debiteur):
    options = dict(debiteur=debiteur, mise_en_demeure=date(2026, 7, 10))
    obtenu = compte(**options, taux_stipule=D(18))
    assert obtenu.segments == compte(**options).segments
    assert [a.code for a in obtenu.avertissements] == ["stipule_ignore"]


# --- particulier ---------------------------------------------------------------------------------
def test_un_particulier_sans_mise_en_demeure_ne_doit_aucun_interet_ni_indemnite():
    obtenu = compte(debiteur="particulier", echeance=date(2020, 1, 1))
    assert (obtenu.interets, obtenu.indemnite, obtenu.total) == (0, 0, D("10000.00"))
    assert [a.code for a in obtenu.avertissements] == ["sans_mise_en_demeure"]


def test_les_interets_d_un_particulier_partent_du_lendemain_de_la_mise_en_demeure():
    obtenu = compte(debiteur="particulier", mise_en_demeure=date(2026, 10, 31), au=date(2026, 11, 1))
    assert [(s.du, s.taux) for s in obtenu.segments] == [(date(2026, 11, 1), D("2.75"))]
    assert obtenu.indemnite == 0


def test_une_mise_en_demeure_avant_terme_ne_fait_pas_courir_d_interets_avant_l_echeance():
    obtenu = compte(debiteur="particulier", mise_en_demeure=date(2026, 5, 1))
    assert obtenu.segments[0].du == date(2026, 7, 1)


# --- paiements -----------------------------------------------------------------------------------
def test_un_paiement_eteint_les_interets_echus_puis_le_principal():
    obtenu = rejouer(EXEMPLES["C14"])
    [paiement] = obtenu.paiements
    assert (paiement.sur_interets, paiement.sur_principal) == (D("328.57"), D("4671.43"))
    assert obtenu.principal_restant == paiement.principal_restant == D("7328.57")
    assert obtenu.interets_restants == D("239.64")
    assert obtenu.total == D("7608.21")


def test_par_accord_un_paiement_eteint_le_principal_d_abord():
    obtenu = rejouer(EXEMPLES["C15"])
    assert (obtenu.principal_restant, obtenu.interets_restants) == (D("7000.00"), D("557.47"))


def test_payer_le_principal_exact_en_retard_laisse_du_principal():
    obtenu = compte(paiements=[(date(2026, 7, 30), D("10000.00"))], au=date(2026, 7, 30))
    assert obtenu.principal_restant == obtenu.interets == D("101.92")
    assert obtenu.interets_restants == 0


def test_un_paiement_du_jour_de_l_echeance_eteint_sans_retard():
    obtenu = compte(paiements=[(date(2026, 6, 30), D("10000.00"))])
    assert (obtenu.interets, obtenu.indemnite, obtenu.total) == (0, 0, 0)


def test_l_indemnite_reste_entiere_pour_un_paiement_partiel_a_l_echeance():
    obtenu = compte(paiements=[(date(2026, 6, 30), D("9999.99"))])
    assert obtenu.indemnite == D("40.00")


def test_un_paiement_de_tout_eteint_l_indemnite_en_dernier_et_le_surplus_est_un_trop_percu():
    tout = dict(au=date(2026, 7, 30))
    obtenu = compte(**tout, paiements=[(date(2026, 7, 30), D("10141.92"))])
    assert (obtenu.total, obtenu.trop_percu, obtenu.indemnite) == (0, 0, D("40.00"))
    assert obtenu.paiements[0].sur_indemnite == D("40.00")
    obtenu = compte(**tout, paiements=[(date(2026, 7, 30), D("10141.93"))])
    assert (obtenu.total, obtenu.trop_percu) == (0, D("0.01"))
    assert [a.code for a in obtenu.avertissements] == ["trop_percu"]


def test_un_paiement_posterieur_a_l_arrete_n_est_pas_compte():
    obtenu = compte(paiements=[(date(2026, 11, 22), D(5000))])
    assert obtenu.principal_restant == D("10000.00")
    assert [a.code for a in obtenu.avertissements] == ["paiement_posterieur"]


# --- jugements -----------------------------------------------------------------------------------
def test_une_procedure_collective_arrete_les_interets_la_veille_du_jugement():
    obtenu = compte(jugement_ouverture=date(2026, 9, 15))
    assert obtenu.segments[-1].au == date(2026, 9, 14)
    assert obtenu.indemnite == D("40.00")  # échue avant : déclarable


@pytest.mark.parametrize(("echeance", "indemnite"), [(14, "40.00"), (15, "0.00"), (16, "0.00")])
def test_pas_d_indemnite_pour_une_echeance_du_jour_du_jugement_ou_d_apres(echeance, indemnite):
    obtenu = compte(echeance=date(2026, 9, echeance), jugement_ouverture=date(2026, 9, 15))
    assert (obtenu.indemnite, obtenu.interets) == (D(indemnite), 0)


def test_un_paiement_apres_le_jugement_s_impute_sans_rouvrir_les_interets():
    obtenu = compte(jugement_ouverture=date(2026, 9, 15), paiements=[(date(2026, 10, 1), D(1000))])
    assert sum(s.jours for s in obtenu.segments) == 76
    assert obtenu.principal_restant + obtenu.interets_restants == D("10000.00") + obtenu.interets - 1000


def test_apres_decision_executoire_le_taux_legal_majore_remplace_le_taux_du_contrat():
    obtenu = compte(taux_stipule=D(18), majoration_depuis=date(2026, 9, 30))
    assert [(s.du, s.taux) for s in obtenu.segments] == [(date(2026, 7, 1), D(18)), (date(2026, 10, 1), D("7.75"))]
    assert obtenu.indemnite == D("40.00")


def test_la_decision_fait_courir_les_interets_d_un_particulier_jamais_mis_en_demeure():
    obtenu = compte(debiteur="particulier", majoration_depuis=date(2026, 9, 30))
    assert [(s.du, s.taux) for s in obtenu.segments] == [(date(2026, 10, 1), D("7.75"))]


# --- refus ---------------------------------------------------------------------------------------
@pytest.mark.parametrize("calcul", [calculer, interets_courus])
def test_un_debiteur_a_qualifier_bloque_le_calcul(calcul):
    with pytest.raises(DebiteurAQualifier, match="a_qualifier"):
        calcul(D(1), date(2026, 1, 1), au=date(2026, 2, 1), debiteur="a_qualifier", bareme=bareme_livre())


@pytest.mark.parametrize(
    ("montant", "options", "message"),
    [
        ("-0.01", {}, "montant négatif"),
        ("1.001", {}, "plus de deux décimales"),
        ("1.00", {"taux_stipule": D(-1)}, "taux stipulé négatif"),
        ("1.00", {"base": 360}, "base de calcul inconnue"),
        ("1.00", {"paiements": [(date(2026, 7, 1), D(0))]}, "paiement nul"),
        ("1.00", {"paiements": [(date(2026, 7, 1), D(-5))]}, "montant négatif"),
        ("1.00", {"imputation": "dernier"}, "dernier"),
    ],
)
def test_une_entree_absurde_est_refusee(montant, options, message):
    with pytest.raises(ValueError, match=message):
        compte(montant, **options)


def test_une_seule_indemnite_par_facture_quand_une_autre_echeance_la_porte():
    assert compte(avec_indemnite=False).indemnite == 0


def test_une_clause_sous_le_plancher_peut_ceder_au_taux_a_defaut_semestre_par_semestre():
    """Droit.md § 1 : non tranché ; BCE + 10 n'est jamais relevé, même sous le plancher (S1 2024 : 14,50 < 15,21)."""
    obtenu = compte(echeance=date(2023, 12, 31), au=date(2024, 12, 31), taux_stipule=D(15), defaut=True)
    assert [s.taux for s in obtenu.segments] == [D("14.50"), D(15)]
    assert [a.code for a in obtenu.avertissements] == ["stipule_ecarte"]


def test_renoncer_aux_interets_laisse_un_paiement_eteindre_le_principal():
    """Droit.md § 9 : au cas par cas ; rien ne court, donc rien ne s'impute sur des intérêts."""
    paye = [(date(2026, 6, 1), D(400))]
    obtenu = compte(
        D(1000), echeance=date(2026, 1, 31), au=date(2026, 6, 30), taux_stipule=D(2), paiements=paye, sans_interets=True
    )
    assert (obtenu.segments, obtenu.interets, obtenu.principal_restant, obtenu.total) == ((), 0, 600, 640)
    assert obtenu.avertissements == ()
