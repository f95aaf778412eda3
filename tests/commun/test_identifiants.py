"""SIREN, SIRET, TVA, IBAN, BIC : vecteurs publiés, messages lisibles."""

import csv
from pathlib import Path

import pytest

from recouvrement.commun.domaine import identifiants
from recouvrement.commun.domaine.identifiants import IdentifiantInvalide
from recouvrement.commun.domaine.pays import CODES, PAYS, verifier_pays

VERIFIER = {
    "SIREN": identifiants.verifier_siren,
    "SIRET": identifiants.verifier_siret,
    "TVA": identifiants.verifier_tva,
    "IBAN": identifiants.verifier_iban,
    "BIC": identifiants.verifier_bic,
}
with open(Path(__file__).parent / "donnees/identifiants_vecteurs.csv", encoding="utf-8", newline="") as fichier:
    VECTEURS = [(x["type"], x["valeur"], x["attendu"] == "valide") for x in csv.DictReader(fichier, delimiter=";")]
VECTEURS += [("BIC", "BNPAFRPP", True), ("BIC", "BNPAFRPPXXX", True), ("BIC", "BNPAFRP", False)]


@pytest.mark.parametrize(("genre", "valeur", "valide"), VECTEURS)
def test_chaque_vecteur_est_juge_comme_sa_source_le_dit(genre, valeur, valide):
    assert getattr(identifiants, f"est_{genre.lower()}")(valeur) is valide
    if valide:
        assert VERIFIER[genre](valeur) == valeur
    else:
        with pytest.raises(IdentifiantInvalide, match=valeur):
            VERIFIER[genre](valeur)


@pytest.mark.parametrize(
    ("genre", "saisie", "serre"),
    [
        ("SIREN", "732 829 320", "732829320"),
        ("SIREN", "732\u00a0829\u00a0320", "732829320"),
        ("SIRET", "732 829 320 00074", "73282932000074"),
        ("TVA", "fr 83 404 833 048", "FR83404833048"),
        ("IBAN", "fr76 3000 6000 0112 3456 7890 189", "FR7630006000011234567890189"),
        ("BIC", "bnpafrpp", "BNPAFRPP"),
    ],
)
def test_une_saisie_groupee_ou_en_minuscules_est_serree(genre, saisie, serre):
    assert VERIFIER[genre](saisie) == serre


@pytest.mark.parametrize(
    ("genre", "saisie", "message"),
    [
        ("SIREN", "73282932", "9 chiffres attendus"),
        ("SIREN", "732829321", "clé de contrôle fausse"),
        ("SIREN", "", "forme incorrecte"),
        ("SIREN", "٧٣٢٨٢٩٣٢٠", "forme incorrecte"),
        ("TVA", "83404833048", "FR, clé et SIREN attendus"),
        ("TVA", "DE136695976", "FR, clé et SIREN attendus"),
        ("IBAN", "FR76 3000", "clé de contrôle fausse"),
        ("IBAN", "ZZ7630006000011234567890189", "IBAN"),
    ],
)
def test_un_refus_dit_ce_qui_est_attendu(genre, saisie, message):
    with pytest.raises(IdentifiantInvalide, match=message):
        VERIFIER[genre](saisie)


def test_le_numero_de_tva_se_calcule_du_siren():
    assert identifiants.tva_du_siren("404 833 048") == "FR83404833048"
    with pytest.raises(IdentifiantInvalide):
        identifiants.tva_du_siren("123456789")


def test_un_etablissement_de_la_poste_passe_par_luhn_ou_par_la_somme_de_ses_chiffres():
    """Somme des chiffres multiple de cinq (…49837), ou clé de Luhn (…00048, dont la somme vaut 26)."""
    assert identifiants.siren_du_siret("35600000049837") == identifiants.SIREN_LA_POSTE
    luhn_seul = next(
        s for n in range(100, 100000) if identifiants._luhn.is_valid(s := f"356000000{n:05d}") and sum(map(int, s)) % 5
    )
    assert identifiants.est_siret(luhn_seul)


def test_un_pays_est_un_code_iso_a_deux_lettres_en_capitales():
    assert set(PAYS) <= CODES
    assert len(CODES) == 250  # les 249 d'ISO 3166-1, et le Kosovo
    assert verifier_pays(" be ") == "BE"
    for faux in ("ZZ", "France", "F1", ""):
        with pytest.raises(IdentifiantInvalide, match="deux lettres"):
            verifier_pays(faux)
