"""Les lecteurs de relevés, format par format : ce que disent les normes, et ce que font les banques."""

from datetime import date
from decimal import Decimal

import pytest

from factures.domaine.banque_chaine import Maillon, chainer
from factures.domaine.banque_textes import cle_compte, iban_valide, montant_pointe, montant_surcharge
from factures.imports.fichier import examiner_fichier
from factures.imports.lecteurs import lire_seul, reconnaitre
from factures.imports.lot import MouvementLu, ReleveLu
from factures.imports.texte import FichierRefuse
from tests.factures.releves_essai import CSV, IBAN, camt, cfonb, mt940, ntry, ofx, surcharge, tx

AUTRE = "FR1420041010050500013M02606"


def lire(texte, format="", nom="releve", **savoir):
    octets = texte if isinstance(texte, bytes) else texte.encode()
    lot = lire_seul(examiner_fichier(octets, nom), format, **savoir)
    elements = list(lot.elements)
    return lot, [e for e in elements if isinstance(e, ReleveLu)], [e for e in elements if isinstance(e, MouvementLu)]


def refus(texte, format="") -> str:
    with pytest.raises(FichierRefuse) as erreur:
        lire(texte, format)
    return str(erreur.value)


# --- Montants et identifiants -------------------------------------------------------------------


@pytest.mark.parametrize("montant", ["0.00", "-190.40", "97.49", "-0.01", "12345678901.23"])
def test_le_montant_surcharge_fait_l_aller_retour(montant):
    assert montant_surcharge(surcharge(montant), 2) == Decimal(montant)


def test_le_montant_surcharge_suit_le_nombre_de_decimales():
    assert montant_surcharge("0000000000150{", 0) == Decimal("1500.00")
    assert montant_surcharge("0000000000150{", 3) == Decimal("1.50")
    for faux, decimales in (("0000000000150A", 3), ("000000000015X{", 2), ("", 2), ("              ", 2)):
        with pytest.raises(ValueError):
            montant_surcharge(faux, decimales)


def test_le_montant_pointe_refuse_le_millieme():
    assert montant_pointe("8.850") == Decimal("8.85")
    assert montant_pointe("5442.09000") == Decimal("5442.09")
    for faux in ("8.855", "1,5", "1e3", "", "١٢", "99999999999999999", "NaN"):
        with pytest.raises(ValueError):
            montant_pointe(faux)


def test_un_iban_francais_et_son_rib_designent_le_meme_compte():
    assert iban_valide(IBAN) and not iban_valide(IBAN[:-1] + "0")
    assert cle_compte("FR76 3000 6000 0112 3456 7890 189") == cle_compte("300060000112345678901")
    assert cle_compte("DE14740618130000033626") == "DE14740618130000033626"


# --- CFONB --------------------------------------------------------------------------------------


def test_cfonb_complements_blancs_perdus_et_fins_de_ligne_melees():
    texte = cfonb(
        [("B3", "-50.00", "PRLV SEPA IMPAYE")],
        details=[
            ("NPY", "DURAND SA"), ("LCC", "FACTURE F-9"), ("RCN", f"{'E2E-1':<35}PRELEVEMENT"), ("RET", "AM04SOLDE"),
            ("MMO", "USD200000000005500"), ("CPY", IBAN), ("ZZZ", "INCONNU"),
        ],
    ).replace("\n", " \r\n\n\r")  # fmt: skip
    texte = "\r\n".join(ligne.rstrip() for ligne in texte.split("\n"))
    lot, [releve], [m] = lire(texte)
    assert (lot.rejets, releve.solde_cloture) == ([], Decimal("50.00"))
    assert (m.montant, m.nature, m.reference, m.contrepartie) == (Decimal("-50.00"), "rejet", "E2E-1", "DURAND SA")
    assert m.motif_rejet == "AM04, provision insuffisante, SOLDE"
    assert m.libelle == "PRLV SEPA IMPAYE FACTURE F-9 PRELEVEMENT montant d'origine 55.00 USD"
    assert m.contrepartie_iban == IBAN and lot.faits["complements"] == 7


def test_cfonb_sans_fin_de_ligne_se_lit_par_cent_vingt():
    colle = "".join(f"{ligne:<120}" for ligne in cfonb([("05", "50.00", "A")]).splitlines())
    assert [m.montant for m in lire(colle)[2]] == [Decimal("50.00")]


