"""Le statut 212 en fichier : message CDAR (XP Z12-012), un par statut, ou tableau CSV.

Aucun horodatage du jour : le même statut rend toujours les mêmes octets, et la plateforme reconnaît un doublon.
"""

import csv
import re
import zipfile
from collections.abc import Iterable
from decimal import Decimal
from io import BytesIO, StringIO

from lxml import etree

from .exports import inoffensif
from .models import Facture, StatutRecu

NOM = "Encaissée"
ESPACES = {
    "qdt": "urn:un:unece:uncefact:data:standard:QualifiedDataType:100",
    "udt": "urn:un:unece:uncefact:data:standard:UnqualifiedDataType:100",
    "ram": "urn:un:unece:uncefact:data:standard:ReusableAggregateBusinessInformationEntity:100",
    "rsm": "urn:un:unece:uncefact:data:standard:CrossDomainAcknowledgementAndResponse:100",
}
SIREN, PPF = "0002", "0238"  # ISO 6523 : SIREN, code routeur du portail public
PAYEE = "47"  # MDT-88 : UNTDID 1373, payée
TAUX = tuple(Decimal(t) for t in ("20.00", "10.00", "8.50", "5.50", "2.10", "0.00"))
COLONNES = (
    "numero", "statut", "date", "montant", "taux_tva", "devise", "siren_vendeur", "siren_acheteur", "date_facture",
    "libelle",
)  # fmt: skip


def taux_unique(facture: Facture) -> Decimal | None:
    """Le taux de TVA de la facture, en pour cent, s'il n'y en a sans doute qu'un : sa TVA tombe juste sur son HT."""
    if facture.montant_ht is None or facture.montant_tva is None or facture.montant_ht <= 0:
        return None
    for taux in TAUX:
        if abs(facture.montant_ht * taux / 100 - facture.montant_tva) <= Decimal("0.01"):
            return taux
    return None


def horodatage(statut: StatutRecu) -> str:
    return statut.cle_source.split(":")[2]


def nom_fichier(statut: StatutRecu, extension: str = "xml") -> str:
    return f"{re.sub(r'[^A-Za-z0-9_-]', '_', statut.facture.numero)}_212_{horodatage(statut)}.{extension}"


def rendre_cdar(statut: StatutRecu) -> bytes:
    """Le message, de la forme des exemples publics de la norme. statut : facture, client et société déjà lus."""
    facture, quand = statut.facture, horodatage(statut)
    acheteur, type_document = facture.client, facture.type_document or "380"
    racine = etree.Element(_q("rsm", "CrossDomainAcknowledgementAndResponse"), nsmap=ESPACES)
    contexte = _dans(racine, "rsm:ExchangedDocumentContext")
    _dans(contexte, "ram:BusinessProcessSpecifiedDocumentContextParameter/ram:ID", "REGULATED")
    _dans(contexte, "ram:GuidelineSpecifiedDocumentContextParameter/ram:ID", "urn.cpro.gouv.fr:1p0:CDV:invoice")
    entete = _dans(racine, "rsm:ExchangedDocument")
    _dans(entete, "ram:ID", f"{facture.numero_du_document}_212_{quand}#{type_document}_{facture.date_emission:%Y%m%d}")
    _dans(entete, "ram:Name", f"{facture.numero_du_document}_CDV-212_Encaissee")
    _dans(entete, "ram:IssueDateTime/udt:DateTimeString", quand, format="204")
    _dans(entete, "ram:SenderTradeParty/ram:RoleCode", "WK")
    _partie(entete, "ram:IssuerTradeParty", statut.societe.siren, statut.societe.raison_sociale, "SE")
    adresse = _partie(entete, "ram:RecipientTradeParty", acheteur.siren, acheteur.raison_sociale, "BY")
    if acheteur.siren:
        _dans(adresse, "ram:URIUniversalCommunication/ram:URIID", acheteur.siren, schemeID="0225")
    _partie(entete, "ram:RecipientTradeParty", "9998", "PPF", "DFH", PPF)
    accuse = _dans(racine, "rsm:AcknowledgementDocument")
    _dans(accuse, "ram:MultipleReferencesIndicator/udt:Indicator", "false")
    _dans(accuse, "ram:TypeCode", "23")
    _dans(accuse, "ram:IssueDateTime/udt:DateTimeString", quand, format="204")
    vise = _dans(accuse, "ram:ReferenceReferencedDocument")
    _dans(vise, "ram:IssuerAssignedID", facture.numero_du_document)
    _dans(vise, "ram:StatusCode", PAYEE)
    _dans(vise, "ram:TypeCode", type_document)
    _dans(vise, "ram:FormattedIssueDateTime/qdt:DateTimeString", f"{facture.date_emission:%Y%m%d}", format="102")
    _dans(vise, "ram:ProcessConditionCode", "212")
    _dans(vise, "ram:ProcessCondition", NOM)
    if statut.societe.siren:
        _dans(vise, "ram:IssuerTradeParty/ram:GlobalID", statut.societe.siren, schemeID=SIREN)
    fait = _dans(vise, "ram:SpecifiedDocumentStatus/ram:SpecifiedDocumentCharacteristic")
    _dans(fait, "ram:TypeCode", "MEN")
    _dans(fait, "ram:ValueChangedIndicator/udt:IndicatorString", "false")
    _dans(fait, "ram:ValueAmount", f"{statut.montant:.2f}", currencyID=facture.devise)
    if (taux := taux_unique(facture)) is not None:
        _dans(fait, "ram:ValuePercent", f"{taux:.2f}")
    return etree.tostring(racine, xml_declaration=True, encoding="UTF-8", pretty_print=True)


