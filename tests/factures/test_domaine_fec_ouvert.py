"""Postes ouverts d'un FEC : à-nouveaux, lettrages, virements en douteux, soldes au centime."""

from collections import defaultdict
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from factures.domaine.fec_lignes import Ligne, Nature, Poste
from factures.domaine.fec_ouvert import reconstruire
from tests.factures.fec_essai import Fec, par_type, restes, soldes_reconstitues, trente_jours

D = Decimal


def ouverts(fec: Fec, **options):
    lot = fec.lire(**options)
    assert lot.rejets == []
    assert soldes_reconstitues(lot) == lot.soldes  # l'invariant, toujours
    return restes(lot), lot


# --- Lettrage --------------------------------------------------------------------------------


def test_un_groupe_lettre_et_equilibre_est_solde():
    fec = Fec().vente("C1", "F1", "100", "A").vente("C1", "F2", "50", "A").reglement("C1", "150", "A", quand="20250310")
    reste, lot = ouverts(fec)
    assert reste == {}
    assert {(i.montant, i.date) for i in par_type(lot)[4]} == {
        (D("100.00"), date(2025, 3, 10)),
        (D("50.00"), date(2025, 3, 10)),
    }


def test_un_lettrage_partiel_laisse_le_reste_sur_la_piece_la_plus_recente():
    fec = Fec().vente("C1", "F1", "100", "a", quand="20250105").vente("C1", "F2", "50", "a", quand="20250205")
    reste, lot = ouverts(fec.reglement("C1", "120", "a"))
    assert reste == {"F2": D("30.00")}
    assert (lot.faits["lettrages_partiels"], lot.inexpliques) == (1, [])


def test_a_montant_egal_le_reglement_va_a_sa_piece_et_non_a_la_plus_ancienne():
    fec = Fec().vente("C1", "F1", "100", "A", quand="20250105").vente("C1", "F2", "80", "A", quand="20250205")
    fec.reglement("C1", "80", "A", quand="20250301").reglement("C1", "100", "A", quand="20250401")
    _, lot = ouverts(fec)
    assert {(i.cle_echeance.split(":")[3], i.date.month) for i in par_type(lot)[4]} == {("1", 4), ("2", 3)}


def test_l_imputation_date_du_plus_tard_de_la_facture_et_du_reglement():
    fec = Fec().reglement("C1", "100", "A", quand="20250105").vente("C1", "F1", "100", "A", quand="20250120")
    _, lot = ouverts(fec)
    assert [i.date for i in par_type(lot)[4]] == [date(2025, 1, 20)]


def test_acompte_et_reglement_non_lettres_restent_a_imputer():
    reste, lot = ouverts(Fec().vente("C1", "F1", "100").reglement("C1", "100", piece="VIR12"))
    assert reste == {"F1": D("100.00"), "écriture BQ 2": D("-100.00")}
    assert lot.inexpliques == []


def test_un_debit_lettre_contre_une_ligne_absente_reste_du_et_se_signale():
    reste, lot = ouverts(Fec().vente("C1", "F1", "100", "AB", let="20260115"))
    assert reste == {"F1": D("100.00")}
    (inexplique,) = lot.inexpliques
    assert (inexplique.nature, inexplique.montant, inexplique.code_client) == ("lettrage", D("100.00"), "C1")
    assert "lettré AB le 15/01/2026 contre une ligne absente du fichier" in inexplique.detail


def test_un_credit_lettre_contre_une_ligne_absente_reste_a_imputer_et_se_signale():
    reste, lot = ouverts(Fec().reglement("C1", "100", "AB"))
    assert reste == {"écriture BQ 1": D("-100.00")}
    assert [(i.nature, i.montant) for i in lot.inexpliques] == [("lettrage", D("-100.00"))]


def test_un_code_de_lettrage_reemploye_se_separe_par_sa_date():
    fec = Fec().vente("C1", "F1", "100", "A", let="20250201").reglement("C1", "100", "A", let="20250201")
    fec.vente("C1", "F2", "70", "A", quand="20250501", let="20250601").reglement(
        "C1", "20", "A", quand="20250601", let="20250601"
    )
    assert ouverts(fec)[0] == {"F2": D("50.00")}


