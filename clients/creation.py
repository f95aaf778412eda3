"""Créer une fiche à la main, sans import."""

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from recouvrement.comptes.models import Societe
from recouvrement.journal.services import consigner

from .models import Client, TypeDebiteur
from .services import CHAMPS_INTERDITS, _normaliser_identifiants, aligner


@transaction.atomic
def creer_client(societe: Societe, *, code: str, champs: dict, acteur) -> Client:
    """Une fiche neuve. Mêmes contrôles que `modifier_client` ; une procédure notée pour ce SIREN vaut aussi pour elle.

    Lève ValidationError, par champ : code déjà pris dans la société, identifiant faux, taux d'un consommateur.
    """
    if interdits := CHAMPS_INTERDITS & set(champs):
        raise ValueError(f"champs tenus par un autre service : {sorted(interdits)}")
    client = Client(societe=societe, code=code.strip(), **champs)
    _normaliser_identifiants(client)
    if client.type == TypeDebiteur.PARTICULIER and client.taux_penalites is not None:
        raise ValidationError({"taux_penalites": _("Jamais de taux de professionnel pour un consommateur.")})
    client.full_clean(validate_unique=False, validate_constraints=False)
    try:
        with transaction.atomic():
            client.save(force_insert=True)
    except IntegrityError:
        raise ValidationError({"code": _("Ce code est déjà celui d’un client de la société.")}) from None
    consigner("client.cree", societe=societe, acteur=acteur, objet=client, client=client, texte=client.code)
    if client.siren and aligner(societe, acteur=acteur):
        client.refresh_from_db()
    return client
