"""Tâche Celery du contentieux : chaque matin, les délais qui approchent deviennent des tâches."""

import logging

from celery import shared_task

from contentieux.services import veiller
from recouvrement.commun.horloge import aujourd_hui
from recouvrement.comptes.models import Societe

log = logging.getLogger(__name__)


@shared_task(ignore_result=True)
def veille():
    """Une société en panne ne prive pas les autres de leurs alertes."""
    for societe in Societe.objects.all():
        try:
            taches = veiller(societe, au=aujourd_hui())
        except Exception:  # le jour suivant rejoue : rien n'est perdu, tout est dit
            log.exception("veille du contentieux en échec : %s", societe.code)
        else:
            log.info("veille du contentieux, %s : %d délais", societe.code, len(taches))
