"""Un collègue en remplace un autre, dans un vrai navigateur : de l'absence notée au geste signé de son nom."""

from datetime import timedelta

import pytest
from playwright.sync_api import expect

from recouvrement.commun.horloge import aujourd_hui
from recouvrement.comptes.models import Absence
from relances.models import Tache
from relances.services.plans import installer_plans
from tests.clients.factories import ClientFactory
from tests.comptes.factories import SocieteFactory, UtilisateurFactory
from tests.factures.factories import EcheanceFactory

from .parcours import Parcours

pytestmark = [
    pytest.mark.reel,
    pytest.mark.variables_inconnues_permises,
    pytest.mark.filterwarnings("ignore:Session-scoped fixtures defined as instance methods"),
]


@pytest.fixture
def monde(transactional_db):
    societe = SocieteFactory()
    installer_plans(societe)
    claire = UtilisateurFactory(societe=societe, nom="Claire Bonnet")
    paul = UtilisateurFactory(societe=societe, nom="Paul Vidal")
    client = ClientFactory(societe=societe, gestionnaire=claire, raison_sociale="Chaudronnerie Belcourt SAS")
    EcheanceFactory(client=client, echue_le=aujourd_hui() - timedelta(30), montant=9360)
    Tache.objects.create(
        societe=societe, client=client, genre=Tache.Genre.APPEL, titre="Appeler", due_le=aujourd_hui(), cle="a"
    )
    return claire, paul, client


def test_claire_s_absente_paul_tient_son_portefeuille_puis_elle_revient(monde, live_server, page, browser):
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
