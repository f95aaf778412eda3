"""Un client qui a tout vécu : c'est lui que montrent les essais d'écran."""

from datetime import date, datetime, time, timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from recouvrement.commun import horloge
from recouvrement.comptes.models import Role
from relances.services.plans import installer_plans
from tests.clients.factories import ClientFactory, ContactFactory
from tests.comptes.factories import SocieteFactory, UtilisateurFactory
from tests.factures.factories import (
    AvoirFactory,
    EcheanceFactory,
    EncaissementFactory,
    LitigeFactory,
    PromesseFactory,
)

VENDREDI = date(2026, 11, 20)


@pytest.fixture
def au(monkeypatch):
    """Un jour ouvré, le même quel que soit le jour où l'on joue les essais."""
    monkeypatch.setattr(horloge, "maintenant", lambda: timezone.make_aware(datetime.combine(VENDREDI, time(10))))
    return VENDREDI


@pytest.fixture
def societe(db):
    societe = SocieteFactory()
    installer_plans(societe)
    return societe


@pytest.fixture
def gestionnaire(societe):
    return UtilisateurFactory(societe=societe, nom="Claire Bonnet")


@pytest.fixture
def responsable(societe):
    return UtilisateurFactory(societe=societe, role=Role.RESPONSABLE, nom="Paul Vidal")


@pytest.fixture
def voisin(societe):
    """Gestionnaire de la même société, d'un autre portefeuille."""
    return UtilisateurFactory(societe=societe, nom="Karim Saïdi")


@pytest.fixture
def connecte(client, gestionnaire):
    client.force_login(gestionnaire)
    return client


@pytest.fixture
def belcourt(societe, gestionnaire, au):
    """Trois pièces échues (une en litige, une promise), une à échoir, un virement et un avoir à affecter."""
    belcourt = ClientFactory(
        societe=societe,
        gestionnaire=gestionnaire,
        raison_sociale="Chaudronnerie Belcourt SAS",
        code="CL-00418",
        plafond=Decimal(40000),
    )
    ContactFactory(client=belcourt, nom="Nadia Ferrand", telephone="04 65 71 01 42")
    EcheanceFactory(client=belcourt, echue_le=au - timedelta(53), montant=9360)
    promise = EcheanceFactory(client=belcourt, echue_le=au - timedelta(39), montant=Decimal("4286.40"))
    contestee = EcheanceFactory(client=belcourt, echue_le=au - timedelta(20), montant=Decimal("5616.40"))
    EcheanceFactory(client=belcourt, echue_le=au + timedelta(10), montant=7584)
    LitigeFactory(echeance=contestee, montant_conteste=Decimal(1200), a_traiter_le=au + timedelta(5))
    PromesseFactory(echeances=[promise], date_promise=au + timedelta(4), faite_le=au - timedelta(2))
    EncaissementFactory(client=belcourt, montant=1200, date=au - timedelta(3))
    AvoirFactory(client=belcourt, montant=100, date_emission=au - timedelta(3))
    return belcourt
