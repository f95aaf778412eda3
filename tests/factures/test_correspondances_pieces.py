"""En-têtes dont une colonne manquée ferait une dette fausse : le reste dû, et une balance âgée détaillée par pièce."""

import pytest

from factures.domaine import correspondance as c

EXPORTS = {
    "Dolibarr": (
        "Réf. facture,Tiers,Date facturation,Date échéance,Montant HT,Montant TVA,Montant TTC,Reçu,Reste à percevoir",
        {"montant": "Montant TTC", "reste": "Reste à percevoir"},
    ),
    "SAP FBL5N": (
        "Customer,Assignment,Document Number,Document Type,Document Date,Net Due Date,Amount in Local Currency",
        {"montant": "Amount in Local Currency", "date_echeance": "Net Due Date", "numero": "Document Number"},
    ),
    "Business Central": (
        "Customer No.,Posting Date,Document Type,Document No.,Due Date,Original Amount,Remaining Amount",
        {"montant": "Original Amount", "reste": "Remaining Amount"},
    ),
    "ERPNext, détail de balance": (
        "Posting Date,Party,Voucher No,Due Date,Invoiced Amount,Paid Amount,Outstanding Amount,0-30,31-60,61-90",
        {"montant": "Invoiced Amount", "reste": "Outstanding Amount", "numero": "Voucher No"},
    ),
}


@pytest.mark.parametrize("logiciel", EXPORTS)
def test_le_reste_du_se_reconnait_piece_par_piece(logiciel):
    colonnes, attendus = EXPORTS[logiciel]
    p = c.proposer(colonnes.split(","))
    assert p.genre == (c.FACTURES if logiciel == "SAP FBL5N" else c.POSTES) and p.sure
    assert attendus.items() <= p.colonnes.items()
