"""Annonces BODACC à l'écran : portée, client, ce qu'il reste à noter."""

from datetime import date

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from clients.models import AnnonceBodacc
from recouvrement.comptes.models import Role
from tests.clients.factories import ClientFactory
from tests.comptes.factories import SocieteFactory, UtilisateurFactory

pytestmark = pytest.mark.django_db
URL = reverse("clients:annonces")
SIREN = "894670793"


def annonce(societe, n=1, *, portee="ouverture", siren=SIREN, nom="DURAND SARL", nature="Jugement d'ouverture"):
    return AnnonceBodacc.objects.create(
        societe=societe, identifiant=f"A{n}", siren=siren, famille="collective", nature=nature, nom=nom,
        jugement_le=date(2026, 2, 3), parution_le=date(2026, 2, 10), texte={"portee": portee},
    )  # fmt: skip


@pytest.fixture
def debiteur():
    return ClientFactory(siren=SIREN, raison_sociale="Durand", jugement_ouverture_le=date(2026, 2, 3))


@pytest.fixture
def navigateur(client, debiteur):
    client.force_login(UtilisateurFactory(role=Role.RESPONSABLE, societe=debiteur.societe))
    return client


def page(navigateur, **demande):
    return navigateur.get(URL, demande).content.decode()


def test_une_annonce_dit_sa_portee_et_mene_au_client(navigateur, debiteur):
    annonce(debiteur.societe)
    annonce(debiteur.societe, 2, siren="552100554", nom="AUTRE SA")
    lue = page(navigateur)
    assert "DURAND SARL" in lue and "relances arrêtées" in lue and "AUTRE SA" not in lue
    assert reverse("clients:fiche", args=[debiteur.pk]) in lue
    assert "AUTRE SA" in page(navigateur, vue="toutes")


def test_une_cloture_se_note_sur_la_fiche(navigateur, debiteur):
    annonce(debiteur.societe, portee="cloture", nature="Jugement de clôture")
    assert "Noter sur la fiche" in page(navigateur) and "DURAND" not in page(navigateur, vue="ouvertures")


def test_la_recherche_et_le_vide(navigateur, debiteur):
    assert "Aucune annonce ici" in page(navigateur)
    annonce(debiteur.societe)
    assert "DURAND SARL" in page(navigateur, q="894 670 793")
    assert "ne répond à cette recherche" in page(navigateur, q="zzz")


def test_le_voisin_n_en_voit_rien(client, debiteur):
    annonce(debiteur.societe)
    client.force_login(UtilisateurFactory(role=Role.RESPONSABLE, societe=SocieteFactory()))
    assert "DURAND SARL" not in page(client, vue="toutes")


def test_methodes_et_requetes(navigateur, debiteur):
    assert navigateur.post(URL).status_code == 405

    def compter():
        with CaptureQueriesContext(connection) as capture:
            page(navigateur)
        return len(capture)

    annonce(debiteur.societe)
    une = compter()
    for n in range(2, 22):
        annonce(debiteur.societe, n)
    assert compter() == une
