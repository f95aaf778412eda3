"""Tâches Celery : des identifiants entrent, aucune décision ici. Le courtier ne fait que réveiller."""

import logging
from datetime import date

from celery import shared_task
from django.conf import settings
from django.utils import timezone

from recouvrement.commun.horloge import aujourd_hui, maintenant
from recouvrement.comptes.models import Societe
from relances.models import Courrier
from relances.reponses import boite, fournisseur
from relances.services import envoi, lots, messages, quotidien, visites_portail

log = logging.getLogger(__name__)


@shared_task(ignore_result=True)
def tic():
    """Ouvre les passages dus ou manqués, expédie ce qui attend, montre ce qui est resté en vol."""
    envoi.reprendre_les_interrompus()
    messages.reprendre_les_messages_interrompus()
    moment = maintenant()
    for pk in messages.a_expedier(timezone.now()).order_by("pas_avant", "pk").values_list("pk", flat=True)[:1000]:
        envoyer_message.apply_async((pk,), expires=settings.TIC_SECONDES)
    for societe in quotidien.societes_dues(moment):
        relancer_societe.apply_async((societe.pk, moment.date().isoformat()), expires=settings.TIC_SECONDES)
    for pk in Courrier.objects.a_envoyer().order_by("pk").values_list("pk", flat=True)[:1000]:
        envoyer_courrier.apply_async((pk,), expires=settings.TIC_SECONDES)


@shared_task(ignore_result=True)
def relancer_societe(societe_id: int, au: str):
    """Passage automatique d'une société ; un second s'arrête sans rien faire."""
    societe = Societe.objects.get(pk=societe_id)
    quotidien.passer(societe, au=date.fromisoformat(au), moment=maintenant())
    for pk in Courrier.objects.a_envoyer().filter(societe=societe).values_list("pk", flat=True)[:1000]:
        envoyer_courrier.delay(pk)


@shared_task(ignore_result=True)
def envoyer_courrier(courrier_id: int):
    envoi.envoyer(courrier_id, au=aujourd_hui())


@shared_task(ignore_result=True)
def envoyer_message(message_id: int):
    messages.expedier(message_id, moment=timezone.now())


@shared_task(ignore_result=True)
def composer_lot(lot_id: int):
    lots.composer(lot_id, au=aujourd_hui())


@shared_task(ignore_result=True)
def oublier_les_visites():
    """Les visites de la page du client, au-delà du délai que la page annonce."""
    visites_portail.purger(maintenant())


@shared_task(ignore_result=True)
def relever_boites():
    """Réveille chaque boîte des réponses dont l'heure est venue."""
    for pk in boite.a_relever(timezone.now()):
        relever_boite.apply_async((pk,), expires=settings.SOURCES_SECONDES)


@shared_task(ignore_result=True)
def relever_boite(reglage_id: int, forcer: bool = False):
    boite.relever(reglage_id, moment=timezone.now(), au=aujourd_hui(), forcer=forcer)


ESSAIS_SANS_ENVOI = 5  # une annonce qui ne désigne aucun envoi se range à trier après eux
# Un envoi resté « en cours » (processus tué) ne change d'état qu'à la fin de son bail : l'annonce l'attend.
REPRISES = settings.BAIL_ENVOI_SECONDES // 30 + 2 * settings.TIC_SECONDES // 30 + ESSAIS_SANS_ENVOI


@shared_task(bind=True, ignore_result=True, max_retries=REPRISES, default_retry_delay=30)
def constater_evenement(self, evenement: dict):
    """Ce que le fournisseur dit d'un envoi ; l'annonce peut devancer l'écriture de l'envoi, elle se reprend."""
    dernier = self.request.retries >= ESSAIS_SANS_ENVOI
    try:
        fournisseur.constater(evenement, au=aujourd_hui(), dernier=dernier)
    except fournisseur.PasEncore as attente:
        raise self.retry(exc=attente) from attente


@shared_task(bind=True, ignore_result=True, max_retries=REPRISES, default_retry_delay=30)
def recevoir_courriel(self, chemin: str, empreinte: str):
    """Un courriel reçu par le fournisseur, rangé au dépôt par la requête."""
    try:
        fournisseur.recevoir_range(chemin, empreinte, au=aujourd_hui())
    except fournisseur.PasEncore as attente:
        raise self.retry(exc=attente) from attente
