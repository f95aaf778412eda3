"""Juridiction proposée : par la qualité du débiteur et le lieu où il demeure, toujours à relire."""

from datetime import date

import pytest

from contentieux.domaine.tribunaux import Genre, distance_mois, proposer, region_feries
from contentieux.donnees import ressorts_tae

AU = date(2026, 11, 20)


def juridiction(ville="Bernay", code_postal="27300", *, genre="entreprise", forme="SARL", pays="FR", au=AU):
    return proposer(
        type_debiteur=genre, forme=forme, code_postal=code_postal, ville=ville, pays=pays, ressorts=ressorts_tae(),
        au=au,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("ville", "code_postal", "nom"),
    [
        ("Lyon", "69003", "tribunal des activités économiques de Lyon"),
        ("LYON CEDEX 03", "69409", "tribunal des activités économiques de Lyon"),
        ("Lyon 7e arrondissement", "69007", "tribunal des activités économiques de Lyon"),
        ("PARIS", "75011", "tribunal des activités économiques de Paris"),
        ("Courbevoie", "92400", "tribunal des activités économiques de Nanterre"),
        ("Saint-Germain-en-Laye", "78100", "tribunal des activités économiques de Versailles"),
        ("LE MANS", "72000", "tribunal des activités économiques du Mans"),
        ("ST BRIEUC", "22000", "tribunal des activités économiques de Saint-Brieuc"),
        ("Avignon", "84000", "tribunal des activités économiques d’Avignon"),
        ("Auxerre", "89000", "tribunal des activités économiques d’Auxerre"),
    ],
)
def test_douze_ressorts_ont_un_tribunal_des_activites_economiques(ville, code_postal, nom):
    lu = juridiction(ville, code_postal)
    assert (lu.genre, lu.nom, lu.complete) == (Genre.ACTIVITES_ECONOMIQUES, nom, True)


@pytest.mark.parametrize(("au", "genre"), [
    (date(2024, 12, 31), Genre.COMMERCE), (date(2025, 1, 1), Genre.ACTIVITES_ECONOMIQUES),
    (date(2028, 12, 31), Genre.ACTIVITES_ECONOMIQUES), (date(2029, 1, 1), Genre.COMMERCE),
])  # fmt: skip
def test_l_experimentation_a_un_debut_et_une_fin(au, genre):
    assert juridiction("Lyon", "69003", au=au).genre is genre


def test_ailleurs_le_tribunal_de_commerce_dont_le_siege_reste_a_completer():
    lu = juridiction()
    assert (lu.genre, lu.complete) == (Genre.COMMERCE, False)
    assert "Bernay" in lu.notes[-1]


@pytest.mark.parametrize("code_postal", ["57000", "67000", "68100"])
def test_en_alsace_moselle_la_chambre_commerciale_du_tribunal_judiciaire(code_postal):
    lu = juridiction("Strasbourg", code_postal)
    assert lu.genre is Genre.CHAMBRE_COMMERCIALE
    assert "L731-1" in lu.texte
    assert region_feries(code_postal) == "alsace"


@pytest.mark.parametrize(
    ("genre", "forme"),
    [("particulier", ""), ("entreprise", "SCI"), ("entreprise", "Association loi 1901"), ("entreprise", "SELARL"),
     ("entreprise", "Société civile de moyens"), ("entreprise", "EARL")],
)  # fmt: skip
def test_une_creance_civile_va_au_tribunal_judiciaire(genre, forme):
    assert juridiction("Lyon", "69003", genre=genre, forme=forme).genre is Genre.JUDICIAIRE


def test_jamais_d_injonction_contre_une_personne_publique():
    lu = juridiction("Lyon", "69003", genre="administration", forme="Commune")
    assert lu.genre is Genre.AUCUNE
    assert not lu.injonction_possible


@pytest.mark.parametrize(
    ("ville", "code_postal", "pays"), [("Londres", "", "GB"), ("Saint-Denis", "97400", "FR"), ("", "69003", "FR")]
)
def test_hors_metropole_ou_sans_adresse_rien_n_est_propose(ville, code_postal, pays):
    lu = juridiction(ville, code_postal, pays=pays)
    assert lu.genre is Genre.A_DETERMINER
    assert lu.nom == ""


def test_une_forme_inconnue_demande_de_verifier_la_qualite_du_debiteur():
    assert "Forme du débiteur inconnue" in juridiction(forme="").notes[0]


@pytest.mark.parametrize(
    ("code_postal", "pays", "mois"), [("69003", "FR", 0), ("97400", "FR", 1), ("SW1A", "GB", 2), ("69003", "", 0)]
)
def test_la_distance_allonge_les_delais_du_debiteur(code_postal, pays, mois):
    assert distance_mois(code_postal, pays) == mois
