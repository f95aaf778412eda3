"""La page des clients, ouverte dans une société ; le lien d'un client se montre à la mise en route."""

from datetime import date

from clients.models import Client
from recouvrement.comptes import demo
from recouvrement.comptes.models import Societe
from relances.models import ReglagePortail
from relances.services import liens
from relances.services.reglages_portail import enregistrer

from .societes import CODE

CLIENT = "Chaudronnerie Belcourt SAS"


def ouvrir(societe: Societe, *, par, au: date) -> None:
    """Après l'histoire : les lettres déjà parties n'avaient pas de lien, celles de ce soir en auront."""
    reglage = ReglagePortail(
        societe=societe, actif=True, contact_donnees=f"donnees@{demo.DOMAINE}", carte=ReglagePortail.Carte.ESSAI
    )
    enregistrer(reglage, acteur=par)
    societe.reglage_portail = reglage
    lien_montre(au=au)


def lien_montre(*, au: date) -> str:
    """Adresse relative de la page du client de la démonstration, vide sans elle ; refaite si elle a expiré."""
    client = Client.objects.filter(societe__code=CODE, raison_sociale=CLIENT).select_related("societe").first()
    if client is None:
        return ""
    valable = client.liens.filter(courrier=None, message=None).valides(au).first()
    lien = valable or liens.lien_pour(client, au=au)
    return liens.adresse_relative(lien) if lien else ""
