"""Le langage des textes modifiables : des noms remplacés, rien d'évalué, et chaque refus qui dit quoi et où."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relances.domaine import texte_ferme
from relances.domaine.texte_ferme import LONGUEUR_MAX, Faute, cle, fautes, noms, remplacer

CONNUS = ("total à payer", "date limite", "jour d'échéance")
VALEURS = {"total a payer": "1 234,56 €", "date limite": "2 décembre 2026", "jour d'echeance": "<b>jeudi</b>"}


def rendre(source, **options):
    return remplacer(source, VALEURS.__getitem__, **options)


@pytest.mark.parametrize(
    ("source", "attendu"),
    [
        ("", ""),
        ("Sans rien à remplacer.", "Sans rien à remplacer."),
        ("[[total à payer]]", "1 234,56 €"),
        ("avant le [[date limite]].", "avant le 2 décembre 2026."),
        ("[[Total  A PAYER]] et [[jour d’échéance]]", "1 234,56 € et <b>jeudi</b>"),
        ("**[[total à payer]]** dus", "**1 234,56 €** dus"),
        ("[un] crochet seul ] reste [", "[un] crochet seul ] reste ["),
        ("deux\nlignes", "deux\nlignes"),
    ],
)
def test_un_nom_se_remplace_quelle_que_soit_sa_casse(source, attendu):
    assert fautes(source, CONNUS) == []
    assert rendre(source) == attendu


def test_en_page_tout_est_echappe_valeurs_comprises():
    assert rendre("a & b **[[jour d'échéance]]**\nfin", html=True) == (
        "a &amp; b <b>&lt;b&gt;jeudi&lt;/b&gt;</b><br>fin"
    )


def test_une_valeur_n_est_jamais_relue():
    """Un client nommé « [[total à payer]] » ou « **X** » reste un nom."""
    piege = {"total a payer": "[[date limite]] **x** {{ 1 }}"}
    assert remplacer("[[total à payer]]", piege.__getitem__, html=True) == "[[date limite]] **x** {{ 1 }}"


@pytest.mark.parametrize(
    ("source", "code", "rang", "extrait"),
    [
        ("Bonjour [[totla à payer]]", "inconnue", 9, "[[totla à payer]]"),
        ("[[client.objects]]", "inconnue", 1, "[[client.objects]]"),
        ("[[]]", "inconnue", 1, "[[]]"),
        ("Reste [[total à payer", "crochets", 7, "[["),
        ("Reste total à payer]]", "crochets", 20, "]]"),
        ("[[total [[date limite]]", "crochets", 1, "[["),
        ("**gras sans fin", "gras", 1, "**"),
        ("{{ client.objects }}", "code", 1, "{{"),
        ("{% load x %}", "code", 1, "{%"),
        ("{# note #}", "code", 1, "{#"),
        ("<script>alert(1)</script>", "html", 1, "<script"),
        ('<img src="x">', "html", 1, "<img"),
        ("<!-- x -->", "html", 1, "<!--"),
        ("voir https://exemple.fr/p.gif", "adresse", 6, "https://exemple.fr/p.gif"),
        ("voir www.exemple.fr", "adresse", 6, "www.exemple.fr"),
        ("voir bit.ly/x7", "adresse", 6, "bit.ly/x7"),
        ("data:image/png;base64,AA", "adresse", 1, "data:image/png;base64,AA"),
        ("sens \u202einverse", "caractere", 6, "U+202E"),
        ("nul \x00", "caractere", 5, "U+0000"),
        ("largeur \u200bnulle", "caractere", 9, "U+200B"),
        ("saut \u2028", "caractere", 6, "U+2028"),
        ("saut \u2029", "caractere", 6, "U+2029"),
        ("blanc \u3164", "caractere", 7, "U+3164"),
        ("blanc \u2800", "caractere", 7, "U+2800"),
        ("a" + "\u0300" * 4, "diacritiques", 5, "U+0300"),
        ("voir évil.com/x", "adresse", 6, "évil.com/x"),
        ("voir evil\u3002com/x", "adresse", 6, "evil\u3002com/x"),
        ("voir ｗｗｗ．evil.com", "adresse", 6, "ｗｗｗ．evil.com"),
        ("ﬁn : ｈttps：／／evil", "adresse", 6, "ｈttps：／／evil"),
    ],
)
def test_chaque_refus_dit_quoi_et_ou(source, code, rang, extrait):
    premiere = fautes(source, CONNUS)[0]
    assert (premiere.code, premiere.rang, premiere.extrait) == (code, rang, extrait)


@pytest.mark.parametrize(
    "source",
    [
        "art. L. 441-10, 24/11/2026 et/ou",
        "10 < 20",
        "compta@verdance.fr",
        "fin. Suite",
        "n° 1… suite",
        "Tie\u0302\u0301ng Vie\u0323\u0302t",
        "½ page et/ou ﬁn",
    ],
)
def test_ce_qui_y_ressemble_n_est_pas_refuse(source):
    assert fautes(source, CONNUS) == []


def test_un_nom_mal_ecrit_propose_le_bon():
    assert fautes("[[totl à payer]]", CONNUS) == [Faute("inconnue", 1, "[[totl à payer]]", "total à payer")]


@pytest.mark.parametrize("source", ["[[solde secret]]", "[[total]]", "[[date]]"])
def test_un_nom_trop_lointain_ne_propose_rien(source):
    """« notre société » pour « solde secret » égare plus qu'il n'aide."""
    assert fautes(source, [*CONNUS, "notre société"]) == [Faute("inconnue", 1, source)]


def test_soixante_lignes_et_soixante_gras_au_plus():
    """Un texte permis ne bloque pas le moteur de mise en page : 4 000 retours ou 1 600 gras y passaient 40 s."""
    assert fautes("\n".join("x" * 60), CONNUS) == []
    assert fautes("**a** " * 60, CONNUS) == []
    assert [(f.code, f.extrait) for f in fautes("\n".join("x" * 61), CONNUS)] == [("lignes", "61")]
    assert [(f.code, f.extrait) for f in fautes("**a** " * 61, CONNUS)] == [("grasses", "61")]


def test_huit_mille_caracteres_au_plus():
    assert fautes("x" * LONGUEUR_MAX, CONNUS) == []
    assert [f.code for f in fautes("<p>" * 13_000, CONNUS)] == ["longueur"]


def test_les_noms_employes_se_lisent_dans_l_ordre():
    assert noms("[[b]] ** [[a]] [[b]]") == ["b", "a"]


def test_le_langage_ne_connait_que_la_bibliotheque_standard():
    """Rien ne peut y être évalué : ni moteur de gabarits, ni appel, ni attribut lu par son nom."""
    source = Path(texte_ferme.__file__).read_text(encoding="utf-8")
    importes = set(re.findall(r"^(?:from|import) ([\w.]+)", source, flags=re.M))
    assert importes == {"re", "unicodedata", "collections.abc", "difflib", "html", "typing"}
    assert not re.search(r"\b(eval|exec|compile|getattr|__import__)\(", source.replace("re.compile(", ""))


HOSTILE = st.lists(
    st.sampled_from([*"[]{}%#*<>/:.'\"& \n", *"abc_é€0", "[[", "]]", "**", "[[total à payer]]"]), max_size=60
).map("".join)


@given(HOSTILE)
def test_hypothesis_rien_n_est_evalue_et_un_texte_recu_se_rend_toujours(source):
    demandes = []
    trouvees = fautes(source, CONNUS)
    assert all(1 <= f.rang <= len(source) + 1 for f in trouvees)

    def valeur(nom):
        demandes.append(nom)
        return "V"

    rendu = remplacer(source, valeur, html=True)
    if not trouvees:
        assert set(demandes) <= {cle(nom) for nom in CONNUS}
        assert rendu.count("<b>") == rendu.count("</b>")
    assert not re.sub(r"</?b>|<br>", "", rendu).count("<")  # rien d'autre que le gras et les retours


@given(st.lists(st.sampled_from(["[[total à payer]]", "[[date limite]]", " mot ", "\n", "é & <"]), max_size=12))
def test_hypothesis_remplacer_ne_touche_que_les_noms(morceaux):
    source = "".join(morceaux)
    attendu = source.replace("[[total à payer]]", "1 234,56 €").replace("[[date limite]]", "2 décembre 2026")
    assert rendre(source) == attendu
