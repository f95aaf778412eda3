"""Les textes comptés suivent l'accord de leur langue : « 0 créance » en français, “0 items” en anglais."""

import pytest
from django.template import Context, Template
from django.utils.translation import ngettext, npgettext, override


@pytest.mark.parametrize(("n", "attendu"), [(0, "0 pli rare"), (1, "1 pli rare"), (2, "2 plis rares")])
def test_zero_est_au_singulier_en_francais(n, attendu):
    with override("fr"):
        assert ngettext("%(n)s pli rare", "%(n)s plis rares", n) % {"n": n} == attendu
        assert npgettext("courrier", "%(n)s pli rare", "%(n)s plis rares", n) % {"n": n} == attendu
        gabarit = "{% blocktranslate count n=n %}{{ n }} pli rare{% plural %}{{ n }} plis rares{% endblocktranslate %}"
        assert Template("{% load i18n %}" + gabarit).render(Context({"n": n})) == attendu


def test_l_anglais_garde_son_accord():
    with override("en"):
        assert ngettext("%(n)s pli rare", "%(n)s plis rares", 0) % {"n": 0} == "0 plis rares"
