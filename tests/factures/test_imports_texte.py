"""Octets → texte : encodages, binaires, tailles (issue : mauvaise entrée)."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from factures.imports.fichier import examiner_fichier
from factures.imports.lecteurs import lire_seul, reconnaitre
from factures.imports.texte import FichierRefuse, examiner, nettoyer, separateur
from tests.factures.fec_essai import ENTETE, Fec, trente_jours

PHRASES = [
    "Société Générale;Électricité;n° 12",
    "l'été, Noël, façade, où, île",
    "CREAT° MAQUETTE ÉTIQUETTE",
    "José Muñoz & Cie – l’œuvre à 12 €",
    "Sørensen, Müller",
]


def _ecrivable(phrase: str, encodage: str) -> bool:
    try:
        return bool(phrase.encode(encodage))
    except UnicodeEncodeError:
        return False


ENCODAGES = ("utf-8", "utf-8-sig", "iso8859-15", "cp1252", "cp850", "utf-16")


@pytest.mark.parametrize(("encodage", "phrase"), [(e, p) for e in ENCODAGES for p in PHRASES if _ecrivable(p, e)])
def test_l_encodage_se_reconnait_au_francais_qu_il_donne(encodage, phrase):
    octets = (phrase + "\r\n").encode(encodage)
    assert examiner(octets * 3).debut().split("\n")[0].lstrip("\ufeff") == phrase


def test_un_accent_au_dernier_octet_n_est_pas_une_troncature():
    assert list(examiner("nom;ville\nDupont;Orl\xe9".encode("iso8859-15")).lignes())[1] == "Dupont;Orlé"


def test_un_utf8_coupe_au_milieu_d_un_caractere_est_dit_tronque():
    with pytest.raises(FichierRefuse, match="tronqué"):
        examiner("éèà;été".encode()[:-1])


@pytest.mark.parametrize("fin", ["\n", "\r\n", "\r", "\r\r\n"])
def test_toutes_les_fins_de_ligne_donnent_les_memes_lignes(fin):
    lignes = [x for x in examiner(fin.join(["a", "b", "c"]).encode()).lignes() if x]
    assert lignes == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("octets", "motif"),
    [
        (b"", "vide"),
        (b"a;b\n\x00\x00", "octets nuls"),
        (b"PK\x03\x04" + b"x" * 50, "classeur"),
        (b"%PDF-1.7 ...", "PDF"),
        (bytes(range(1, 9)) * 200, "binaire"),
        (b"a" * 200_000, "Une ligne dépasse"),
        ("JournalCode;JournalLib".encode("cp500"), "EBCDIC"),
        ("a;b".encode("utf-32"), "UTF-32"),
    ],
)
def test_ce_qui_n_est_pas_un_texte_est_refuse_en_le_disant(octets, motif):
    with pytest.raises(FichierRefuse, match=motif):
        examiner(octets)


def test_un_fichier_trop_gros_est_refuse_avant_d_etre_lu_en_entier():
    with pytest.raises(FichierRefuse, match="dépasse 1 Mo"):
        examiner(b"a;b\n" * 300_000, taille_max=1024 * 1024)


def test_un_fichier_absent_est_refuse_sans_trace_technique(tmp_path):
    with pytest.raises(FichierRefuse, match="ne s'ouvre pas"):
        examiner(tmp_path / "absent.csv")


@pytest.mark.parametrize(
    ("entete", "attendu"),
    [("a;b;c", ";"), ("a,b,c", ","), ("a\tb", "\t"), ("a|b", "|"), ('"a,b";"c"', ";"), ("a", ";")],
)
def test_separateur(entete, attendu):
    assert separateur(entete) == attendu


def test_nettoyer_ote_les_commandes_et_reduit_les_blancs():
    assert nettoyer("  Dupont\xa0\t&   fils\x07 ") == "Dupont & fils"


# --- Rien ne plante, rien ne boucle ----------------------------------------------------------


def _lire_sans_planter(octets: bytes, nom: str, format: str = ""):
    try:
        lot = lire_seul(examiner_fichier(octets, nom), format, echeance_de=trente_jours)
        for _ in lot.elements:
            pass
        for rejet in lot.rejets:
            assert rejet.motif and rejet.champ and rejet.ligne >= 1
    except FichierRefuse as refus:
        assert len(str(refus)) > 15


@given(st.binary(max_size=3000))
def test_des_octets_quelconques_sont_refuses_ou_lus(octets):
    _lire_sans_planter(octets, "x.csv")


DEBUTS = [
    b"code_client;raison_sociale;siren;courriel;conditions\n",
    b"numero;code_client;date_facture;date_echeance;montant_ht;montant_tva;montant_ttc\n",
    b"reference;code_client;date;montant;mode;facture\n",
    "\t".join(ENTETE).encode() + b"\n",
    "|".join([*ENTETE, ""]).encode() + b"\r\n",
]


@given(st.sampled_from(DEBUTS), st.binary(max_size=2000))
def test_des_octets_quelconques_derriere_un_bon_entete_aussi(debut, octets):
    _lire_sans_planter(debut + octets, "x.csv")


@given(
    st.sampled_from(DEBUTS),
    st.lists(st.lists(st.text(alphabet="0123456789,;.\"'\t|-()E/ éAN\n", max_size=12), max_size=20), max_size=8),
)
def test_des_cellules_quelconques_derriere_un_bon_entete_aussi(debut, lignes):
    sep = ";" if b";" in debut else "\t" if b"\t" in debut else "|"
    _lire_sans_planter(debut + "\n".join(sep.join(x) for x in lignes).encode(), "x.csv")


@settings(max_examples=60)
@given(st.data())
def test_un_fec_abime_n_importe_ou_est_refuse_ou_lu(data):
    octets = bytearray(
        Fec()
        .vente("C1", "F1", "120.00", "A")
        .reglement("C1", "120.00", "A")
        .a_nouveau("C2", "F0", "50.00")
        .texte()
        .encode()
    )
    for _ in range(data.draw(st.integers(1, 6))):
        place = data.draw(st.integers(0, len(octets) - 1))
        octets[place : place + data.draw(st.integers(0, 8))] = data.draw(st.binary(max_size=6))
    _lire_sans_planter(bytes(octets), "123456789FEC20251231.txt", "fec")


@pytest.mark.parametrize(
    ("entete", "attendu"),
    [
        ("code_client;raison_sociale", "csv-clients"),
        ("Code Client,Raison Sociale,E-mail", "csv-clients"),
        ("N° de facture;Client;Date;Échéance;HT;TVA;TTC", "csv-factures"),
        ("reference;code_client;date;montant;mode;facture", "csv-encaissements"),
        ("\t".join(ENTETE), "fec"),
        ("|".join(x.upper() for x in ENTETE) + "|", "fec"),
    ],
)
def test_le_format_se_reconnait_a_ses_colonnes(entete, attendu):
    assert reconnaitre(examiner_fichier((entete + "\n").encode(), "x.csv")) == attendu


def test_un_format_inconnu_dit_ce_qui_a_ete_lu_et_ce_qui_etait_attendu():
    with pytest.raises(FichierRefuse, match="colonnes lues : poids, taille.*Attendu : un FEC"):
        reconnaitre(examiner_fichier(b"poids;taille\n1;2\n"))
