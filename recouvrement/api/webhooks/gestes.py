"""Ce qu'une personne fait d'un abonnement : le créer, le régler, l'essayer, l'arrêter, rejouer une livraison."""

import json
import uuid
from datetime import datetime

from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from recouvrement.api.models import AbonnementWebhook, Livraison
from recouvrement.journal.models import Maillon
from recouvrement.journal.services import consigner

from .evenements import ESSAI, VERSION
from .livraisons import tenter
from .remise import Issue
from .signature import nouveau_secret

S = Livraison.Statut


@transaction.atomic
def abonner(abonnement: AbonnementWebhook, *, acteur) -> str:
    """Crée l'abonnement ; renvoie sa clé de signature, à montrer une seule fois. Ce qui précède ne s'annonce pas."""
    secret = nouveau_secret()
    abonnement.secret, abonnement.auteur = secret, acteur
    abonnement.rang_lu = Maillon.objects.aggregate(n=Max("rang"))["n"] or 0
    abonnement.full_clean()
    abonnement.save(force_insert=True)
    _consigner("webhook.cree", abonnement, acteur, url=abonnement.url, evenements=abonnement.evenements)
    return secret


@transaction.atomic
def regler(abonnement: AbonnementWebhook, *, acteur) -> None:
    """Nom, adresse, événements ; un événement nouvellement choisi ne s'annonce que pour l'avenir."""
    abonnement.full_clean(exclude=["auteur", "secret"])  # une clé devenue illisible se renouvelle à part
    abonnement.save(update_fields=["nom", "url", "evenements", "updated_at"])
    _consigner("webhook.regle", abonnement, acteur, url=abonnement.url, evenements=abonnement.evenements)


@transaction.atomic
def renouveler(abonnement: AbonnementWebhook, *, acteur) -> str:
    """Une clé neuve ; l'ancienne ne signe plus rien."""
    secret = nouveau_secret()
    abonnement.secret = secret
    abonnement.save(update_fields=["secret", "updated_at"])
    _consigner("webhook.cle", abonnement, acteur)
    return secret


@transaction.atomic
def basculer(abonnement: AbonnementWebhook, *, actif: bool, moment: datetime, acteur) -> bool:
    """Arrête ou réactive ; faux s'il l'était déjà. Réactivé, il reçoit ce qui attendait, sans délai."""
    if not AbonnementWebhook.objects.filter(pk=abonnement.pk, actif=not actif).update(actif=actif):
        return False
    if actif:
        abonnement.livraisons.filter(statut=S.A_LIVRER).update(prochaine_le=moment)
    _consigner("webhook.reactive" if actif else "webhook.arrete", abonnement, acteur)
    return True


@transaction.atomic
def rejouer(livraison: Livraison, *, moment: datetime, acteur) -> bool:
    """Remet à livrer, même identifiant ; faux si elle attend déjà ou part."""
    finie = Livraison.objects.filter(pk=livraison.pk, statut__in=(S.LIVREE, S.ABANDONNEE))
    if not finie.update(statut=S.A_LIVRER, tentatives=0, prochaine_le=moment, erreur="", reponse=None):
        return False
    identifiant = str(livraison.identifiant)
    _consigner("webhook.rejoue", livraison.abonnement, acteur, livraison=identifiant)
    return True


def essayer(abonnement: AbonnementWebhook, *, moment: datetime) -> Issue:
    """Envoie tout de suite un événement d'essai, et rend ce qu'on a répondu ; il se lit au journal, sans reprise."""
    identifiant = uuid.uuid4()
    corps = {
        "version": VERSION, "type": ESSAI, "identifiant": str(identifiant), "societe": abonnement.societe.code,
        "date": timezone.localtime(moment).isoformat(timespec="seconds"), "donnees": {},
    }  # fmt: skip
    livraison = Livraison.objects.create(
        abonnement=abonnement, identifiant=identifiant, cle=f"essai:{identifiant}", evenement=ESSAI,
        corps=json.dumps(corps, ensure_ascii=False, separators=(",", ":")), statut=S.EN_COURS, prise_le=moment,
        tentatives=1,
    )  # fmt: skip
    issue = tenter(livraison)
    Livraison.objects.filter(pk=livraison.pk, statut=S.A_LIVRER).update(statut=S.ABANDONNEE, prochaine_le=None)
    return issue


def _consigner(action: str, abonnement: AbonnementWebhook, acteur, **donnees) -> None:
    societe, texte = abonnement.societe, abonnement.nom
    consigner(action, societe=societe, acteur=acteur, objet=abonnement, texte=texte, donnees=donnees)
