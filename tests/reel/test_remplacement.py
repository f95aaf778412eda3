"""Un collègue en remplace un autre : de l'absence notée au geste signé de son nom, écrit au client, puis au retour.

Worker Celery, Redis, SMTP et Chromium réels.
"""

from datetime import timedelta

import pytest
from playwright.sync_api import expect

from factures.domaine.calendrier import ajouter_jours_ouvres
from recouvrement.commun.horloge import aujourd_hui
from recouvrement.comptes.models import Absence
from relances.models import Tache
from relances.services.plans import installer_plans
from tests.clients.factories import ClientFactory, ContactFactory
from tests.comptes.factories import SocieteFactory, UtilisateurFactory
from tests.factures.factories import EcheanceFactory

from .parcours import Parcours
from .processus import attendre
from .test_promesses import promettre

pytestmark = [
    pytest.mark.reel,
    pytest.mark.timeout(300),
    pytest.mark.variables_inconnues_permises,
    pytest.mark.filterwarnings("ignore:Session-scoped fixtures defined as instance methods"),
]


@pytest.fixture
def monde(ouvrier):
    societe = SocieteFactory()
    installer_plans(societe)
    claire = UtilisateurFactory(societe=societe, nom="Claire Bonnet")
    paul = UtilisateurFactory(societe=societe, nom="Paul Vidal")
    client = ClientFactory(societe=societe, gestionnaire=claire, raison_sociale="Chaudronnerie Belcourt SAS")
    ContactFactory(client=client, role="comptabilite", courriel="compta@belcourt.example")
    EcheanceFactory(client=client, echue_le=aujourd_hui() - timedelta(30), montant=9360)
    Tache.objects.create(
        societe=societe, client=client, genre=Tache.Genre.APPEL, titre="Appeler", due_le=aujourd_hui(), cle="a"
    )
    return claire, paul, client


def test_claire_s_absente_paul_tient_son_portefeuille_puis_elle_revient(monde, live_server, page, browser, smtp_pair):
    claire, paul, client = monde
    ecran = Parcours(page, live_server.url)
    ecran.entrer(claire)
    ecran.aller("comptes:preferences")
    page.select_option("[name=remplacant]", label="Paul Vidal")
    page.fill("[name=au]", (aujourd_hui() + timedelta(7)).isoformat())
    page.fill("[name=motif]", "Congés")
    page.get_by_role("button", name="Noter l’absence").click()
    ecran.dit("remplacé par Paul Vidal")
    ecran.controler("préférences")

    contexte = browser.new_context()
    autre = Parcours(contexte.new_page(), live_server.url)
    autre.entrer(paul)
    autre.dit("Vous remplacez Claire Bonnet")
    autre.dit("client de Claire Bonnet, absent")
    autre.controler("journée du remplaçant")
    autre.page.keyboard.press("a")
    autre.page.wait_for_url("**volet=appel**")
    autre.page.keyboard.press("7")
    autre.page.keyboard.press("Control+Enter")
    autre.dit("Appel enregistré.")
    promettre(autre, client, ajouter_jours_ouvres(aujourd_hui(), 2, "metropole"))
    attendre(lambda: smtp_pair.messages, secondes=60, quoi="la confirmation de la promesse faite à Paul")
    assert smtp_pair.messages[0]["To"] == "compta@belcourt.example"
    autre.aller("clients:fiche", client.pk, o="chronologie")
    autre.dit("Paul Vidal")
    assert Tache.objects.get(cle="a").faite_par == paul

    ecran.aller("comptes:preferences")
    page.get_by_role("button", name="Annuler l’absence").click()
    ecran.dit("le portefeuille revient à Claire Bonnet")
    autre.aller("clients:fiche", client.pk)
    expect(autre.page.locator("body")).not_to_contain_text("Belcourt")
    assert Absence.objects.get().annulee_le
    assert not ecran.fautes
    contexte.close()
