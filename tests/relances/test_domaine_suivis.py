"""Numéros de suivi : forme, clé de contrôle, collage (exigence 26)."""

import pytest

from relances.domaine import suivis
from relances.domaine.suivis import Defaut, Forme


@pytest.mark.parametrize(
    ("texte", "numero", "forme", "defaut"),
    [
        ("1A 123 456 7890 1", "1A12345678901", Forme.LA_POSTE, None),
        ("2c00011122223\n", "2C00011122223", Forme.LA_POSTE, None),
        ("1A\u00a0123\u202f456.7890-1", "1A12345678901", Forme.LA_POSTE, None),
        ("RR 473 124 829 JP", "RR473124829JP", Forme.S10, None),  # exemple de la norme S10
        ("RR473124828JP", "RR473124828JP", Forme.S10, Defaut.CLE_S10),
        ("1A1234567890", "1A1234567890", Forme.INCONNUE, None),  # douze caractères : averti, non refusé
        ("REC-2026/14", "REC2026/14", Forme.INCONNUE, Defaut.CARACTERE),
        ("é1", "É1", Forme.INCONNUE, Defaut.CARACTERE),
        ("   ", "", Forme.INCONNUE, Defaut.VIDE),
        ("9" * 300, "9" * 30, Forme.INCONNUE, Defaut.TROP_LONG),
        ("9" * 30, "9" * 30, Forme.INCONNUE, None),
    ],
)
def test_un_numero_se_lit_avec_sa_forme_et_son_defaut(texte, numero, forme, defaut):
    assert suivis.lire(texte) == suivis.Suivi(numero, forme, defaut)


@pytest.mark.parametrize(
    ("chiffres", "cle"), [("47312482", 9), ("00000000", 5), ("12345678", 5), ("00000004", 5), ("00000008", 0)]
)
def test_la_cle_s10_pondere_modulo_onze(chiffres, cle):
    """8 6 4 2 3 5 9 7 ; onze se note 5, dix se note 0."""
    somme = sum(int(c) * p for c, p in zip(chiffres, (8, 6, 4, 2, 3, 5, 9, 7), strict=True))
    attendue = {0: 5, 1: 0}.get(somme % 11, 11 - somme % 11)
    assert suivis.cle_s10(chiffres) == attendue == cle


def test_un_numero_se_montre_comme_sur_l_etiquette():
    assert suivis.lisible("1A12345678901") == "1A 123 456 7890 1"
    assert suivis.lisible("RR473124829JP") == "RR 473 124 829 JP"
    assert suivis.lisible("A1") == "A1"


def test_un_collage_se_lit_ligne_a_ligne_avec_ou_sans_reference():
    texte = "MED-2026-1 ; 1A 123 456 7890 1\n\n1A 123 456 7890 2\nMED-2026-3\t1A12345678903\n"
    assert suivis.lignes_collees(texte) == [
        (1, "MED-2026-1", "1A 123 456 7890 1"),
        (3, "", "1A 123 456 7890 2"),
        (4, "MED-2026-3", "1A12345678903"),
    ]


def test_un_collage_demesure_se_refuse():
    with pytest.raises(ValueError):
        suivis.lignes_collees("1A\n" * (suivis.LIGNES_MAX + 1))
