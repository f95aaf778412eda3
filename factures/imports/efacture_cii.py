"""Une facture en CII (UN/CEFACT D16B à D22B, Factur-X, ZUGFeRD 2) ou dans sa forme d'avant (ZUGFeRD 1.0)."""

from datetime import date
from decimal import Decimal
from itertools import islice

from factures.domaine.efacture import ZERO, Document, Partie, Terme, Tva
from factures.domaine.efacture_termes import Escompte, escompte_en_clair

from .efacture_parties import partie
from .efacture_xml import REPETES_MAX, Champ, Racine, decimal, jour, montant, texte, textes

# Noms du même bloc : D16B et suivants, puis ZUGFeRD 1.0.
CONTEXTE = ("ExchangedDocumentContext", "SpecifiedExchangedDocumentContext")
ENTETE = ("ExchangedDocument", "HeaderExchangedDocument")
TRANSACTION = ("SupplyChainTradeTransaction", "SpecifiedSupplyChainTradeTransaction")
ACCORD = ("ApplicableHeaderTradeAgreement", "ApplicableSupplyChainTradeAgreement")
LIVRAISON = ("ApplicableHeaderTradeDelivery", "ApplicableSupplyChainTradeDelivery")
REGLEMENT = ("ApplicableHeaderTradeSettlement", "ApplicableSupplyChainTradeSettlement")
TOTAUX = ("SpecifiedTradeSettlementHeaderMonetarySummation", "SpecifiedTradeSettlementMonetarySummation")


def _bloc(noeud, noms: tuple[str, ...]):
    for nom in noms:
        if noeud is not None and (trouve := noeud.find(nom)) is not None:
            return trouve
    return None


def _exiger(noeud, noms: tuple[str, ...], quoi: str):
    if (bloc := _bloc(noeud, noms)) is None:
        raise Champ(quoi, f"le bloc {noms[0]} manque.")
    return bloc


def _date(noeud, chemin: str, champ: str) -> date | None:
    element = noeud.find(chemin) if noeud is not None else None
    if element is None:
        return None
    for enfant in element:
        return jour(texte(enfant), champ, enfant.get("format", ""))
    return jour(texte(element), champ, element.get("format", ""))


def lire(racine: Racine) -> Document:
    """Lève FichierRefuse, en nommant le champ qui manque ou ne se lit pas."""
    arbre = racine.arbre
    entete = _exiger(arbre, ENTETE, "En-tête")
    transaction = _exiger(arbre, TRANSACTION, "Transaction")
    accord = _exiger(transaction, ACCORD, "Vendeur et acheteur")
    reglement = _exiger(transaction, REGLEMENT, "Règlement")
    livraison = _bloc(transaction, LIVRAISON)
    contexte = _bloc(arbre, CONTEXTE)
    totaux = _exiger(reglement, TOTAUX, "Totaux")
    devise = texte(reglement, "InvoiceCurrencyCode").upper()
    tva, tva_comptable = _tva(totaux, devise, texte(reglement, "TaxCurrencyCode").upper())
    termes = tuple(_termes(reglement))
    return Document(
        syntaxe="CII",
        profil=texte(contexte, "GuidelineSpecifiedDocumentContextParameter/ID", 200),
        type=texte(entete, "TypeCode", 10),
        numero=texte(entete, "ID", 200),
        emission=_date(entete, "IssueDateTime", "Date de facture (BT-2)"),
        devise=devise,
        ht=montant(totaux, "TaxBasisTotalAmount", "Total HT (BT-109)"),
        tva=tva,
        tva_comptable=tva_comptable,
        ttc=montant(totaux, "GrandTotalAmount", "Total TTC (BT-112)"),
        acompte=montant(totaux, "TotalPrepaidAmount", "Acompte (BT-113)"),
        arrondi=montant(totaux, "RoundingAmount", "Arrondi (BT-114)") or ZERO,
        net=montant(totaux, "DuePayableAmount", "Net à payer (BT-115)"),
        vendeur=_partie(accord.find("SellerTradeParty")),
        acheteur=_partie(accord.find("BuyerTradeParty")),
        ventilation=tuple(_ventilation(reglement)),
        termes=termes,
        echeance=max((t.jour for t in termes if t.jour), default=None),
        escompte=_escompte(reglement) or escompte_en_clair(" ; ".join(t.texte for t in termes)),
        anterieures=tuple(
            dict.fromkeys(x[:60] for x in textes(reglement, "InvoiceReferencedDocument/IssuerAssignedID"))
        )
        or tuple(x[:60] for x in textes(reglement, "InvoiceReferencedDocument/ID")),
        commande=texte(accord, "BuyerOrderReferencedDocument/IssuerAssignedID", 60)
        or texte(accord, "BuyerOrderReferencedDocument/ID", 60),
        execution=_date(livraison, "ActualDeliverySupplyChainEvent/OccurrenceDateTime", "Date de livraison (BT-72)"),
        lignes=sum(1 for _ in transaction.iterfind("IncludedSupplyChainTradeLineItem")),
        notes=tuple(
            (texte(note, "SubjectCode", 10), " ".join(textes(note, "Content"))[:2000])
            for note in list(entete.iterfind("IncludedNote"))[:100]
        ),
        ibans=tuple(
            x.replace(" ", "").upper()[:34]
            for x in textes(reglement, "SpecifiedTradeSettlementPaymentMeans/PayeePartyCreditorFinancialAccount/IBANID")
        ),
        exigibilite=texte(reglement, "ApplicableTradeTax/DueDateTypeCode", 5),
        cadre=texte(contexte, "BusinessProcessSpecifiedDocumentContextParameter/ID", 60),
        livraison=livraison is not None and livraison.find("ShipToTradeParty/PostalTradeAddress") is not None,
    )