def test_cfonb_nomme_la_ligne_de_chaque_defaut():
    texte = cfonb([("05", "50.00", "A"), ("05", "20.00", "B")]).splitlines()
    for rang, remplace, champ in (
        (2, texte[1][:34] + "310226" + texte[1][40:], "date d'opération"),
        (2, texte[1][:90] + "0000000000XX5{" + texte[1][104:], "montant"),
        (2, "99" + texte[1][2:], "code d'enregistrement"),
        (3, texte[2][:16] + "USD" + texte[2][19:], "devise"),
    ):
        lignes = list(texte)
        lignes[rang - 1] = remplace
        lot, *_ = lire("\n".join(lignes))
        assert (lot.rejets[0].ligne, lot.rejets[0].champ) == (rang, champ)
    assert lire("\n".join(texte[:-1]))[0].rejets[0].motif.startswith("Le dernier relevé n'a pas de nouveau solde")


def _240(*montants, total=None):
    compte = "300060000112345678901"
    tete = f"31000001{'08'}050126E    {compte}".ljust(240)
    lignes = [
        f"34{i:06d}08050126E    {compte}".ljust(42) + "DURAND SA".ljust(86) + "FACTURE F-9".ljust(100) + f"{m:012d}"
        for i, m in enumerate(montants, start=2)
    ]
    somme = sum(montants) if total is None else total
    return "\n".join([tete, *lignes, f"39000009{'08'}050126E    {compte}".ljust(228) + f"{somme:012d}"]) + "\n"


def test_cfonb240_se_lit_comme_des_rejets_et_jamais_comme_un_120():
    lot, [releve], [a, _b] = lire(_240(17120, 500))
    assert lot.format == "cfonb240" and not lot.rejets
    assert (a.montant, a.nature, a.contrepartie, a.code) == (Decimal("-171.20"), "rejet", "DURAND SA", "08")
    assert releve.solde_cloture is None
    assert "CFONB240" in refus(_240(17120), "cfonb120")
    assert "CFONB120" in refus(cfonb([]), "cfonb240")
    assert lire(_240(17120, total=1))[0].rejets[0].champ == "total"


# --- CAMT ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", ["02", "03", "04", "05", "06", "07", "08", "09", "10", "13"])
def test_camt_toutes_versions(version):
    lot, [releve], [m] = lire(camt([ntry(details=tx(iban=AUTRE))], cloture="150.00", version=version))
    assert (lot.faits["version"], releve.compte, m.montant) == (f"camt.053.001.{version}", IBAN, Decimal("50.00"))
    assert (m.libelle, m.contrepartie, m.contrepartie_iban, m.nature) == ("FACTURE F-12", "ACME", AUTRE, "virement")
    assert (m.reference, m.cle_banque) == ("", "REF1") and not lot.avertissements


def test_camt_espace_de_noms_prefixe_ou_absent():
    texte = camt([ntry(details=tx())], cloture="150.00")
    sans = texte.replace(" xmlns='urn:iso:std:iso:20022:tech:xsd:camt.053.001.02'", "")
    prefixe = (
        texte.replace("xmlns=", "xmlns:x=").replace("<Document", "<x:Document").replace("</Document", "</x:Document")
    )
    for variante in (sans, prefixe):
        assert len(lire(variante)[2]) == 1


def test_camt_ecriture_groupee_detaillee_ou_entiere():
    _lot, _r, mouvements = lire(camt([ntry("50.00", details=tx("20.00", nom="A") + tx("30.00", nom="B"))]))
    assert [(m.montant, m.contrepartie, m.cle_banque) for m in mouvements] == [
        (Decimal("20.00"), "A", "REF1#1"), (Decimal("30.00"), "B", "REF1#2")
    ]  # fmt: skip
    assert {m.remise for m in mouvements} == {"REF1"}
    lot, _r, [entier] = lire(camt([ntry("50.00", details=tx("20.00") + tx("31.00"))]))
    assert entier.montant == Decimal("50.00") and "un seul mouvement" in lot.avertissements[0]
    assert len(lire(camt([ntry("50.00", details=tx() + tx())]))[2]) == 1