def test_le_lettrage_d_un_client_ne_touche_pas_le_voisin():
    fec = Fec().vente("C1", "F1", "100", "A").vente("C2", "F2", "100", "A").reglement("C2", "100", "A")
    assert ouverts(fec)[0] == {"F1": D("100.00")}


# --- Avoirs, écarts, rejets ------------------------------------------------------------------


def test_un_credit_au_journal_de_vente_est_un_avoir():
    reste, lot = ouverts(Fec().vente("C1", "F1", "100").avoir("C1", "AV1", "30"))
    assert reste == {"F1": D("100.00"), "AV1": D("-30.00")}
    assert [a.numero for a in par_type(lot)[2]] == ["AV1"]


def test_une_perte_reduit_la_dette_sans_argent():
    fec = Fec().vente("C1", "F1", "100", "A")
    fec.ecriture([("411000", "C1", "OD", "-100", "A"), ("654000", "", "OD", "100", "")])
    reste, lot = ouverts(fec)
    assert reste == {} and len(par_type(lot)[2]) == 1 and par_type(lot)[3] == []


def test_un_cheque_rejete_est_du_tout_de_suite_sous_un_nom_honnete():
    fec = Fec().vente("C1", "F1", "100", "A").reglement("C1", "100", "A")
    fec.ecriture(
        [("411000", "C1", "REJ", "100", ""), ("512000", "", "REJ", "-100", "")], journal="BQ", quand="20250220"
    )
    reste, lot = ouverts(fec)
    assert reste == {"écriture BQ 3": D("100.00")}
    rejet = par_type(lot)[1][-1]
    assert (rejet.numero_reel, rejet.date_echeance) == (False, date(2025, 2, 20))


def test_une_vente_encaissee_dans_la_meme_ecriture_reste_une_vente():
    fec = Fec().ecriture(
        [("411000", "C1", "T1", "100", ""), ("706000", "", "T1", "-100", ""), ("411000", "C1", "T1", "-100", ""),
         ("530000", "", "T1", "100", "")], journal="CA",
    )  # fmt: skip
    _, lot = ouverts(fec)
    assert [type(e).__name__ for e in lot.elements[1:]] == ["FactureLue", "EncaissementLu"]
    assert par_type(lot)[3][0].mode == "especes"


# --- Numéros ---------------------------------------------------------------------------------


def test_une_reference_partagee_par_plusieurs_clients_n_est_pas_un_numero():
    _, lot = ouverts(Fec().vente("C1", "VE12", "10").vente("C2", "VE12", "20"))
    assert [(f.numero, f.numero_reel) for f in par_type(lot)[1]] == [("écriture VE 1", False), ("écriture VE 2", False)]


@pytest.mark.parametrize(
    "piece", ["VE 0125", "0125", "01/2025", "20250115", "VE 2025-01", "2501", "sans", "", "divers", "ABC"]
)
def test_un_mois_une_date_ou_un_mot_n_est_pas_un_numero(piece):
    _, lot = ouverts(Fec().vente("C1", piece, "10"))
    assert [(f.numero, f.numero_reel) for f in par_type(lot)[1]] == [("écriture VE 1", False)]


@pytest.mark.parametrize("piece", ["F20230107", "FA-2025-0001", "1024", "VE01257"])
def test_un_numero_propre_a_un_client_est_un_numero(piece):
    _, lot = ouverts(Fec().vente("C1", piece, "10").vente("C2", piece + "9", "10"))
    assert [(f.numero, f.numero_reel) for f in par_type(lot)[1]] == [(piece, True), (piece + "9", True)]


def test_deux_lignes_de_la_meme_piece_font_une_facture_et_deux_echeances():
    fec = Fec().ecriture(
        [("411000", "C1", "F1", "60", ""), ("411000", "C1", "F1", "40", ""), ("706000", "", "F1", "-100", "")],
        journal="VE",
    )
    _, lot = ouverts(fec)
    factures = par_type(lot)[1]
    assert len({f.cle_source for f in factures}) == 1 and len({f.cle_echeance for f in factures}) == 2


