"""Tâches Celery du pilotage : des identifiants entrent, aucune décision ici."""

from datetime import date

from celery import shared_task

from recouvrement.commun.horloge import maintenant

from . import recap


@shared_task(ignore_result=True)
def recaps():
    """Réveil du matin, rejoué toutes les dix minutes : un serveur arrêté à 7 h se rattrape."""
    moment = maintenant()
    for pk in recap.chaque_matin(moment):
        envoyer_recap.apply_async((pk, moment.date().isoformat()), expires=600)


@shared_task(ignore_result=True)
def envoyer_recap(utilisateur_id: int, au: str):
    recap.envoyer(utilisateur_id, au=date.fromisoformat(au))