def test_camt_retours_contre_passations_et_statuts():
    retour = tx(autres="<RtrInf><Rsn><Cd>MD06</Cd></Rsn></RtrInf>")
    _lot, _r, [m] = lire(camt([ntry("50.00", "DBIT", details=retour)]))
    assert (m.montant, m.nature) == (Decimal("-50.00"), "rejet")
    assert m.motif_rejet == "MD06, contesté par le débiteur" and m.contrepartie == "ACME"
    _lot, _r, [m] = lire(camt([ntry(sens="DBIT", plus="<RvslInd>true</RvslInd>", details=tx())]))
    assert (m.montant, m.nature) == (Decimal("-50.00"), "rejet")
    lot, _r, mouvements = lire(camt([ntry(statut="PDNG"), ntry(statut="<Cd>INFO</Cd>"), ntry(statut="<Cd>BOOK</Cd>")]))
    assert len(mouvements) == 1 and len([a for a in lot.avertissements if "laissées de côté" in a]) == 2


def test_camt_references_et_libelles_multiples():
    structuree = (
        "<RmtInf><Ustrd>LIGNE 1</Ustrd><Ustrd>LIGNE 2</Ustrd><Strd><RfrdDocInf><Nb>F-77</Nb></RfrdDocInf><CdtrRefInf>"
        "<Tp><CdOrPrtry><Cd>SCOR</Cd></CdOrPrtry></Tp><Ref>RF18539007547034</Ref></CdtrRefInf></Strd></RmtInf>"
    )
    final = "<RltdPties><UltmtDbtr><Nm>MAISON MERE</Nm></UltmtDbtr></RltdPties>"
    details = tx(bout="E2E").replace("<RmtInf><Ustrd>FACTURE F-12</Ustrd></RmtInf>", structuree)
    details = details.replace("</RltdPties>", final.removeprefix("<RltdPties>"))
    _lot, _r, [m] = lire(camt([ntry(details=details)]))
    assert m.reference == "RF18539007547034 F-77 E2E"
    assert m.libelle == "LIGNE 1 LIGNE 2 RF18539007547034 F-77 MAISON MERE" and m.contrepartie == "ACME"


@pytest.mark.parametrize(
    ("ecriture", "champ"),
    [
        (ntry("8.855"), "montant"), (ntry("-5.00"), "montant"), (ntry("1e5"), "montant"), (ntry(sens="X"), "sens"),
        (ntry().replace("2026-01-05", "2026-02-31"), "date"), (ntry() + ntry(devise="USD"), "devise"),
    ],
)  # fmt: skip
def test_camt_une_ecriture_illisible_est_nommee(ecriture, champ):
    lot, _r, _m = lire(camt([ecriture]))
    assert lot.rejets[0].champ == champ and lot.rejets[0].ligne >= 1 and lot.cles_rejetees


def test_camt_n_est_ni_052_ni_054_et_refuse_toute_dtd():
    for racine, dit in (("BkToCstmrAcctRpt", "camt.052"), ("BkToCstmrDbtCdtNtfctn", "camt.054")):
        autre = camt([ntry()]).replace("BkToCstmrStmt", racine)
        with pytest.raises(FichierRefuse, match=dit):
            reconnaitre(examiner_fichier(autre.encode(), "r.xml"))
    bombe = "<!DOCTYPE Document [<!ENTITY a 'aaaa'><!ENTITY b '&a;&a;&a;'>]>"
    assert "DTD" in refus(camt([ntry()]).replace("?><Doc", f"?>{bombe}<Doc"), "camt053")
    assert "DTD" in refus(camt([ntry()]).replace("?><Doc", f"?>{bombe}<Doc").encode("utf-16"), "camt053")
    assert "mal formé à la ligne" in refus(camt([ntry()])[:-40], "camt053")
    assert "mal formé" in refus("<?xml version='1.0'?><Document><BkToCstmrStmt>" + "<a>" * 5_000, "camt053")


# --- OFX ----------------------------------------------------------------------------------------


def test_ofx_encodage_virgule_fuseau_et_entites():
    texte = ofx([("20260105233000[-5:EST]", "-1 234,56", "A", "CAFÉ &amp; CIE")])
    for octets, encodage in ((texte.encode(), "utf-8"), (texte.encode("cp1252"), "cp1252")):
        lot, [releve], [m] = lire(octets)
        assert (lot.encodage, m.libelle, m.montant, m.date) == (
            encodage,
            "CAFÉ & CIE",
            Decimal("-1234.56"),
            date(2026, 1, 5),
        )
        assert releve.compte == "300060000112345678901" and releve.solde_cloture == Decimal("150.00")