# --- Douteux (416) ---------------------------------------------------------------------------


def virement_en_douteux(let411="", let416="", auxiliaire="C1"):
    return [("416000", auxiliaire, "DT", "100", let416), ("411000", "C1", "DT", "-100", let411)]


@pytest.mark.parametrize("let411", ["", "A"])
@pytest.mark.parametrize("auxiliaire", ["C1", ""])
def test_le_passage_en_douteux_n_est_ni_une_facture_ni_un_reglement(let411, auxiliaire):
    fec = Fec().vente("C1", "F1", "100", let411).ecriture(virement_en_douteux(let411, "", auxiliaire), quand="20250601")
    reste, lot = ouverts(fec)
    assert reste == {"F1": D("100.00")}
    assert lot.soldes == {"C1": D("100.00")} and lot.inexpliques == []


@pytest.mark.parametrize("let411", ["", "A"])
def test_un_reglement_du_douteux_solde_la_facture_d_origine(let411):
    fec = Fec().vente("C1", "F1", "100", let411).ecriture(virement_en_douteux(let411, "Z"), quand="20250601")
    reste, lot = ouverts(fec.reglement("C1", "100", "Z", quand="20250701", compte="416000"))
    assert reste == {}
    assert [i.date for i in par_type(lot)[4]] == [date(2025, 7, 1)]


# --- À-nouveaux ------------------------------------------------------------------------------


def test_au_premier_exercice_l_a_nouveau_detaille_fait_les_postes():
    reste, lot = ouverts(
        Fec().a_nouveau("C1", "F900", "100", "A").a_nouveau("C1", "F901", "70").reglement("C1", "100", "A")
    )
    assert reste == {"F901": D("70.00")}
    assert par_type(lot)[1][0].numero_reel


def test_un_a_nouveau_sans_piece_porte_son_libelle():
    _, lot = ouverts(Fec().a_nouveau("C1", "sans", "100"))
    assert par_type(lot)[1][0].numero == "à-nouveau du 01/01/2025 : Libellé sans"


def test_un_a_nouveau_crediteur_est_a_imputer():
    reste, lot = ouverts(Fec().a_nouveau("C1", "sans", "-56.03"))
    assert list(reste.values()) == [D("-56.03")] and len(par_type(lot)[3]) == 1


def test_un_reglement_lettre_contre_l_exercice_precedent_s_impute_sur_l_a_nouveau_global():
    reste, lot = ouverts(Fec().a_nouveau("C1", "sans", "500").reglement("C1", "120", "A").reglement("C1", "80", "B"))
    assert list(reste.values()) == [D("300.00")]
    assert lot.inexpliques == []


def test_sur_un_a_nouveau_detaille_seul_le_montant_egal_est_rapproche():
    fec = (
        Fec()
        .a_nouveau("C1", "F1", "100")
        .a_nouveau("C1", "F2", "70")
        .reglement("C1", "70", "A")
        .reglement("C1", "20", "B")
    )
    reste, lot = ouverts(fec)
    assert reste == {"F1": D("100.00"), "écriture BQ 4": D("-20.00")}
    assert [i.montant for i in lot.inexpliques] == [D("-20.00")]


def deux_exercices() -> Fec:
    return (
        Fec()
        .vente("C1", "F1", "100", quand="20240310")
        .vente("C1", "F2", "70", quand="20241210")
        .vente("C2", "F3", "50", "A", quand="20240310")
        .reglement("C2", "50", "A", quand="20240410")
    )


def test_dans_un_fichier_de_deux_exercices_la_reprise_n_est_pas_une_nouvelle_facture():
    fec = deux_exercices().a_nouveau("C1", "F1", "100").a_nouveau("C1", "F2", "70", "B").reglement("C1", "70", "B")
    reste, lot = ouverts(fec)
    assert reste == {"F1": D("100.00")}
    assert lot.soldes == {"C1": D("100.00"), "C2": D("0.00")}
    assert [f.numero for f in par_type(lot)[1]] == ["F1", "F2", "F3"] and all(f.numero_reel for f in par_type(lot)[1])
    assert (lot.faits["reprises"], lot.inexpliques) == (2, [])


