"""Chaque message de cycle de vie des échantillons, attendus recopiés de leur notice."""

from decimal import Decimal

import pytest

from factures.imports.fichier import examiner_fichier
from factures.imports.lecteurs import lire_seul, reconnaitre

DOSSIER = "factures-electroniques/lunatech-labs+lunatech-pa-electronic-invoices"
D = Decimal
ATTENDUS = {
    "UC1_F202500003_05-CDV-205_Approuvee.xml": {"facture": "F202500003", "statut": "205", "libelle": "Approuvée"},
    "UC1_F202500003_06-CDV-211_Paiement_transmis.xml": {
        "facture": "F202500003", "statut": "211", "libelle": "Paiement transmis", "montant": D("12000.00"),
    },
    "UC1_F202500003_07-CDV-212_Encaissee.xml": {
        "facture": "F202500003", "statut": "212", "libelle": "Encaissée", "montant": D("12000.00"),
    },
    "UC2_F202500004_02-CDV-213_Rejetee.xml": {
        "facture": "F202500004", "statut": "213", "libelle": "Rejetée", "motif_code": "DOUBLON",
        "motif": "Facture en doublon (déjà émise / réçue)",
    },
    "UC3_F202500005_04-CDV-210_Refusee.xml": {
        "facture": "F202500005", "statut": "210", "libelle": "Refusée", "motif_code": "TX_TVA_ERR",
        "motif": "Taux de TVA erroné",
    },
}  # fmt: skip
FICHIERS = {f"{DOSSIER}/{nom}" for nom in ATTENDUS}


def test_aucun_message_n_est_oublie(corpus):
    assert {p.name for p in (corpus / "factures-electroniques").rglob("*CDV*")} == set(ATTENDUS)


@pytest.mark.parametrize("nom", ATTENDUS)
def test_un_message_du_cycle_de_vie(corpus, table, nom):
    fichier = examiner_fichier(corpus / DOSSIER / nom)
    assert reconnaitre(fichier) == "statuts-fe"
    lot = lire_seul(fichier)
    assert len(list(lot.elements)) == 1 and not lot.rejets
    table.noter(f"{DOSSIER}/{nom}", ATTENDUS[nom], lot.faits)
