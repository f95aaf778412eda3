"""Un fichier reçu est relu et transmis à d'autres : il ne fait rien tout seul, et rien d'illisible n'interrompt."""

from io import BytesIO

import pytest
from django.core.exceptions import ValidationError
from pypdf import PdfWriter
from pypdf.generic import ArrayObject, DictionaryObject, NameObject, NumberObject, TextStringObject

from recouvrement.commun import fichiers
from recouvrement.commun.fichiers import identifier

CHIFFRE = (
    b"%%PDF-1.7\n1 0 obj\n<</Type/Catalog/Pages 2 0 R>>\nendobj\n2 0 obj\n<</Type/Pages/Count 0/Kids[]>>\nendobj\n"
    b"xref\n0 3\n0000000000 65535 f \n0000000009 00000 n \n0000000054 00000 n \n"
    b"trailer <</Size 3/Root 1 0 R/Encrypt %s>>\nstartxref\n103\n%%%%EOF"
)


def en_pdf(valeur):
    """Dictionnaires, listes et textes Python en objets PDF ; « /Nom » devient un nom."""
    if isinstance(valeur, dict):
        return DictionaryObject({NameObject(nom): en_pdf(v) for nom, v in valeur.items()})
    if isinstance(valeur, list):
        return ArrayObject(en_pdf(v) for v in valeur)
    if isinstance(valeur, int):
        return NumberObject(valeur)
    return NameObject(valeur) if valeur.startswith("/") else TextStringObject(valeur)


def pdf(*, racine=None, page=None, lien=None) -> bytes:
    """Un PDF d'une page, avec ces entrées à la racine, à la page, ou dans un lien de la page."""
    ecrit = PdfWriter()
    feuille = ecrit.add_blank_page(595, 842)
    if lien is not None:
        annotation = {"/Type": "/Annot", "/Subtype": "/Link", "/Rect": [0, 0, 595, 842], **lien}
        page = {**(page or {}), "/Annots": [annotation]}
    for porteur, entrees in ((ecrit._root_object, racine), (feuille, page)):
        for nom, valeur in (entrees or {}).items():
            porteur[NameObject(nom)] = ecrit._add_object(en_pdf(valeur))
    sortie = BytesIO()
    ecrit.write(sortie)
    return sortie.getvalue()


SCRIPT = {"/S": "/JavaScript", "/JS": "app.alert(1)"}
LANCE = {"/S": "/Launch", "/F": "cmd.exe"}
VERS_LE_HAUT = {"/S": "/GoTo", "/D": "haut"}
PIECE = {"/Type": "/Filespec", "/F": "a.exe", "/EF": {"/F": "octets"}}


@pytest.mark.parametrize(
    "endroit",
    [
        pytest.param({"racine": {"/OpenAction": SCRIPT}}, id="script à l'ouverture"),
        pytest.param({"racine": {"/OpenAction": {"/S": "/SubmitForm", "/F": "x"}}}, id="envoi à l'ouverture"),
        pytest.param({"racine": {"/OpenAction": {**VERS_LE_HAUT, "/Next": SCRIPT}}}, id="script ensuite"),
        pytest.param({"racine": {"/OpenAction": {**VERS_LE_HAUT, "/Next": [VERS_LE_HAUT, {**VERS_LE_HAUT,
                      "/Next": LANCE}]}}}, id="programme ensuite, en liste"),
        pytest.param({"racine": {"/AA": {"/WC": SCRIPT}}}, id="script à la fermeture"),
        pytest.param({"racine": {"/Names": {"/JavaScript": {"/Names": ["a", SCRIPT]}}}}, id="script nommé"),
        pytest.param({"racine": {"/Names": {"/EmbeddedFiles": {"/Names": ["a", PIECE]}}}}, id="pièce incorporée"),
        pytest.param({"racine": {"/AF": [PIECE]}}, id="pièce associée"),
        pytest.param({"racine": {"/Outlines": {"/First": {"/Title": "x", "/A": LANCE}}}}, id="programme en signet"),
        pytest.param({"racine": {"/AcroForm": {"/Fields": [{"/AA": {"/K": SCRIPT}}]}}}, id="script au champ"),
        pytest.param({"racine": {"/AcroForm": {"/XFA": ["template", "x"]}}}, id="formulaire XFA"),
        pytest.param({"page": {"/AA": {"/O": SCRIPT}}}, id="script de page"),
        pytest.param({"lien": {"/A": LANCE}}, id="programme dans un lien"),
        pytest.param({"lien": {"/A": {"/S": "/GoToR", "/F": "x.pdf"}}}, id="autre fichier"),
        pytest.param({"lien": {"/A": {"/S": "/ImportData", "/F": "x"}}}, id="données importées"),
        pytest.param({"lien": {"/A": {"/S": "/URI", "/URI": "javascript:alert(1)"}}}, id="adresse de script"),
        pytest.param({"lien": {"/A": {"/S": "/URI", "/URI": "file:///etc/passwd"}}}, id="adresse de fichier"),
        pytest.param({"lien": {"/PA": LANCE}}, id="programme d'un lien de page web"),
        pytest.param({"lien": {"/AA": {"/E": SCRIPT}}}, id="script au survol"),
        pytest.param({"lien": {"/Subtype": "/FileAttachment", "/FS": PIECE}}, id="pièce épinglée"),
        pytest.param({"lien": {"/Subtype": "/RichMedia"}}, id="contenu animé"),
    ],
)  # fmt: skip
def test_un_pdf_qui_agit_est_refuse(endroit):
    with pytest.raises(ValidationError, match="programme ou un fichier caché"):
        identifier(pdf(**endroit))


@pytest.mark.parametrize(
    "endroit",
    [
        {},
        {"lien": {"/A": {"/S": "/URI", "/URI": "https://exemple.fr/facture"}}},
        {"lien": {"/A": {"/S": "/URI", "/URI": "mailto:compta@exemple.fr"}}},
        {"lien": {"/A": VERS_LE_HAUT}, "racine": {"/OpenAction": VERS_LE_HAUT}},
        {"racine": {"/OpenAction": [0, "/Fit"], "/Outlines": {"/First": {"/Title": "a", "/Next": {"/Title": "b"}}}}},
        {"racine": {"/StructTreeRoot": {"/K": {"/S": "/P", "/A": {"/O": "/Layout", "/TextAlign": "/End"}}}}},
    ],
)
def test_un_pdf_ordinaire_et_ses_liens_sont_acceptes(endroit):
    lu = identifier(pdf(**endroit))
    assert (lu.mime, lu.pages) == ("application/pdf", 1)


@pytest.mark.parametrize(
    "chiffrement",
    [
        b"<</Filter/Standard/V 9/R 9>>",
        b"<</Filter/Inconnu/V 4/R 4>>",
        b"<</Filter/Standard/V 4/R 4/Length 128/P -1/O(a)/U(b)/CF<</StdCF<</CFM/Zorg>>>>/StmF/StdCF/StrF/StdCF>>",
    ],
)
def test_un_chiffrement_inconnu_est_un_refus_clair_et_journalise(chiffrement, caplog):
    with pytest.raises(ValidationError, match="ne s'ouvre pas"):
        identifier(CHIFFRE % chiffrement)
    assert [r.name for r in caplog.records] == [fichiers.log.name]


def test_un_pdf_aux_objets_innombrables_est_refuse(monkeypatch):
    monkeypatch.setattr(fichiers, "OBJETS_MAX", 3)
    with pytest.raises(ValidationError, match="trop complexe"):
        identifier(pdf())
