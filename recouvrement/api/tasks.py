"""Tâches des webhooks : la base garde l'état, une tâche perdue se refait à la minute suivante."""

from celery import shared_task
from django.conf import settings
from django.utils import timezone

from recouvrement.api.webhooks import livraisons


@shared_task(ignore_result=True)
def webhooks():
    """Lit le journal, puis sert chaque abonné à part : un récepteur lent n'en retarde pas d'autre."""
    livraisons.lire_le_journal()
    for pk in livraisons.abonnes_a_servir(timezone.now()):
        livrer_a.apply_async((pk,), expires=max(settings.WEBHOOKS_SECONDES, 1))


@shared_task(ignore_result=True)
def livrer_a(abonnement_id: int):
    livraisons.livrer(abonnement_id)
