"""Octets d'un courriel → message lu : encodages cassés, HTML seul, pièces qui mentent, bornes, hasard."""

import os
from email.message import EmailMessage
from io import BytesIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from relances.domaine.reponses import MessageLu, classer
from relances.reponses import lecture
from relances.reponses.html import en_texte
from relances.reponses.lecture import CourrielIllisible, lire

TETE = b"From: Marie <marie@client.example>\r\nTo: reponses+abc@acme.example\r\nSubject: Re: facture\r\n"


def brut(corps: bytes, *entetes: bytes) -> bytes:
    return TETE + b"".join(x + b"\r\n" for x in entetes) + b"\r\n" + corps


def png() -> bytes:
    sortie = BytesIO()
    Image.new("RGB", (2, 2)).save(sortie, "PNG")
    return sortie.getvalue()


def avec_pieces(*pieces) -> bytes:
    m = EmailMessage()
    m["From"], m["To"], m["Subject"] = "Marie <marie@client.example>", "a@acme.example", "Preuve"
    m.set_content("Voici.")
    for nom, octets, genre in pieces:
        principal, _, sous = genre.partition("/")
        m.add_attachment(octets, principal, sous, filename=nom)
    return m.as_bytes()


def test_les_entetes_se_lisent():
    lu = lire(
        brut(
            b"Bonjour",
            b"Message-ID: <1@client.example>",
            b"In-Reply-To: <jeton@acme.example>",
            b"References: <a@x> <b@x>",
            b"Date: Tue, 10 Feb 2026 09:00:00 +0100",
            b"Delivered-To: boite@acme.example",
        )
    )
    assert (lu.de, lu.de_nom, lu.objet, lu.texte) == ("marie@client.example", "Marie", "Re: facture", "Bonjour")
    assert (lu.message_id, lu.en_reponse_a) == ("<1@client.example>", "<jeton@acme.example>")
    assert lu.references == ("<a@x>", "<b@x>")
    assert lu.destinataires == ("reponses+abc@acme.example", "boite@acme.example")
    assert lu.date.isoformat() == "2026-02-10T09:00:00+01:00"


@pytest.mark.parametrize(
    ("jeu", "octets"),
    [
        (b"iso-8859-1", "Réglé hier".encode("latin-1")),
        (b"windows-1252", "Réglé hier".encode("cp1252")),
        (b"utf-8", "Réglé hier".encode()),
        (b"us-ascii", "Réglé hier".encode()),
        (b"x-inconnu", "Réglé hier".encode()),
        (b"utf-8", "Réglé hier".encode("latin-1")),
        (b"iso-8859-15", "Réglé hier".encode("iso-8859-15")),
        (b"us-ascii", "Réglé hier".encode("cp1252")),
    ],
)
def test_un_jeu_de_caracteres_faux_se_lit_au_mieux(jeu, octets):
    lu = lire(brut(octets, b"Content-Type: text/plain; charset=" + jeu))
    assert lu.texte.replace("\ufffd", "é") == "Réglé hier"


def test_un_objet_aux_mots_encodes_casses_ne_fait_rien_tomber():
    for objet in (
        b"=?utf-8?Q?R=E9gl=C3?=",
        b"=?x?B?////?=",
        b"=?utf-8?B?a?=",
        "Réglé".encode("latin-1"),
        b"=?utf-8?q?",
    ):
        assert isinstance(lire(b"Subject: " + objet + b"\r\n\r\nx").objet, str)
    assert lire("Subject: Réglé\r\n\r\nx".encode()).objet == "Réglé"


def test_un_nom_retourne_ou_de_controle_s_affiche_a_l_endroit():
    lu = lire("From: \u202emoc.live <a@b.fr>\r\nSubject: a\x00b\u2067c\r\n\r\nfin\x00\x1b[31m".encode())
    assert (lu.de_nom, lu.objet, lu.texte) == ("moc.live", "abc", "fin[31m")


def test_un_html_seul_devient_du_texte_sans_script():
    html = b"<style>p{}</style><p>Pay&eacute; <b>hier</b></p><script>alert(1)</script><blockquote>ancien</blockquote>"
    lu = lire(brut(html, b"Content-Type: text/html; charset=utf-8"))
    assert lu.texte.splitlines()[0] == "Payé hier" and "> ancien" in lu.texte and "alert" not in lu.texte
    assert lu.texte == lu.html_texte


def test_le_texte_l_emporte_sur_le_html_d_un_meme_corps():
    m = EmailMessage()
    m["From"] = "a@b.fr"
    m.set_content("en texte")
    m.add_alternative("<p>en html</p>", subtype="html")
    lu = lire(m.as_bytes())
    assert (lu.texte, lu.html_texte) == ("en texte", "en html")


def test_une_piece_se_reconnait_a_son_contenu():
    lu = lire(
        avec_pieces(
            ("facture.pdf", png(), "application/pdf"),
            ("photo.png", b"MZ" + b"\0" * 50, "image/png"),
            ("../../etc/passwd", b"x", "text/plain"),
            ("vide.pdf", b"", "application/pdf"),
        )
    )
    vrai, faux, texte, vide = lu.pieces
    assert (vrai.mime, vrai.suffixe, vrai.refus, vrai.type_annonce) == ("image/png", ".png", "", "application/pdf")
    assert faux.refus and not faux.octets and faux.taille == 52
    assert texte.nom == "etc passwd" and texte.refus and vide.refus
    assert lu.texte == "Voici."


