"""Les FEC du corpus : lus au centime, écrits en base, rejoués sans effet."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from django.db.models import F, Sum

from factures.imports.appliquer import importer
from factures.imports.fichier import examiner_fichier
from factures.imports.lecteurs import lire_seul
from factures.models import Avoir, Echeance, Encaissement
from recouvrement.pilotage.verification import tout_verifier
from tests.comptes.factories import SocieteFactory

REEL = "fec/neolegal-fr+fec-reader/111111111FEC20221231.TXT"
MINI = "fec/Fabrice-Heuvrard+Convert-FEC-to-JSON/SIRENFEC20221231.txt"
FICHIERS = {REEL, MINI}
D = Decimal
MOMENT, AU = datetime(2026, 11, 22, 9, tzinfo=UTC), date(2026, 11, 22)
pytestmark = pytest.mark.django_db

ATTENDUS = {
    REEL: {
        "lignes": 934, "colonnes": 19, "separateur": "|", "encodage": "cp850", "debit": D("225682.23"),
        "credit": D("225682.23"), "du": date(2023, 1, 1), "au": date(2023, 7, 31), "lignes_client": 151, "clients": 34,
        "debit_client": D("53638.78"), "credit_client": D("39222.26"), "solde": D("14416.52"), "lettrees": 117,
        "groupes": 45, "groupes_desequilibres": 0, "non_lettrees": 34, "non_lettre": D("14416.52"),
        "clients_non_nuls": 19, "rejets": 0,
        "soldes": {
            "41101050": D("6439.94"), "41102430": D("2489.13"), "41102106": D("1871.65"), "41101591": D("664.65"),
            "41102620": D("580.01"), "41104250": D("440.12"), "41100540": D("373.65"), "41104746": D("372.35"),
            "41104752": D("259.90"), "41102985": D("186.82"), "41104749": D("186.77"), "41101309": D("149.14"),
            "41102785": D("122.51"), "41100541": D("93.41"), "41104248": D("74.71"), "41103596": D("74.70"),
            "41104755": D("56.05"), "41104815": D("37.04"), "41104251": D("-56.03"),
        },
    },
    MINI: {
        "lignes": 8, "colonnes": 18, "separateur": "\t", "encodage": "utf-8", "debit": D("13504.00"),
        "credit": D("13504.00"), "du": date(2022, 1, 3), "au": date(2022, 1, 11), "lignes_client": 1, "clients": 1,
        "debit_client": D("12000.00"), "credit_client": D("0.00"), "solde": D("12000.00"), "lettrees": 0, "groupes": 0,
        "groupes_desequilibres": 0, "non_lettrees": 1, "non_lettre": D("12000.00"), "clients_non_nuls": 1, "rejets": 0,
        "soldes": {"411ZZZ": D("12000.00")},
    },
}  # fmt: skip


@pytest.mark.parametrize("nom", sorted(FICHIERS))
def test_chaque_fec_se_lit_comme_attendu(corpus, table, nom):
    lot = lire_seul(examiner_fichier(corpus / nom))
    for _element in lot.elements:
        pass
    soldes = {code: solde for code, solde in lot.soldes.items() if solde}
    obtenu = lot.faits | {
        "lignes": lot.lignes, "separateur": lot.separateur, "encodage": lot.encodage.replace("utf-8-sig", "utf-8"),
        "clients_non_nuls": len(soldes), "rejets": len(lot.rejets),
        "soldes": dict(sorted(soldes.items(), key=lambda x: -x[1])),
    }  # fmt: skip
    table.noter(nom, ATTENDUS[nom], obtenu)
    for ligne in lot.faits["par_client"]:
        assert ligne["solde"] == ligne["ouvert"], ligne["code"]


@pytest.mark.parametrize("nom", sorted(FICHIERS))
def test_chaque_fec_s_ecrit_et_se_rejoue_sans_effet(corpus, table, nom):
    societe = SocieteFactory(raison_sociale="Vendeuse d'essai")
    rendu = importer(corpus / nom, societe, moment=MOMENT, au=AU)
    assert rendu.accepte and rendu.ecrit, rendu.refus or rendu.rejets
    attendus = ATTENDUS[nom]
    table.noter(f"{nom} (en base)", {"soldes": attendus["soldes"]}, {"soldes": _en_base(societe)})
    rejoue = importer(corpus / nom, societe, moment=MOMENT, au=AU)
    assert set(rejoue.crees.values()) == {0} and rejoue.modifies == 0
    assert all(c.ok for c in tout_verifier())


def _en_base(societe) -> dict:
    soldes: dict[str, Decimal] = {}
    for modele, signe in ((Echeance, 1), (Encaissement, -1), (Avoir, -1)):
        par_client = modele.objects.filter(societe=societe).order_by().values("client__code")
        for x in par_client.annotate(reste=Sum(F("montant") - F("impute"))):
            soldes[x["client__code"]] = soldes.get(x["client__code"], D(0)) + signe * x["reste"]
    return dict(sorted(((c, s) for c, s in soldes.items() if s), key=lambda x: -x[1]))
