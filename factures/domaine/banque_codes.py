"""Codes d'opération bancaires et motifs de rejet : ce qu'un relevé veut dire, sans base ni fichier.

Sources : codes opération interbancaires du CFONB (relevé de compte 120 caractères), codes ISO 20022 de motif de
retour (ExternalReturnReason1Code) et de domaine (BankTransactionCode), types de transaction OFX, codes SWIFT du :61:.
"""

VIREMENT, PRELEVEMENT, CHEQUE, EFFET = "virement", "prelevement", "cheque", "effet"
CARTE, ESPECES, REJET, FRAIS, AUTRE = "carte", "especes", "rejet", "frais", "autre"

_NATURES = {
    VIREMENT: "05 06 13 14 18 21 39 41 44 45 90 C1 C2",
    PRELEVEMENT: "08 09 22 24 96 97 A1 A2 B1 B2",
    CHEQUE: "01 02 15",
    EFFET: "07 31 32 35 37",
    CARTE: "11 28 30 36",
    ESPECES: "04 29",
    REJET: "03 10 12 26 27 33 34 38 98 A3 A4 B3 B4 C3 C4 C5",
    FRAIS: "61 62 64 65 66 67 70 88",
    AUTRE: "42 43 46 47 48 49 51 52 53 54 55 56 57 58 59 63 68 69 71 72 73 74 75 76 77 80 81 82 83 84 85 86 87 89 91 "
    "92 93 94 95 99 A5 A6 B5 B6",
}
_SENS = {
    "C": "02 04 05 09 12 13 15 18 24 30 31 32 35 37 39 45 47 49 54 57 59 63 69 71 73 74 77 81 85 87 89 91 94 97 A1 A2 "
    "A3 A4 B5 B6 C2 C3 C5",
    "D/C": "10 11 27 34 41 42 43 51 52 55 61 82 83 86 92 93 99",
}
NATURE_CFONB = {code: nature for nature, codes in _NATURES.items() for code in codes.split()}
SENS_CFONB = dict.fromkeys(NATURE_CFONB, "D") | {code: sens for sens, codes in _SENS.items() for code in codes.split()}

# ISO 20022 : famille, sous-famille du domaine PMNT. Une sous-famille de retour l'emporte sur sa famille.
_FAMILLES_ISO = {
    "RCDT": VIREMENT, "ICDT": VIREMENT, "RRCT": VIREMENT, "IRCT": VIREMENT, "RDDT": PRELEVEMENT, "IDDT": PRELEVEMENT,
    "RCHQ": CHEQUE, "ICHQ": CHEQUE, "CCRD": CARTE, "MCRD": CARTE, "CNTR": ESPECES, "DRFT": EFFET, "LBOX": CHEQUE,
}  # fmt: skip
_RETOURS_ISO = {"UPCT", "UPDD", "UPCQ", "UPTR", "RRTN", "RVSL", "PRDD", "RPCR", "ARET", "CRTN", "RJCT", "UPCC", "PADD"}
_FRAIS_ISO = {"CHRG", "COMM", "FEES", "INTR", "TAXE", "COMT"}


def nature_iso(domaine: str, famille: str, sous_famille: str) -> str:
    """Nature d'une écriture d'après son code ISO 20022 (domaine, famille, sous-famille)."""
    if sous_famille in _RETOURS_ISO:
        return REJET
    if sous_famille in _FRAIS_ISO or domaine == "ACMT":
        return FRAIS
    return _FAMILLES_ISO.get(famille, AUTRE)


_OFX = {
    "XFER": VIREMENT, "DIRECTDEP": VIREMENT, "DIRECTDEBIT": PRELEVEMENT, "CHECK": CHEQUE, "ATM": ESPECES,
    "CASH": ESPECES, "POS": CARTE, "FEE": FRAIS, "SRVCHG": FRAIS,
}  # fmt: skip
_SWIFT = {
    "TRF": VIREMENT, "DDT": PRELEVEMENT, "CHK": CHEQUE, "CLR": CHEQUE, "BOE": EFFET, "RTI": REJET, "COM": FRAIS,
    "CHG": FRAIS, "BRF": FRAIS, "MSC": AUTRE, "INT": AUTRE,
}  # fmt: skip


def nature_ofx(type_: str) -> str:
    return _OFX.get(type_.upper(), AUTRE)


def nature_swift(type_: str) -> str:
    """type_ : les quatre caractères du :61: (N, F ou S, puis le code)."""
    return _SWIFT.get(type_[1:4].upper(), AUTRE)


# Premier mot qui parle, dans l'ordre : « REJET PRLV » est un rejet avant d'être un prélèvement.
_MOTS = (
    (REJET, ("REJET", "IMPAYE", "RETOUR DE VIR", "RETOUR VIR", "RETOUR PRLV", "VIR RETOURNE", "RECREDIT", "RJT ")),
    (FRAIS, ("FRAIS", "COMMISSION", "COTIS", "AGIOS", "COM INTERVENTION", "F COTIS", "ABONNEMENT BANQUE")),
    (PRELEVEMENT, ("PRLV", "PRELEVEMENT", "PRELEV")),
    (VIREMENT, ("VIR ", "VIR.", "VIREMENT", "VIRT ", "VRT ", "TRANSFER")),
    (CHEQUE, ("CHEQUE", "CHQ", "REM CHQ", "REMISE CHQ", "REMISE DE CHEQUE")),
    (EFFET, ("LCR", "EFFET", "BILLET A ORDRE", "BOR ")),
    (ESPECES, ("RETRAIT", "ESPECES", "DAB ", "VERSEMENT ESP")),
    (CARTE, ("CARTE", "CB ", "PAIEMENT CB", "PAIEMENT PAR CARTE", "FACTURE CB", "TPE ", "REMISE CB")),
)


def nature_libelle(libelle: str) -> str:
    """Nature devinée d'un libellé en capitales sans accents ; « autre » si rien ne parle."""
    for nature, mots in _MOTS:
        if any(mot in libelle for mot in mots):
            return nature
    return AUTRE


MOTIFS_ISO = {
    "AC01": "numéro de compte incorrect", "AC03": "compte du créancier incorrect", "AC04": "compte clos",
    "AC06": "compte bloqué", "AC13": "compte d'un consommateur", "AG01": "opération interdite sur ce compte",
    "AG02": "code d'opération incorrect", "AM02": "montant non admis", "AM04": "provision insuffisante",
    "AM05": "opération en double", "BE05": "créancier non reconnu", "CNOR": "banque du créancier non joignable",
    "CUST": "à la demande du client", "DNOR": "banque du débiteur non joignable", "DUPL": "paiement en double",
    "FF01": "format invalide", "FOCR": "retour après une demande d'annulation", "FRAD": "fraude",
    "MD01": "pas de mandat valable", "MD02": "données du mandat absentes ou inexactes",
    "MD06": "contesté par le débiteur", "MD07": "débiteur décédé", "MS02": "refusé par le débiteur",
    "MS03": "motif non communiqué", "RC01": "identifiant de la banque incorrect", "RR01": "motif réglementaire",
    "RR02": "motif réglementaire", "RR03": "motif réglementaire", "RR04": "motif réglementaire",
    "SL01": "service propre à la banque du débiteur", "TECH": "incident technique", "TM01": "reçu trop tard",
}  # fmt: skip


def motif_iso(code: str, texte: str = "") -> str:
    """« AM04, provision insuffisante » : le code, ce qu'il veut dire, ce que la banque ajoute."""
    return ", ".join(dict.fromkeys(x for x in (code, MOTIFS_ISO.get(code, ""), texte) if x))[:140]
