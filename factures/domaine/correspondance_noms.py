"""Les noms que les logiciels courants donnent à leurs colonnes, en français et en anglais.

Un nom se compare normalisé : minuscules, sans accent ni ponctuation, CamelCase ouvert, petits mots ôtés.
« N° Facture », « InvoiceNumber » et « invoice_number » deviennent « n facture » et « invoice number ».
"""

import re
import unicodedata
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import lru_cache

PETITS_MOTS = {"de", "d", "du", "des", "la", "le", "les", "l", "of", "the", "a", "au", "en"}
ABREVIATIONS = {
    "num": "numero", "no": "numero", "n": "numero", "nr": "numero", "number": "numero", "ref": "reference",
    "cli": "client", "clt": "client", "ech": "echeance", "echeances": "echeance", "fact": "facture",
    "factures": "facture", "mt": "montant", "mnt": "montant", "mtt": "montant", "dt": "date", "regl": "reglement",
    "rglt": "reglement", "cpte": "compte", "cpt": "compte", "clients": "client", "customers": "customer",
    "invoices": "invoice", "tel": "telephone", "email": "courriel", "mail": "courriel",
}  # fmt: skip
RESSEMBLANCE = 0.86  # au-dessous, deux noms ne sont plus une faute de frappe l'un de l'autre