def test_ofx_2_carte_et_cdata():
    texte = (
        '<?xml version="1.0"?><?OFX OFXHEADER="200" VERSION="211"?><OFX><CREDITCARDMSGSRSV1><CCSTMTTRNRS><CCSTMTRS>'
        "<CURDEF>EUR</CURDEF><CCACCTFROM><ACCTID>4970XXXX</ACCTID></CCACCTFROM><BANKTRANLIST><STMTTRN><"
        "TRNTYPE>POS</TRNTYPE>"
        "<DTPOSTED>20260105</DTPOSTED><TRNAMT>-8.850</TRNAMT><FITID>1</FITID><PAYEE><NAME>RESTO</NAME></PAYEE>"
        "<MEMO><![CDATA[DÎNER & CO]]></MEMO></STMTTRN></BANKTRANLIST></CCSTMTRS></CCSTMTTRNRS><"
        "/CREDITCARDMSGSRSV1></OFX>"
    )
    _lot, [releve], [m] = lire(texte)
    assert (releve.compte, m.montant, m.nature) == ("4970XXXX", Decimal("-8.85"), "carte")
    assert (m.contrepartie, m.libelle) == ("RESTO", "RESTO DÎNER & CO")


def test_ofx_refuse_la_dtd_et_nomme_la_ligne():
    assert "DTD" in refus("<!DOCTYPE a><OFX>" + ofx([]), "ofx")
    lot, _r, mouvements = lire(
        ofx([("20260105", "1.855", "A", "X"), ("2026", "5.00", "B", "Y"), ("20260105", "0", "C", "Z")])
    )
    assert [r.champ for r in lot.rejets] == ["montant (TRNAMT)", "date (DTPOSTED)"] and not mouvements
    assert "mégaoctet" in refus("OFXHEADER:100\n<OFX>" + "a" * 3_000_000, "ofx")


# --- MT940 --------------------------------------------------------------------------------------


def test_mt940_sens_annulations_et_dialectes():
    _lot, _r, mouvements = lire(
        mt940(
            [
                (
                    "2601050105C50,00NTRFNONREF//B1",
                    "166?00VIREMENT?20EREF+E2E-9?21SVWZ+FACTURE?22 F-12?32ACME?33 SAS?31" + AUTRE,
                ),
                ("260105RD5,00NTRFX", "ANNULATION D'UN DEBIT"),
                ("260105RC6,00NTRFX", "ANNULATION D'UN CREDIT"),
                ("260105D7,5NDDTX", f"/EREF/E2E-8/CNTP/{AUTRE}/BIC/DURAND//REMI/USTD//F-13/"),
            ]
        )
    )
    assert [m.montant for m in mouvements] == [Decimal(x) for x in ("50.00", "5.00", "-6.00", "-7.50")]
    a, _b, c, d = mouvements
    assert (a.reference, a.libelle, a.contrepartie, a.contrepartie_iban) == (
        "E2E-9",
        "VIREMENT FACTURE F-12",
        "ACME SAS",
        AUTRE,
    )
    assert (a.cle_banque, c.nature) == ("B1", "rejet")
    assert (d.reference, d.contrepartie, d.contrepartie_iban, d.libelle) == ("E2E-8", "DURAND", AUTRE, "F-13")


def test_mt940_fin_d_annee_et_fevrier_de_trente_jours():
    lot, _r, [a, b] = lire(mt940([("2601021231C1,00NTRFX", "A"), ("2602300301C1,00NTRFX", "B")]))
    assert (a.date, a.date_valeur) == (date(2025, 12, 31), date(2026, 1, 2))
    assert (b.date, b.date_valeur) == (date(2026, 3, 1), date(2026, 2, 28))
    assert any("30 février" in x for x in lot.avertissements)
    assert lire(mt940([("260431C1,00NTRFX", "A")]))[0].rejets[0].champ == "date"


