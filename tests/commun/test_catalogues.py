"""Compilation des traductions sans gettext : relues par la bibliothèque standard."""

import gettext
import io
import os

import pytest

from recouvrement.commun.catalogues import compiler, ecrire_mo, lire_po

PO = r"""
# En-tête
msgid ""
msgstr ""
"Content-Type: text/plain; charset=UTF-8\n"
"Plural-Forms: nplurals=2; plural=(n != 1);\n"

#: un/fichier.py:3
msgid "Échéance"
msgstr "Instalment"

#, python-format
msgid ""
"Sur deux "
"lignes\n"
msgstr ""
"On two "
"lines\n"

msgctxt "bouton"
msgid "Relancer"
msgstr "Send \"now\""
msgid "Relancer"
msgstr "Remind"

msgid "%(n)d jour"
msgid_plural "%(n)d jours"
msgstr[0] "%(n)d day"
msgstr[1] "%(n)d days"

#, fuzzy
msgid "Douteux"
msgstr "Doubtful"

msgid "Non traduit"
msgstr ""

#~ msgid "Périmé"
#~ msgstr "Obsolete"
"""


@pytest.fixture
def catalogue():
    return gettext.GNUTranslations(io.BytesIO(ecrire_mo(lire_po(PO))))


@pytest.mark.parametrize(
    ("source", "traduction"),
    [("Échéance", "Instalment"), ("Sur deux lignes\n", "On two lines\n"), ("Relancer", "Remind")],
)
def test_un_texte_est_traduit(catalogue, source, traduction):
    assert catalogue.gettext(source) == traduction


def test_le_contexte_distingue_deux_textes_identiques(catalogue):
    assert catalogue.pgettext("bouton", "Relancer") == 'Send "now"'


@pytest.mark.parametrize(("n", "attendu"), [(0, "%(n)d days"), (1, "%(n)d day"), (2, "%(n)d days")])
def test_le_pluriel_suit_la_regle_de_l_en_tete(catalogue, n, attendu):
    assert catalogue.ngettext("%(n)d jour", "%(n)d jours", n) == attendu


@pytest.mark.parametrize("source", ["Douteux", "Non traduit", "Périmé"])
def test_un_texte_flou_vide_ou_perime_reste_en_francais(catalogue, source):
    assert catalogue.gettext(source) == source


@pytest.mark.parametrize("fautif", ['msgid "ouvert', "n'importe quoi", '"orpheline"'])
def test_un_catalogue_mal_forme_est_refuse_avec_sa_ligne(fautif):
    with pytest.raises(ValueError, match="ligne 1"):
        lire_po(fautif)


def test_compiler_ne_recrit_que_ce_qui_a_change(tmp_path):
    source = tmp_path / "en" / "LC_MESSAGES" / "django.po"
    source.parent.mkdir(parents=True)
    source.write_text(PO, encoding="utf-8")
    cible = source.with_suffix(".mo")
    assert compiler(tmp_path) == [cible]
    assert compiler(tmp_path) == []
    os.utime(source, ns=(0, cible.stat().st_mtime_ns + 1))
    assert compiler(tmp_path) == [cible]
