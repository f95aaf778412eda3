"""Des factures électroniques fabriquées : CII, UBL et Factur-X, au gré de l'essai."""

from functools import lru_cache
from io import BytesIO

import facturx
from pypdf import PdfReader, PdfWriter
from pypdf.generic import DictionaryObject, NameObject, TextStringObject

VENDEUR, ACHETEUR = "732829320", "443061841"
NOTES = {
    "PMD": "Pénalités de retard : trois fois le taux d’intérêt légal.",
    "PMT": "Indemnité forfaitaire de recouvrement : 40 €.",
    "AAB": "Pas d’escompte pour paiement anticipé.",
}
ESPACES = (
    'xmlns:rsm="urn:un:unece:uncefact:data:standard:CrossIndustryInvoice:100" '
    'xmlns:ram="urn:un:unece:uncefact:data:standard:ReusableAggregateBusinessInformationEntity:100" '
    'xmlns:udt="urn:un:unece:uncefact:data:standard:UnqualifiedDataType:100"'
)


def _r(chemin: str, contenu: str | None, attribut: str = "") -> str:
    """« A/B » → <ram:A><ram:B attribut>contenu</ram:B></ram:A> ; rien si le contenu est vide."""
    if not contenu:
        return ""
    noms = [f"ram:{nom}" for nom in chemin.split("/")]
    ouvre = "".join(f"<{nom}>" for nom in noms[:-1]) + f"<{noms[-1]}{' ' + attribut if attribut else ''}>"
    return ouvre + contenu + "".join(f"</{nom}>" for nom in reversed(noms))


def _jour(jour: str) -> str:
    return f'<udt:DateTimeString format="102">{jour.replace("-", "")}</udt:DateTimeString>' if jour else ""


def _partie_cii(role: str, nom: str, siren: str, siret: str = "", tva: str = "", pays: str = "FR") -> str:
    adresse = (
        _r("PostcodeCode", "44000") + _r("LineOne", "1 rue du Port") + _r("CityName", "Nantes") + _r("CountryID", pays)
    )
    return _r(
        role,
        _r("GlobalID", siret, 'schemeID="0009"')
        + _r("Name", nom)
        + _r("SpecifiedLegalOrganization/ID", siren, 'schemeID="0002"')
        + _r("PostalTradeAddress", adresse)
        + _r("SpecifiedTaxRegistration/ID", tva, 'schemeID="VA"'),
    )


def cii(
    numero="F-100", type_="380", emission="2026-01-31", echeance="2026-03-02", ht="100.00", tva="20.00", ttc="120.00",
    acompte=None, arrondi=None, net="120.00", devise="EUR", siren=VENDEUR, acheteur="Garage Le Bihan",
    acheteur_siren=ACHETEUR, acheteur_siret="", acheteur_tva="", anterieure="", termes="", notes=None, iban="",
    cadre="B1", exigibilite="", blocs_termes=None, profil="urn:cen.eu:en16931:2017", pays="FR", tete="",
) -> bytes:  # fmt: skip
    """Montants et dates en textes ISO ; blocs_termes : [(date, montant)] pour plusieurs échéances."""
    if blocs_termes is None:
        blocs_termes = [(echeance, None)] if echeance or termes else []
    contexte = _r("BusinessProcessSpecifiedDocumentContextParameter/ID", cadre)
    contexte += _r("GuidelineSpecifiedDocumentContextParameter/ID", profil)
    entete = _r("ID", numero) + _r("TypeCode", type_) + _r("IssueDateTime", _jour(emission))
    for code, texte in (NOTES if notes is None else notes).items():
        entete += _r("IncludedNote", _r("Content", texte) + _r("SubjectCode", code))
    accord = _partie_cii("SellerTradeParty", "Ateliers Mercier", siren)
    accord += _partie_cii("BuyerTradeParty", acheteur, acheteur_siren, acheteur_siret, acheteur_tva, pays)
    taxe = _r("CalculatedAmount", tva) + _r("TypeCode", "VAT") + _r("BasisAmount", ht) + _r("CategoryCode", "S")
    taxe += _r("DueDateTypeCode", exigibilite) + _r("RateApplicablePercent", "20.00")
    totaux = _r("TaxBasisTotalAmount", ht) + _r("TaxTotalAmount", tva, f'currencyID="{devise}"')
    totaux += _r("RoundingAmount", arrondi) + _r("GrandTotalAmount", ttc)
    totaux += _r("TotalPrepaidAmount", acompte) + _r("DuePayableAmount", net)
    reglement = _r("InvoiceCurrencyCode", devise)
    reglement += _r("SpecifiedTradeSettlementPaymentMeans/PayeePartyCreditorFinancialAccount/IBANID", iban)
    reglement += _r("ApplicableTradeTax", taxe)
    for jour, montant in blocs_termes:
        terme = _r("Description", termes) + _r("DueDateDateTime", _jour(jour)) + _r("PartialPaymentAmount", montant)
        reglement += _r("SpecifiedTradePaymentTerms", terme)
    reglement += _r("SpecifiedTradeSettlementHeaderMonetarySummation", totaux)
    reglement += _r("InvoiceReferencedDocument/IssuerAssignedID", anterieure)
    transaction = _r("IncludedSupplyChainTradeLineItem/AssociatedDocumentLineDocument/LineID", "1")
    transaction += _r("ApplicableHeaderTradeAgreement", accord) + "<ram:ApplicableHeaderTradeDelivery/>"
    transaction += _r("ApplicableHeaderTradeSettlement", reglement)
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>{tete}<rsm:CrossIndustryInvoice {ESPACES}>'
        f"<rsm:ExchangedDocumentContext>{contexte}</rsm:ExchangedDocumentContext>"
        f"<rsm:ExchangedDocument>{entete}</rsm:ExchangedDocument>"
        f"<rsm:SupplyChainTradeTransaction>{transaction}</rsm:SupplyChainTradeTransaction></rsm:CrossIndustryInvoice>"
    ).encode()


