"""Entrées hostiles : rien ne tombe, rien ne s'emballe, le message dit quoi faire."""

import io
import struct
import zipfile
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from factures.imports.fichier import examiner_fichier
from factures.imports.lecteurs import ContexteLecture, lire_seul, reconnaitre
from factures.imports.nombres import Illisible
from factures.imports.tableur import lire
from factures.imports.tableur_valeurs import cellule, en_code, en_date, en_montant, en_texte
from factures.imports.texte import FichierRefuse
from tests.factures.tableaux_essai import ods, xlsx, zipper

FEUILLE = (
    '<?xml version="1.0"?><worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
    "{}</sheetData></worksheet>"
)


def _classeur(feuille: str, **autres) -> bytes:
    """Un XLSX ordinaire dont la feuille est remplacée."""
    origine = zipfile.ZipFile(io.BytesIO(xlsx(["a", "b"], ["c", "d"])))
    membres = {nom: origine.read(nom) for nom in origine.namelist()}
    return zipper(membres | {"xl/worksheets/sheet1.xml": FEUILLE.format(feuille).encode()} | autres)


def _refus(contenu: bytes, nom: str) -> str:
    with pytest.raises(FichierRefuse) as refus:
        lire_seul(examiner_fichier(contenu, nom))
    return str(refus.value)


def test_une_bombe_zip_est_refusee_avant_d_etre_ouverte():
    bombe = _classeur("", **{"xl/media/image1.png": b"\0" * (40 * 1024 * 1024)})
    assert len(bombe) < 100_000 and "se déploie démesurément" in _refus(bombe, "b.xlsx")


def test_une_taille_annoncee_mensongere_ne_trompe_pas():
    bombe = bytearray(_classeur("", **{"xl/media/image1.png": b"\0" * (40 * 1024 * 1024)}))
    for marque, place in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        i = bombe.find(marque)
        while i >= 0:
            if b"image1.png" in bombe[i : i + 80]:
                bombe[i + place : i + place + 4] = struct.pack("<I", 10)
            i = bombe.find(marque, i + 4)
    assert "se déploie démesurément" in _refus(bytes(bombe), "b.xlsx")


def test_deux_cellules_eloignees_ne_prennent_pas_la_memoire():
    loin = '<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'
    assert "se déploie démesurément" in _refus(_classeur(loin), "loin.xlsx")


def test_des_repetitions_ods_ne_se_deplient_pas():
    cellules = '<table:table-cell table:number-columns-repeated="1500" office:value-type="float" office:value="1"/>'
    bombe = ods(brut=f'<table:table-row table:number-rows-repeated="1000000">{cellules}</table:table-row>')
    assert "se déploie démesurément" in _refus(bombe, "b.ods")


def test_les_lignes_vides_repetees_d_un_ods_ordinaire_se_lisent():
    ligne = "".join(
        f'<table:table-cell office:value-type="string"><text:p xmlns:text="x">{x}</text:p></table:table-cell>'
        for x in ("a", "b", "c")
    )
    vide = (
        '<table:table-row table:number-rows-repeated="1048000">'
        '<table:table-cell table:number-columns-repeated="1024"/></table:table-row>'
    )
    assert "Lues à la ligne 1" in _refus(ods(brut=f"<table:table-row>{ligne}</table:table-row>" * 2 + vide), "v.ods")


def test_une_dtd_dans_un_ods_est_refusee():
    contenu = zipper(
        {
            "mimetype": b"application/vnd.oasis.opendocument.spreadsheet",
            "content.xml": b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>',
        }
    )
    assert "DTD" in _refus(contenu, "d.ods")


@pytest.mark.parametrize(
    ("contenu", "nom", "dit"),
    [
        (_classeur(""), "vide.xlsx", "aucune cellule"),
        (xlsx(["seul"], ["x"]), "une.xlsx", "Aucun tableau"),
        (xlsx(["a", "b"])[:-200], "coupe.xlsx", ""),
        (zipper({"xl/workbook.xml": b"<x"}), "abime.xlsx", "abîmé"),
        (zipper({"xl/workbook.bin": b"x"}), "b.xlsb", "XLSB"),
        (ods(), "vide.ods", ""),
    ],
)
def test_un_classeur_sans_tableau_est_refuse(contenu, nom, dit):
    assert dit in _refus(contenu, nom)


