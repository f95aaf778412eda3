"""Exigence 31 : deux promesses à travers les jours, l'une tenue, l'autre rompue ; leur confirmation reçue par SMTP.

Worker Celery, Redis, SMTP et Chromium réels. La nuit se joue par sa commande, au jour que voient les pages.
"""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.core.management import call_command
from playwright.sync_api import expect

from factures.domaine.calendrier import ajouter_jours_ouvres
from factures.models import Promesse
from factures.services import limite_promesse
from recouvrement.commun.horloge import aujourd_hui
from relances.models import Courrier, Message, Tache
from relances.services.plans import installer_plans
from tests.clients.factories import ClientFactory, ContactFactory
from tests.comptes.factories import SocieteFactory, UtilisateurFactory
from tests.factures.factories import EcheanceFactory

from .parcours import PATIENCE, Parcours
from .processus import attendre

pytestmark = [
    pytest.mark.reel,
    pytest.mark.timeout(300),
    pytest.mark.variables_inconnues_permises,
    pytest.mark.filterwarnings("ignore:Session-scoped fixtures defined as instance methods"),
]
NOMS = ("Ardoin Transports", "Brissac Peinture", "Cornouaille Gréement")


def lisible(texte: str) -> str:
    return texte.replace("\u00a0", " ").replace("\u202f", " ")


@pytest.fixture
def clients(ouvrier):
    societe = SocieteFactory()
    installer_plans(societe)
    claire = UtilisateurFactory(societe=societe, nom="Claire Bonnet")
    au = aujourd_hui()
    trouves = {}
    for rang, nom in enumerate(NOMS):
        client = ClientFactory(societe=societe, gestionnaire=claire, raison_sociale=nom)
        ContactFactory(client=client, nom="Comptabilité", role="comptabilite", courriel=f"compta{rang}@client.example")
        EcheanceFactory(client=client, echue_le=au - timedelta(days=6), montant=Decimal("1500.40"))
        trouves[nom] = client
    return trouves


@pytest.fixture
def p(clients, live_server, page) -> Parcours:
    parcours = Parcours(page, live_server.url)
    parcours.entrer(clients[NOMS[0]].gestionnaire)
    return parcours


def test_une_promesse_tenue_une_rompue_une_defaite_a_travers_les_jours(p, clients, smtp_pair, settings):
    depart = aujourd_hui()
    pour = ajouter_jours_ouvres(depart, 2, "metropole")
    tenue, rompue, defaite = (clients[nom] for nom in NOMS)

    promettre(p, defaite, pour)
    p.page.locator("[data-toast] button:has-text('Annuler')").first.click()
    p.dit("Promesse annulée, sa confirmation aussi.")
    promettre(p, tenue, pour)
    p.controler("fiche, promesse confirmée")
    promettre(p, rompue, pour)

    attendre(lambda: len(smtp_pair.messages) >= 2, secondes=90, quoi="les deux confirmations")
    recus = {m["To"]: lisible(m.get_content()) for m in smtp_pair.messages}
    assert set(recus) == {"compta0@client.example", "compta1@client.example"}, "la promesse défaite ne se confirme pas"
    for texte in recus.values():
        assert "1 500,40 €" in texte and "Nous suspendons nos relances" in texte
        assert not any(mot in texte for mot in ("pénalité", "indemnité", "mise en demeure"))
    attendre(lambda: Message.objects.filter(statut="envoye").count() == 2, secondes=10, quoi="les envois constatés")

    nuit(settings, depart, pour)
    assert Courrier.objects.filter(client__in=[tenue, rompue]).count() == 0, "en pause"
    payer(p, tenue)

    apres = limite_promesse(pour) + timedelta(days=1)
    nuit(settings, depart, ajouter_jours_ouvres(apres - timedelta(days=1), 1, "metropole"))
    statuts = dict(Promesse.objects.values_list("client__raison_sociale", "statut"))
    assert [statuts[nom] for nom in NOMS] == ["tenue", "rompue", "annulee"]
    assert Tache.objects.get(genre=Tache.Genre.PROMESSE_ROMPUE).client == rompue
    assert Courrier.objects.filter(client=rompue).count() == 1, "la relance reprend à l'étape due"
    assert not Courrier.objects.filter(client=tenue).exists()

    p.aller("clients:fiche", rompue.pk, volet="appel")
    p.dit("non tenue")
    p.aller("pilotage:ma_journee")
    expect(p.page.locator("main")).to_contain_text(NOMS[1], timeout=PATIENCE)
    assert dict(p.fautes) == {}


def promettre(p: Parcours, client, pour) -> None:
    p.aller("clients:fiche", client.pk, volet="promesse")
    p.page.fill("[name=date_promise]", pour.isoformat())
    expect(p.page.get_by_label("Confirmer par courriel")).to_be_checked()
    p.page.keyboard.press("Control+Enter")
    p.dit("Confirmation écrite à")


def payer(p: Parcours, client) -> None:
    p.aller("clients:fiche", client.pk, volet="encaissement")
    p.page.fill("[name=montant]", "1500,40")
    p.page.keyboard.press("Control+Enter")
    p.dit("Encaissement de 1 500,40 € enregistré.")


def nuit(settings, depart, jour) -> None:
    """Les pages passent à ce jour, dont la nuit se joue."""
    settings.DECALAGE_JOURS += (jour - aujourd_hui()).days
    assert aujourd_hui() == jour >= depart
    call_command("relancer", "--au", jour.isoformat())
