"""Tâches d'import, et rappel des taux à relever. Rejouées, elles ne font rien de plus."""

from celery import shared_task
from django.utils import timezone

from factures.imports import depots
from factures.services import rappeler
from recouvrement.commun.horloge import aujourd_hui


@shared_task(ignore_result=True)
def apercevoir_lot(lot_id: int):
    depots.apercevoir(lot_id, moment=timezone.now(), au=aujourd_hui())


@shared_task(ignore_result=True)
def appliquer_lot(lot_id: int):
    depots.appliquer(lot_id, moment=timezone.now(), au=aujourd_hui())


@shared_task(ignore_result=True)
def rappel_taux():
    rappeler(au=aujourd_hui())
