"""Une pièce exclue pour un temps : motif, auteur, fin ; elle rentre seule (exigence 17)."""

from datetime import date, timedelta

import pytest
from django.core.exceptions import ValidationError

from factures.models import Exclusion
from factures.services.exclusions import exclure, reintegrer
from recouvrement.journal.models import Maillon
from tests.comptes.factories import UtilisateurFactory

from .factories import EcheanceFactory

pytestmark = pytest.mark.django_db
AU = date(2026, 11, 20)
FIN = date(2026, 12, 18)


@pytest.fixture
def piece():
    return EcheanceFactory()


@pytest.fixture
def claire(piece):
    return UtilisateurFactory(societe=piece.societe)


def test_une_exclusion_porte_motif_auteur_et_fin_et_se_lit_au_journal(piece, claire):
    exclusion = exclure(piece, motif=" Avoir promis ", du=AU, au=FIN, acteur=claire)
    assert (exclusion.motif, exclusion.auteur, exclusion.au) == ("Avoir promis", claire, FIN)
    maillon = Maillon.objects.get(action="piece.exclue")
    assert (maillon.client_id, maillon.acteur) == (piece.client_id, claire)


@pytest.mark.parametrize(("jour", "attendu"), [(-1, False), (0, True), (28, True), (29, False)])
def test_a_la_fin_la_piece_rentre_seule(piece, claire, jour, attendu):
    exclure(piece, motif="Avoir promis", du=AU, au=FIN, acteur=claire)
    assert Exclusion.objects.en_cours(AU + timedelta(jour)).exists() is attendu


@pytest.mark.parametrize(
    ("champs", "champ"),
    [
        ({"motif": "  "}, "motif"),
        ({"au": AU - timedelta(1)}, "au"),
        ({"au": AU + timedelta(367)}, "au"),
    ],
)
def test_sans_motif_ni_fin_dans_l_annee_rien_n_est_exclu(piece, claire, champs, champ):
    with pytest.raises(ValidationError) as refus:
        exclure(piece, **{"motif": "x", "du": AU, "au": FIN} | champs, acteur=claire)
    assert champ in refus.value.message_dict
    assert not Exclusion.objects.exists()


def test_une_exclusion_dure_un_an_au_plus(piece, claire):
    assert exclure(piece, motif="x", du=AU, au=AU + timedelta(366), acteur=claire)


def test_une_piece_soldee_ou_au_contentieux_n_a_rien_a_exclure(claire):
    for piece in (EcheanceFactory(soldee=True), EcheanceFactory(en_contentieux=True)):
        with pytest.raises(ValidationError):
            exclure(piece, motif="x", du=AU, au=FIN, acteur=claire)


def test_un_double_clic_n_exclut_qu_une_fois_et_une_nouvelle_fin_remplace_l_ancienne(piece, claire):
    premiere = exclure(piece, motif="x", du=AU, au=FIN, acteur=claire)
    assert exclure(piece, motif="x", du=AU, au=FIN, acteur=claire) == premiere
    seconde = exclure(piece, motif="x", du=AU, au=FIN + timedelta(7), acteur=claire)
    assert list(Exclusion.objects.en_cours(AU)) == [seconde]
    assert Maillon.objects.filter(action="piece.exclue").count() == 2


def test_reintegrer_ne_vaut_qu_une_fois(piece, claire):
    exclusion = exclure(piece, motif="x", du=AU, au=FIN, acteur=claire)
    assert reintegrer(exclusion, acteur=claire)
    assert not reintegrer(exclusion, acteur=claire)
    assert not Exclusion.objects.en_cours(AU).exists()
    assert Maillon.objects.filter(action="piece.reintegree").count() == 1
