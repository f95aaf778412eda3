"""Poste de travail et essai : SQLite et courtier embarqué, sans variable."""

from .base import *  # noqa: F403
from .base import env

DEBUG = env.bool("DEBUG", default=False)
STORAGES = {
    **STORAGES,  # noqa: F405
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedStaticFilesStorage"},
}
WHITENOISE_USE_FINDERS = True
# Essais à processus réels : se tenir un jour ouvré (recouvrement.commun.horloge). Absent de la production.
DECALAGE_JOURS = env.int("DECALAGE_JOURS", default=0)