def test_au_dela_de_vingt_pieces_les_suivantes_sont_dites():
    lu = lire(avec_pieces(*[(f"{n}.txt", b"x", "text/plain") for n in range(30)]))
    assert len(lu.pieces) == lecture.PIECES_MAX + 1 and lu.pieces[-1].nom.startswith("10 ")


def test_un_courriel_transfere_garde_ses_mots_et_ses_pieces():
    dedans = EmailMessage()
    dedans["From"], dedans["Subject"] = "chef@client.example", "À payer"
    dedans.set_content("Merci de payer.")
    dedans.add_attachment(png(), "image", "png", filename="preuve.png")
    m = EmailMessage()
    m["From"] = "marie@client.example"
    m.set_content("Voir ci-dessous.")
    m.add_attachment(dedans)
    lu = lire(m.as_bytes())
    assert "Voir ci-dessous." in lu.texte and "Merci de payer." in lu.texte and "Objet : À payer" in lu.texte
    assert [x.nom for x in lu.pieces] == ["preuve.png"]


@pytest.mark.parametrize(
    "octets",
    [
        b"x" * (lecture.COURRIEL_MAX + 1),
        b"\n" * 1_000_001,
        b"Content-Type: multipart/mixed; boundary=" + b"a" * 2000,
        b"boundary\n" * 100,
        b"Content-Type: multipart/mixed; boundary=a\n\n" + b"--a\n\nx\n" * 300,
    ],
    ids=["taille", "lignes", "en-tête", "bornes", "parties"],
)
def test_un_courriel_demesure_est_illisible_et_le_dit(octets):
    with pytest.raises(CourrielIllisible) as refus:
        lire(octets)
    assert str(refus.value)


def test_des_courriels_emboites_ne_font_rien_tomber():
    octets = b"fin"
    for _ in range(150):
        octets = b"Content-Type: message/rfc822\n\n" + octets
    try:
        assert isinstance(lire(octets), MessageLu)
    except CourrielIllisible:
        pass


def _juger(octets: bytes) -> None:
    try:
        lu = lire(octets)
    except CourrielIllisible:
        return
    lu.texte.encode(), lu.objet.encode(), lu.de_nom.encode(), lu.de.encode()
    assert "\x00" not in lu.texte + lu.objet + lu.de + lu.de_nom + "".join(x.nom for x in lu.pieces)
    assert classer(lu).raison


ENTETES = st.sampled_from(
    [
        b"From: ",
        b"To: ",
        b"Subject: =?utf-8?B?",
        b"Content-Type: multipart/report; report-type=delivery-status; boundary=a",
        b"Content-Type: text/html; charset=",
        b"Content-Transfer-Encoding: base64",
        b"Content-Transfer-Encoding: x-uuencode",
        b"Content-Disposition: attachment; filename*0*=utf-8''%",
        b"Date: ",
        b"Auto-Submitted: auto-replied",
        b"--a",
        b"",
        b"Content-Type: message/delivery-status",
        b"Final-Recipient: rfc822; ",
        b"Status: 5.",
        b"Content-Type: message/rfc822",
        b"X-Failed-Recipients: ",
        b"begin 644 x",
        b"Subject: absence jusqu'au 99/99/9999",
        b"Message-ID: <",
        b"--a--",
    ]
)


@settings(max_examples=300, deadline=None)
@given(
    st.one_of(
        st.binary(max_size=3000),
        st.lists(st.tuples(ENTETES, st.binary(max_size=40)), max_size=30).map(
            lambda xs: b"\n".join(a + b for a, b in xs)
        ),
    )
)
def test_un_courriel_quelconque_se_lit_ou_est_illisible(octets):
    _juger(octets)


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet=st.sampled_from("<>/!-\"'= abdivpscript&;#x"), max_size=800))
def test_un_html_quelconque_donne_du_texte(source):
    assert isinstance(en_texte(source), str)


@pytest.mark.parametrize(
    "morceau", ["<div>", "<b><p>", "<", "<!--", '<a "', "<a '>", "&amp;", "<blockquote>x", "<script>"]
)
def test_un_html_de_deux_millions_de_caracteres_se_lit(morceau):
    """Aucune durée affirmée ici : un lecteur quadratique ne finirait pas."""
    en_texte(morceau * (2_000_000 // len(morceau)))


@pytest.mark.skipif("FUZZ_SECONDES" not in os.environ, reason="à la demande : FUZZ_SECONDES=60")
def test_atheris_ne_trouve_aucune_exception():
    atheris = pytest.importorskip("atheris")
    import random
    import time

    hasard, fin = random.Random(5), time.monotonic() + int(os.environ["FUZZ_SECONDES"])
    graines = [avec_pieces(("a.pdf", png(), "application/pdf")), brut(b"x", b"Auto-Submitted: auto-replied")]
    while time.monotonic() < fin:
        graine = bytearray(hasard.choice(graines))
        for _ in range(hasard.randint(1, 12)):
            graine[hasard.randrange(len(graine))] = hasard.randrange(256)
        tire = atheris.FuzzedDataProvider(bytes(graine))
        _juger(tire.ConsumeBytes(len(graine)))