def test_une_reprise_en_un_seul_solde_garde_le_detail_de_l_exercice_precedent():
    fec = deux_exercices().a_nouveau("C1", "sans", "170").reglement("C1", "100", "B")
    reste, lot = ouverts(fec)
    assert reste == {"F2": D("70.00")}
    assert [f.numero for f in par_type(lot)[1]] == ["F1", "F2", "F3"]


def test_un_ecart_entre_cloture_et_a_nouveau_est_un_poste_explicite():
    fec = deux_exercices().vente("C3", "F4", "10", quand="20240501").a_nouveau("C3", "sans", "10")
    reste, lot = ouverts(fec.a_nouveau("C1", "sans", "180"))
    assert reste == {
        "F1": D("100.00"),
        "F2": D("70.00"),
        "F4": D("10.00"),
        "écart d'à-nouveau au 01/01/2025": D("10.00"),
    }
    assert [(i.nature, i.montant) for i in lot.inexpliques] == [("a_nouveau", D("10.00"))]


def test_ce_que_l_a_nouveau_ne_reprend_plus_est_solde_par_un_ecart_nomme():
    fec = deux_exercices().vente("C3", "F4", "10", quand="20240501").a_nouveau("C3", "sans", "10")
    reste, lot = ouverts(fec.a_nouveau("C1", "F1", "100").a_nouveau("C1", "F9", "5"))
    assert reste == {"F1": D("100.00"), "F9": D("5.00"), "F4": D("10.00")}
    assert sorted(i.montant for i in lot.inexpliques) == [D("-70.00"), D("5.00")]


def test_des_lignes_hors_exercice_ne_font_pas_de_l_a_nouveau_une_reprise():
    fec = Fec().vente("C9", "F0", "33", quand="20241230").a_nouveau("C1", "F1", "100").a_nouveau("C2", "F2", "50")
    reste, lot = ouverts(fec)
    assert reste == {"F0": D("33.00"), "F1": D("100.00"), "F2": D("50.00")}
    assert any("hors exercice" in a for a in lot.avertissements)


def connu(cle, montant, reste, piece, client="C1", jour=date(2024, 3, 10)):
    return Poste(
        cle, client, True, D(montant), D(reste), jour, Nature.VENTE, piece=piece, numero=piece, numero_reel=True
    )


def test_l_exercice_suivant_reprend_les_postes_deja_importes():
    connus = [
        connu("FEC:20240310:VE:1:1", "100.00", "100.00", "F1"),
        connu("FEC:20241210:VE:2:1", "70.00", "40.00", "F2"),
    ]
    fec = Fec().a_nouveau("C1", "F1", "100", "B").a_nouveau("C1", "F2", "40").reglement("C1", "100", "B")
    lot = _avec_connus(fec, connus)
    assert par_type(lot)[1] == [] and lot.inexpliques == []
    (imputation,) = par_type(lot)[4]
    assert (imputation.cle_echeance, imputation.montant) == ("FEC:20240310:VE:1:1", D("100.00"))
    assert lot.soldes == {"C1": D("40.00")}


def test_une_piece_connue_reprise_pour_moins_a_ete_reglee_entre_temps():
    lot = _avec_connus(
        Fec().a_nouveau("C1", "F1", "60").a_nouveau("C1", "F2", "9"), [connu("FEC:x", "100.00", "100.00", "F1")]
    )
    assert [(f.numero, f.montant_ttc) for f in par_type(lot)[1]] == [("F2", D("9.00"))]
    assert [(i.cle_echeance, i.montant) for i in par_type(lot)[4]] == [("FEC:x", D("40.00"))]
    assert lot.soldes == {"C1": D("69.00")} and sorted(i.montant for i in lot.inexpliques) == [D("-40.00"), D("9.00")]


