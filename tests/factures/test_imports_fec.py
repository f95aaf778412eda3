"""Lecture d'un FEC : formes admises, équilibre, identité, faits d'un vrai fichier."""

from datetime import date
from decimal import Decimal

import pytest

from factures.imports.fichier import examiner_fichier
from factures.imports.lecteurs import lire_seul
from factures.imports.texte import FichierRefuse
from tests.factures.fec_essai import ENTETE, Fec, lire_octets, par_type, restes, soldes_reconstitues, trente_jours


def exemple() -> Fec:
    return (
        Fec()
        .vente("C1", "F001", "120.00", "AA", quand="20250110")
        .reglement("C1", "120.00", "AA", quand="20250212")
        .vente("C1", "F002", "60.50", quand="20250301")
        .vente("C2", "F003", "240.00", quand="20250302")
    )


@pytest.mark.parametrize("separateur", ["\t", "|", ";"])
@pytest.mark.parametrize("fin", ["\r\n", "\n", "\r"])
@pytest.mark.parametrize("encodage", ["utf-8", "utf-8-sig", "iso8859-15", "cp850", "cp1252"])
def test_toutes_les_formes_du_meme_fec_donnent_les_memes_postes(separateur, fin, encodage):
    fec = exemple()
    for ligne in fec.lignes:
        ligne[10] = "Prestation été n° 3"
    lot = fec.lire(encodage, separateur=separateur, fin=fin)
    assert restes(lot) == {"F002": Decimal("60.50"), "F003": Decimal("240.00")}
    assert lot.soldes == {"C1": Decimal("60.50"), "C2": Decimal("240.00")}


def test_separateur_final_blancs_de_cadrage_et_fins_de_ligne_melees():
    fec = exemple()
    lignes = ["|".join([*ENTETE, ""])]
    for x in fec.lignes:
        cadree = [
            x[0].ljust(3),
            *(c.ljust(12) for c in x[1:11]),
            x[11].rjust(13, "0"),
            x[12].rjust(13, "0"),
            *x[13:],
            "",
        ]
        lignes.append("|".join(cadree))
    texte = lignes[0] + "\r\n" + "\n".join(lignes[1:4]) + "\r" + "\r\n".join(lignes[4:]) + "\r\n\x1a"
    assert restes(lire_octets(texte.encode("cp850"))) == restes(exemple().lire())


def test_en_tete_de_casse_variable_et_colonnes_en_plus():
    entete = [x.upper() for x in ENTETE] + ["DateRglt", "ModeRglt", "NatOp", "IdClient"]
    fec = exemple()
    for ligne in fec.lignes:
        ligne += ["", "", "", ""]
    assert restes(fec.lire(entete=entete)) == restes(exemple().lire())


def test_en_tete_entre_guillemets():
    fec = exemple()
    texte = "\r\n".join("\t".join(f'"{c}"' for c in x) for x in [ENTETE, *fec.lignes])
    assert restes(lire_octets(texte.encode())) == restes(exemple().lire())


@pytest.mark.parametrize("sens", [("D", "C"), ("+1", "-1"), ("Débit", "Crédit"), ("d", "c")])
def test_montant_et_sens_remplacent_debit_et_credit(sens):
    entete = [*ENTETE[:11], "Montant", "Sens", *ENTETE[13:]]
    fec = exemple()
    for ligne in fec.lignes:
        en_debit = ligne[11] != "0,00"
        ligne[11:13] = [ligne[11] if en_debit else ligne[12], sens[0] if en_debit else sens[1]]
    assert restes(fec.lire(entete=entete)) == restes(exemple().lire())


def test_montants_sans_decimales_et_debit_negatif():
    fec = Fec().vente("C1", "F1", "120")
    for ligne in fec.lignes:
        ligne[11], ligne[12] = ("120", "") if ligne[11] != "0,00" else ("-120", "0")
    assert fec.lire().soldes == {"C1": Decimal("120.00")}


