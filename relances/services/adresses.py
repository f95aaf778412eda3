"""De qui part un courriel, et où sa réponse revient : une adresse à jeton rattache la réponse à l'envoi précis."""

from django.conf import settings

from recouvrement.comptes.models import Societe
from relances.models import ReglageReponses


def expediteur(societe: Societe) -> str:
    """« Société » <adresse du serveur>."""
    adresse = settings.DEFAULT_FROM_EMAIL
    nom = societe.raison_sociale.replace('"', "").replace("\n", " ").replace("\r", " ")
    return adresse if "<" in adresse else f'"{nom}" <{adresse}>'


def identifiant(jeton: str) -> str:
    """Message-ID stable d'un envoi : relu dans « In-Reply-To », il le rattache aussi."""
    domaine = settings.DEFAULT_FROM_EMAIL.rpartition("@")[2].strip("<> ") or "localhost"
    return f"<{jeton}@{domaine}>"


def adresse_de_reponse(societe: Societe, jeton: str, gestionnaire=None) -> str:
    """« reponses+JETON@exemple.fr » si la société relève une boîte ; sinon le gestionnaire, sinon la société."""
    base = ReglageReponses.objects.filter(societe=societe).values_list("adresse", flat=True).first()
    if base:
        boite, _, domaine = base.partition("@")
        return f"{boite}+{jeton}@{domaine}"
    return gestionnaire.courriel if gestionnaire else societe.courriel


def jeton_de(adresse: str) -> str:
    """Le jeton d'une adresse de réponse, vide s'il n'y en a pas ; un jeton s'écrit en minuscules."""
    boite = adresse.partition("@")[0]
    return boite.partition("+")[2].lower()
