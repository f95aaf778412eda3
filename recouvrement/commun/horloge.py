"""Le jour et l'heure d'Europe/Paris, pour les tâches, les commandes et les vues ; jamais dans une règle.

`settings.DECALAGE_JOURS` n'existe que dans les réglages d'essai : les essais à processus réels (worker,
beat) doivent pouvoir se tenir un jour ouvré quel que soit le jour où on les lance.
"""

from datetime import date, datetime, timedelta

from django.conf import settings
from django.utils import timezone


def maintenant() -> datetime:
    return timezone.localtime() + timedelta(days=getattr(settings, "DECALAGE_JOURS", 0))


def aujourd_hui() -> date:
    return maintenant().date()