def test_un_fichier_trop_gros_est_refuse_proprement(tmp_path):
    gros = tmp_path / "gros.csv"
    with open(gros, "wb") as flux:
        flux.truncate(201 * 1024 * 1024)
    with pytest.raises(FichierRefuse, match="200 Mo"):
        examiner_fichier(gros, taille_max=200 * 1024 * 1024)


def test_des_encodages_meles_sont_refuses():
    texte = "Tiers;Référence pièce;Montant\n".encode() + "C1;é\n".encode() * 3 + b"C1;\xe9\xff;\x81\x8d\n"
    try:
        lire_seul(examiner_fichier(texte, "mele.csv"))
    except FichierRefuse as refus:
        assert str(refus)


# --- Propriétés ------------------------------------------------------------------------------

cellules = st.one_of(
    st.text(max_size=25), st.integers(), st.floats(), st.booleans(), st.dates(), st.times(), st.none(),
    st.from_regex(r"[0-9]{1,2}[/.-][0-9]{1,2}[/.-][0-9]{2,4}", fullmatch=True),
    st.from_regex(r"\(?-?[0-9]{1,3}([., ][0-9]{3}){0,3}([.,][0-9]{0,3})?\)?-?( ?€)?", fullmatch=True),
)  # fmt: skip


@given(cellules, st.sampled_from(["auto", ",", "."]), st.sampled_from(["jma", "mja", "serial"]), st.booleans())
def test_une_cellule_se_lit_ou_se_refuse(brute, decimale, dates, base_1904):
    c = cellule(brute)
    assert isinstance(en_texte(c), str)
    for lecture, genre in (
        (lambda: en_montant(c, decimale), Decimal),
        (lambda: en_date(c, dates, base_1904), date),
        (lambda: en_code(c, 40), str),
    ):
        try:
            assert isinstance(lecture(), genre)
        except Illisible as refus:
            assert refus.constat


@given(st.decimals(min_value=-10_000_000, max_value=10_000_000, places=2))
def test_un_flottant_d_excel_redevient_le_montant_exact(montant):
    assert en_montant(cellule(float(montant))) == montant


@given(st.integers(min_value=0, max_value=10**14))
def test_un_code_numerique_garde_ses_chiffres(n):
    assert en_code(cellule(float(n)), 40) == str(n)


def test_un_code_trop_long_pour_un_nombre_est_refuse():
    with pytest.raises(Illisible, match="quinze chiffres"):
        en_code(cellule(1234567890123456789.0), 40)


@given(st.binary(max_size=400))
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_aucun_octet_ne_fait_tomber_la_lecture(octets):
    _lire_ou_refuser(b"Code client;Nom client;Date facture;Montant TTC;Reste du;Numero\n" + octets, "x.csv")


@given(st.integers(0, 6000), st.binary(min_size=1, max_size=8))
@settings(max_examples=60, deadline=None)
def test_un_classeur_abime_se_lit_ou_se_refuse(place, octets):
    contenu = bytearray(
        xlsx(["Code client", "Montant TTC", "N° facture", "Date"], ["C1", 12.5, "F1", date(2026, 1, 5)])
    )
    place %= len(contenu)
    contenu[place : place + len(octets)] = octets
    _lire_ou_refuser(bytes(contenu), "x.xlsx")


@pytest.mark.parametrize("nom", ["0" + " " * 30_000 + "x", ("0" + " " * 5_000) * 6 + "x"])
def test_un_en_tete_demesure_ne_fait_pas_reculer_sans_fin(nom):
    """Sans borne, la recherche d'une tranche d'ancienneté dans ce nom de colonne durait des heures."""
    _lire_ou_refuser(f"client;code;{nom}\nA;1;2\n".encode(), "balance.csv")


def _lire_ou_refuser(contenu: bytes, nom: str) -> None:
    try:
        fichier = examiner_fichier(contenu, nom)
        format = reconnaitre(fichier)
        if format in ("xlsx", "ods") or format.startswith("csv-") and format != "csv-banque":
            lot = lire(fichier, ContexteLecture(format, echeance_de=lambda code, emission: emission))
            list(lot.elements)
    except FichierRefuse as refus:
        assert str(refus)
