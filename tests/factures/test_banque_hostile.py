"""Un relevé abîmé se lit ou se refuse : jamais une autre exception, jamais un montant né d'une mutation illisible."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from factures.imports.banque import camt, cfonb, csv_banque, mt940, ofx
from factures.imports.fichier import examiner_fichier
from factures.imports.lecteurs import ContexteLecture
from factures.imports.lot import MouvementLu, ReleveLu
from factures.imports.texte import FichierRefuse
from tests.factures import releves_essai as r

MODELES = {
    "cfonb120": (cfonb, r.cfonb([("05", "50.00", "VIR ACME"), ("B3", "-4.00", "IMPAYE")], details=[("RET", "AM04")])),
    "cfonb240": (cfonb, "31000001" + "08050126E    300060000112345678901".ljust(232) + "\n39" + "0" * 238 + "\n"),
    "camt053": (
        camt,
        r.camt([r.ntry(details=r.tx("20.00") + r.tx("30.00")), r.ntry("4.00", "DBIT")], cloture="146.00"),
    ),
    "ofx": (ofx, r.ofx([("20260105", "50.00", "A1", "VIR ACME"), ("20260106", "-4.00", "A2", "FRAIS")])),
    "mt940": (
        mt940,
        r.mt940([("2601050105C50,00NTRFX//B", "166?00VIR?20EREF+E?31X"), ("260105D4,NCHGX", "/EREF/E/REMI/F/")]),
    ),
    "csv-banque": (csv_banque, r.CSV * 1 + "07/01/2026;;-4,00;FRAIS;146,00\n"),
}
MORCEAUX = st.sampled_from(
    [b"", b"\x00", b"\xff\xfe", b"\n", b"\r", b"<", b">", b"<!DOCTYPE a>",
     b"<![CDATA[", b"&#0;", b"&x;", b";;;;", b'"', b"9" * 40,
     b"-", b",", b":61:", b":86:", b"?20", b"}", b"{", "\u0663".encode(), b"1e99", b"NaN", b"99999999",
     b"00000000", b"<STMTTRN>",
     b"</Ntry>", b"<Ntry>", b"01", b"07", b"\xc3", b" " * 130, b"-32768", b"[0:GMT]"]
)  # fmt: skip


def verifier(module, format: str, octets: bytes) -> None:
    try:
        fichier = examiner_fichier(octets or b" ", "releve")
        module.reconnait(fichier)
        lot = module.lire(fichier, ContexteLecture(format, echeance_de=lambda code, jour: jour))
        for element in lot.elements:
            assert isinstance(element, MouvementLu | ReleveLu)
            if isinstance(element, MouvementLu):
                assert element.montant != 0 and abs(element.montant) < 10**14 and 1950 <= element.date.year <= 2100
                assert len(element.libelle) <= 500 and len(element.reference) <= 140 and len(element.code) <= 35
                assert len(element.contrepartie_iban) <= 34 and len(element.compte) <= 60 and len(element.devise) <= 3
                assert "\x00" not in element.libelle + element.reference + element.contrepartie
    except FichierRefuse as refus:
        assert str(refus)


@pytest.mark.parametrize("format", MODELES)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(coups=st.lists(st.tuples(st.floats(0, 1), MORCEAUX, st.integers(0, 60)), max_size=6))
def test_une_mutation_se_lit_ou_se_refuse(format, coups):
    module, texte = MODELES[format]
    octets = texte.encode()
    for ou, morceau, retire in coups:
        place = int(ou * len(octets))
        octets = octets[:place] + morceau + octets[place + retire :]
    verifier(module, format, octets)


@pytest.mark.parametrize("format", MODELES)
@settings(max_examples=60, deadline=None)
@given(octets=st.binary(max_size=400))
def test_des_octets_quelconques_se_lisent_ou_se_refusent(format, octets):
    verifier(MODELES[format][0], format, octets)


@pytest.mark.parametrize("format", MODELES)
def test_un_fichier_coupe_n_importe_ou(format):
    module, texte = MODELES[format]
    octets = texte.encode()
    for fin in range(1, len(octets), max(1, len(octets) // 60)):
        verifier(module, format, octets[:fin])


@pytest.mark.parametrize("abime", ["urn:x}y", "{", "a b", "urn:\u00e9<"[:-1]])
def test_un_espace_de_noms_abime_n_empeche_pas_de_lire_un_camt(abime):
    octets = MODELES["camt053"][1].replace("urn:iso:std:iso:20022:tech:xsd:camt.053.001.02", abime).encode()
    verifier(camt, "camt053", octets)


@pytest.mark.parametrize("annonce", ["COMPTE " * 8_000, "Solde " + "1 " * 28_000])
def test_un_preambule_demesure_ne_fait_pas_reculer_sans_fin(annonce):
    """Sans borne, chaque ligne de 60 ko demandait des minutes à l'expression qui cherche le compte ou le solde."""
    verifier(csv_banque, "csv-banque", f"{annonce}\nDate;Libelle;Debit;Credit\n01/02/2026;VIR X;;12,00\n".encode())
