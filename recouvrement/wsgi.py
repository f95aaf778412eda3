"""Serveur web : gunicorn recouvrement.wsgi."""

import gc
import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "recouvrement.settings.dev")
application = get_wsgi_application()

# Ce qui est chargé ne meurt plus : le ramasse-miettes ne le reparcourt pas, et passe moins souvent. L'ORM fabrique des
# milliers d'objets par page : de 5 à 15 % du processeur d'une page (docs/mesures.md).
gc.collect()
gc.freeze()
gc.set_threshold(50_000, 20, 100)
