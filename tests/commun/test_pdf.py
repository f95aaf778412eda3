"""Moteur PDF : aucune ressource étrangère, polices incorporées, mêmes octets, fusion."""

import base64
import builtins
import subprocess
import sys
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image
from pypdf import PdfReader

from recouvrement.commun import pdf
from relances.rendu.lettres import FEUILLE

RACINE = Path(__file__).resolve().parents[2]


def document(corps: str) -> str:
    return f'<!doctype html><html lang="fr"><head><title>Essai d’août</title></head><body>{corps}</body></html>'


def polices_de(octets: bytes) -> dict[str, bool]:
    """Nom de chaque police, et si elle est incorporée."""
    trouvees = {}
    for page in PdfReader(BytesIO(octets)).pages:
        for police in page["/Resources"]["/Font"].values():
            descendante = police["/DescendantFonts"][0].get_object()
            descripteur = descendante["/FontDescriptor"]
            trouvees[police["/BaseFont"].split("+")[1]] = "/FontFile2" in descripteur or "/FontFile3" in descripteur
    return trouvees


def image_png() -> str:
    tampon = BytesIO()
    Image.new("1", (8, 8)).save(tampon, "PNG")
    return "data:image/png;base64," + base64.b64encode(tampon.getvalue()).decode()


def test_le_document_porte_son_titre_sa_langue_et_les_memes_octets_a_chaque_rendu():
    octets = pdf.rendre(document("<p>Échéance : 1 234,56 €</p>"), FEUILLE)
    lecteur = PdfReader(BytesIO(octets))
    assert lecteur.metadata.title == "Essai d’août"
    assert lecteur.trailer["/Root"]["/Lang"] == "fr"
    assert octets == pdf.rendre(document("<p>Échéance : 1 234,56 €</p>"), FEUILLE)


def test_les_polices_sont_les_notres_et_incorporees_latin_etendu_compris():
    octets = pdf.rendre(document("<p>Là\u202f; 1\u00a0234 € <b>œuvre</b> – Łódź, Dvořák</p>"), FEUILLE)
    polices = polices_de(octets)
    assert polices and all(polices.values())
    assert all(nom.startswith("Recouvrement-Sans") for nom in polices)
    assert any("Ext" in nom for nom in polices)


def test_une_image_incorporee_s_affiche():
    octets = pdf.rendre(document(f'<img src="{image_png()}">'), FEUILLE)
    assert len(PdfReader(BytesIO(octets)).pages[0].images) == 1


@pytest.mark.parametrize(
    "adresse",
    [
        "http://127.0.0.1:9/traceur.png",
        "https://exemple.invalid/traceur.png",
        "ftp://exemple.invalid/x.png",
        "IMAGE",
        "HOTE",
        "POLICES/../polices/OFL.txt",
        "POLICES/../pdf.py",
        "traceur.png",
    ],
)
def test_toute_autre_adresse_est_refusee(adresse, tmp_path, caplog):
    image = tmp_path / "traceur.png"
    Image.new("RGB", (8, 8)).save(image)
    adresse = adresse.replace("IMAGE", image.as_uri()).replace("POLICES", pdf.POLICES.as_uri())
    adresse = adresse.replace("HOTE", image.as_uri().replace("file://", "file://ailleurs"))
    octets = pdf.rendre(document(f'<p>Texte</p><img src="{adresse}">'), FEUILLE)
    assert len(PdfReader(BytesIO(octets)).pages[0].images) == 0
    assert "adresse refusée" in caplog.text


def test_une_police_hors_de_notre_dossier_est_refusee(tmp_path, caplog):
    copie = tmp_path / "volee.woff2"
    copie.write_bytes((pdf.POLICES / "recouvrement-sans-400.woff2").read_bytes())
    feuille = tmp_path / "feuille.css"
    feuille.write_text(
        f'@font-face {{ font-family: "Volee"; src: url({copie.as_uri()}) }} body {{ font-family: "Volee" }}'
    )
    caplog.set_level("DEBUG", "weasyprint")
    pdf.rendre(document("<p>Texte</p>"), feuille)
    assert "adresse refusée" in caplog.text


def test_la_feuille_et_les_polices_ne_se_compilent_qu_une_fois_par_processus(monkeypatch):
    pdf.rendre(document("<p>un</p>"), FEUILLE)
    monkeypatch.setattr(Path, "read_text", lambda *a, **k: pytest.fail("feuille relue"))
    pdf.rendre(document("<p>deux</p>"), FEUILLE)


@pytest.mark.parametrize("erreur", [OSError("cannot load library 'libpango-1.0-0'"), ImportError("weasyprint")])
def test_sans_pango_l_erreur_dit_quoi_installer(monkeypatch, erreur):
    vrai = builtins.__import__

    def importer(nom, *args, **kwargs):
        if nom == "weasyprint":
            raise erreur
        return vrai(nom, *args, **kwargs)

    pdf._weasyprint.cache_clear()
    monkeypatch.setattr(builtins, "__import__", importer)
    try:
        assert not pdf.disponible()
        with pytest.raises(pdf.PdfIndisponible, match="libpango"):
            pdf.rendre(document("<p>Texte</p>"), FEUILLE)
    finally:
        pdf._weasyprint.cache_clear()


def test_un_fils_ne_rend_pas_ses_polices_inutilisables_a_son_pere_ni_a_ses_freres():
    """Un ouvrier né d'un fork efface ses polices en partant ; celles du père doivent rester."""
    programme = """
import os, sys
from pathlib import Path
from recouvrement.commun import pdf
from tests.commun.test_pdf import document, polices_de

feuille = Path(sys.argv[1])
pdf.rendre(document('<p>un</p>'), feuille)
fils = os.fork()
polices = polices_de(pdf.rendre(document('<p>deux ; 12 €</p><b>Łódź</b>'), feuille))
assert all(nom.startswith('Recouvrement-Sans') for nom in polices), polices
if fils:
    assert os.waitpid(fils, 0)[1] == 0
    polices = polices_de(pdf.rendre(document('<p>trois</p><b>Šš</b><p>Žž</p>'), feuille))
    assert all(nom.startswith('Recouvrement-Sans') for nom in polices), polices
    assert all(Path(d._folder).is_dir() for d in pdf._ouvertes)
"""
    fini = subprocess.run([sys.executable, "-c", programme, FEUILLE], cwd=RACINE, capture_output=True, text=True)
    assert fini.returncode == 0, fini.stderr


def test_fusionner_garde_l_ordre_et_compte_les_pages():
    un, deux = (pdf.rendre(document(f"<p>{n}</p>"), FEUILLE) for n in ("premier", "second"))
    lot = pdf.fusionner([un, deux])
    assert pdf.compter_pages(lot) == 2
    assert [page.extract_text().strip().split()[0] for page in PdfReader(BytesIO(lot)).pages] == ["premier", "second"]


def test_en_recto_verso_chaque_lettre_commence_sur_un_recto():
    impair = pdf.rendre(document("<p>seule</p>"), FEUILLE)
    pair = pdf.rendre(document('<p>une</p><p style="break-before: page">deux</p>'), FEUILLE)
    lot = PdfReader(BytesIO(pdf.fusionner([impair, pair, impair], recto_verso=True)))
    assert [bool(page.extract_text().strip()) for page in lot.pages] == [True, False, True, True, True, False]


def test_fusionner_rien_se_refuse():
    with pytest.raises(ValueError, match="aucun document"):
        pdf.fusionner([])
