"""Un client qui a sa page : société, réglage, lien, deux factures échues et une à venir."""

from datetime import date, datetime, timedelta
from types import SimpleNamespace
from zoneinfo import ZoneInfo

from relances.models import LienPortail, ReglagePortail
from relances.services.declarations_portail import Depot
from tests.clients.factories import ClientFactory
from tests.comptes.factories import SocieteFactory, UtilisateurFactory
from tests.factures.factories import EcheanceFactory

AU = date(2026, 11, 20)  # un vendredi
MOMENT = datetime(2026, 11, 20, 10, 0, tzinfo=ZoneInfo("Europe/Paris"))


def LienFactory(*, client, au: date = AU, **champs) -> LienPortail:
    ReglagePortail.objects.get_or_create(societe=client.societe, defaults={"actif": True})
    return LienPortail.objects.create(client=client, cree_le=au, expire_le=au + timedelta(days=90), **champs)


def depot(cle: str = "a", **champs) -> Depot:
    return Depot(**{"cle": cle, "nom": "Nadia Ferrand", "adresse_ip": "203.0.113.7", "agent": "Essai/1.0"} | champs)


def monde(**client) -> SimpleNamespace:
    """client, lien, claire (gestionnaire), pieces : 1 000 et 600 échues, 400 à venir."""
    societe = SocieteFactory()
    claire = UtilisateurFactory(societe=societe, nom="Claire Bonnet")
    debiteur = ClientFactory(societe=societe, gestionnaire=claire, **client)
    pieces = [
        EcheanceFactory(client=debiteur, echue_le=AU - timedelta(days=50), montant=1000),
        EcheanceFactory(client=debiteur, echue_le=AU - timedelta(days=20), montant=600),
        EcheanceFactory(client=debiteur, echue_le=AU + timedelta(days=15), montant=400),
    ]
    return SimpleNamespace(
        societe=societe, claire=claire, client=debiteur, pieces=pieces, lien=LienFactory(client=debiteur)
    )
