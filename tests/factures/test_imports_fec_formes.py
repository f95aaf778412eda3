"""Formes du FEC : XML, BNC à 22 colonnes, retenue de garantie, comptes qui ne sont pas des clients, corrections."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from factures.domaine.fec_corrections import semble_un_mode
from factures.imports.texte import FichierRefuse
from tests.factures.fec_essai import ENTETE, Fec, lire_octets, par_type, restes, soldes_reconstitues

D = Decimal
A_L_ECRITURE = "PieceRef PieceDate EcritureLib EcritureLet DateLet ValidDate".split()
A_LA_LIGNE = "CompteNum CompteLib CompAuxNum CompAuxLib Montantdevise Idevise".split()


def en_xml(fec: Fec, entete="", sens=False) -> bytes:
    """Le même FEC, écriture par écriture ; le lettrage est celui de la ligne client."""
    ecritures: dict = {}
    for ligne in fec.lignes:
        ecritures.setdefault((ligne[0], ligne[2]), []).append(dict(zip(ENTETE, ligne, strict=True)))
    corps = []
    for lignes in ecritures.values():
        tete = next((x for x in lignes if x["EcritureLet"]), lignes[0])
        balises = "".join(f"<{n}>{tete[n]}</{n}>" for n in ("EcritureNum", "EcritureDate", *A_L_ECRITURE) if tete[n])
        for x in lignes:
            balises += "<ligne>" + "".join(f"<{n}>{x[n]}</{n}>" for n in A_LA_LIGNE if x[n])
            zone = "Debit" if x["Debit"] != "0,00" else "Credit"
            montant = x[zone].replace(",", ".")
            balises += f"<Montant>{montant}</Montant><Sens>{zone[0]}</Sens>" if sens else f"<{zone}>{montant}</{zone}>"
            balises += "</ligne>"
        journal = f"<JournalCode>{tete['JournalCode']}</JournalCode><JournalLib>{tete['JournalLib']}</JournalLib>"
        corps.append(f"<journal>{journal}<ecriture>{balises}</ecriture></journal>")
    texte = f"<comptabilite><exercice><DateCloture>2025-12-31</DateCloture>{''.join(corps)}</exercice></comptabilite>"
    return f'<?xml version="1.0" encoding="UTF-8"?>{entete}{texte}'.encode()


def exemple() -> Fec:
    return (
        Fec()
        .a_nouveau("C2", "F0", "70")
        .vente("C1", "F1", "100", "A", quand="20250110")
        .reglement("C1", "100", "A", quand="20250220")
        .vente("C1", "F2", "60.55", quand="20250301")
    )


@pytest.mark.parametrize("sens", [False, True])
def test_la_forme_xml_donne_les_memes_postes_que_la_forme_plate(sens):
    plat, xml = exemple().lire(), lire_octets(en_xml(exemple(), sens=sens), "123456789FEC20251231.xml")
    assert xml.format == "fec" and xml.soldes == plat.soldes and restes(xml) == restes(plat)
    assert [f.cle_source for f in par_type(xml)[1]] == [f.cle_source for f in par_type(plat)[1]]
    assert xml.faits["lignes_client"] == plat.faits["lignes_client"]


@pytest.mark.parametrize(
    ("octets", "dit"),
    [
        (en_xml(exemple())[:-60], "mal formé ou tronqué"),
        (en_xml(exemple(), entete='<!DOCTYPE c [<!ENTITY a "aaaa">]>'), "DTD"),
        (en_xml(exemple()).replace(b"<comptabilite>", b"<x><comptabilite>"), "<comptabilite>"),
        (en_xml(exemple()).replace(b"<comptabilite>", b'<comptabilite xmlns="urn:x}y">'), "mal formé"),
        (b"<comptabilite>" + b"<a>" * 50, "imbrication"),
        (en_xml(exemple()).replace(b"<Debit>100.00", b"<Debit>101.00"), "déséquilibré"),
        (b"<comptabilite><exercice/></comptabilite>", "aucune écriture"),
    ],
)
def test_un_fec_xml_mauvais_est_refuse_par_une_phrase(octets, dit):
    with pytest.raises(FichierRefuse) as refus:
        lire_octets(octets, "fec.xml", "fec")
    assert dit in str(refus.value)


def test_une_date_impossible_dans_le_xml_est_un_rejet():
    octets = en_xml(exemple()).replace(b"<EcritureDate>20250301", b"<EcritureDate>20250231")
    assert {r.champ for r in lire_octets(octets, "fec.xml").rejets} == {"EcritureDate"}


def bnc(fec: Fec, regles: dict) -> bytes:
    """22 colonnes, sans auxiliaire : le client est à la dernière. regles : {n° d'écriture: (date, mode)}."""
    lignes = ["\t".join([*ENTETE, "DateRglt", "ModeRglt", "NatOp", "IdClient"])]
    for x in fec.lignes:
        client, x = x[6], [*x]
        x[6] = x[7] = ""
        quand, mode = regles.get(x[2], ("", ""))
        lignes.append("\t".join([*x, quand, mode, "Honoraires", client]))
    return ("\r\n".join(lignes) + "\r\n").encode("iso8859-15")


def test_vingt_deux_colonnes_nomment_le_client_et_le_mode():
    fec = Fec().vente("DURAND", "N1", "80").reglement("DURAND", "30", quand="20250301").vente("PETIT", "N2", "50")
    lot = lire_octets(bnc(fec, {"2": ("20250301", "CHQ 1234")}), "123456789FEC20251231.txt")
    clients, factures, _, encaissements, _ = par_type(lot)
    assert {c.code for c in clients} == {"DURAND", "PETIT"} and lot.faits["colonnes"] == 22
    assert [(e.mode, e.date) for e in encaissements] == [("cheque", date(2025, 3, 1))]
    assert lot.soldes == {"DURAND": D("50.00"), "PETIT": D("50.00")}


def test_une_comptabilite_de_tresorerie_est_refusee_avec_un_conseil():
    fec = Fec().ecriture([("512000", "", "X", "80", ""), ("706000", "", "X", "-80", "")])
    with pytest.raises(FichierRefuse, match="comptabilité de trésorerie"):
        lire_octets(bnc(fec, {}), "x.txt")


def test_une_retenue_de_garantie_est_due_un_an_plus_tard():
    lignes = [
        ("411000", "C1", "F1", "95", ""), ("411700", "C1", "F1", "5", ""), ("706000", "", "F1", "-100", ""),
    ]  # fmt: skip
    lot = Fec().ecriture(lignes, journal="VE", libelle="Ventes", quand="20250115").lire()
    echeances = {f.montant_ttc: f.date_echeance for f in par_type(lot)[1]}
    jour = date(2025, 1, 15)
    assert echeances == {D("95.00"): jour + timedelta(30), D("5.00"): jour + timedelta(365)}
    assert any("retenue de garantie" in a for a in lot.avertissements)


@pytest.mark.parametrize(
    ("code", "nom", "mode"),
    [
        ("411CB", "Clients carte", True), ("411COMPTOIR", "x", True), ("41100", "VENTES COMPTOIR", True),
        ("9DIVERS", "Clients divers", True), ("C001", "Chèques", True), ("411MARTIN", "Martin SA", False),
        ("411VIREY", "Virey", False), ("CB0012", "C.B. Constructions", False), ("DIVERSEY", "Diversey", False),
    ],
)  # fmt: skip
def test_un_mode_de_paiement_se_reconnait(code, nom, mode):
    assert semble_un_mode(code, nom) is mode


def test_un_compte_qui_n_est_pas_un_client_s_ecarte_sans_changer_les_cles():
    fec = Fec().vente("C1", "F1", "100").vente("411CB", "T1", "40").vente("C1", "F2", "10")
    tout = fec.lire()
    par_code = {x["code"]: x for x in tout.faits["par_client"]}
    assert par_code["411CB"]["mode"] and not par_code["C1"]["mode"]
    lot = lire_octets(fec.texte().encode(), "f.txt", corrections={"non_clients": ["411CB"]})
    assert lot.soldes == {"C1": D("110.00")}
    assert {f.cle_source for f in par_type(lot)[1]} < {f.cle_source for f in par_type(tout)[1]}
    assert any("411CB écarté" in a and "40,00" in a for a in lot.avertissements)
    assert [x["code"] for x in lot.faits["par_client"] if x["ecarte"]] == ["411CB"]


def test_les_conditions_corrigees_font_l_echeance_et_la_fiche():
    lot = lire_octets(exemple().texte().encode(), "f.txt", corrections={"conditions": {"C1": "60J"}})
    clients, factures, *_ = par_type(lot)
    assert {f.numero: f.date_echeance for f in factures}["F2"] == date(2025, 3, 1) + timedelta(60)
    assert {c.code: c.valeurs.get("conditions") for c in clients} == {"C1": "60J", "C2": None}


def test_un_auxiliaire_se_rattache_a_une_fiche_existante():
    fec = Fec().vente("411DUP", "F1", "100").vente("DUPONT", "F2", "10")
    lot = lire_octets(fec.texte().encode(), "f.txt", corrections={"fiches": {"411DUP": "DUPONT"}})
    assert lot.soldes == {"DUPONT": D("110.00")}


def test_un_collectif_se_ventile_ligne_a_ligne():
    fec = Fec().vente("", "F1", "100").vente("C1", "F2", "10")
    lot = fec.lire()
    (ligne,) = lot.faits["a_ventiler"]
    assert (ligne["compte"], ligne["montant"]) == ("411000", "100.00")
    assert next(x for x in lot.faits["par_client"] if x["code"] == "411000")["collectif"]
    lot = lire_octets(fec.texte().encode(), "f.txt", corrections={"ventiler": {ligne["cle"]: "C7"}})
    assert lot.soldes == {"C1": D("10.00"), "C7": D("100.00")} and lot.inexpliques == []


def test_la_reference_de_piece_peut_etre_dite_un_regroupement():
    octets = exemple().texte().encode()
    assert any(f.numero_reel for f in par_type(lire_octets(octets, "f.txt"))[1])
    assert not any(
        f.numero_reel for f in par_type(lire_octets(octets, "f.txt", corrections={"pieces": "regroupement"}))[1]
    )


@pytest.mark.parametrize(
    "corrections", [{"conditions": "x"}, {"non_clients": 3}, {"fiches": {"C1": None}}, {"pieces": 1}]
)
def test_des_corrections_mal_formees_ne_font_rien(corrections):
    assert lire_octets(exemple().texte().encode(), "f.txt", corrections=corrections).soldes == exemple().lire().soldes


def test_un_code_de_lettrage_reemploye_se_dit():
    fec = (
        Fec()
        .vente("C1", "F1", "100", "A", let="20250201").reglement("C1", "100", "A", let="20250201")
        .vente("C1", "F2", "50", "A", let="20250601").reglement("C1", "40", "A", let="20250601")
    )  # fmt: skip
    (ligne,) = fec.lire().faits["par_client"]
    assert ligne["reemplois"] == 1 and (ligne["solde"], ligne["ouvert"]) == ("10.00", "10.00")


@pytest.mark.parametrize("montant", ["1 234,56", "1234.56", "1234,56", "0001234,56", "1\xa0234,56"])
def test_les_montants_se_lisent_de_toute_facon(montant):
    texte = Fec().vente("C1", "F1", "1234.56").texte().replace("1234,56", montant)
    assert lire_octets(texte.encode(), "f.txt").soldes == {"C1": D("1234.56")}


@pytest.mark.parametrize("encodage", ["iso8859-15", "cp850", "utf-8-sig", "utf-8"])
def test_les_encodages_d_un_fec(encodage):
    fec = Fec().vente("C1", "F1", "10").vente("C2", "F2", "20")
    texte = fec.texte().replace("Client C1", "Société Générée n° 3")
    lot = lire_octets(texte.encode(encodage), "f.txt")
    assert par_type(lot)[0][0].valeurs["raison_sociale"] == "Société Générée n° 3"


def test_l_ebcdic_est_refuse_en_le_disant():
    with pytest.raises(FichierRefuse, match="EBCDIC"):
        lire_octets(exemple().texte().encode("cp500"), "f.txt")


def test_sans_date_de_validation_ni_lettrage_le_fichier_se_lit():
    fec = exemple()
    for ligne in fec.lignes:
        ligne[14] = ligne[15] = ""
    assert fec.lire().soldes == exemple().lire().soldes


LIGNES = st.lists(
    st.tuples(
        st.sampled_from(["C1", "C2", "411CB", ""]), st.integers(-90, 90).filter(bool),
        st.sampled_from(["", "A", "B"]), st.integers(1, 28), st.sampled_from(["411000", "411700", "416000"]),
        st.sampled_from(["VE", "BQ", "AN", "OD"]),
    ),
    min_size=1,
    max_size=12,
)  # fmt: skip


@given(lignes=LIGNES, xml=st.booleans(), ecarter=st.booleans(), rattacher=st.booleans())
@settings(max_examples=80, deadline=None)
def test_propriete_tout_fec_equilibre_tombe_sur_ses_soldes(lignes, xml, ecarter, rattacher):
    fec, attendus = Fec(), {}
    contrepartie = {"VE": "706000", "BQ": "512000", "AN": "890000", "OD": "467000"}
    for client, montant, lettrage, jour, compte, journal in lignes:
        jour = 1 if journal == "AN" else max(jour, 2)  # un à-nouveau au milieu reprendrait ce qui le précède
        fec.ecriture(
            [(compte, client, "P", str(montant), lettrage), (contrepartie[journal], "", "P", str(-montant), "")],
            journal=journal, quand=f"202503{jour:02}",
        )  # fmt: skip
        code = client or compte
        if ecarter and code == "411CB":
            continue
        code = "C1" if rattacher and code == "C2" else code
        attendus[code] = attendus.get(code, D(0)) + montant
    corrections = {"non_clients": ["411CB"] if ecarter else [], "fiches": {"C2": "C1"} if rattacher else {}}
    octets = en_xml(fec) if xml else fec.texte().encode()
    try:
        lot = lire_octets(octets, "f", corrections=corrections)
    except FichierRefuse as refus:
        assert not attendus and "écartés" in str(refus)
        return
    # Un douteux sans auxiliaire peut revenir au client qu'une même écriture crédite : rien de tel ici.
    assert {c: s for c, s in lot.soldes.items() if s} == {c: s for c, s in attendus.items() if s}
    assert {c: s for c, s in soldes_reconstitues(lot).items() if s} == {c: s for c, s in lot.soldes.items() if s}
    assert all(x["solde"] == x["ouvert"] for x in lot.faits["par_client"] if not x["ecarte"])


@pytest.mark.parametrize("jours", [("20210131", "20210228", "20210331"), ("20210131", "20210228")])
def test_un_a_nouveau_detaille_garde_chaque_piece(jours):
    """« A Nouveaux Détaillés » date chaque pièce de son jour : deux loyers égaux ne sont pas un report du premier."""
    fec = Fec()
    for rang, quand in enumerate(jours):
        fec.a_nouveau("C1", f"F{rang}", "100" if rang < 2 else "200", quand=quand, num="1")
    lot = fec.vente("C1", "F9", "300", quand="20220131").lire(nom="123456789FEC20221231.txt")
    assert sum(restes(lot).values()) == sum(D(x.replace(",", ".")) for x in ("100", "100", "200")[: len(jours)]) + 300
    assert len([a for a in lot.avertissements if "à-nouveau du" in a]) <= 1