def _tva(totaux, devise: str, comptable: str) -> tuple[Decimal | None, tuple[Decimal, str] | None]:
    """(TVA dans la devise de la facture, la même dans la devise de comptabilité) : l'attribut les distingue."""
    tva = autre = None
    for element in totaux.iterfind("TaxTotalAmount"):
        valeur = montant(element, "", "Total de TVA (BT-110)")
        code = (element.get("currencyID") or devise).upper()
        if code == devise and tva is None:
            tva = valeur
        elif code == comptable and valeur is not None:
            autre = (valeur, code[:3])
    return tva, autre


def _ventilation(reglement):
    for taxe in islice(reglement.iterfind("ApplicableTradeTax"), REPETES_MAX):
        taux = texte(taxe, "RateApplicablePercent", 12) or texte(taxe, "ApplicablePercent", 12)
        base = montant(taxe, "BasisAmount", "Base de TVA (BT-116)")
        calculee = montant(taxe, "CalculatedAmount", "Montant de TVA (BT-117)")
        yield Tva(texte(taxe, "CategoryCode", 3), decimal(taux) if taux else None, base or ZERO, calculee or ZERO)


def _termes(reglement):
    for bloc in islice(reglement.iterfind("SpecifiedTradePaymentTerms"), REPETES_MAX):
        yield Terme(
            texte=" ".join(textes(bloc, "Description"))[:500],
            jour=_date(bloc, "DueDateDateTime", "Échéance (BT-9)"),
            montant=montant(bloc, "PartialPaymentAmount", "Montant partiel d'une échéance"),
        )


def _escompte(reglement) -> Escompte | None:
    """Escompte structuré du profil EXTENDED, s'il n'y en a qu'un et qu'il se compte en jours."""
    lus = set()
    for bloc in reglement.iterfind("SpecifiedTradePaymentTerms/ApplicableTradePaymentDiscountTerms"):
        taux = decimal(texte(bloc, "CalculationPercent", 12))
        duree = bloc.find("BasisPeriodMeasure")
        jours = decimal(texte(duree, "", 12)) if duree is not None and duree.get("unitCode", "DAY") == "DAY" else None
        if taux and jours and 0 < taux < 100 and 0 < jours <= 120 and jours == int(jours):
            lus.add(Escompte(taux, int(jours)))
    return lus.pop() if len(lus) == 1 else None


def _partie(bloc) -> Partie:
    if bloc is None:
        return Partie()
    legal = bloc.find("SpecifiedLegalOrganization/ID")
    taxes = {x.get("schemeID", ""): texte(x) for x in bloc.iterfind("SpecifiedTaxRegistration/ID")}
    adresse = bloc.find("PostalTradeAddress")
    return partie(
        nom=texte(bloc, "Name") or texte(bloc, "SpecifiedLegalOrganization/TradingBusinessName"),
        legal=("" if legal is None else legal.get("schemeID", ""), texte(legal)),
        identifiants=[(x.get("schemeID", ""), texte(x)) for x in (*bloc.iterfind("GlobalID"), *bloc.iterfind("ID"))],
        tva=taxes.get("VA", ""),
        adresse=[texte(adresse, nom) for nom in ("LineOne", "LineTwo", "LineThree", "StreetName")],
        code_postal=texte(adresse, "PostcodeCode"),
        ville=texte(adresse, "CityName"),
        pays=texte(adresse, "CountryID"),
        courriel=texte(bloc, "DefinedTradeContact/EmailURIUniversalCommunication/URIID")
        or texte(bloc, "URIUniversalCommunication/URIID[@schemeID='EM']"),
        telephone=texte(bloc, "DefinedTradeContact/TelephoneUniversalCommunication/CompleteNumber"),
    )
