"""Les relevés réels : chaque fichier lu, puis importé ou refusé, au centime de ce que le LISEZMOI attend."""

import csv
from decimal import Decimal

import pytest

from factures.domaine.banque_codes import NATURE_CFONB, SENS_CFONB
from factures.imports.fichier import examiner_fichier
from factures.imports.lecteurs import lire_seul, reconnaitre
from factures.imports.texte import FichierRefuse
from factures.models import MouvementBancaire
from tests.comptes.factories import SocieteFactory
from tests.factures.imports_essai import prendre

pytestmark = pytest.mark.django_db
D = Decimal
PENNYLANE, SILARHI = "banque/pennylane-hq+cfonb", "banque/silarhi+cfonb-parser"
CAMT, GENKGO = "banque/viafintech+camt_parser", "banque/genkgo+camt"
OFX, MT940 = "banque/asgrim+ofxparser", "banque/WoLpH+mt940"
IMPORTE, REFUSE = "importé", "refusé"
C1, C2 = "155890000098765432100", "187060000000123456789"


def _cfonb(sort, releves, credits, debits, complements, **plus):
    """credits, debits : (nombre, somme)."""
    return {
        "format": "cfonb120", "sort": sort, "releves": releves, "credits": credits, "debits": debits,
        "complements": complements, **plus,
    }  # fmt: skip


ZERO = (0, D("0.00"))
ATTENDUS = {
    f"{PENNYLANE}/example.txt": _cfonb(
        IMPORTE, 2, (1, D("97.49")), (5, D("-70.81")), 14,
        soldes=[
            (C1, "2019-05-15", "2019-05-16", D("-190.40"), D("-241.21"), True),
            (C2, "2019-05-16", "2019-05-17", D("-241.21"), D("-163.72"), True),
        ],
        credit=("2019-05-17", D("97.49"), "PRLV SEPA GROUPAMA CEN"), encaissements=1,
    ),
    f"{PENNYLANE}/operation.txt": _cfonb(
        IMPORTE, 1, ZERO, (1, D("-32.21")), 4, ouverture=None, cloture=None, encaissements=0
    ),
    # Malformés : refusés, le rejet nomme la ligne. Le LISEZMOI prend le second 07 pour clôture ; il est orphelin.
    f"{PENNYLANE}/end_of_statement_without_beginning.txt": _cfonb(
        REFUSE, 1, ZERO, (1, D("-10.70")), 1, ouverture=D("-190.40"), rejets=[(6, "solde"), (9, "solde")]
    ),
    f"{PENNYLANE}/operation_detail_without_operation.txt": _cfonb(
        REFUSE, 1, ZERO, (1, D("-10.70")), 1, ouverture=D("-190.40"), cloture=D("-241.21"),
        rejets=[(3, "complément"), (8, "solde")],
    ),
    f"{PENNYLANE}/invalid_date.txt": _cfonb(
        REFUSE, 1, ZERO, (1, D("-10.70")), 1, ouverture=D("-190.40"),
        rejets=[(1, "date de l'ancien solde"), (6, "solde"), (9, "solde")],
    ),
    f"{PENNYLANE}/operation_unstarted.txt": {
        "format": "cfonb120", "sort": REFUSE, "rejets": [(n, "complément") for n in (1, 2, 3, 4)],
    },
    f"{SILARHI}/simple-test.txt": _cfonb(
        IMPORTE, 1, ZERO, ZERO, 0,
        soldes=[("102780220400012345603", "2020-04-03", "2020-04-06", D("16695.65"), D("16695.65"), True)],
    ),
    f"{SILARHI}/test-unused-parts.txt": _cfonb(IMPORTE, 8, ZERO, ZERO, 0, encaissements=0),
    # Reconnu comme 240, et refusé : ses totaux ne sont pas ceux de ses opérations.
    f"{SILARHI}/cfonb.240-complex-test.txt": {
        "format": "cfonb240", "sort": REFUSE, "releves": 2, "enregistrements": 7,
        "debits": (3, D("-4702.40")), "rejets": [(4, "total"), (7, "total")],
    },
}  # fmt: skip


def _camt(compte, ecritures, transactions, credits, debits, devise, soldes, *, version="02", **plus):
    return {
        "format": "camt053", "sort": IMPORTE, "releves": 1, "version": f"camt.053.001.{version}", "comptes": [compte],
        "ecritures": ecritures, "transactions": transactions, "ecritures_au_credit": credits,
        "ecritures_au_debit": debits, "devises": devise, "soldes_lus": soldes, **plus,
    }  # fmt: skip