# champ de la maison → noms connus, le plus sûr d'abord. Sage, EBP, Cegid, Ciel, Pennylane, Quadra, Odoo, Dolibarr,
# Axonaut, QuickBooks, ERPNext, Salesforce, IBM ; plus les noms des modèles de la maison.
CONNUS: dict[str, tuple[str, ...]] = {
    champ: tuple(noms.split(", "))
    for champ, noms in {
        "code_client": (
            "code client, numero client, numero compte, compte, compte tiers, code tiers, tiers, code, "
            "compte auxiliaire, auxiliaire, numero tiers, compte client, customer id, customer code, "
            "customer number, account number, account id, client id, id client, cust number, cust id, "
            "code auxiliaire, compte general auxiliaire, comp aux num, partner ref, ref client, code "
            "compta client, tiers code, customer, party, party id, code_client, identifiant client, "
            "matricule, account, numero compte client, numero compte tiers, ct num, client code, debtor, "
            "debtor code, compte collectif auxiliaire, client, cust, code partenaire, external id"
        ),
        "nom_client": (
            "nom client, raison sociale, client nom, nom, intitule, intitule compte, intitule tiers, nom "
            "tiers, libelle compte, libelle client, libelle tiers, denomination, denomination sociale, "
            "societe, entreprise, customer name, client name, company, company name, account name, name, "
            "partner, partenaire, partner name, nom societe, display name, comp aux lib, debiteur, "
            "invoice partner display name, nom affichage partenaire facture, contact name, nom partenaire, "
            "tiers nom, raison sociale client, nom ou "
            "raison sociale, ct intitule, party name, nom complet, destinataire, bill to, full name, name "
            "customer"
        ),
        "numero": (
            "numero facture, numero piece, piece, facture, facture id, id facture, invoice numero, "
            "invoice, invoice id, document numero, numero document, doc numero, numero, reference "
            "facture, piece ref, reference piece, voucher numero, voucher, invoice name, document, "
            "reference document, ec piece, numero piece comptable, facture numero, invoice reference, "
            "bill numero, reference, doc id, piece comptable, do piece, libelle piece, numero doc, no "
            "fact"
        ),
        "date_facture": (
            "date facture, date piece, date emission, date document, invoice date, document date, posting "
            "date, date comptable, date ecriture, date, bill date, date facturation, issue date, doc "
            "date, emise le, date creation, transaction date, txn date, document create date, emission, "
            "ecriture date, date op, piece date, facture date, invoice bill date, date operation"
        ),
        "date_echeance": (
            "date echeance, echeance, due date, net due date, date limite reglement, date due, invoice due date, "
            "payable le, due in date, date limite paiement, date exigibilite, maturity date, due, date "
            "reglement prevue, invoice date due, date d echeance, a payer avant, exigible le, date "
            "paiement prevue"
        ),
        "montant": (
            "montant ttc, total ttc, ttc, montant facture, montant, invoice amount, amount total, total, "
            "grand total, amount, total amount, total facture, net a payer, invoiced amount, invoice "
            "total, total signed, total signe, montant total, total open amount, montant ttc facture, total in "
            "currency, montant echeance, gross amount, amount in currency, montant piece, montant devise, "
            "original amount, amount in local currency, amount in document currency, montant initial, "
            "prix total ttc, montant euros, montant eur, bill amount, invoice value, total due amount"
        ),
        "reste": (
            "reste du, reste a payer, solde, solde du, restant du, solde restant, montant du, montant "
            "restant, open amount, amount due, amount due signed, montant du signe, balance, "
            "outstanding, outstanding amount, open balance, "
            "residual, amount residual, amount residual signed, balance due, reste a regler, solde "
            "client, impaye, encours, montant restant du, solde piece, remaining amount, solde ttc, "
            "montant non regle, amount outstanding, reste a encaisser, reste percevoir, reste recouvrer, "
            "solde euros, montant impaye, "
            "residual amount"
        ),
        "debit": "debit, montant debit, mvt debit, mouvement debit, debit euro, debit eur, debit amount",
        "credit": "credit, montant credit, mvt credit, mouvement credit, credit euro, credit eur, credit amount",
        "sens": "sens, d c, dc, debit credit, sens ecriture, debit credit indicator, sens d c",
        "montant_ht": (
            "montant ht, total ht, ht, amount untaxed, net total, subtotal, net amount, total hors taxe, "
            "untaxed amount, base ht, montant hors taxe, montant hors taxes signe, untaxed amount signed"
        ),
        "montant_tva": (
            "montant tva, total tva, tax, amount tax, vat amount, tax amount, total tax, taxes, total taxe, vat"
        ),
        "devise": "devise, monnaie, currency, currency code, code devise, currency id, invoice currency",
        "type": (
            "type piece, type document, type, nature, type facture, document type, invoice type, move "
            "type, transaction type, nature piece, do type, voucher type, type ecriture"
        ),
        "commande": (
            "commande, numero commande, bon commande, po number, po numero, purchase order, reference "
            "client commande, votre reference, customer po, order numero"
        ),
        "numero_origine": (
            "facture origine, numero facture origine, reversed entry, return against, origine, facture d origine"
        ),
        "date_execution": "date livraison, date prestation, delivery date, date execution, date bl",
        "litige": (
            "litige, en litige, disputed, dispute, conteste, contestee, in dispute, is disputed, "
            "litigieux, statut litige"
        ),
        "motif_litige": "motif litige, dispute reason, raison litige, commentaire litige, motif contestation",
        "date_reglement": (
            "date reglement, date paiement, settled date, payment date, paid date, date encaissement, "
            "clear date, clearing date, date lettrage, regle le, paye le, paid on, date paye, date solde, "
            "date reglee, settlement date, closed date, date paid, date reglement effectif, encaisse le, "
            "date remise"
        ),
        "montant_regle": (
            "montant regle, montant paye, montant encaisse, total paye, paid amount, amount paid, payment "
            "amount, deja regle, regle, paye, montant reglement, paid, total regle, acompte verse, "
            "received amount, montant paiement, amount received, encaisse"
        ),
        "reference": (
            "reference reglement, numero reglement, reference paiement, paiement id, id paiement, payment "
            "id, payment numero, payment reference, payment name, numero cheque, reference encaissement, "
            "receipt numero, transaction id, reference virement, numero paiement, numero remise, "
            "reglement id, id reglement, cheque reference numero, reference numero, numero encaissement"
        ),
        "facture_reglee": (
            "facture reglee, facture payee, facture, numero facture, invoice, invoice numero, invoice id, "
            "reference facture, facture id, id facture, applied to, lettree avec, pieces reglees, "
            "reconciled invoices, facture lettree"
        ),
        "mode": (
            "mode reglement, mode paiement, moyen paiement, payment method, mode, mode of payment, "
            "payment type, type reglement, type paiement, method, moyen reglement, journal paiement"
        ),
        "libelle": (
            "libelle, libelle ecriture, description, memo, designation, commentaire, remarks, note, "
            "objet, libelle piece, narration, ecriture lib"
        ),
        "conditions": (
            "conditions reglement, conditions paiement, condition reglement, delai paiement, payment "
            "terms, delai reglement, terms, payment term, cust payment terms, echeance conditions, mode "
            "conditions reglement, conditions"
        ),
        "siren": "siren, numero siren, code siren, idprof1, id prof 1",
        "siret": "siret, numero siret, code siret, idprof2, id prof 2, company registry",
        "numero_tva": (
            "numero tva, tva intracommunautaire, numero tva intracommunautaire, vat numero, tax id, "
            "identifiant tva, tva intra, vat id, numero identifiant tva, numero tva intra"
        ),
        "type_client": (
            "type client, categorie client, customer type, type debiteur, customer group, type tiers, nature client"
        ),
        "forme": "forme juridique, forme, legal form",
        "civilite": "civilite, title, titre",
        "adresse": (
            "adresse, adresse 1, adresse1, rue, street, address, address 1, address line 1, adresse "
            "facturation, billing street, billing address, voie, adresse ligne 1, address line1"
        ),
        "complement": (
            "complement, adresse 2, adresse2, complement adresse, street 2, street2, address 2, address "
            "line 2, adresse ligne 2, address line2"
        ),
        "code_postal": (
            "code postal, cp, zip, zip code, postal code, postcode, pincode, billing zip, billing postal "
            "code, codepostal"
        ),
        "ville": "ville, commune, city, town, billing city, localite",
        "pays": ("pays, code pays, country, country code, pays code, billing country, country id, code iso pays"),
        "courriel": (
            "courriel, e mail, adresse courriel, adresse mail, courriel client, email address, courriel "
            "facturation, adresse e mail, adresse electronique, e mail client, billing email"
        ),
        "telephone": (
            "telephone, telephone 1, phone, portable, mobile, tel fixe, phone number, telephone fixe, telephone1"
        ),
        "langue": "langue, language, lang",
        "plafond": (
            "plafond, encours autorise, plafond encours, credit limit, limite credit, en cours autorise, "
            "encours maximum"
        ),
        "gestionnaire": "gestionnaire, courriel gestionnaire, charge recouvrement",
        "segment": "segment, famille, famille client, categorie tarifaire, territory",
    }.items()
}