def test_mt940_jour_en_blancs_zone_libre_et_solde_sans_devise():
    """Une banque écrit quatre blancs pour le jour ; MultiCash met le motif dans :NS: et tait la devise de clôture."""
    texte = (
        ":20:A\n:25:NL91ABNA0417164300\n:28C:7/1\n:NS:22MOI\n:60F:C260401EUR100,00\n"
        ":61:260402    D65,00NOVBREF1\nX\n:86:Y\n"
        ":61:2604030403CR80,00NTRF\n:NS:01Facture F12\n02et F13\n15DUPONT\n16 SARL\n:62F:C260403115,00\n-\n"
    )
    lot, releves, (debit, credit) = lire(texte)
    assert not lot.rejets and [m.montant for m in (debit, credit)] == [Decimal("-65.00"), Decimal("80.00")]
    assert debit.date == date(2026, 4, 2) and releves[0].numero == "7/1"
    assert lot.faits["soldes"][0]["equilibre"] and credit.contrepartie == "DUPONT SARL"
    assert "Facture F12 et F13" in credit.libelle


def test_mt942_est_refuse():
    texte = ":20:X\n:25:1/2\n:28C:1\n:34F:EUR0,\n:13D:2601051200+0100\n:61:260105C1,00NTRFX\n"
    with pytest.raises(FichierRefuse, match="MT942"):
        reconnaitre(examiner_fichier(texte.encode(), "r.sta"))


# --- CSV ----------------------------------------------------------------------------------------

CSVS = {
    "cic": CSV,
    "bnp": "Compte de chèques;Compte de chèques;****0142;31/01/2026;;150,00\n05/01/2026;Virement;VIR;VIR ACME "
        "F-12;50,00\n",
    "sg": '="0001234567";01/01/2026;31/01/2026;1;31/01/2026;150,00 EUR\n\nDate de l\'opération;Libellé;Détail '
        'de l\'écriture;'
    "Montant de l'opération;Devise\n05/01/2026;VIR RECU;DE: ACME MOTIF: F-12;50,00;EUR\n",
    "ca": 'Téléchargement du 01/02/2026;\n\nCompte de Dépôt n° 12345678901;\nSolde au 31/01/2026 150,00 €\nDate;'
        'Libellé;Débit euros;'
    'Crédit euros;\n05/01/2026;"VIREMENT EN VOTRE FAVEUR\nACME\nF-12";;50,00;\n',
    "lcl": "05/01/2026;50,00;Virement;;VIR SEPA ACME F-12;;;\n31/01/2026;150,00;;00123 456789A;;;;\n",
    "bpce": "Date de comptabilisation;Libelle simplifie;Libelle operation;Reference;Informations "
        "complementaires;Type operation;"
    "Debit;Credit;Date operation;Date de valeur\n05/01/2026;ACME;VIR SEPA ACME F-12;X1;;Virement;;+50,00;"
    "04/01/2026;05/01/2026\n",
    "ce": "Numéro de compte : 04123456789;Devise : EUR;\n\nSolde en fin de période;;;;150,00\nDate;Numéro "
        "d'opération;Libellé;Débit;"
    "Crédit;Détail;\n05/01/26;12;VIR ACME;;50,00;F-12;\nSolde en début de période;;;;100,00\n",
    "lbp": "Numéro Compte   :;1234567A020\nSolde (EUROS)   :;150,00\nSolde (FRANCS)   :;983,94\n\nDate;Libellé;"
        "Montant(EUROS);"
    'Montant(FRANCS)\n05/01/2026;"VIREMENT DE ACME F-12";50,00;327,98\n',
    "boursobank": "dateOp;dateVal;label;category;categoryParent;supplierFound;amount;comment;accountNum;"
        "accountLabel;accountbalance\n"
    '2026-01-05;2026-01-05;"VIR ACME F-12";"X";"Y";"acme";"50,00";;00040123456;"B";150.00\n',
    "qonto": "Statut,Date de la valeur (UTC),Date de l'opération (UTC),Montant total (TTC),Devise,Nom de la "
        "contrepartie,Référence,"
    "Identifiant de transaction,Solde\nRéglé,05-01-2026 10:00:00,05-01-2026 10:00:00,50.00,EUR,ACME,F-12,acme-1,"
    "150.00\n"
    "Refusé,05-01-2026 10:00:00,05-01-2026 10:00:00,70.00,EUR,ACME,F-12,acme-2,150.00\n",
    "revolut": "Type,Product,Started Date,Completed Date,Description,Amount,Fee,Currency,State,Balance\n"
    "TRANSFER,Current,2026-01-05 10:00:00,2026-01-05 10:01:00,From ACME F-12,50.00,0.00,EUR,COMPLETED,150.00\n",
    "shine": "Date de la valeur,Date de l'opération,Libellé,Type de l'opération,Débit,Crédit,Solde\n"
    "05/01/2026,05/01/2026,ACME F-12,Virement,,\"50,00\",\"150,00\"\n",
}  # fmt: skip


