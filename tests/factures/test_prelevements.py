"""Exigence 18 : une pièce en prélèvement est retenue tant qu'il n'est pas rejeté."""

from datetime import date, timedelta

import pytest
from django.urls import reverse

from clients.models import Client
from factures.services import rejeter_prelevement
from recouvrement.comptes.models import Role
from relances.models import Passage
from relances.services import nuit
from tests.comptes.factories import UtilisateurFactory
from tests.factures.factories import EcheanceFactory

pytestmark = pytest.mark.django_db
MARDI = date(2026, 2, 10)


def passer(societe, au):
    passage = nuit.ouvrir_passage(societe, au=au, genre=Passage.Genre.REJOUE)
    return nuit.relancer(societe, au=au, passage=passage)


def test_retenue_puis_relancee_apres_le_rejet(client):
    echeance = EcheanceFactory(echue_le=MARDI - timedelta(days=9), prelevement=True)
    assert passer(echeance.societe, MARDI).retenues == {"prelevement": 1}
    client.force_login(UtilisateurFactory(role=Role.RESPONSABLE, societe=echeance.societe))
    url = reverse("factures:prelevement_rejete", args=[echeance.pk])
    assert "rejet" in client.get(reverse("factures:fiche", args=[echeance.facture_id])).content.decode().lower()
    client.post(url, {"motif": ""})
    echeance.refresh_from_db()
    assert echeance.prelevement, "sans motif, rien ne change"
    client.post(url, {"motif": "provision insuffisante"})
    assert passer(echeance.societe, MARDI + timedelta(days=1)).decidees == 1


def test_le_client_preleve_apres_coup_retient_ses_pieces_jusqu_au_rejet_constate():
    """Toute pièce d'un client prélevé est tenue pour prélevée, sauf rejet ; un second constat est sans effet."""
    echeance = EcheanceFactory(echue_le=MARDI - timedelta(days=9))
    Client.objects.filter(pk=echeance.client_id).update(prelevement=True)
    assert passer(echeance.societe, MARDI).retenues == {"prelevement": 1}
    personne = UtilisateurFactory(role=Role.RESPONSABLE, societe=echeance.societe)
    assert rejeter_prelevement(echeance, motif="compte clos", acteur=personne)
    assert not rejeter_prelevement(echeance, motif="compte clos", acteur=personne)
    assert passer(echeance.societe, MARDI + timedelta(days=1)).decidees == 1


def test_la_piece_d_un_autre_portefeuille_est_introuvable(client):
    echeance = EcheanceFactory(prelevement=True)
    client.force_login(UtilisateurFactory(role=Role.GESTIONNAIRE, societe=echeance.societe))
    assert client.post(reverse("factures:prelevement_rejete", args=[echeance.pk])).status_code == 404
    assert client.get(reverse("factures:prelevement_rejete", args=[echeance.pk])).status_code == 405
