"""Application Celery. Le courtier réveille ; la base décide et garde l'état."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "recouvrement.settings.dev")

app = Celery("recouvrement")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