def ubl(
    numero="F-100", type_="380", emission="2026-01-31", echeance="2026-03-02", ht="100.00", tva="20.00", ttc="120.00",
    net="120.00", devise="EUR", siren=VENDEUR, acheteur="Garage Le Bihan", acheteur_siren=ACHETEUR, avoir=False,
    termes=(),
) -> bytes:  # fmt: skip
    """termes : [(texte, date, montant)]."""
    racine = "CreditNote" if avoir else "Invoice"

    def partie(role: str, nom: str, numero: str) -> str:
        return (
            f"<cac:{role}><cac:Party><cac:PostalAddress><cbc:CityName>Nantes</cbc:CityName><cac:Country>"
            "<cbc:IdentificationCode>FR</cbc:IdentificationCode></cac:Country></cac:PostalAddress><cac:PartyLegalEntity>"
            f'<cbc:RegistrationName>{nom}</cbc:RegistrationName><cbc:CompanyID schemeID="0002">{numero}</cbc:CompanyID>'
            f"</cac:PartyLegalEntity></cac:Party></cac:{role}>"
        )

    des_termes = "".join(
        f"<cac:PaymentTerms><cbc:Note>{texte}</cbc:Note>"
        + (f'<cbc:Amount currencyID="{devise}">{montant}</cbc:Amount>' if montant else "")
        + (f"<cbc:PaymentDueDate>{jour}</cbc:PaymentDueDate>" if jour else "")
        + "</cac:PaymentTerms>"
        for texte, jour, montant in termes
    )
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<{racine} xmlns="urn:oasis:names:specification:ubl:schema:xsd:{racine}-2"
 xmlns:cac="urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2"
 xmlns:cbc="urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2">
<cbc:CustomizationID>urn:cen.eu:en16931:2017</cbc:CustomizationID><cbc:ProfileID>B1</cbc:ProfileID>
<cbc:ID>{numero}</cbc:ID>
<cbc:IssueDate>{emission}</cbc:IssueDate>{f"<cbc:DueDate>{echeance}</cbc:DueDate>" if echeance else ""}
<cbc:{racine}TypeCode>{type_}</cbc:{racine}TypeCode>
{"".join(f"<cbc:Note>#{c}#{t}</cbc:Note>" for c, t in NOTES.items())}
<cbc:DocumentCurrencyCode>{devise}</cbc:DocumentCurrencyCode>
{partie("AccountingSupplierParty", "Ateliers Mercier", siren)}
{partie("AccountingCustomerParty", acheteur, acheteur_siren)}
{des_termes}<cac:TaxTotal><cbc:TaxAmount currencyID="{devise}">{tva}</cbc:TaxAmount></cac:TaxTotal>
<cac:LegalMonetaryTotal><cbc:TaxExclusiveAmount currencyID="{devise}">{ht}</cbc:TaxExclusiveAmount>
<cbc:TaxInclusiveAmount currencyID="{devise}">{ttc}</cbc:TaxInclusiveAmount>
<cbc:PayableAmount currencyID="{devise}">{net}</cbc:PayableAmount></cac:LegalMonetaryTotal>
<cac:{racine}Line><cbc:ID>1</cbc:ID></cac:{racine}Line></{racine}>""".encode()


@lru_cache(maxsize=1)
def page() -> bytes:
    """Un PDF d'une page, rendu pour de vrai."""
    from weasyprint import HTML

    return HTML(string="<p>Facture F-100</p>").write_pdf()


def facturx_pdf(xml: bytes | None = None, pieces: dict[str, bytes] | None = None) -> bytes:
    return facturx.generate_from_binary(
        page(), xml or cii(), flavor="factur-x", level="en16931", check_xsd=False,
        attachments={nom: {"filedata": contenu} for nom, contenu in (pieces or {}).items()},
    )  # fmt: skip


def pdf_avec(*pieces: tuple[str, bytes], mot_de_passe: str = "", script: str = "") -> bytes:
    """Un PDF et ses pièces jointes, telles quelles."""
    ecrivain, tampon = PdfWriter(clone_from=PdfReader(BytesIO(page()))), BytesIO()
    for nom, contenu in pieces:
        ecrivain.add_attachment(nom, contenu)
    if script:
        action = {NameObject("/S"): NameObject("/JavaScript"), NameObject("/JS"): TextStringObject(script)}
        ecrivain.root_object[NameObject("/OpenAction")] = DictionaryObject(action)
    if mot_de_passe:
        ecrivain.encrypt(mot_de_passe, algorithm="RC4-128")
    ecrivain.write(tampon)
    return tampon.getvalue()
