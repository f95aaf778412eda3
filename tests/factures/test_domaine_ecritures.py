"""Les écritures du recouvrement : chacune s'équilibre, aux comptes du PCG, et rien ne s'invente (droit.md § 10)."""

from datetime import date
from decimal import Decimal as D

import pytest
from hypothesis import given
from hypothesis import strategies as st

from factures.domaine.ecritures import (
    COLONNES_FEC,
    CompteAbsent,
    Comptes,
    FaitAccessoires,
    FaitDouteux,
    FaitReduction,
    Tiers,
    Usage,
    accessoires,
    douteux,
    rangees_fec,
    reduction,
)

LE, REPRIS = date(2026, 6, 30), date(2026, 9, 1)
TIERS = Tiers("C1", "Durand")
COMPTES = Comptes({Usage.INTERETS: "763800", Usage.INDEMNITE: "758800"})


def lignes(ecriture):
    return [(x.compte, x.debit, x.credit, x.tiers and x.tiers.code) for x in ecriture.lignes]


def fait(**champs):
    defaut = {"reste": D("1200.00"), "part_ht": D("1000") / D("1200"), "taux": D("50")}
    return FaitDouteux("K", TIERS, "F1", date(2026, 1, 2), LE, **(defaut | champs))


def test_le_passage_en_douteux_porte_le_ttc_et_la_depreciation_le_ht():
    passage, depreciation = douteux(fait(), COMPTES)
    assert lignes(passage) == [("416000", D("1200.00"), D(0), "C1"), ("411000", D(0), D("1200.00"), "C1")]
    assert lignes(depreciation) == [("681740", D("500.00"), D(0), None), ("491000", D(0), D("500.00"), None)]


def test_la_reprise_rend_ce_qui_reste_et_toute_la_depreciation():
    ecritures = douteux(fait(repris_le=REPRIS, reste_a_la_reprise=D("200.00")), COMPTES)
    assert [e.cle for e in ecritures] == ["K:416", "K:491", "K:R491", "K:R416"]
    assert lignes(ecritures[2]) == [("491000", D("500.00"), D(0), None), ("781740", D(0), D("500.00"), None)]
    assert lignes(ecritures[3]) == [("411000", D("200.00"), D(0), "C1"), ("416000", D(0), D("200.00"), "C1")]


def test_sans_depreciation_ni_reste_rien_ne_s_ecrit():
    assert douteux(fait(taux=D(0), reste=D("0.00")), COMPTES) == []
    assert [e.cle for e in douteux(fait(repris_le=REPRIS), COMPTES)] == [
        "K:416",
        "K:491",
        "K:R491",
    ]  # payée entre-temps


def test_penalites_et_indemnite_percues_sont_des_produits_du_client():
    ecriture = accessoires(FaitAccessoires("A", TIERS, "VIR 1", LE, D("12.34"), D("40.00")), COMPTES)
    assert lignes(ecriture) == [
        ("411000", D("52.34"), D(0), "C1"), ("763800", D(0), D("12.34"), None), ("758800", D(0), D("40.00"), None)
    ]  # fmt: skip


def test_un_compte_que_la_societe_n_a_pas_donne_se_nomme():
    with pytest.raises(CompteAbsent) as absent:
        accessoires(FaitAccessoires("A", TIERS, "VIR", LE, D("1.00"), D("0.00")), Comptes({}))
    assert absent.value.usages == [Usage.INTERETS]
    # Sans intérêts, leur compte n'est pas demandé.
    comptes = Comptes({Usage.INDEMNITE: "758800"})
    assert accessoires(FaitAccessoires("A", TIERS, "VIR", LE, D("0.00"), D("40.00")), comptes) is not None


def test_l_escompte_reduit_aussi_la_tva():
    ecriture = reduction(FaitReduction("R", "escompte", TIERS, "F1", LE, D("24.00"), D(1000) / D(1200)), COMPTES)
    assert lignes(ecriture) == [
        ("665000", D("20.00"), D(0), None), ("445710", D("4.00"), D(0), None), ("411000", D(0), D("24.00"), "C1")
    ]  # fmt: skip


@pytest.mark.parametrize(("nature", "compte"), [("ecart", "658000"), ("frais", "627000")])
def test_ecarts_et_frais(nature, compte):
    ecriture = reduction(FaitReduction("R", nature, TIERS, "F1", LE, D("0.03")), COMPTES)
    assert [x.compte for x in ecriture.lignes] == [compte, "411000"]


def test_une_nature_inconnue_ou_un_montant_nul_se_refuse():
    with pytest.raises(ValueError):
        reduction(FaitReduction("R", "avoir", TIERS, "F1", LE, D("1.00")), COMPTES)
    with pytest.raises(ValueError):
        reduction(FaitReduction("R", "ecart", TIERS, "F1", LE, D("0.00")), COMPTES)


CENTIMES = st.integers(1, 10**9).map(lambda c: D(c) / 100)


@given(reste=CENTIMES, ht=st.integers(0, 100), taux=st.integers(0, 100), rendu=CENTIMES)
def test_toute_ecriture_s_equilibre(reste, ht, taux, rendu):
    faits = fait(reste=reste, part_ht=D(ht) / 100, taux=D(taux), repris_le=REPRIS, reste_a_la_reprise=rendu)
    ecritures = douteux(faits, COMPTES)
    ecritures.append(reduction(FaitReduction("R", "escompte", TIERS, "F1", LE, reste, D(ht) / 100), COMPTES))
    ecritures.append(accessoires(FaitAccessoires("A", TIERS, "V", LE, reste, rendu), COMPTES))
    assert all(e.equilibree for e in ecritures)
    assert all((x.debit > 0) != (x.credit > 0) for e in ecritures for x in e.lignes)


def test_les_lignes_ont_la_forme_du_fec():
    rangees = list(rangees_fec(douteux(fait(), COMPTES), {"416000": "Clients douteux"}))
    assert len(rangees) == 4 and {len(r) for r in rangees} == {len(COLONNES_FEC)} == {18}
    premiere = dict(zip(COLONNES_FEC, rangees[0], strict=True))
    assert (premiere["EcritureDate"], premiere["Debit"], premiere["Credit"]) == ("20260630", "1200,00", "0,00")
    assert (premiere["CompteNum"], premiere["CompteLib"], premiere["CompAuxNum"]) == ("416000", "Clients douteux", "C1")
