"""Deux personnes, ou deux onglets, sur le même accord : un seul effet, rien en double."""

import threading
import time
from datetime import date
from decimal import Decimal

import pytest
from django.db import transaction

from clients.models import Client
from factures import services as compte
from factures.domaine.accords import repartir
from factures.models import Accord, Echeance, Echeancier, Imputation
from recouvrement.journal.services import consigner, verifier_chaine
from relances.models import Courrier
from relances.services import accords, accords_pdf
from tests.clients.factories import ClientFactory, ContactFactory
from tests.comptes.factories import UtilisateurFactory
from tests.factures.factories import EcheanceFactory, EncaissementFactory
from tests.factures.test_services_concurrence import ensemble

from .reponses_essai import envoye, recu, rejet
from .test_accords import AU, exemplaire

pytestmark = pytest.mark.django_db(transaction=True)
PREMIERE = date(2026, 12, 4)
D = Decimal


@pytest.fixture(autouse=True)
def pdf_bref(monkeypatch):
    monkeypatch.setattr(accords_pdf, "apercevoir", lambda accord: f"%PDF-1.4 {accord.reference}".encode())


def un_accord(genre="echeancier", **termes):
    client = ClientFactory()
    claire = UtilisateurFactory(societe=client.societe)
    piece = EcheanceFactory(client=client, montant=900)
    if genre == "echeancier":
        termes["mensualites"] = repartir(D(900), 3, PREMIERE)
    accord = accords.proposer(client, genre=genre, echeances=[piece], termes=termes, au=AU, acteur=claire)
    return accord, piece, claire


def noms(reponses):
    return sorted(type(r).__name__ for r in reponses)


def test_signe_deux_fois_a_la_fois_il_n_a_qu_un_effet():
    accord, _piece, claire = un_accord()
    papier = exemplaire(accord.client)

    def signer():
        return accords.signer(accord, signature="papier", nom="A. D.", au=AU, acteur=claire, exemplaire=papier)

    assert noms(ensemble(signer, signer, signer)) == ["Accord"] * 3
    assert Echeancier.objects.count() == 1 and Accord.objects.get().statut == "signe"
    assert verifier_chaine()


def test_compense_deux_fois_a_la_fois_l_avoir_ne_se_pose_qu_une():
    accord, piece, claire = un_accord(
        "compensation", creance_reference="FR-8", creance_montant="400", creance_exigible_le="2026-11-01", certaine=True
    )
    papier = exemplaire(accord.client)

    def signer():
        return accords.signer(accord, signature="papier", nom="A. D.", au=AU, acteur=claire, exemplaire=papier)

    assert noms(ensemble(signer, signer)) == ["Accord"] * 2
    assert Imputation.objects.count() == 1 and Echeance.objects.get(pk=piece.pk).impute == 400


def test_signer_et_annuler_a_la_fois_l_un_des_deux_gagne():
    accord, _piece, claire = un_accord()
    papier = exemplaire(accord.client)
    ensemble(
        lambda: accords.signer(accord, signature="papier", nom="A. D.", au=AU, acteur=claire, exemplaire=papier),
        lambda: accords.annuler(accord, motif="Erreur", acteur=claire, au=AU),
    )
    accord.refresh_from_db()
    assert accord.statut == "annule"
    assert not Echeancier.objects.filter(statut="en_cours").exists()


def test_payer_pendant_la_signature_ne_laisse_jamais_un_accord_faux():
    accord, piece, claire = un_accord()
    papier, recu = exemplaire(accord.client), EncaissementFactory(client=accord.client, montant=200, date=AU)
    ensemble(
        lambda: accords.signer(accord, signature="papier", nom="A. D.", au=AU, acteur=claire, exemplaire=papier),
        lambda: compte.imputer(recu, [(piece, D(200))], au=AU, cle="k", acteur=claire),
    )
    accord.refresh_from_db()
    assert Echeance.objects.get(pk=piece.pk).impute == 200
    if accord.echeancier_id:  # signé d'abord : le paiement compte pour l'échéancier
        assert accord.echeancier.du_a_l_accord == 900
    else:
        assert accord.statut == "propose"


def test_le_formulaire_envoye_quatre_fois_a_la_fois_n_ecrit_qu_un_accord():
    client = ClientFactory()
    claire, piece = UtilisateurFactory(societe=client.societe), EcheanceFactory(client=client, montant=900)
    termes = {"mensualites": repartir(D(900), 3, PREMIERE)}

    def proposer(cle):
        return lambda: (
            accords.proposer(
                client, genre="echeancier", echeances=[piece], termes=termes, au=AU, acteur=claire, cle=cle
            ).pk
        )

    assert len(set(ensemble(*[proposer("k")] * 4))) == 1
    assert Accord.objects.count() == 1
    assert noms(ensemble(proposer("a"), proposer("b"))) == ["ValidationError"] * 2


def test_deux_gestionnaires_sur_les_memes_pieces_un_seul_accord():
    client = ClientFactory()
    claire, piece = UtilisateurFactory(societe=client.societe), EcheanceFactory(client=client, montant=900)
    termes = {"mensualites": repartir(D(900), 3, PREMIERE)}

    def proposer(cle):
        return lambda: accords.proposer(
            client, genre="echeancier", echeances=[piece], termes=termes, au=AU, acteur=claire, cle=cle
        )

    assert noms(ensemble(proposer("a"), proposer("b"))) == ["Accord", "ValidationError"]


def test_un_rejet_et_un_geste_sur_le_meme_client_ne_s_etreignent_pas():
    """Le client se verrouille avant le journal : un rejet faisait l'inverse, PostgreSQL tuait l'un des deux."""
    courrier = envoye()
    client = courrier.client
    contact = ContactFactory(client=client, courriel="compta@contact.example")
    Courrier.objects.filter(pk=courrier.pk).update(destinataire=contact.courriel)
    courrier.refresh_from_db()
    tenu = threading.Event()

    def agir():
        with transaction.atomic():
            Client.objects.select_for_update(no_key=True).get(pk=client.pk)
            tenu.set()
            time.sleep(1)  # le rejet est arrivé à son premier verrou
            consigner("client.essai", societe=client.societe, client=client)

    def rejeter():
        tenu.wait(10)
        recu(rejet(courrier), "rejet", adresse=contact.courriel)

    assert ensemble(agir, rejeter) == [None, None]
    assert client.taches.filter(genre="sans_adresse").count() == 1