def test_sans_compte_auxiliaire_le_compte_fait_le_client():
    fec = exemple()
    for ligne in fec.lignes:
        if ligne[6]:
            ligne[4], ligne[6], ligne[7] = "411" + ligne[6], "", ""
    lot = fec.lire()
    assert lot.soldes == {"411C1": Decimal("60.50"), "411C2": Decimal("240.00")}
    assert [c.valeurs["raison_sociale"] for c in par_type(lot)[0]] == ["Compte 411000", "Compte 411000"]


def test_un_fec_desequilibre_est_refuse_avec_l_ecart_et_les_ecritures_fautives():
    fec = exemple()
    fec.lignes[2][12] = "119,00"  # le règlement ne fait plus 120
    with pytest.raises(FichierRefuse, match=r"déséquilibré : débit 540,50, crédit 539,50, écart 1,00") as refus:
        fec.lire()
    assert [(r.ligne, r.motif) for r in refus.value.rejets] == [
        (4, "l'écriture BQ 2 a un écart de 1,00. Corrigez-la dans le logiciel de comptabilité et refaites l'export.")
    ]


def test_un_fec_tronque_est_refuse():
    octets = exemple().texte().encode()
    for coupe in (len(octets) // 3, len(octets) // 2, len(octets) - 200):
        with pytest.raises(FichierRefuse):
            lot = lire_octets(octets[:coupe])
            assert lot.rejets
            raise FichierRefuse("lignes rejetées")


@pytest.mark.parametrize(
    ("colonne", "valeur", "champ"),
    [(3, "20250231", "EcritureDate"), (11, "12,345", "Debit"), (12, "1E5", "Credit"), (9, "20251301", "PieceDate"),
     (14, "99/99/9999", "DateLet")],
)  # fmt: skip
def test_une_ligne_illisible_est_nommee(colonne, valeur, champ):
    fec = exemple()
    fec.lignes[0][colonne] = valeur
    assert [(r.ligne, r.champ) for r in fec.lire().rejets] == [(2, champ)]


def test_des_dates_facultatives_a_zero_sont_vides():
    fec = exemple()
    for ligne in fec.lignes:
        ligne[14] = "00000000"
    assert fec.lire().rejets == []


def test_un_separateur_dans_un_libelle_est_nomme():
    fec = exemple()
    fec.lignes[1][10] = "Vente\tbis"
    assert [(r.ligne, r.champ) for r in fec.lire().rejets] == [(3, "ligne")]


def test_un_fec_sans_client_ou_sans_ecriture_est_refuse():
    with pytest.raises(FichierRefuse, match="aucune écriture"):
        Fec().lire()
    with pytest.raises(FichierRefuse, match="aucune ligne de compte client"):
        Fec().ecriture([("601000", "", "A", "5", ""), ("512000", "", "A", "-5", "")]).lire()


def test_une_colonne_absente_est_nommee():
    with pytest.raises(FichierRefuse, match="Debit et Credit"):
        lire_octets(exemple().texte(entete=[*ENTETE[:11], "X", "Y", *ENTETE[13:]]).encode(), format="fec")


def test_la_cle_source_survit_a_un_export_plus_long():
    court, long = exemple(), exemple().vente("C1", "F004", "10.00", quand="20250401")
    cles = {e.cle_source for e in par_type(court.lire())[1]}
    assert cles < {e.cle_source for e in par_type(long.lire(nom="autre.txt"))[1]}
    assert cles == {"FEC:20250110:VE:1:1", "FEC:20250301:VE:3:1", "FEC:20250302:VE:4:1"}


def test_des_identifiants_demesures_donnent_une_cle_bornee():
    fec = Fec().vente("C1", "F1", "10.00", num="9" * 300)
    (facture,) = par_type(fec.lire())[1]
    assert len(facture.cle_source) <= 80 and len(facture.numero) <= 60


def test_ht_et_tva_viennent_de_l_ecriture_quand_elle_n_a_qu_un_client():
    fec = Fec().ecriture(
        [("411000", "C1", "F1", "120", ""), ("706000", "", "F1", "-100", ""), ("445710", "", "F1", "-20", "")],
        journal="VE",
    )
    (f,) = par_type(fec.lire())[1]
    assert (f.montant_ht, f.montant_tva, f.date_echeance) == (Decimal("100"), Decimal("20"), date(2025, 2, 14))


def test_le_nom_du_fichier_ne_l_emporte_pas_sur_les_ecritures():
    (avertissement,) = exemple().lire(nom="123456789FEC20231231.txt").avertissements
    assert avertissement.startswith("Le nom annonce une clôture au 31/12/2023, les écritures vont du 10/01/2025")


def test_les_comptes_voisins_et_les_devises_sont_signales():
    fec = exemple().ecriture([("419100", "C1", "AC", "-50", ""), ("512000", "", "AC", "50", "")])
    fec.lignes[0][17] = "USD"
    avertissements = " ".join(fec.lire().avertissements)
    assert "Compte 419 (avances et avoirs à établir) : solde de -50,00" in avertissements
    assert "Lignes en devise (USD)" in avertissements


# --- Vrais fichiers (hors du dépôt) ----------------------------------------------------------

REEL = {
    "41101050": "6439.94", "41102430": "2489.13", "41102106": "1871.65", "41101591": "664.65", "41102620": "580.01",
    "41104250": "440.12", "41100540": "373.65", "41104746": "372.35", "41104752": "259.90", "41102985": "186.82",
    "41104749": "186.77", "41101309": "149.14", "41102785": "122.51", "41100541": "93.41", "41104248": "74.71",
    "41103596": "74.70", "41104755": "56.05", "41104815": "37.04", "41104251": "-56.03",
}  # fmt: skip


def test_corpus_fec_reel_largeur_fixe_cp850(corpus):
    chemin = next(corpus.glob("fec/neolegal*/111111111FEC20221231.TXT"))
    texte = examiner_fichier(chemin)
    lot = lire_seul(texte, echeance_de=trente_jours)
    lot.elements = list(lot.elements)
    clients, factures, avoirs, encaissements, imputations = par_type(lot)
    assert (lot.format, lot.encodage, lot.separateur, lot.lignes, lot.rejets) == ("fec", "cp850", "|", 934, [])
    assert lot.faits["debit"] == lot.faits["credit"] == Decimal("225682.23")
    assert (lot.faits["du"], lot.faits["au"]) == (date(2023, 1, 1), date(2023, 7, 31))
    assert (lot.faits["lignes_client"], lot.faits["lettrees"], len(clients)) == (151, 117, 34)
    assert {c: s for c, s in lot.soldes.items() if s} == {c: Decimal(s) for c, s in REEL.items()}
    assert sum(lot.soldes.values()) == Decimal("14416.52")
    ouverts = restes(lot)
    assert len(ouverts) == 34 and sum(ouverts.values()) == Decimal("14416.52")
    assert soldes_reconstitues(lot) == lot.soldes
    assert lot.inexpliques == [] and lot.faits["lettrages_partiels"] == 0
    # « VE  0323 » est un mois : aucun numéro de facture n'est inventé.
    assert not any(f.numero_reel for f in factures)
    assert "écriture VE 00000019" in {f.numero for f in factures}
    assert sum(i.montant for i in imputations) == Decimal("53638.78") - sum(v for v in ouverts.values() if v > 0)
    assert [a.montant for a in avoirs if a.cle_source.startswith("FEC:2023") and ":VE:" in a.cle_source] == [
        Decimal("102.59"), Decimal("74.06"), Decimal("93.09"),
    ]  # fmt: skip


def test_corpus_mini_fec_sans_decimales(corpus):
    chemin = next(corpus.glob("fec/Fabrice*/SIRENFEC20221231.txt"))
    lot = lire_seul(examiner_fichier(chemin), echeance_de=trente_jours)
    lot.elements = list(lot.elements)
    (facture,) = par_type(lot)[1]
    assert (lot.lignes, lot.faits["debit"], lot.soldes) == (8, Decimal("13504.00"), {"411ZZZ": Decimal("12000.00")})
    assert (facture.numero, facture.numero_reel, facture.montant_ht) == ("F20230107", True, Decimal("10000.00"))