def _q(prefixe: str, nom: str) -> str:
    return f"{{{ESPACES[prefixe]}}}{nom}"


def _dans(parent, chemin: str, texte: str | None = None, **attributs):
    """Crée chaque élément du chemin sous `parent` ; rend le dernier, avec son texte."""
    for morceau in chemin.split("/"):
        parent = etree.SubElement(parent, _q(*morceau.split(":")))
    if texte is not None:
        parent.text = "".join(c for c in texte if c.isprintable())
    for nom, valeur in attributs.items():
        parent.set(nom, valeur)
    return parent


def _partie(parent, nom: str, identifiant: str, raison_sociale: str, role: str, schema: str = SIREN):
    partie = _dans(parent, nom)
    if identifiant:
        _dans(partie, "ram:GlobalID", identifiant, schemeID=schema)
    _dans(partie, "ram:Name", raison_sociale)
    _dans(partie, "ram:RoleCode", role)
    return partie


def rendre_csv(statuts: Iterable[StatutRecu]) -> str:
    """Une ligne par statut, relisible par la maison et par un tableur ; la date porte l'heure, qui fait la clé."""
    tampon = StringIO()
    ecrire = csv.writer(tampon, delimiter=";", lineterminator="\r\n").writerow
    ecrire(COLONNES)
    for s in statuts:
        h, taux = horodatage(s), taux_unique(s.facture)
        ecrire((
            inoffensif(s.facture.numero_du_document), s.code, f"{s.le.isoformat()}T{h[8:10]}:{h[10:12]}:{h[12:14]}",
            f"{s.montant:.2f}", "" if taux is None else f"{taux:.2f}", s.facture.devise, s.societe.siren,
            s.facture.client.siren, s.facture.date_emission.isoformat(), NOM,
        ))  # fmt: skip
    return "\ufeff" + tampon.getvalue()


def rendre_zip(statuts: Iterable[StatutRecu]) -> bytes:
    """Un message par statut, et le tableau de l'ensemble ; mêmes statuts, mêmes octets."""
    statuts, tampon, date_fixe = list(statuts), BytesIO(), (1980, 1, 1, 0, 0, 0)
    with zipfile.ZipFile(tampon, "w", zipfile.ZIP_DEFLATED) as archive:
        vus: dict[str, int] = {}
        for statut in statuts:
            nom = nom_fichier(statut)
            vus[nom] = vus.get(nom, 0) + 1
            if vus[nom] > 1:
                nom = nom.replace(".xml", f"_{vus[nom]}.xml")
            archive.writestr(zipfile.ZipInfo(nom, date_fixe), rendre_cdar(statut))
        archive.writestr(zipfile.ZipInfo("statuts-212.csv", date_fixe), rendre_csv(statuts))
    return tampon.getvalue()