DE, NL = "DE14740618130000033626", "NL26VAYB8060476890"
UN, TROIS = (1, D("1.00")), (3, D("11.00"))
QUATRE_DEVISES = ["OPBD 18.15 EUR", "CLBD -27.00 SEK", "OPAV 35.00 CHF", "CLAV -2700.00 JPY"]
STRUCTUREE = {"reference": "4654654654654654", "payeur": "NAME NAME", "encaissements": 1}
ATTENDUS |= {
    f"{CAMT}/valid_example.xml": _camt(
        DE, 4, 5, UN, TROIS, ["EUR"], ["PRCD 33.06 EUR", "CLBD 23.06 EUR"], libelle="R CKBUCHUNG",
        payeur="Testkonto Nummer 2", encaissements=1,
    ),
    f"{CAMT}/valid_example_with_debit.xml": _camt(
        DE, 4, 5, UN, TROIS, ["EUR"], ["PRCD -33.06 EUR", "CLBD 23.06 EUR"], libelle="R CKBUCHUNG",
        payeur="Testkonto Nummer 2", encaissements=1,
    ),
    f"{CAMT}/valid_example_with_batch.xml": _camt(
        "NL18INGB00012345678", 3, 2, (2, D("7688.00")), (1, D("4753.74")), ["EUR"],
        ["PRCD 7329.80 EUR", "OPBD 7329.80 EUR", "CLBD 23038.20 EUR", "CLAV 23038.20 EUR", "FWAV 23038.20 EUR",
         "FWAV 23038.20 EUR"],
        libelle="TERUGGAAF", payeurs=["Bedrijf BV", "TEST"], encaissements=2,
    ),
    f"{CAMT}/valid_example_with_instdamt.xml": _camt(
        "CH9788761065025111111", 1, 1, (1, D("4500.00")), ZERO, ["CHF"], ["OPBD 100.00 CHF", "CLBD 4500.00 CHF"],
        libelle="Praxis am Weiher", encaissements=1,
    ),
    f"{GENKGO}/camt053.v2.minimal.xml": _camt(
        NL, 1, 1, (1, D("8.85")), ZERO, ["EUR"], QUATRE_DEVISES, **STRUCTUREE
    ),
    f"{GENKGO}/camt053.v4.xml": _camt(
        NL, 1, 1, (1, D("8.85")), ZERO, ["EUR"], QUATRE_DEVISES, version="04", **STRUCTUREE
    ),
    f"{GENKGO}/camt053.v8.xml": _camt(
        NL, 1, 1, (1, D("8.85")), ZERO, ["EUR"], QUATRE_DEVISES, version="08", bout_en_bout="MUELL/FINP/RA12345",
        **STRUCTUREE,
    ),
    f"{GENKGO}/camt053.v2.five.decimals.xml": _camt(
        NL, 1, 1, (1, D("8.85")), ZERO, ["EUR"], ["OPBD 18.15 EUR", "CLBD 27.05 EUR"],
        libelle="Transaction Description", encaissements=1,
    ),
    f"{GENKGO}/camt53.only-Dt-with-DtTm.xml": _camt(
        "GB33BUKB20201555555555", 0, 0, ZERO, ZERO, [], ["OPBD 5442.09 RON"], encaissements=0
    ),
}  # fmt: skip


def _ofx(credits, debits, soldes, devise, encodage, dates, releves=1):
    return {
        "format": "ofx", "sort": IMPORTE, "releves": releves, "credits": credits, "debits": debits,
        "soldes_donnes": soldes, "devises": [devise], "encodage": encodage, "fitid_en_double": 0,
        "montants_illisibles": 0, "dates": dates, "encaissements": credits[0],
    }  # fmt: skip


ATTENDUS |= {
    f"{OFX}/ofxdata-cmfr.ofx": _ofx(
        (10, D("7707.98")), (32, D("-21199.57")), ["10000.00"], "EUR", "utf-8", "20160601–20160627"
    ),
    f"{OFX}/ofxdata-oneline.ofx": _ofx(
        (1, D("200.00")), (7, D("-2177.10")), ["100.00"], "EUR", "utf-8", "20160216–20160719"
    ),
    f"{OFX}/ofxdata.ofx": _ofx((2, D("350.00")), (1, D("-100.00")), ["5250.00"], "USD", "utf-8", "20070315–20070709"),
    f"{OFX}/ofxdata-bb-two-stmtrs.ofx": _ofx(
        (32, D("74783.87")), (4, D("-78432.53")), ["0.00", "4555.28"], "BRL", "cp1252", "20170301–20170327", 2
    ),
    f"{OFX}/ofxdata-selfclose.ofx": _ofx(
        (2, D("700.00")), (3, D("-115.00")), [""], "BRL", "utf-8", "20190918–20190923"
    ),
}


def _mt940(lignes, credits, debits, soldes, dernier, **plus):
    return {
        "format": "mt940", "sort": IMPORTE, "lignes_61": lignes, "credits": credits, "debits": debits,
        "ouvertures": soldes, "dernier_solde": dernier, "encaissements": credits[0], **plus,
    }  # fmt: skip


