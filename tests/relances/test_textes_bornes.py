"""Un texte permis ne bloque personne : bornes de l'éditeur de modèles et de la comparaison de deux versions."""

from io import BytesIO

import pytest
from pypdf import PdfWriter

from relances.rendu import lettres
from relances.services import modeles
from relances.views.modeles import mot_a_mot

from .test_vues_modeles import LETTRE, adresse, par, saisie, societe, texte, version  # noqa: F401

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("hostile", "phrase"),
    [
        ("x\n" * 4_000, "4000 lignes"),
        ("**a**" * 1_600, "1600 passages en gras"),
        ("a" + "\u0301" * 9, "accents empilés sur une lettre"),
    ],
)
def test_un_paragraphe_demesure_est_refuse_a_l_apercu_comme_a_l_enregistrement(client, version, hostile, phrase):  # noqa: F811
    for geste in ("modele_apercu", "modele_enregistrer"):
        reponse = client.post(adresse(geste, version.modele_id), saisie(version, suites=hostile))
        assert reponse.status_code == 422 and phrase in texte(reponse)


def test_un_long_paragraphe_se_compare_d_un_bloc():
    """Rapprocher mot à mot coûte le carré : au-delà de 1 500 mots, l'ancien texte puis le nouveau."""
    long = "a b " * 750
    assert mot_a_mot(long, "a b") != [("ote", long), ("mis", "a b")]
    assert mot_a_mot(long + "c", "a b") == [("ote", long + "c"), ("mis", "a b")]


def test_un_modele_trop_long_n_est_ni_enregistre_ni_mis_en_page(client, societe, par, monkeypatch):  # noqa: F811
    """Vingt mille caractères en tout : l'aperçu garde le texte d'avant, rien n'est confié au moteur."""
    brouillon = modeles.personnaliser(societe, LETTRE, par=par)
    longs = {"demande": "x" * 7_900, "suites": "x" * 7_000, "politesse": "x" * 7_000}
    rendus = []
    monkeypatch.setattr(lettres, "rendre_pdf", lambda lettre: rendus.append(dict(lettre.modeles)) or _pdf_vide())
    reponse = client.post(adresse("modele_apercu", brouillon.modele_id), saisie(brouillon, **longs))
    assert reponse.status_code == 422 and "20000 au plus" in texte(reponse)
    assert rendus == [{"lettre": {}}]
    assert (
        client.post(adresse("modele_enregistrer", brouillon.modele_id), saisie(brouillon, **longs)).status_code == 422
    )


def _pdf_vide() -> bytes:
    sortie, ecrit = BytesIO(), PdfWriter()
    ecrit.add_blank_page(595, 842)
    ecrit.write(sortie)
    return sortie.getvalue()
