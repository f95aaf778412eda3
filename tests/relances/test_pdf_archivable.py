"""PDF/A-2a et PDF/UA-1 en option : la structure, vérifiée sans validateur externe (aucun n'est joignable)."""

import re
from dataclasses import replace
from io import BytesIO
from xml.etree import ElementTree

import pytest
from pypdf import PdfReader
from pypdf.generic import IndirectObject

from recouvrement.commun import pdf
from relances.domaine.natures import Nature
from relances.rendu import lettres

from . import exemples_rendu as ex

PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
LOGO = f"data:image/png;base64,{PIXEL}"
ARCHIVABLE = replace(ex.EMETTEUR, pdf_archivable=True, logo=LOGO)
SIGNE = replace(ex.SIGNATAIRE, image=LOGO)
CAS = [
    (Nature.RAPPEL_COURTOIS, ex.HOTELIERE),
    (Nature.MISE_EN_DEMEURE, ex.HOTELIERE),
    (Nature.MISE_EN_DEMEURE, ex.HALLAM),
    (Nature.MISE_EN_DEMEURE, ex.KERDRAON),
    (Nature.FORMALISATION, ex.COMMUNE),
]
chaque = pytest.mark.parametrize(("nature", "client"), CAS, ids=lambda cas: getattr(cas, "code", None) or cas.name)


def archivee(nature, client, **autres) -> bytes:
    return lettres.rendre_pdf(ex.lettre(nature, destinataire=client, emetteur=ARCHIVABLE, signataire=SIGNE, **autres))


def lire(octets: bytes):
    lecteur = PdfReader(BytesIO(octets))
    return lecteur, lecteur.trailer["/Root"]


def elements(racine) -> list:
    """Éléments de structure, parents d'abord."""
    vus, pile, sortie = set(), [racine], []
    while pile:
        noeud = pile.pop()
        if isinstance(noeud, IndirectObject):
            if noeud.idnum in vus:
                continue
            vus.add(noeud.idnum)
            noeud = noeud.get_object()
        if isinstance(noeud, list):
            pile.extend(noeud)
        elif isinstance(noeud, dict):
            if "/S" in noeud:
                sortie.append(noeud)
            if "/K" in noeud:
                pile.append(noeud["/K"] if not isinstance(noeud.raw_get("/K"), IndirectObject) else noeud.raw_get("/K"))
    return sortie


def descendants(element, genres) -> list:
    return [e for e in elements(element.get("/K", [])) if e["/S"] in genres]


@chaque
def test_le_catalogue_dit_la_langue_le_balisage_le_titre_et_les_couleurs(nature, client):
    """ISO 14289-1 § 7.1 et 7.2 ; ISO 19005-2 § 6.2.3, 6.6 et 6.7."""
    lecteur, racine = lire(archivee(nature, client))
    assert racine["/Lang"] == client.langue
    assert racine["/MarkInfo"]["/Marked"].value
    assert racine["/ViewerPreferences"]["/DisplayDocTitle"].value
    assert lecteur.metadata.title and client.code not in lecteur.metadata.title
    (intention,) = (i.get_object() for i in racine["/OutputIntents"])
    assert intention["/S"] == "/GTS_PDFA1" and len(intention["/DestOutputProfile"].get_data()) > 400
    assert "/ID" in lecteur.trailer and "/Encrypt" not in lecteur.trailer


@chaque
def test_le_xmp_annonce_les_deux_normes_et_decrit_la_seconde(nature, client):
    """PDF/A exige que toute propriété hors de sa liste soit décrite dans le fichier (ISO 19005-2 § 6.6.2.3)."""
    _lecteur, racine = lire(archivee(nature, client))
    xmp = racine["/Metadata"].get_data()
    arbre = ElementTree.fromstring(xmp[xmp.index(b"<x:xmpmeta") : xmp.index(b"</x:xmpmeta>") + 12])
    rdf = arbre.findall("{http://www.w3.org/1999/02/22-rdf-syntax-ns#}RDF")
    attributs = {cle: valeur for e in rdf[0] for cle, valeur in e.attrib.items()}
    assert len(rdf) == 1
    assert attributs["{http://www.aiim.org/pdfa/ns/id/}part"] == "2"
    assert attributs["{http://www.aiim.org/pdfa/ns/id/}conformance"] == "A"
    assert attributs["{http://www.aiim.org/pdfua/ns/id/}part"] == "1"
    assert (
        rdf[0].find(".//{http://www.aiim.org/pdfa/ns/schema#}namespaceURI").text == "http://www.aiim.org/pdfua/ns/id/"
    )
    assert rdf[0].find(".//{http://purl.org/dc/elements/1.1/}title") is not None


