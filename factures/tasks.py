"""Tâches d'import, et rappel des taux à relever. Rejouées, elles ne font rien de plus."""

import logging

from celery import shared_task
from django.conf import settings
from django.db import DatabaseError
from django.utils import timezone

from factures.imports import depots
from factures.services import rappeler
from factures.services import sources as service_sources
from factures.services.blocages import evaluer as evaluer_blocages
from recouvrement.commun.horloge import aujourd_hui, maintenant
from recouvrement.comptes.models import Societe

log = logging.getLogger(__name__)


@shared_task(ignore_result=True)
def apercevoir_lot(lot_id: int):
    depots.apercevoir(lot_id, moment=timezone.now(), au=aujourd_hui())


@shared_task(ignore_result=True)
def appliquer_lot(lot_id: int):
    depots.appliquer(lot_id, moment=timezone.now(), au=aujourd_hui())


@shared_task(ignore_result=True)
def rappel_taux():
    rappeler(au=aujourd_hui())


@shared_task(ignore_result=True)
def blocages():
    """Pose et retire les blocages de commandes, société par société ; une qui échoue n'arrête pas les autres."""
    for societe in Societe.objects.order_by("pk"):
        try:
            evaluer_blocages(societe, au=aujourd_hui())
        except DatabaseError:
            log.exception("blocages de commandes : société %s", societe.pk)


@shared_task(ignore_result=True)
def relever_sources():
    """Réveille chaque source due, et prévient de celles dont on attend des nouvelles."""
    moment = timezone.now()
    for pk in service_sources.a_relever(moment):
        relever_source.apply_async((pk,), expires=settings.SOURCES_SECONDES)
    service_sources.surveiller(maintenant())


@shared_task(ignore_result=True)
def relever_source(source_id: int, forcer: bool = False):
    service_sources.relever(source_id, moment=timezone.now(), au=aujourd_hui(), forcer=forcer)
