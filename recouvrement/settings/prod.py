"""Production : PostgreSQL et Redis exigés, clé et hôtes explicites, HTTPS."""

from django.core.exceptions import ImproperlyConfigured

from .base import *  # noqa: F403
from .base import DATABASES, LOGGING, env

for nom in ("SECRET_KEY", "DATABASE_URL", "REDIS_URL", "ALLOWED_HOSTS", "EMAIL_URL", "DEFAULT_FROM_EMAIL"):
    if not env(nom, default=""):
        raise ImproperlyConfigured(f"La variable {nom} est obligatoire en production.")
if not DATABASES["default"]["ENGINE"].endswith("postgresql"):
    raise ImproperlyConfigured("DATABASE_URL : PostgreSQL est exigé en production.")

DEBUG = False
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_SSL_REDIRECT = env.bool("SECURE_SSL_REDIRECT", default=True)
SECURE_HSTS_SECONDS = env.int("SECURE_HSTS_SECONDS", default=31_536_000)
SESSION_COOKIE_SECURE = True
CSRF_COOKIE_SECURE = True

# Le journal des accès de gunicorn a son propre canal : sans ce filtre, il écrirait l'adresse d'une page de client.
LOGGING["loggers"]["gunicorn.access"] = {"handlers": ["console"], "level": "INFO", "propagate": False}
