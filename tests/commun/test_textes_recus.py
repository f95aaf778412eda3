"""Un JSON hostile se refuse en nommant la faute, clés comprises."""

import pytest

from recouvrement.commun.domaine.textes_recus import texte_fautif


@pytest.mark.parametrize("c", ["\ud800", "\udfff", "\x00", "\u202e", "\u2066", "\r\nBcc: x"])
@pytest.mark.parametrize("forme", [lambda t: {"nom": t}, lambda t: {t: 1}, lambda t: {"a": [{"b": {t: "x"}}]}, str])
def test_un_texte_illisible_se_nomme_sans_se_montrer(c, forme):
    assert texte_fautif(forme(f"a{c}")) == ascii(f"a{c}")


def test_un_paragraphe_va_a_la_ligne_mais_pas_son_nom():
    assert texte_fautif({"paragraphes": {"objet": "un\ndeux"}, "nom": "é"}, plusieurs_lignes="paragraphes") is None
    assert texte_fautif({"paragraphes": {"ob\njet": "x"}}, plusieurs_lignes="paragraphes") == "'ob\\njet'"
    assert texte_fautif({"paragraphes": {"objet": "\ud800"}}, plusieurs_lignes="paragraphes") == "'\\ud800'"
    assert texte_fautif({"": "a\nb"}) == "'a\\nb'"
