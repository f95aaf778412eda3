"""Longueur d'un SMS : 160 caractères GSM, 153 par morceau, deux pour « € »."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relances.domaine.sms import en_gsm7, mesurer


@pytest.mark.parametrize(
    ("texte", "caracteres", "messages"),
    [
        ("", 0, 0),
        ("a" * 160, 160, 1),
        ("a" * 161, 161, 2),
        ("a" * 306, 306, 2),
        ("a" * 307, 307, 3),
        ("€" * 80, 160, 1),
        ("a" * 159 + "€", 161, 2),
        ("a" * 152 + "€" + "a" * 151, 305, 2),
        ("a" * 152 + "€" + "a" * 152, 306, 3),  # « € » ne se coupe pas : le premier morceau perd une place
    ],
)
def test_un_sms_se_compte_comme_l_operateur(texte, caracteres, messages):
    assert mesurer(texte) == (caracteres, messages, "")


@pytest.mark.parametrize(
    ("texte", "attendu"),
    [
        ("Hôtel à la fête, ça va", "Hotel à la fete, ca va"),
        ("l’œuvre – 12\u00a0€", "l'oeuvre - 12 EUR"),
        ("« Détail »", '" Détail "'),
        ("汉", "汉"),
    ],
)
def test_le_texte_s_ecrit_en_alphabet_gsm(texte, attendu):
    assert en_gsm7(texte) == attendu


def test_ce_qui_ne_s_ecrit_pas_est_nomme():
    assert mesurer(en_gsm7("Merci 😀 汉")).hors == "😀汉"


@given(st.text(max_size=400))
def test_hypothesis_transcrire_deux_fois_ne_change_rien(texte):
    une = en_gsm7(texte)
    assert en_gsm7(une) == une
    assert mesurer(une).messages * 160 >= mesurer(une).caracteres