ATTENDUS |= {
    # Le second relevé d'ABN ouvre par :60M: : deux relevés, un seul :60F:.
    f"{MT940}/abnamro.sta": _mt940(10, ZERO, (10, D("-345.93")), 2, "C110524EUR1849,75"),
    f"{MT940}/ing.sta": _mt940(7, (2, D("4.68")), (5, D("-50.27")), 1, "C100723EUR3,47"),
    f"{MT940}/sepa_snippet.sta": _mt940(
        11, (8, D("1430745.72")), (3, D("-3574069.11")), 2, "D070904EUR4472049,09", reference="TFNR 0300300004"
    ),
    f"{MT940}/mt940.sta": _mt940(
        16, (7, D("72436.74")), (9, D("-60109.44")), 3, "C020325PLN50040,00", devises=["DEM", "EUR", "PLN"]
    ),
    f"{MT940}/february_30.sta": _mt940(
        1, ZERO, (1, D("-6.00")), 1, "C160301EUR1194,00", valeurs=["2016-02-29"]
    ),
}  # fmt: skip
CODES = f"{SILARHI}/error_codes.csv"
FICHIERS = [*ATTENDUS, CODES]


def _sommes(faits, sens):
    """Le LISEZMOI additionne les devises d'un fichier ; l'application, jamais : on le refait ici seulement."""
    return faits[sens], sum((D(s[f"total_{sens}"]) for s in faits["sommes"].values()), D("0.00"))


def _obtenu(fichier) -> dict:
    format = reconnaitre(fichier)
    lu = lire_seul(fichier, format)
    try:
        elements = list(lu.elements)
    except FichierRefuse as refus:
        return {"format": format, "rejets": [(r.ligne, r.champ) for r in refus.rejets]}
    mouvements = [e for e in elements if hasattr(e, "montant")]
    f = lu.faits
    ecritures: dict = {}
    for m in mouvements:  # les parts d'une écriture groupée refont l'écriture
        ecritures[m.ligne] = ecritures.get(m.ligne, D(0)) + m.montant
    credits = [m for m in ecritures.values() if m > 0]
    debits = [-m for m in ecritures.values() if m < 0]
    s = f["soldes"]
    payes = [m for m in mouvements if m.montant > 0]
    return f | {
        "format": format,
        "rejets": [(r.ligne, r.champ) for r in lu.rejets],
        "credits": _sommes(f, "credits"),
        "debits": _sommes(f, "debits"),
        "ecritures_au_credit": (len(credits), sum(credits, D("0.00"))),
        "ecritures_au_debit": (len(debits), sum(debits, D("0.00"))),
        "soldes": [
            (x["compte"], x["du"], x["au"], D(x["ouverture"] or 0), D(x["cloture"] or 0), x["equilibre"]) for x in s
        ],
        "ouverture": D(s[0]["ouverture"]) if s[0]["ouverture"] else None,
        "cloture": D(s[0]["cloture"]) if s[0]["cloture"] else None,
        "soldes_donnes": [x["cloture"] for x in s],
        "soldes_lus": f.get("soldes_lus", []),
        "ouvertures": sum(x["ouverture"] != "" for x in s),
        "encodage": lu.encodage,
        "dates": f"{min(m.date for m in mouvements):%Y%m%d}–{max(m.date for m in mouvements):%Y%m%d}"
        if mouvements
        else "",
        "credit": next(((str(m.date), m.montant, m.libelle.partition(" P0519")[0]) for m in payes), None),
        "payeurs": sorted(m.contrepartie for m in payes if m.contrepartie),
        "valeurs": [str(m.date_valeur) for m in mouvements],
    }, mouvements


@pytest.mark.parametrize("chemin", ATTENDUS)
def test_un_releve_reel(corpus, table, chemin):
    attendu = dict(ATTENDUS[chemin])
    lu = _obtenu(examiner_fichier(corpus / chemin))
    obtenu, mouvements = lu if isinstance(lu, tuple) else (lu, [])
    rendu = prendre(SocieteFactory(iban=""), (corpus / chemin).read_bytes())
    obtenu["sort"] = IMPORTE if rendu.ecrit else REFUSE
    obtenu["encaissements"] = rendu.crees.get("encaissements", 0)
    attendu.setdefault("rejets", [])
    # « dont » : la valeur attendue figure parmi celles lues.
    for cle, valeurs in (
        ("libelle", [m.libelle for m in mouvements]),
        ("reference", [m.reference for m in mouvements]),
        ("bout_en_bout", [m.reference for m in mouvements]),
        ("payeur", [m.contrepartie for m in mouvements]),
    ):
        if cle in attendu:
            obtenu[cle] = attendu[cle] if any(attendu[cle] in v for v in valeurs) else valeurs
    if not rendu.ecrit:
        assert not MouvementBancaire.objects.exists() and (rendu.refus or rendu.rejets)
    table.noter(chemin, attendu, obtenu)


def test_la_table_des_codes_est_celle_de_l_oracle(corpus, table):
    with open(corpus / CODES, encoding="utf-8", newline="") as flux:
        oracle = {ligne[0]: "D/C" if "/" in ligne[2] else ligne[2] for ligne in csv.reader(flux, delimiter=";")}
    differents = {code: sens for code, sens in oracle.items() if SENS_CFONB.get(code) != sens}
    obtenu = {"codes": len(NATURE_CFONB), "sens différents": differents, "en trop": set(NATURE_CFONB) - set(oracle)}
    table.noter(CODES, {"codes": 105, "sens différents": {}, "en trop": set()}, obtenu)
