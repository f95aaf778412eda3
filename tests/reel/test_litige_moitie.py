"""Exigence 33 : un litige sur la moitié d'une facture ; l'autre moitié est relancée, puis l'avoir clôt le litige.

Worker Celery, Redis, SMTP et Chromium réels.
"""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.core.management import call_command

from factures.models import Litige
from recouvrement.commun.horloge import aujourd_hui
from relances.models import Courrier
from relances.services.plans import installer_plans
from relances.tasks import tic
from tests.clients.factories import ClientFactory
from tests.comptes.factories import SocieteFactory, UtilisateurFactory
from tests.factures.factories import AvoirFactory, EcheanceFactory

from .parcours import Parcours
from .processus import attendre
from .test_promesses import lisible

pytestmark = [
    pytest.mark.reel,
    pytest.mark.timeout(300),
    pytest.mark.variables_inconnues_permises,
    pytest.mark.filterwarnings("ignore:Session-scoped fixtures defined as instance methods"),
]


@pytest.fixture
def piece(ouvrier):
    societe = SocieteFactory()
    installer_plans(societe)
    claire = UtilisateurFactory(societe=societe, nom="Claire Bonnet")
    client = ClientFactory(societe=societe, gestionnaire=claire, raison_sociale="Duvernay Menuiserie")
    return EcheanceFactory(client=client, echue_le=aujourd_hui() - timedelta(days=6), montant=Decimal("2400.60"))


@pytest.fixture
def p(piece, live_server, page) -> Parcours:
    parcours = Parcours(page, live_server.url)
    parcours.entrer(piece.client.gestionnaire)
    return parcours


def test_la_moitie_contestee_se_tait_l_autre_est_relancee(p, piece, smtp_pair):
    page, au = p.page, aujourd_hui()
    contester(p, piece)
    echanger(p, piece)
    p.controler("fil du litige")

    call_command("relancer", "--au", au.isoformat())
    courrier = Courrier.objects.get()
    assert (courrier.total, courrier.statut) == (Decimal("1200.30"), "a_envoyer")
    tic.delay()
    attendre(lambda: smtp_pair.messages, secondes=90, quoi="la relance de la part non contestée")
    (recu,) = smtp_pair.messages
    corps = recu.get_body(("plain",)).get_content()
    assert "1 200,30 €" in lisible(corps) and "2 400,60" not in lisible(corps)
    assert "Vous avez contesté la facture" in lisible(corps)

    litige = Litige.objects.get()
    p.aller("clients:fiche", piece.client_id, volet="clore", litige=litige.pk)
    page.click("label:has-text('Fondé : un avoir est attendu')")
    page.fill("[name=issue]", "deux vantaux rayés, avoir promis")
    p.dit("attendent un avoir et ne sont plus réclamés")
    page.keyboard.press("Control+Enter")
    p.dit("Réclamation reconnue : la part contestée attend son avoir.")

    avoir = AvoirFactory(client=piece.client, montant=Decimal("1200.30"), date_emission=au)
    p.aller("clients:fiche", piece.client_id, volet="affecter", credit=f"avoir-{avoir.pk}")
    page.keyboard.press("Control+Enter")
    p.dit("1 200,30 € affectés.")
    litige.refresh_from_db()
    assert (litige.clos_le, litige.issue) == (au, Litige.AVOIR_RECU)
    piece.refresh_from_db()
    assert piece.reste_du == Decimal("1200.30"), "l'autre moitié reste due, et réclamée"
    assert dict(p.fautes) == {}


def contester(p: Parcours, piece) -> None:
    p.aller("clients:fiche", piece.client_id, volet="litige", piece=piece.pk)
    p.page.fill("[name=montant]", "1200,30")
    p.page.select_option("[name=categorie]", "qualite")
    p.page.fill("[name=description]", "deux vantaux livrés rayés")
    p.dit("Les 1 200,30 € restants suivent l'échelle, sauf la mise en demeure.")
    p.page.keyboard.press("Control+Enter")
    p.dit("Litige ouvert sur")


def echanger(p: Parcours, piece) -> None:
    p.aller("clients:fiche", piece.client_id, volet="clore", litige=Litige.objects.get().pk)
    p.page.click("text=Ajouter un échange")
    p.page.wait_for_selector("[name=texte]")
    p.page.fill("[name=texte]", "Photos demandées au chef d'atelier.")
    p.page.keyboard.press("Control+Enter")
    p.dit("Échange ajouté au fil du litige.")
    p.aller("clients:fiche", piece.client_id, volet="clore", litige=Litige.objects.get().pk)
    p.dit("Photos demandées au chef d'atelier.")