@chaque
def test_toutes_les_polices_sont_incorporees_et_se_relisent_en_unicode(nature, client):
    """ISO 19005-2 § 6.2.11."""
    lecteur, _racine = lire(archivee(nature, client))
    for page in lecteur.pages:
        for police in page["/Resources"]["/Font"].values():
            police = police.get_object()
            (descendante,) = (d.get_object() for d in police["/DescendantFonts"])
            descripteur = descendante["/FontDescriptor"].get_object()
            assert {"/FontFile2", "/FontFile3"} & set(descripteur) and "/ToUnicode" in police
            assert "Recouvrement" in str(descripteur["/FontName"])


@chaque
def test_titres_tableaux_et_images_sont_balises(nature, client):
    """ISO 14289-1 § 7.3, 7.4 et 7.5 : texte de remplacement, en-têtes de tableau, titres."""
    _lecteur, racine = lire(archivee(nature, client))
    arbre = racine["/StructTreeRoot"]
    tous = elements(arbre["/K"])
    genres = {e["/S"] for e in tous}
    assert {"/Document", "/P", "/H1", "/Table", "/TR", "/TH", "/TD", "/Figure"} <= genres
    assert "/ParentTree" in arbre
    figures = [e for e in tous if e["/S"] == "/Figure"]
    assert figures and all(str(f["/Alt"]).strip() for f in figures)
    tableaux = [e for e in tous if e["/S"] == "/Table"]
    for tableau in tableaux:
        entetes = descendants(tableau, {"/TH"})
        assert entetes
        cellules = descendants(tableau, {"/TD"})
        assert any("/Headers" in c.get("/A", {}) for c in cellules)


def test_une_rangee_par_facture_pour_un_lecteur_d_ecran():
    """Ordinairement, une cellule groupe cinq factures : un lecteur d'écran y lirait cinq numéros, puis cinq dates."""
    _lecteur, racine = lire(archivee(Nature.RAPPEL_COURTOIS, ex.HOTELIERE, nombre=6))
    tableau = next(e for e in elements(racine["/StructTreeRoot"]["/K"]) if e["/S"] == "/Table")
    assert len(descendants(tableau, {"/TR"})) == 1 + 6 + 1
    ordinaire = lettres.rendre_html(ex.lettre(Nature.RAPPEL_COURTOIS, nombre=6))
    assert ordinaire.count("<tr") < 6


def test_le_decompte_accessible_nomme_la_facture_a_chaque_periode():
    due = ex.lignes(6)[0]
    assert len(due.segments) > 1
    html = lettres.rendre_html(ex.lettre(Nature.MISE_EN_DEMEURE, lignes=(due,), emetteur=ARCHIVABLE))
    annexe = html[html.index('class="annexe"') :]
    assert annexe.count(f"<td>{due.numero}</td>") == len(due.segments)


@chaque
def test_le_rendu_archivable_est_le_meme_octet_pour_octet(nature, client):
    """Exigence 27 : l'empreinte prouve la lettre."""
    assert archivee(nature, client) == archivee(nature, client)


def test_sans_l_option_le_pdf_reste_simple():
    octets = lettres.rendre_pdf(ex.lettre(Nature.RAPPEL_COURTOIS))
    _lecteur, racine = lire(octets)
    assert "/StructTreeRoot" not in racine and "/OutputIntents" not in racine


@pytest.mark.parametrize("client", [ex.HOTELIERE, ex.HALLAM], ids=lambda c: c.code)
@pytest.mark.parametrize("nombre", [1, 6, 60])
def test_accessible_ou_non_la_lettre_dit_la_meme_chose(nombre, client):
    ordinaire, accessible = (
        lettres.rendre_pdf(ex.lettre(Nature.FORMALISATION, nombre=nombre, destinataire=client, emetteur=emetteur))
        for emetteur in (ex.EMETTEUR, replace(ex.EMETTEUR, pdf_archivable=True))
    )
    assert dits(accessible) == dits(ordinaire)
    assert pdf.compter_pages(accessible) - pdf.compter_pages(ordinaire) in (0, 1)


def dits(octets: bytes) -> set[str]:
    """Numéros, dates et sommes du corps ; les reports de page, qui suivent la coupe, ne comptent pas."""
    texte = " ".join(page.extract_text() for page in PdfReader(BytesIO(octets)).pages).replace("\u00a0", " ")
    return set(re.findall(r"FA-\d+-\d+|\d{2}/\d{2}/\d{4}", texte))
