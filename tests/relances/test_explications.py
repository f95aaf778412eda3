"""Pourquoi, ou pourquoi pas, à toute date passée ; ce que personne n'a jugé se dit inconnu."""

from datetime import date, datetime, timedelta

import pytest

from recouvrement.comptes.models import Societe
from relances.models import Passage, Relance
from relances.services import nuit, quotidien
from relances.services.explications import expliquer
from tests.factures.factories import EcheanceFactory, ImputationFactory, PromesseFactory

pytestmark = pytest.mark.django_db
MARDI, JOUR = date(2026, 2, 10), timedelta(days=1)
LENDEMAIN = datetime(2026, 2, 20, 9, 0)


def passer(societe, au):
    passage = nuit.ouvrir_passage(societe, au=au, genre=Passage.Genre.AUTOMATIQUE)
    return nuit.relancer(societe, au=au, passage=passage)


def dire(echeance, jour, moment=LENDEMAIN):
    e = expliquer(type(echeance).objects.select_related("societe").get(pk=echeance.pk), jour, moment=moment)
    return e.code, e.connue


@pytest.fixture
def promise():
    """Échue le 1er février, promise le 10 pour le 12, jugée les 10, 11 et 17."""
    echeance = EcheanceFactory(echue_le=date(2026, 2, 1))
    PromesseFactory(echeances=[echeance], date_promise=MARDI + 2 * JOUR, faite_le=MARDI)
    for jour in (MARDI, MARDI + JOUR, MARDI + 7 * JOUR):
        passer(echeance.societe, jour)
    return echeance


def test_chaque_jour_passe_rend_le_verdict_de_son_intervalle(promise):
    assert dire(promise, MARDI) == ("promesse", True)
    assert dire(promise, MARDI + 5 * JOUR) == ("promesse", True)  # aucune nuit ce jour-là : l'intervalle tient
    assert dire(promise, MARDI + 7 * JOUR) == ("relancee", True)
    vu = expliquer(promise, MARDI + 5 * JOUR, moment=LENDEMAIN)
    assert (vu.du, vu.au, vu.passage) == (MARDI, MARDI + 6 * JOUR, MARDI + JOUR)
    assert "promesse" in vu.phrase.lower()


def test_avant_l_histoire_on_ne_sait_pas_et_on_le_dit(promise):
    vu = expliquer(promise, MARDI - 3 * JOUR, moment=LENDEMAIN)
    assert (vu.code, vu.connue) == ("inconnu", False)
    assert "on ne sait pas" in vu.phrase and "10/02/2026" in vu.phrase


def test_ce_que_les_dates_prouvent_n_est_pas_inconnu(promise):
    assert dire(promise, promise.date_facture - JOUR) == ("pas_echue", True)
    assert dire(promise, promise.date_echeance) == ("pas_echue", True)


def test_une_piece_soldee_le_dit_depuis_ce_jour_la_seulement(promise):
    ImputationFactory(echeance=promise, date=MARDI + 8 * JOUR)
    assert dire(promise, MARDI + 8 * JOUR) == ("soldee", True)
    assert dire(promise, MARDI) == ("promesse", True)


def test_aujourd_hui_se_rejuge_sur_les_faits_du_moment(promise):
    Relance.objects.update(statut=Relance.Statut.ENVOYEE)
    PromesseFactory(echeances=[promise], date_promise=LENDEMAIN.date() + 30 * JOUR, faite_le=LENDEMAIN.date())
    vu = expliquer(promise, LENDEMAIN.date(), moment=LENDEMAIN)
    assert vu.rejugee
    assert (vu.code, dire(promise, MARDI + 7 * JOUR)) == ("promesse", ("relancee", True))


def test_le_jour_meme_d_un_passage_garde_le_verdict_du_passage(promise):
    assert dire(promise, MARDI + 7 * JOUR, datetime(2026, 2, 17, 23, 0)) == ("relancee", True)


def test_exigence_1_le_jour_d_un_passage_suspendu_dit_les_donnees_perimees():
    echeance = EcheanceFactory(echue_le=date(2026, 2, 1))
    passer(echeance.societe, MARDI)
    Societe.objects.filter(pk=echeance.societe_id).update(alimentee_par_import=True)
    societe = Societe.objects.get(pk=echeance.societe_id)
    suspendu = nuit.ouvrir_passage(societe, au=MARDI + JOUR, genre=Passage.Genre.AUTOMATIQUE)
    quotidien.suspendre(suspendu, societe, "dernier import trop ancien")
    assert dire(echeance, MARDI + JOUR) == ("donnees_perimees", True)
    neuve = EcheanceFactory(societe=societe, echue_le=date(2026, 2, 1))
    assert dire(neuve, LENDEMAIN.date()) == ("donnees_perimees", True)


def test_un_jour_a_venir_est_l_affaire_de_l_essai_a_blanc(promise):
    with pytest.raises(ValueError, match="à venir"):
        expliquer(promise, LENDEMAIN.date() + JOUR, moment=LENDEMAIN)
