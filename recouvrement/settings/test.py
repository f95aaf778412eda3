"""Essais : base sur fichier (visible des workers), statiques simples, hachage rapide."""

import os
import tempfile

if "RECOUVREMENT_VAR" not in os.environ:  # tests/conftest.py retire ce dossier à la fin
    os.environ["RECOUVREMENT_VAR"] = tempfile.mkdtemp(prefix="recouvrement-essais-")

from .base import *  # noqa: E402, F403
from .base import DATABASES, STORAGES, TEMPLATES, VAR, env

SECRET_KEY = "essais"
DEBUG = False
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES = {**STORAGES, "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    DATABASES["default"]["TEST"] = {"NAME": str(VAR / "essais.sqlite3")}
DATABASES["default"]["CONN_MAX_AGE"] = 0
CACHES = {
    "default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"},
    "memoire": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"},  # les essais comptent les requêtes
}
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
ALLOWED_HOSTS = ["*"]
TEMPLATES[0]["OPTIONS"]["debug"] = True
CELERY_TASK_ALWAYS_EAGER = False
WHITENOISE_AUTOREFRESH = True
# Les essais à processus réels se tiennent un jour ouvré (recouvrement.commun.horloge).
DECALAGE_JOURS = env.int("DECALAGE_JOURS", default=0)
