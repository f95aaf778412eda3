"""Les trois CSV du grand livre : lignes saines, lignes fautives nommées, variantes d'écriture."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

import factures.imports
from factures.imports.csv_grand_livre import SCHEMAS
from factures.imports.lot import AvoirLu
from factures.imports.texte import FichierRefuse
from tests.factures.fec_essai import lire_octets

CLIENTS = (
    "code_client;raison_sociale;siren;siret;adresse;code_postal;ville;pays;courriel;telephone;conditions;"
    "encours_autorise\n"
)
FACTURES = "numero;code_client;date_facture;date_echeance;montant_ht;montant_tva;montant_ttc;devise;commande\n"
ENCAISSEMENTS = "reference;code_client;date;montant;mode;facture\n"
FACTURE = "F1;C1;2026-01-05;2026-02-04;100.00;20.00;120.00;EUR;BC1\n"


def rejets(lot):
    return [(r.ligne, r.champ, r.motif) for r in lot.rejets]


def test_une_facture_se_lit_en_iso():
    lot = lire_octets((FACTURES + FACTURE).encode())
    (f,) = lot.elements
    assert (lot.format, lot.lignes, lot.rejets) == ("csv-factures", 1, [])
    assert (f.numero, f.code_client, f.date_emission, f.date_echeance) == (
        "F1",
        "C1",
        date(2026, 1, 5),
        date(2026, 2, 4),
    )
    assert (f.montant_ht, f.montant_tva, f.montant_ttc) == (Decimal("100.00"), Decimal("20.00"), Decimal("120.00"))
    assert (f.cle_source, f.cle_echeance, f.devise, f.commande) == ("CSV:F:F1", "CSV:E:F1:2026-02-04", "EUR", "BC1")


@pytest.mark.parametrize("encodage", ["utf-8", "utf-8-sig", "iso8859-15", "cp1252", "cp850"])
@pytest.mark.parametrize("separateur", [";", ",", "\t"])
def test_la_meme_facture_a_la_francaise_dans_tous_les_encodages(encodage, separateur):
    ht = "1 100,00 €" if encodage.startswith("utf") else "1 100,00"
    cellules = ["F1", "C1", "05/01/2026", "04/02/2026", ht,
                "220,00", "1 320,00", "", "Été n° 3"]  # fmt: skip
    entete = FACTURES.strip().replace(";", separateur)
    lot = lire_octets((entete + "\r\n" + separateur.join(f'"{x}"' for x in cellules) + "\r\n").encode(encodage))
    (f,) = lot.elements
    assert (f.montant_ttc, f.commande, f.devise) == (Decimal("1320.00"), "Été n° 3", "EUR")


def test_un_en_tete_de_tableur_a_la_francaise_se_reconnait():
    entete = "sep=;\nN° de facture;Code Client;Date;Échéance;Total HT;Total TVA;Total TTC;Poids\n"
    lot = lire_octets((entete + "F1;C1;05/01/2026;;100;20;120;3 kg\n").encode())
    (f,) = lot.elements
    assert (f.ligne, f.date_echeance, f.montant_ttc) == (3, None, Decimal("120.00"))
    assert lot.avertissements == ["Colonnes ignorées : Poids."]


def test_chaque_defaut_d_une_ligne_est_nomme_par_ligne_champ_et_motif():
    lignes = ["F1;;2026-02-31;2026-02-04;100;20;120;EUR;", "F2;C1;2026-01-05;2026-02-04;100;20;1,5E3;EURO?;", FACTURE]
    lot = lire_octets((FACTURES + "\n".join(lignes)).encode())
    assert [f.numero for f in lot.elements] == ["F1"]
    assert [(r.ligne, r.champ) for r in lot.rejets] == [
        (2, "code_client"), (2, "date_facture"), (3, "montant_ttc"), (3, "devise"),
    ]  # fmt: skip
    motifs = [r.motif for r in lot.rejets]
    assert motifs[1] == "« 2026-02-31 » n'existe pas au calendrier. Corrigez la date dans le fichier."
    assert "notation scientifique" in motifs[2]


def test_ht_plus_tva_doit_faire_le_ttc_au_centime():
    lot = lire_octets((FACTURES + FACTURE.replace("120.00", "120.01")).encode())
    assert rejets(lot) == [
        (2, "montant_ttc", "HT 100,00 + TVA 20,00 = 120,00, et non 120,01. Corrigez l'un des trois montants.")
    ]


def test_une_echeance_avant_la_facture_est_refusee():
    lot = lire_octets((FACTURES + FACTURE.replace("2026-02-04", "2026-01-04")).encode())
    assert [(r.ligne, r.champ) for r in lot.rejets] == [(2, "date_echeance")]


def test_un_montant_manquant_se_deduit_des_deux_autres():
    lot = lire_octets((FACTURES + FACTURE.replace(";20.00;", ";;") + FACTURE.replace(";100.00;20.00;", ";;;")).encode())
    assert [(f.montant_ht, f.montant_tva) for f in lot.elements] == [
        (Decimal("100.00"), Decimal("20.00")),
        (None, None),
    ]


def test_un_ttc_negatif_ou_un_type_avoir_est_un_avoir():
    entete = FACTURES.replace("commande", "commande;type;numero_origine")
    lignes = [
        "A1;C1;2026-01-05;;-100;-20;-120;EUR;;;F9",
        "A2;C1;2026-01-05;;100;20;120;EUR;;avoir;",
        "A3;C1;2026-01-05;;;;-5;EUR;;facture;",
    ]
    lot = lire_octets((entete + "\n".join(lignes)).encode())
    assert [(type(a), a.numero, a.montant, a.numero_origine) for a in lot.elements] == [
        (AvoirLu, "A1", Decimal("120.00"), "F9"), (AvoirLu, "A2", Decimal("120.00"), ""),
        (AvoirLu, "A3", Decimal("5.00"), ""),
    ]  # fmt: skip


def test_une_facture_a_zero_est_ignoree_en_le_disant():
    lot = lire_octets((FACTURES + "F1;C1;2026-01-05;2026-02-04;0;0;0,00;EUR;\n").encode())
    assert (lot.elements, lot.rejets) == ([], [])
    assert lot.avertissements == ["Ligne 2 : F1 est à zéro, rien à recouvrer ; ligne ignorée."]


def test_un_encaissement_se_lit_avec_ou_sans_facture():
    lot = lire_octets((ENCAISSEMENTS + "R1;C1;31/01/2026;421,27;VIREMENT;F1\nR2;C1;2026-01-31;10;LCR;\n").encode())
    assert [(e.cle_source, e.montant, e.mode, e.numero_facture) for e in lot.elements] == [
        ("CSV:R:R1", Decimal("421.27"), "virement", "F1"), ("CSV:R:R2", Decimal("10.00"), "effet", ""),
    ]  # fmt: skip


@pytest.mark.parametrize("montant", ["0", "-5,00"])
def test_un_encaissement_nul_ou_negatif_est_refuse(montant):
    lot = lire_octets((ENCAISSEMENTS + f"R1;C1;31/01/2026;{montant};VIREMENT;F1\n").encode())
    assert [(r.ligne, r.champ) for r in lot.rejets] == [(2, "montant")]


def test_un_client_ne_garde_que_ce_que_le_fichier_dit():
    ligne = (
        "C1;Dupont & fils;927628784;92762878488711;1 rue Haute;1000;Bourg;France;a@b.fr;0102030405;"
        "45 jours fin de mois;1 500\n"
    )
    (c,) = lire_octets((CLIENTS + ligne + "\n").encode()).elements
    assert c.code == "C1"
    assert c.valeurs == {
        "raison_sociale": "Dupont & fils", "siren": "927628784", "siret": "92762878488711", "adresse": "1 rue Haute",
        "code_postal": "01000", "ville": "Bourg", "pays": "FR", "courriel": "a@b.fr", "telephone": "0102030405",
        "conditions": "45FDM", "plafond": Decimal("1500.00"),
    }  # fmt: skip
    (vide,) = lire_octets((CLIENTS + "C2;Durand;;;;;;;;;;\n").encode()).elements
    assert vide.valeurs == {"raison_sociale": "Durand"}


@pytest.mark.parametrize(
    ("champ", "valeur"),
    [
        ("siren", "123456789"), ("siren", "12345"), ("siret", "92762878488712"), ("siret", "35600000049838"),
        ("courriel", "a@b"), ("courriel", "a@b.fr;c@d.fr"), ("pays", "Syldavie"), ("conditions", "à la saint-glinglin"),
        ("encours_autorise", "-5"), ("raison_sociale", ""), ("raison_sociale", "x" * 161), ("code_client", "1,2E+9"),
    ],
)  # fmt: skip
def test_une_fiche_client_fautive_nomme_son_champ(champ, valeur):
    fiche = dict.fromkeys(CLIENTS.strip().split(";"), "") | {"code_client": "C1", "raison_sociale": "Dupont"}
    fiche[champ] = valeur
    lot = lire_octets((CLIENTS + ";".join(f'"{x}"' for x in fiche.values())).encode())
    attendu = {"encours_autorise": "plafond"}.get(champ, champ)
    assert [(r.ligne, r.champ) for r in lot.rejets] == [(2, attendu)]
    assert not lot.elements


def test_un_siret_doit_commencer_par_le_siren_et_un_particulier_n_a_pas_de_taux():
    entete = "code_client;raison_sociale;siren;siret;type;taux_penalites\n"
    lignes = "C1;A;698100518;92762878488711;;\nC2;B;;;particulier;12,40 %\nC3;C;;;pro;12,40 %\n"
    lot = lire_octets((entete + lignes).encode())
    assert [(r.ligne, r.champ) for r in lot.rejets] == [(2, "siret"), (3, "taux_penalites")]
    assert lot.elements[0].valeurs["taux_penalites"] == Decimal("12.40")


def test_des_guillemets_portent_separateurs_et_retours_a_la_ligne():
    lot = lire_octets((CLIENTS + 'C1;"Dupont; ""fils""\nSARL";;;;;;;;;;\nC2;Durand;;;;;;;;;;\n').encode())
    assert [(c.ligne, c.valeurs["raison_sociale"]) for c in lot.elements] == [(2, 'Dupont; "fils" SARL'), (4, "Durand")]


def test_un_guillemet_mal_place_ne_perd_que_sa_ligne():
    lot = lire_octets((CLIENTS + 'C1;"Dupont"SA;;;;;;;;;;\nC2;Durand;;;;;;;;;;\n').encode())
    assert [c.code for c in lot.elements] == ["C2"]
    assert [(r.ligne, r.champ) for r in lot.rejets] == [(2, "ligne")]


def test_un_guillemet_jamais_referme_dit_quelles_lignes_sont_perdues():
    lot = lire_octets((CLIENTS + 'C1;"Dupont;;;;;;;;;;\nC2;Durand;;;;;;;;;;\n').encode())
    assert "lignes 2 à 3 illisibles" in rejets(lot)[0][2]


@pytest.mark.parametrize(
    ("ligne", "motif"), [("F1;C1;2026-01-05;2026-0", "tronquée"), (FACTURE.strip() + ";x;y", "Un séparateur se trouve")]
)
def test_une_ligne_trop_courte_ou_trop_longue_est_refusee(ligne, motif):
    (rejet,) = lire_octets((FACTURES + ligne).encode()).rejets
    assert (rejet.ligne, rejet.champ) == (2, "ligne") and motif in rejet.motif


def test_lignes_vides_et_fin_de_fichier_dos_sont_ignorees():
    lot = lire_octets((FACTURES + "\n;;;;;;;;\n" + FACTURE + "   \n\x1a").encode())
    assert (len(lot.elements), lot.lignes, lot.rejets) == (1, 1, [])


def test_une_colonne_obligatoire_absente_refuse_le_fichier_en_la_nommant():
    with pytest.raises(FichierRefuse, match="numero, code_client, date_facture. Il manque le montant"):
        lire_octets(b"numero;code_client;date_facture\nF1;C1;2026-01-05\n", format="csv-factures")


def test_les_modeles_telechargeables_sont_lisibles_et_portent_toutes_les_colonnes():
    modeles = Path(factures.imports.__file__).parent / "modeles"
    for format, schema in SCHEMAS.items():
        lot = lire_octets((modeles / f"{format.removeprefix('csv-')}.csv").read_bytes())
        assert (lot.format, lot.rejets, lot.avertissements) == (format, [], [])
        assert lot.elements
        entete = (modeles / f"{format.removeprefix('csv-')}.csv").read_text(encoding="utf-8-sig").splitlines()[0]
        assert set(entete.split(";")) == {colonne.nom for colonne in schema}
