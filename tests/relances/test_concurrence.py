"""Deux passages, deux workers, un rendu qui échoue : le second s'arrête, rien ne part deux fois."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from threading import Barrier

import pytest
from django.db import OperationalError, connections

from relances.models import Courrier, Passage, Relance
from relances.rendu import lettres
from relances.services import envoi, nuit
from tests.clients.factories import ClientFactory
from tests.comptes.factories import SocieteFactory
from tests.factures.factories import EcheanceFactory

MARDI = date(2026, 2, 10)
S = Courrier.Statut


def ensemble(*actions):
    """Lance ces actions au même instant, chacune sur sa connexion ; renvoie résultats ou exceptions."""
    depart = Barrier(len(actions))

    def une(action):
        try:
            depart.wait(10)
            return action()
        except (nuit.LotDejaEnCours, OperationalError) as refus:
            return refus
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(actions)) as fils:
        return list(fils.map(une, actions))


@pytest.mark.django_db(transaction=True)
def test_deux_passages_au_meme_instant_un_seul_travaille():
    """Exigence 20."""
    societe = SocieteFactory()
    for _ in range(5):
        EcheanceFactory(client=ClientFactory(societe=societe), echue_le=MARDI - timedelta(days=9))

    def passer():
        passage = nuit.ouvrir_passage(societe, au=MARDI, genre=Passage.Genre.AUTOMATIQUE)
        return nuit.relancer(societe, au=MARDI, passage=passage)

    resultats = ensemble(passer, passer, passer)
    assert sum(isinstance(r, nuit.Bilan) for r in resultats) == 1
    assert sum(isinstance(r, nuit.LotDejaEnCours) for r in resultats) == 2
    assert (Relance.objects.count(), Passage.objects.count()) == (5, 1)


@pytest.mark.django_db(transaction=True)
def test_deux_workers_sur_le_meme_courrier_un_seul_message(settings, smtp_pair, tmp_path):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", smtp_pair.port
    settings.DEPOT = tmp_path
    echeance = EcheanceFactory(echue_le=MARDI - timedelta(days=9))
    passage = nuit.ouvrir_passage(echeance.societe, au=MARDI, genre=Passage.Genre.REJOUE)
    nuit.relancer(echeance.societe, au=MARDI, passage=passage)
    pk = Courrier.objects.get().pk
    smtp_pair.lenteur = 0.2
    ensemble(*[lambda: envoi.envoyer(pk, au=MARDI)] * 4)
    assert len(smtp_pair.messages) == 1
    assert Courrier.objects.get().statut == S.ENVOYE


@pytest.mark.django_db
def test_un_rendu_qui_echoue_met_en_erreur_sans_avancer_le_niveau(monkeypatch, settings, tmp_path):
    settings.DEPOT = tmp_path
    echeance = EcheanceFactory(client=ClientFactory(courriel=""), echue_le=MARDI - timedelta(days=9))
    passage = nuit.ouvrir_passage(echeance.societe, au=MARDI, genre=Passage.Genre.REJOUE)
    nuit.relancer(echeance.societe, au=MARDI, passage=passage)
    courrier = Courrier.objects.get()
    assert courrier.canal == "lettre"

    def casse(lettre):
        raise MemoryError("rendu impossible")

    monkeypatch.setattr(lettres, "rendre_pdf", casse)
    assert envoi.envoyer(courrier.pk, au=MARDI) == S.EN_ERREUR
    courrier.refresh_from_db()
    echeance.refresh_from_db()
    assert "préparation impossible" in courrier.erreur and "MemoryError" in courrier.erreur
    assert (echeance.niveau, courrier.pdf_chemin) == (0, "")