@lru_cache(maxsize=4096)
def normaliser(nom: str) -> str:
    """« N° de Facture » → « numero facture » ; « InvoiceDueDate » → « invoice due date »."""
    nom = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", nom.lstrip("\ufeff")[:120])
    nom = nom.replace("°", " ").replace("º", " ").replace("#", " numero ")
    decompose = unicodedata.normalize("NFD", nom.casefold())
    lettres = "".join(c if c.isalnum() else " " for c in decompose if not unicodedata.combining(c))
    mots = [ABREVIATIONS.get(mot, mot) for mot in lettres.split()]
    if len(mots) > 1:
        mots = [mot for mot in mots if mot not in PETITS_MOTS] or mots
    return " ".join(mots)


_PAR_NOM: dict[str, list[tuple[str, int]]] = {}
for _champ, _noms in CONNUS.items():
    for _rang, _nom in enumerate(_noms):
        _PAR_NOM.setdefault(normaliser(_nom), []).append((_champ, _rang))


@dataclass(frozen=True, slots=True)
class Piste:
    """Un champ possible d'une colonne. note : de 0 à 100, exacte à partir de 80."""

    champ: str
    note: int
    raison: str


@lru_cache(maxsize=2048)
def pistes(nom: str) -> tuple[Piste, ...]:
    """Champs que ce nom de colonne peut désigner, du plus au moins probable ; vide s'il ne dit rien."""
    propre = normaliser(nom)
    if not propre:
        return ()
    exactes: dict[str, int] = {}
    for champ, rang in _PAR_NOM.get(propre, ()):
        exactes[champ] = max(exactes.get(champ, 0), 100 - min(rang, 19))
    if exactes:
        trouvees = [Piste(champ, note, "nom connu") for champ, note in exactes.items()]
        return tuple(sorted(trouvees, key=lambda p: (-p.note, p.champ)))
    return tuple(_ressemblances(propre))[:3]


