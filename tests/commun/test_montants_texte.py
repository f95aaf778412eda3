"""Sommes en toutes lettres."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recouvrement.commun.domaine.montants_texte import en_lettres, entier_en_lettres, in_words, integer_in_words


@pytest.mark.parametrize(
    ("nombre", "attendu"),
    [
        (0, "zéro"),
        (17, "dix-sept"),
        (21, "vingt et un"),
        (61, "soixante et un"),
        (70, "soixante-dix"),
        (71, "soixante et onze"),
        (77, "soixante-dix-sept"),
        (80, "quatre-vingts"),
        (81, "quatre-vingt-un"),
        (91, "quatre-vingt-onze"),
        (99, "quatre-vingt-dix-neuf"),
        (100, "cent"),
        (101, "cent un"),
        (180, "cent quatre-vingts"),
        (200, "deux cents"),
        (201, "deux cent un"),
        (1000, "mille"),
        (1999, "mille neuf cent quatre-vingt-dix-neuf"),
        (2000, "deux mille"),
        (80_000, "quatre-vingt mille"),
        (200_000, "deux cent mille"),
        (280_280, "deux cent quatre-vingt mille deux cent quatre-vingts"),
        (1_000_000, "un million"),
        (80_000_000, "quatre-vingts millions"),
        (200_000_200, "deux cents millions deux cents"),
        (1_000_001_001, "un milliard mille un"),
        (-3, "moins trois"),
    ],
)
def test_vingt_et_cent_s_accordent_mille_jamais(nombre, attendu):
    assert entier_en_lettres(nombre) == attendu


def relire(texte: str) -> int:
    """Lecture indépendante, mot à mot, d'un nombre écrit en lettres."""
    total = bloc = cent = 0
    unites = {
        mot: i for i, mot in enumerate("zéro un deux trois quatre cinq six sept huit neuf dix onze douze".split())
    }
    unites |= {"treize": 13, "quatorze": 14, "quinze": 15, "seize": 16, "vingt": 20, "vingts": 20, "trente": 30}
    unites |= {"quarante": 40, "cinquante": 50, "soixante": 60}
    for mot in texte.replace("-", " ").split():
        if mot == "et":
            continue
        if mot in ("vingt", "vingts") and bloc == 4:
            bloc = 80
        elif mot in unites:
            bloc += unites[mot]
        elif mot in ("cent", "cents"):
            cent, bloc = 100 * max(bloc, 1), 0
        else:
            echelle = {"mille": 10**3, "million": 10**6, "milliard": 10**9}[mot.removesuffix("s")]
            total, cent, bloc = total + max(cent + bloc, 1) * echelle, 0, 0
    return total + cent + bloc


@given(st.integers(0, 10**12 - 1))
def test_un_nombre_ecrit_se_relit_sans_perte(nombre):
    assert relire(entier_en_lettres(nombre)) == nombre


@pytest.mark.parametrize(
    ("somme", "attendu"),
    [
        ("0", "zéro euro"),
        ("0.01", "un centime d’euro"),
        ("0.80", "quatre-vingts centimes d’euro"),
        ("1.00", "un euro"),
        ("1.50", "un euro et cinquante centimes"),
        ("2.01", "deux euros et un centime"),
        ("80.00", "quatre-vingts euros"),
        ("10352.00", "dix mille trois cent cinquante-deux euros"),
        ("10845.03", "dix mille huit cent quarante-cinq euros et trois centimes"),
        ("1000000.00", "un million d’euros"),
        ("3000000.10", "trois millions d’euros et dix centimes"),
        ("1200000.00", "un million deux cent mille euros"),
        ("2000000000.00", "deux milliards d’euros"),
        ("1.995", "deux euros"),
        ("-40.00", "moins quarante euros"),
        ("-0.001", "zéro euro"),
    ],
)
def test_une_somme_accorde_euro_et_appelle_de_apres_million(somme, attendu):
    assert en_lettres(Decimal(somme)) == attendu


@pytest.mark.parametrize(
    ("somme", "devise", "attendu"),
    [
        ("21.00", "GBP", "vingt et une livres sterling"),
        ("11.00", "GBP", "onze livres sterling"),
        ("1000000.00", "USD", "un million de dollars des États-Unis"),
        ("0.05", "CHF", "cinq centimes de franc suisse"),
    ],
)
def test_une_autre_devise_garde_son_genre_et_son_nom(somme, devise, attendu):
    assert en_lettres(Decimal(somme), devise) == attendu


@pytest.mark.parametrize(
    ("nombre", "attendu"),
    [
        (0, "zero"),
        (42, "forty-two"),
        (100, "one hundred"),
        (105, "one hundred and five"),
        (1005, "one thousand and five"),
        (1_200_342, "one million two hundred thousand three hundred and forty-two"),
        (-7, "minus seven"),
    ],
)
def test_l_anglais_met_and_apres_les_centaines(nombre, attendu):
    assert integer_in_words(nombre) == attendu


@pytest.mark.parametrize(
    ("somme", "attendu"),
    [
        ("10352.05", "ten thousand three hundred and fifty-two euros and five cents"),
        ("1.00", "one euro"),
        ("0.00", "zero euros"),
        ("0.01", "one cent"),
        ("-2.00", "minus two euros"),
    ],
)
def test_une_somme_en_anglais(somme, attendu):
    assert in_words(Decimal(somme)) == attendu


@pytest.mark.parametrize("ecrire", [en_lettres, in_words])
def test_une_devise_sans_nom_ou_une_somme_demesuree_est_refusee(ecrire):
    with pytest.raises(ValueError, match="XAU"):
        ecrire(Decimal(1), "XAU")
    for demesure in (10**12, -(10**12)):
        with pytest.raises(ValueError, match="trop grand"):
            ecrire(Decimal(demesure))
