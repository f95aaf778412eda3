"""Les colonnes des exports CSV de banques françaises, reconnues à leurs noms : jamais à l'adresse ni au nom du fichier.

Noms relevés dans les exports du Crédit Mutuel, CIC, BNP Paribas, Société Générale, Crédit Agricole, LCL, Banque
Populaire, Caisse d'Épargne, La Banque Postale, Qonto, BoursoBank, Shine, Revolut, N26 et Wise.
"""

from collections.abc import Sequence

from .banque_textes import normaliser

# champ: noms normalisés (capitales sans accents), du plus précis au plus vague. Le premier présent l'emporte.
NOMS = {
    "date": (
        "DATE DE COMPTABILISATION",
        "DATE COMPTABLE",
        "DATE DE L OPERATION",
        "DATE D OPERATION",
        "DATE OPERATION",
        "DATEOP",
        "DATE OP",
        "DATE DE L OPERATION LOCALE",
        "DATE DE L OPERATION UTC",
        "OPERATION DATE LOCAL",
        "OPERATION DATE UTC",
        "OPERATION DATE",
        "DATE DE REGLEMENT LOCALE",
        "DATE DE REGLEMENT UTC",
        "SETTLEMENT DATE LOCAL",
        "SETTLEMENT DATE UTC",
        "SETTLEMENT DATE",
        "COMPLETED DATE",
        "DATE DE FIN",
        "DATE COMPLETED UTC",
        "BOOKING DATE",
        "DATE DU MOUVEMENT",
        "DATE MOUVEMENT",
        "DATE ECRITURE",
        "DATE",
        "JOUR",
    ),
    "date_valeur": (
        "DATE DE VALEUR",
        "DATE VALEUR",
        "DATEVAL",
        "DATE VAL",
        "DATE DE LA VALEUR",
        "VALUE DATE",
        "VALEUR",
    ),
    "libelle": (
        "LIBELLE OPERATION",
        "LIBELLE DE L OPERATION",
        "LIBELLE",
        "LIBELLES",
        "LIBELLE SIMPLIFIE",
        "LIBELLE COURT",
        "LABEL",
        "INTITULE",
        "DESCRIPTION",
        "NATURE DE L OPERATION",
        "LIBELLE DU MOUVEMENT",
        "DESIGNATION",
        "NOM DE LA CONTREPARTIE",
        "COUNTERPARTY NAME",
        "PAYMENT REFERENCE",
        "OPERATION",
        "OPERATIONS",
        "DETAILS",
    ),
    "complement": (
        "DETAIL DE L ECRITURE",
        "INFORMATIONS COMPLEMENTAIRES",
        "DETAIL",
        "COMMENTAIRE",
        "COMMENT",
        "MOTIF",
        "MEMO",
        "REFERENCE DU PAIEMENT",
        "PAYMENT REFERENCE",
        "NOTE",
        "LIBELLE COMPLEMENTAIRE",
    ),
    "debit": (
        "DEBIT",
        "DEBIT EUROS",
        "DEBIT EUR",
        "DEBITS",
        "MONTANT DEBIT",
        "SORTIE",
        "SORTIES",
        "PAID OUT",
        "DEBIT EN EUROS",
    ),
    "credit": (
        "CREDIT",
        "CREDIT EUROS",
        "CREDIT EUR",
        "CREDITS",
        "MONTANT CREDIT",
        "ENTREE",
        "ENTREES",
        "PAID IN",
        "CREDIT EN EUROS",
    ),
    "montant": (
        "MONTANT DE L OPERATION",
        "MONTANT OPERATION EN EURO",
        "MONTANT OPERATION",
        "MONTANT EUROS",
        "MONTANT EUR",
        "MONTANT EN EUROS",
        "MONTANT TOTAL TTC",
        "MONTANT TTC",
        "TOTAL AMOUNT INCL VAT",
        "MONTANT",
        "AMOUNT EUR",
        "AMOUNT",
        "MONTANTS",
    ),
    "sens": ("SENS", "SENS DE L OPERATION", "D C", "DEBIT CREDIT", "SIDE", "DIRECTION"),
    "solde": (
        "SOLDE",
        "SOLDE EUROS",
        "SOLDE EUR",
        "BALANCE",
        "SOLDE APRES OPERATION",
        "ACCOUNTBALANCE",
        "RUNNING BALANCE",
    ),
    "devise": ("DEVISE", "CURRENCY", "MONNAIE", "DEVISE DU COMPTE", "DEVISE LOCALE"),
    "compte": (
        "IBAN DU COMPTE",
        "NUMERO DE COMPTE",
        "NUMERO COMPTE",
        "N DE COMPTE",
        "N COMPTE",
        "ACCOUNTNUM",
        "COMPTE",
        "IBAN",
        "ACCOUNT",
        "ACCOUNT IBAN",
    ),
    "contrepartie": (
        "NOM DE LA CONTREPARTIE",
        "COUNTERPARTY NAME",
        "CONTREPARTIE",
        "SUPPLIERFOUND",
        "TIERS",
        "NOM DU TIERS",
        "BENEFICIAIRE",
        "NOM DU BENEFICIAIRE",
        "DONNEUR D ORDRE",
        "EMETTEUR",
        "PARTNER NAME",
        "PAYER NAME",
    ),
    "iban": (
        "IBAN DE LA CONTREPARTIE",
        "COUNTERPARTY IBAN",
        "IBAN CONTREPARTIE",
        "PARTNER IBAN",
        "COMPTE DE LA CONTREPARTIE",
    ),
    "reference": (
        "REFERENCE",
        "REFERENCE DE L OPERATION",
        "REFERENCE OPERATION",
        "REF",
        "NUMERO D OPERATION",
        "NUMERO OPERATION",
        "REFERENCE BANCAIRE",
        "REFERENCE CLIENT",
    ),
    "identifiant": (
        "IDENTIFIANT DE TRANSACTION",
        "IDENTIFIANT",
        "TRANSACTION ID",
        "ID",
        "ID TRANSACTION",
        "TRANSFERWISE ID",
    ),
    "type": (
        "TYPE OPERATION",
        "TYPE D OPERATION",
        "TYPE DE L OPERATION",
        "TYPE",
        "MODE DE PAIEMENT",
        "METHODE DE PAIEMENT",
        "PAYMENT METHOD",
        "TRANSACTION TYPE",
    ),
    "statut": ("ETAT", "STATUT", "STATUS", "STATE"),
    "frais": ("FRAIS", "FEE", "FEES"),
}
# Un tableau qui porte l'une d'elles n'est pas un relevé : grand livre, journal, liste de factures ou de clients.
ETRANGERES = {
    "JOURNAL",
    "CODE JOURNAL",
    "JOURNALCODE",
    "COMPTE AUXILIAIRE",
    "COMPAUXNUM",
    "COMPTENUM",
    "LETTRAGE",
    "LETTRE",
    "PIECE",
    "N PIECE",
    "NUMERO DE PIECE",
    "PIECEREF",
    "ECRITURENUM",
    "CODE CLIENT",
    "CLIENT",
    "NUMERO FACTURE",
    "NUMERO DE FACTURE",
    "N FACTURE",
    "FACTURE",
    "ECHEANCE",
    "DATE ECHEANCE",
    "DATE D ECHEANCE",
    "MONTANT HT",
    "SIREN",
    "SIRET",
    "CODE TIERS",
    "DATE FACTURE",
    "DATE DE FACTURE",
    "NUMERO",
}
DATES_SECONDES = ("DATE OPERATION", "DATE D OPERATION", "DATE DE L OPERATION")


def reconnaitre(entete: Sequence[str]) -> dict[str, int]:
    """{champ: rang de colonne} si l'en-tête est celui d'un relevé, sinon vide."""
    noms = [normaliser(cellule) for cellule in entete]
    if ETRANGERES & set(noms):
        return {}
    places: dict[str, int] = {}
    for champ, connus in NOMS.items():
        rang = next((noms.index(nom) for nom in connus if nom in noms), None)
        if rang is not None and (rang not in places.values() or champ == "contrepartie"):
            places[champ] = rang
    if "date" not in places and "date_valeur" in places:
        places["date"] = places["date_valeur"]
    argent = "montant" in places or {"debit", "credit"} <= places.keys()
    return places if argent and {"date", "libelle"} <= places.keys() else {}


def note(places: dict[str, int]) -> int:
    """Certitude, sur cent : un solde, une date de valeur ou deux colonnes de montant désignent un relevé."""
    propres = {"solde", "date_valeur", "devise", "identifiant", "type", "statut", "complement"} & places.keys()
    return 0 if not places else min(60 + 8 * len(propres) + 12 * ("debit" in places), 84)
