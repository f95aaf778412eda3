"""Une facture ou un avoir UBL 2.1 (EN 16931, Peppol BIS Billing, XP Z12-012)."""

import re
from decimal import Decimal
from itertools import islice

from factures.domaine.efacture import ZERO, Document, Partie, Terme, Tva
from factures.domaine.efacture_termes import Escompte, escompte_en_clair

from .efacture_parties import partie
from .efacture_xml import REPETES_MAX, Racine, decimal, jour, montant, texte, textes

_NOTE = re.compile(r"#([A-Z]{3})#\s*(.*)", re.DOTALL)


def lire(racine: Racine) -> Document:
    """Lève FichierRefuse, en nommant le champ qui manque ou ne se lit pas."""
    arbre = racine.arbre
    avoir = racine.nom == "CreditNote"
    totaux = arbre.find("LegalMonetaryTotal")
    devise = texte(arbre, "DocumentCurrencyCode").upper()
    tva, tva_comptable = _tva(arbre, devise, texte(arbre, "TaxCurrencyCode").upper())
    termes = tuple(_termes(arbre))
    echeance = jour(texte(arbre, "DueDate"), "Échéance (BT-9)") or jour(
        texte(arbre, "PaymentMeans/PaymentDueDate"), "Échéance (BT-9)"
    )
    dates = [t.jour for t in termes if t.jour]
    return Document(
        syntaxe="UBL CreditNote" if avoir else "UBL Invoice",
        profil=texte(arbre, "CustomizationID", 200),
        type=texte(arbre, "CreditNoteTypeCode" if avoir else "InvoiceTypeCode", 10) or ("381" if avoir else "380"),
        numero=texte(arbre, "ID", 200),
        emission=jour(texte(arbre, "IssueDate"), "Date de facture (BT-2)"),
        devise=devise,
        ht=montant(totaux, "TaxExclusiveAmount", "Total HT (BT-109)"),
        tva=tva,
        tva_comptable=tva_comptable,
        ttc=montant(totaux, "TaxInclusiveAmount", "Total TTC (BT-112)"),
        acompte=montant(totaux, "PrepaidAmount", "Acompte (BT-113)"),
        arrondi=montant(totaux, "PayableRoundingAmount", "Arrondi (BT-114)") or ZERO,
        net=montant(totaux, "PayableAmount", "Net à payer (BT-115)"),
        vendeur=_partie(arbre.find("AccountingSupplierParty/Party")),
        acheteur=_partie(arbre.find("AccountingCustomerParty/Party")),
        ventilation=tuple(_ventilation(arbre)),
        termes=termes,
        echeance=echeance or max(dates, default=None),
        escompte=_escompte(arbre) or escompte_en_clair(" ; ".join(t.texte for t in termes)),
        anterieures=tuple(dict.fromkeys(x[:60] for x in textes(arbre, "BillingReference/InvoiceDocumentReference/ID"))),
        commande=texte(arbre, "OrderReference/ID", 60),
        execution=jour(texte(arbre, "Delivery/ActualDeliveryDate"), "Date de livraison (BT-72)"),
        lignes=sum(1 for _ in arbre.iterfind("CreditNoteLine" if avoir else "InvoiceLine")),
        notes=tuple(_note(x) for x in list(textes(arbre, "Note"))[:100]),
        ibans=tuple(x.replace(" ", "").upper()[:34] for x in textes(arbre, "PaymentMeans/PayeeFinancialAccount/ID")),
        exigibilite=texte(arbre, "InvoicePeriod/DescriptionCode", 5),
        cadre=texte(arbre, "ProfileID", 60),
        livraison=arbre.find("Delivery/DeliveryLocation/Address") is not None,
    )


def _note(brut: str) -> tuple[str, str]:
    """« #PMD#Tout retard… » : le code de sujet précède le texte (XP Z12-012)."""
    lu = _NOTE.match(brut)
    return (lu[1], lu[2][:2000]) if lu else ("", brut[:2000])


def _tva(arbre, devise: str, comptable: str) -> tuple[Decimal | None, tuple[Decimal, str] | None]:
    tva = autre = None
    for element in arbre.iterfind("TaxTotal/TaxAmount"):
        valeur = montant(element, "", "Total de TVA (BT-110)")
        code = (element.get("currencyID") or devise).upper()
        if code == devise and tva is None:
            tva = valeur
        elif (code == comptable or not comptable) and valeur is not None:
            autre = (valeur, code[:3])
    return tva, autre


def _ventilation(arbre):
    for ligne in islice(arbre.iterfind("TaxTotal/TaxSubtotal"), REPETES_MAX):
        taux = texte(ligne, "TaxCategory/Percent", 12)
        base = montant(ligne, "TaxableAmount", "Base de TVA (BT-116)")
        calculee = montant(ligne, "TaxAmount", "Montant de TVA (BT-117)")
        yield Tva(texte(ligne, "TaxCategory/ID", 3), decimal(taux) if taux else None, base or ZERO, calculee or ZERO)


def _termes(arbre):
    for bloc in islice(arbre.iterfind("PaymentTerms"), REPETES_MAX):
        yield Terme(
            texte=" ".join(textes(bloc, "Note"))[:500],
            jour=jour(texte(bloc, "PaymentDueDate"), "Échéance d'un terme"),
            montant=montant(bloc, "Amount", "Montant d'un terme"),
        )


def _escompte(arbre) -> Escompte | None:
    lus = set()
    for bloc in arbre.iterfind("PaymentTerms"):
        taux = decimal(texte(bloc, "SettlementDiscountPercent", 12))
        duree = bloc.find("SettlementPeriod/DurationMeasure")
        jours = decimal(texte(duree, "", 12)) if duree is not None and duree.get("unitCode", "DAY") == "DAY" else None
        if taux and jours and 0 < taux < 100 and 0 < jours <= 120 and jours == int(jours):
            lus.add(Escompte(taux, int(jours)))
    return lus.pop() if len(lus) == 1 else None


def _partie(bloc) -> Partie:
    if bloc is None:
        return Partie()
    legal = bloc.find("PartyLegalEntity/CompanyID")
    adresse = bloc.find("PostalAddress")
    tva = ""
    for taxe in bloc.iterfind("PartyTaxScheme"):
        if texte(taxe, "TaxScheme/ID", 10).upper() == "VAT":
            tva = tva or texte(taxe, "CompanyID")
    return partie(
        nom=texte(bloc, "PartyLegalEntity/RegistrationName") or texte(bloc, "PartyName/Name"),
        legal=("" if legal is None else legal.get("schemeID", ""), texte(legal)),
        identifiants=[(x.get("schemeID", ""), texte(x)) for x in bloc.iterfind("PartyIdentification/ID")],
        tva=tva,
        adresse=[texte(adresse, nom) for nom in ("StreetName", "AdditionalStreetName", "AddressLine/Line")],
        code_postal=texte(adresse, "PostalZone"),
        ville=texte(adresse, "CityName"),
        pays=texte(adresse, "Country/IdentificationCode"),
        courriel=texte(bloc, "Contact/ElectronicMail") or texte(bloc, "EndpointID[@schemeID='EM']"),
        telephone=texte(bloc, "Contact/Telephone"),
    )
