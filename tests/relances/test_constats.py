"""Chaque constat du contrôle a sa phrase, en entier."""

import inspect
import re

import pytest

from relances.domaine import controle
from relances.domaine.controle import Constat
from relances.domaine.natures import Nature
from relances.views.constats import phrase

SOURCE = inspect.getsource(controle)
CODES = set(re.findall(r'(?:Constat|constat)\((?:"\w+"|sur), "(\w+)"', SOURCE)) | {
    "amiables", "trop_amiables", "delai", "delai_court",
}  # fmt: skip


@pytest.mark.parametrize("code", sorted(CODES))
def test_chaque_constat_se_dit(code):
    texte = phrase(Constat("mal", code, Nature.MISE_EN_DEMEURE, 3, Nature.APPEL.value, canal="sms"))
    assert texte.endswith((".", ")")) and "%" not in texte


def test_le_controle_a_au_moins_vingt_cinq_constats():
    assert len(CODES) >= 25
