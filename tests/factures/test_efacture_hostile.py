"""Factures électroniques mauvaises : un refus qui dit l'endroit, jamais autre chose, et rien d'écrit."""

import io
import random
import time
import zipfile

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from factures.imports.efacture import MEMBRES_MAX
from factures.imports.fichier import examiner_fichier
from factures.imports.lecteurs import lire_seul, reconnaitre
from factures.imports.texte import FichierRefuse

from .efacture_essai import cii, facturx_pdf, page, pdf_avec, ubl

LENT = 10  # secondes : ce qu'aucune lecture ne dépasse


def refus(octets: bytes, nom: str = "f", format: str = "") -> str:
    fichier = examiner_fichier(octets, nom)
    with pytest.raises(FichierRefuse) as leve:
        lot = lire_seul(fichier, format or reconnaitre(fichier))
        list(lot.elements)
        if lot.rejets:
            raise FichierRefuse(lot.rejets[0].motif)
    return str(leve.value)


BOMBE = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>'
EXTERNE = '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>'


@pytest.mark.parametrize(
    ("octets", "mot"),
    [
        (cii(tete=BOMBE, numero="&b;"), "DTD"),
        (cii(tete=EXTERNE, numero="&e;"), "DTD"),
        (cii(tete="<!DOCTYPE x>"), "DTD"),
        (cii()[:-400], "mal formé"),
        (cii(numero=""), "BT-1"),
        (cii(numero="9" * 61), "60 caractères"),
        (cii(emission="2026-02-31"), "calendrier"),
        (cii(emission="31/01/2026"), "date"),
        (cii(net="1e3"), "BT-115"),
        (cii(net="1.234,56"), "BT-115"),
        (cii(net="NaN"), "BT-115"),
        (cii(net="9" * 20), "plausible"),
        (cii(devise="EURO"), "devise"),
        (cii(acheteur="", acheteur_siren=""), "ni nom ni identifiant"),
        (b"<?xml version='1.0'?><a>" + b"<b>" * 100 + b"</b>" * 100 + b"</a>", "niveaux"),
        (b"<?xml version='1.0'?><Facture/>", "CII ni de l'UBL"),
    ],
)
def test_un_xml_mauvais_dit_ou_et_quoi(octets, mot):
    assert mot in refus(octets, format="cii")


def test_un_statut_n_est_pas_une_facture():
    xml = (
        b'<rsm:CrossDomainAcknowledgementAndResponse '
        b'xmlns:rsm="urn:un:unece:uncefact:data:standard:CrossDomainAcknowledgementAndResponse:100"/>'
    )  # fmt: skip
    assert "statut" in refus(xml, format="cii")


@pytest.mark.parametrize(
    ("octets", "mot"),
    [
        (page(), "factur-x.xml y manque"),
        (pdf_avec(("note.txt", b"x"), ("plan.pdf", b"y")), "note.txt, plan.pdf"),
        (pdf_avec(("factur-x.xml", cii()), ("zugferd-invoice.xml", cii("F-200"))), "différentes"),
        (pdf_avec(("factur-x.xml", cii()), mot_de_passe="secret"), "mot de passe"),
        (facturx_pdf()[:2000], "abîmé"),
        (b"%PDF-1.7\n", "abîmé"),
        (pdf_avec(("factur-x.xml", b"<pas fini")), "mal formé"),
        (pdf_avec(("factur-x.xml", b"")), "vide"),
    ],
)
def test_un_pdf_mauvais_dit_quoi(octets, mot):
    assert mot in refus(octets, "f.pdf")


def test_dix_pieces_jointes_ne_cachent_pas_la_facture():
    pieces = [(f"annexe-{i}.pdf", b"%PDF-1.4") for i in range(5)] + [(f"donnees-{i}.xml", b"<a/>") for i in range(4)]
    lot = lire_seul(examiner_fichier(pdf_avec(*pieces, ("factur-x.xml", cii())), "f.pdf"))
    assert lot.faits["numero"] == "F-100" and len(lot.faits["pieces_jointes"]) == 9
    assert next(iter(lot.documents.values())).pdf is not None


def test_la_meme_facture_en_double_dans_le_pdf_se_lit():
    lot = lire_seul(examiner_fichier(pdf_avec(("factur-x.xml", cii()), ("zugferd-invoice.xml", cii())), "f.pdf"))
    assert lot.faits["numero"] == "F-100"


def test_un_pdf_qui_agit_ne_se_garde_pas_mais_sa_facture_entre():
    lot = lire_seul(examiner_fichier(pdf_avec(("factur-x.xml", cii()), script="app.alert(1)"), "f.pdf"))
    assert next(iter(lot.documents.values())).pdf is None
    assert any("ne se garde pas" in texte for texte in lot.avertissements)


# --- Archives --------------------------------------------------------------------------------


def zipper(*membres: tuple[str, bytes]) -> bytes:
    tampon = io.BytesIO()
    with zipfile.ZipFile(tampon, "w", zipfile.ZIP_DEFLATED) as z:
        for nom, contenu in membres:
            z.writestr(nom, contenu)
    return tampon.getvalue()


@pytest.mark.parametrize(
    ("octets", "mot"),
    [
        (zipper(("bombe.xml", b" " * 15_000_000)), "démesuré"),
        (zipper(*((f"{i}.xml", b"<a/>") for i in range(MEMBRES_MAX + 1))), "découpez"),
        (zipper(("f.xml", cii()))[:-40], "abîmée"),
        (zipper(("f.xml", b"")), "vide"),
        (zipper(("f.pdf", b"MZ rien")), "Ni un PDF ni un XML"),
    ],
)
def test_une_archive_mauvaise_dit_quoi(octets, mot):
    assert mot in refus(octets, "f.zip", "efactures")


def test_un_chemin_remontant_n_ecrit_nulle_part(tmp_path):
    lot = lire_seul(examiner_fichier(zipper(("../../etc/f.xml", cii()), ("__MACOSX/._f.xml", b"x")), "f.zip"))
    assert len(list(lot.elements)) == 2 and not lot.rejets and not list(tmp_path.iterdir())


def test_un_membre_sans_nom_se_lit_comme_un_autre():
    """Trouvé par atheris : zipfile lève IndexError sur un nom vide."""
    octets = zipper(("f.xml", cii())).replace(b"f.xml", b"\x00.xml")
    assert len(list(lire_seul(examiner_fichier(octets, "f.zip"), "efactures").elements)) == 2
    assert refus(octets, "f.zip").startswith("Format non reconnu")


# --- Mutations -------------------------------------------------------------------------------

GRAINES = {"cii": cii(), "ubl": ubl(), "facturx": facturx_pdf()}


@pytest.mark.parametrize("format", GRAINES)
@given(graine=st.integers(0, 2**32), coups=st.integers(1, 30))
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
def test_des_octets_changes_ne_levent_jamais_qu_un_refus(format, graine, coups):
    """Des octets remplacés, ôtés, doublés au hasard ; une lecture trop longue échoue aussi."""
    de, octets = random.Random(graine), bytearray(GRAINES[format])  # noqa: S311 (des essais)
    for _ in range(coups):
        i = de.randrange(len(octets))
        match de.randrange(3):
            case 0:
                octets[i] = de.randrange(256)
            case 1:
                del octets[i : i + de.randrange(1, 40)]
            case 2:
                octets[i:i] = octets[i : i + de.randrange(1, 60)]
    debut = time.monotonic()
    try:
        lot = lire_seul(examiner_fichier(bytes(octets), "f"), format)
        list(lot.elements)
    except FichierRefuse as erreur:
        assert str(erreur)
    assert time.monotonic() - debut < LENT
