"""Une société dont la page est ouverte, un client, son lien."""

from datetime import date

from relances.models import LienPortail, ReglagePortail
from relances.services import liens
from tests.clients.factories import ClientFactory
from tests.comptes.factories import SocieteFactory, UtilisateurFactory

AU = date(2026, 11, 20)
MOMENT = "2026-11-20 10:00 +0100"


def societe_ouverte(**champs):
    societe = SocieteFactory(**{k: v for k, v in champs.items() if k not in REGLAGES})
    ReglagePortail.objects.create(
        societe=societe, **{"actif": True, "contact_donnees": "dpo@exemple.fr"} | {
            k: v for k, v in champs.items() if k in REGLAGES
        },
    )  # fmt: skip
    return societe


REGLAGES = {"actif", "duree_jours", "declarations", "echeanciers", "accord_immediat", "contact_donnees", "carte"}


def client_ouvert(*, societe=None, **champs):
    gestionnaire = UtilisateurFactory(nom="Claire Bonnet")
    return ClientFactory(societe=societe or societe_ouverte(), gestionnaire=gestionnaire, **champs)


def lien_de(client=None, *, au=AU) -> LienPortail:
    return liens.lien_pour(client or client_ouvert(), au=au)


def url(lien, suite="") -> str:
    return liens.adresse_relative(lien) + suite