@pytest.mark.parametrize("banque", CSVS)
def test_csv_de_banque(banque):
    lot, [releve], [m] = lire(CSVS[banque])
    assert (lot.format, lot.rejets, m.montant, m.date) == ("csv-banque", [], Decimal("50.00"), date(2026, 1, 5))
    assert "ACME" in m.libelle + m.contrepartie and "F-12" in m.libelle + m.reference
    if banque not in ("sg", "bpce", "boursobank"):
        assert releve.solde_cloture == Decimal("150.00")


def test_csv_de_banque_qui_nomme_son_compte_et_operation_en_attente_sans_date():
    """« Compte », « Date », « Référence », « Montant » : un relevé, s'il porte une date de valeur."""
    entete = "Compte;Date de comptabilisation;Date opération;Libellé;Référence;Date valeur;Montant\n"
    fichier = examiner_fichier(
        (entete + "12135 00300 08001234567;05/01/2026;05/01/2026;VIR ACME;R;05/01/2026;-1.234,56\n").encode(), "x"
    )
    assert reconnaitre(fichier) == "csv-banque"
    texte = (
        "Type,Date de début,Date de fin,Description,Montant,Devise,État,Solde\n"
        "Virement,2026-01-05,2026-01-05,ACME,50.00,EUR,TERMINÉ,150.00\nVirement,2026-01-07,,Y,-1.00,EUR,EN ATTENTE,\n"
    )
    lot, _r, [seul] = lire(texte)
    assert not lot.rejets and seul.montant == 50 and any("1 opérations en attente" in x for x in lot.avertissements)


def test_csv_frais_totaux_et_defauts():
    texte = (
        "Date;Libellé;Débit;Crédit;Frais\n05/01/2026;ACHAT;10,00;;0,50\n31/02/2026;X;;5,00;\n06/01/2026;Y;3;4;\n"
        "06/01/2026;Z;abc;;\nTotal;;10,00;5,00;\n;suite de libellé;;;\n"
    )
    lot, _r, mouvements = lire(texte)
    assert [(m.montant, m.nature) for m in mouvements] == [(Decimal("-10.00"), "autre"), (Decimal("-0.50"), "frais")]
    assert [(r.ligne, r.champ) for r in lot.rejets] == [(3, "date"), (4, "montant"), (5, "montant")]


def test_csv_un_grand_livre_n_est_pas_un_releve():
    texte = "Journal;Date;Compte auxiliaire;Libellé;Débit;Crédit\nVE;05/01/2026;C1;F1;12,00;\n"
    assert "relevé" in refus(texte, "csv-banque")


def test_csv_par_correspondance():
    texte = "Quand;Quoi;Combien\n05/01/2026;ACME;50,00\n"
    choix = {
        "genre": "banque",
        "colonnes": {"date": "Quand", "libelle": "Quoi", "montant": "Combien"},
        "options": {"compte": "X1"},
    }
    _lot, [releve], [m] = lire(texte, "csv-banque", correspondance=choix)
    assert (releve.compte, m.libelle, m.montant) == ("X1", "ACME", Decimal("50.00"))
    choix["colonnes"]["montant"] = "Absente"
    with pytest.raises(FichierRefuse, match="correspondance"):
        lire(texte, "csv-banque", correspondance=choix)


# --- Enchaînement -------------------------------------------------------------------------------


def test_plusieurs_releves_du_meme_jour_s_ordonnent_aux_soldes():
    jour = date(2026, 1, 5)
    maillons = [
        Maillon(1, jour, date(2026, 1, 4), Decimal(0), Decimal(1), "EUR"),
        Maillon(2, jour, jour, Decimal(2), Decimal(3), "EUR"),
        Maillon(3, jour, jour, Decimal(1), Decimal(2), "EUR"),
        Maillon(4, None, None, None, Decimal(9), "EUR"),
    ]
    assert chainer(maillons) == {}
    assert set(chainer([*maillons, Maillon(5, jour, date(2026, 1, 6), Decimal(7), Decimal(7), "EUR")])) == {5}