def _ressemblances(propre: str) -> list[Piste]:
    """Faute de frappe (« montant factture ») ou mots de plus (« montant facture eur »)."""
    mots = set(propre.split())
    notes: dict[str, tuple[int, str]] = {}
    for connu, champs in _PAR_NOM.items():
        if len(connu) < 4 or not _proches(propre, connu):
            note = 0
        else:
            rapport = SequenceMatcher(None, propre, connu).ratio()
            note = int(70 * rapport) if rapport >= RESSEMBLANCE else 0
        if not note and " " in connu and set(connu.split()) <= mots and len(mots) <= len(connu.split()) + 3:
            note = 45 + 3 * len(connu.split())
        for champ, _rang in champs if note else ():
            if note > notes.get(champ, (0, ""))[0]:
                notes[champ] = (note, connu)
    trouvees = [Piste(champ, note, f"ressemble à « {connu} »") for champ, (note, connu) in notes.items()]
    return sorted(trouvees, key=lambda p: (-p.note, p.champ))


def _proches(a: str, b: str) -> bool:
    """Écarte à peu de frais ce qui ne peut pas se ressembler."""
    return abs(len(a) - len(b)) <= 4 and len(set(a) & set(b)) >= 0.7 * len(set(b))


# --- Tranches d'une balance âgée --------------------------------------------------------------

_ENTRE = re.compile(r"(?:^|\D)(\d{1,3})\s*(?:j|jours?|days?)?\s*(?:-|–|—|/|à|a|to|et|<)\s*(\d{1,3})(?:\D|$)", re.I)
_PLUS = re.compile(
    r"(?:>=?|\+|plus de|sup\w*(?: à| a)?|over|above|more than|au[- ]del[aà] de)\s*(\d{1,3})"
    r"|(\d{1,3})\s*(?:j|jours?|days?)?\s*(?:\+|et plus|and over|and above|ou plus)",
    re.I,
)
_MOINS = re.compile(r"(?:<=?|moins de|inf\w*(?: à| a)?|under|less than)\s*(\d{1,3})", re.I)
_NON_ECHU = {
    "non echu", "echoir", "current", "not due", "non echus", "courant", "not yet due", "non echue", "total non echu",
    "solde non echu", "non echu total", "future", "montant non echu", "total echoir", "solde echoir",
}  # fmt: skip


def tranche(nom: str) -> tuple[int | None, int | None] | None:
    """Bornes en jours de retard d'une colonne de balance âgée ; (None, None) : non échu ; None : pas une tranche."""
    propre = normaliser(nom)
    if propre in _NON_ECHU:
        return None, None
    brut = nom.strip()[:120]  # un en-tête démesuré ferait reculer ces motifs des heures
    if re.search(r"(?<![\d])\d{1,2}/\d{1,2}/\d{2,4}", brut):
        return None  # une date, pas un intervalle
    if lu := _ENTRE.search(brut):
        de, a = int(lu[1]), int(lu[2])
        return (de, a) if de < a <= 999 else None
    if lu := _PLUS.search(brut):
        jours = int(lu[1] or lu[2])  # « 91 et plus » commence à 91, « plus de 90 » aussi
        return jours if jours % 10 == 1 else jours + 1, None
    if lu := _MOINS.search(brut):
        return 0, int(lu[1])
    return None