def test_sans_a_nouveau_les_postes_connus_restent_dus():
    lot = _avec_connus(Fec().reglement("C1", "100", "B"), [connu("FEC:x", "100.00", "100.00", "F1")])
    assert [(i.cle_echeance, i.montant) for i in par_type(lot)[4]] == [("FEC:x", D("100.00"))]
    assert lot.soldes == {"C1": D("0.00")}


def _avec_connus(fec, connus):
    from factures.imports.fichier import examiner_fichier
    from factures.imports.lecteurs import lire_seul

    lot = lire_seul(
        examiner_fichier(fec.texte().encode(), "x.txt"), echeance_de=trente_jours, connus=lambda jour: connus
    )
    lot.elements = list(lot.elements)
    return lot


def test_des_lignes_sans_auxiliaire_dans_un_compte_qui_en_a_sont_a_ventiler():
    reste, lot = ouverts(Fec().vente("C1", "F1", "100").a_nouveau("", "sans", "900"))
    assert sum(reste.values()) == D("1000.00")
    assert [(i.nature, i.code_client, i.montant) for i in lot.inexpliques] == [("collectif", "411000", D("900.00"))]


# --- Propriétés ------------------------------------------------------------------------------

_ligne = st.tuples(
    st.integers(0, 900),  # jour
    st.sampled_from(["C1", "C2"]),
    st.sampled_from(["411000", "411000", "416000"]),
    st.sampled_from(["F1", "F2", "VE 0125", "sans", ""]),
    st.integers(-3, 3).filter(bool),
    st.sampled_from(["", "", "A", "B"]),
    st.sampled_from([None, 30, 60]),
    st.sampled_from(list(Nature)),
    st.integers(1, 6),  # écriture
)


@settings(max_examples=300)
@given(st.lists(_ligne, max_size=14), st.lists(st.tuples(st.sampled_from(["C1", "C3"]), st.integers(1, 3)), max_size=3))
def test_le_solde_de_chaque_client_est_toujours_celui_de_la_comptabilite(lignes, connus):
    """Quel que soit le désordre : Σ restes dus − Σ crédits libres = solde, et rien n'est imputé deux fois."""
    debut = date(2024, 1, 1)
    construites = [
        Ligne(
            rang, "AN" if nature is Nature.A_NOUVEAU else "X", str(ecriture),
            debut + timedelta(366 * (jour // 400) if nature is Nature.A_NOUVEAU else jour), compte, client, piece, None,
            piece, D(montant), lettrage, debut + timedelta(let) if let and lettrage else None, nature, f"E{ecriture}",
            f"K{rang}",
        )
        for rang, (jour, client, compte, piece, montant, lettrage, let, nature, ecriture) in enumerate(lignes)
    ]  # fmt: skip
    postes = [
        connu(f"FEC:{i}", montant, montant, f"F{i}", client, date(2023, 6, 1))
        for i, (client, montant) in enumerate(connus)
    ]
    sortie = reconstruire(construites, echeance_de=trente_jours, connus=postes)
    par_client: dict[str, Decimal] = defaultdict(Decimal)
    imputes: dict[str, Decimal] = defaultdict(Decimal)
    for p in sortie.postes:
        par_client[p.client] += p.signe
        assert 0 <= p.reste <= p.montant
    assert all(par_client[c] == solde for c, solde in sortie.soldes.items())
    for i in sortie.imputations:
        assert i.montant > 0
        imputes[i.debit] += i.montant
        imputes[i.credit] += i.montant
    assert all(imputes[p.cle] <= p.montant for p in sortie.postes)
    assert {p.cle for p in sortie.postes if p.reste < p.montant and not p.connu} <= imputes.keys()
    assert len({p.cle for p in sortie.postes}) == len(sortie.postes)
    couples = [(i.debit, i.credit) for i in sortie.imputations]
    assert len(couples) == len(set(couples))
    if not any(x.nature is Nature.A_NOUVEAU for x in construites):
        attendu: dict[str, Decimal] = defaultdict(Decimal)
        for x in construites:
            attendu[x.client] += x.solde
        for p in postes:
            attendu[p.client] += p.montant
        assert {c: s for c, s in sortie.soldes.items() if s} == {c: s for c, s in attendu.items() if s}
