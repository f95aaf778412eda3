"""Réglages communs, lus de l'environnement ; une valeur fausse arrête le démarrage.

Aucune variable n'est nécessaire pour un dépôt nu : SQLite, courtier local, courriels en fichiers.
"""

from pathlib import Path

import environ
from celery.schedules import crontab
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _

RACINE = Path(__file__).resolve().parent.parent.parent

env = environ.Env()
if (RACINE / ".env").exists():
    environ.Env.read_env(RACINE / ".env")

VAR = Path(env("RECOUVREMENT_VAR", default=str(RACINE / "var")))
VAR.mkdir(parents=True, exist_ok=True)

SECRET_KEY = env("SECRET_KEY", default="cle-de-developpement-a-ne-jamais-employer-en-production")
DEBUG = env.bool("DEBUG", default=False)
# Clés des secrets rangés en base (la première chiffre, toutes déchiffrent) ; à défaut, SECRET_KEY.
CLES_CHIFFREMENT = env.list("CLES_CHIFFREMENT", default=[])
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["127.0.0.1", "localhost", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
SITE_URL = env("SITE_URL", default="http://127.0.0.1:8000")
DEMO = env.bool("DEMO", default=False)
# Mandataires de confiance devant l'application : la N-ième adresse de X-Forwarded-For depuis la droite est le visiteur.
PROXYS = env.int("PROXYS", default=0)

INSTALLED_APPS = [
    "recouvrement.commun",
    "recouvrement.comptes",
    "recouvrement.journal",
    "clients",
    "factures",
    "relances",
    "contentieux",
    "recouvrement.pilotage",
    "recouvrement.api",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "anymail",
    "csp",
    "django_filters",
    "django_htmx",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "recouvrement.comptes.middleware.LangueUtilisateurMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "recouvrement.pilotage.compteurs.TemoinDeGesteMiddleware",
]

ROOT_URLCONF = "recouvrement.urls"
WSGI_APPLICATION = "recouvrement.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [RACINE / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "recouvrement.pilotage.contexte.coque",
            ],
        },
    },
]

DATABASES = {"default": env.db("DATABASE_URL", default=f"sqlite:///{VAR / 'recouvrement.sqlite3'}")}
DATABASES["default"]["CONN_MAX_AGE"] = env.int("CONN_MAX_AGE", default=60)
DATABASES["default"]["ATOMIC_REQUESTS"] = False
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    DATABASES["default"]["OPTIONS"] = {
        "timeout": 20,
        "transaction_mode": "IMMEDIATE",
        "init_command": (
            "PRAGMA journal_mode=WAL;PRAGMA synchronous=NORMAL;PRAGMA recursive_triggers=ON;"
            "PRAGMA temp_store=MEMORY;PRAGMA cache_size=-65536;"
        ),
    }
elif DATABASES["default"]["ENGINE"].endswith("postgresql"):
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
else:
    raise ImproperlyConfigured("DATABASE_URL : seuls sqlite:// et postgres:// sont pris en charge.")

DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
# SQLite n'a pas d'index couvrant : le même index s'y crée sans ses colonnes incluses.
SILENCED_SYSTEM_CHECKS = ["models.W040"]

REDIS_URL = env("REDIS_URL", default="redis://127.0.0.1:6379/0")
if not REDIS_URL.startswith(("redis://", "rediss://", "unix://")):
    raise ImproperlyConfigured("REDIS_URL doit commencer par redis://, rediss:// ou unix://.")
CACHES = {"default": {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "cache"}}
CACHES["memoire"] = {  # les compteurs du menu : cinq par personne et par geste
    "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
    "LOCATION": "memoire",
    "OPTIONS": {"MAX_ENTRIES": 5_000},
}
CACHES["default"]["OPTIONS"] = {"MAX_ENTRIES": 20_000}  # les compteurs d'essais n'en chassent pas d'autres

# --- Celery : voir docs/decisions/0003-nuit-et-envois.md ------------------------------------
TIC_SECONDES = env.int("TIC_SECONDES", default=300)
if not 1 <= TIC_SECONDES <= 3600:
    raise ImproperlyConfigured("TIC_SECONDES doit être compris entre 1 et 3600.")
CELERY_BROKER_URL = REDIS_URL
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TIMEZONE = "Europe/Paris"
CELERY_TASK_TIME_LIMIT = 1800
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_TRANSPORT_OPTIONS = {"visibility_timeout": 3600, "socket_connect_timeout": 3}
# Dossiers surveillés et boîtes de courriel ; livraisons de webhooks.
SOURCES_SECONDES = env.int("SOURCES_SECONDES", default=600)
WEBHOOKS_SECONDES = env.int("WEBHOOKS_SECONDES", default=60)
for nom, valeur in (("SOURCES_SECONDES", SOURCES_SECONDES), ("WEBHOOKS_SECONDES", WEBHOOKS_SECONDES)):
    if not 1 <= valeur <= 86_400:
        raise ImproperlyConfigured(f"{nom} doit être compris entre 1 et 86400.")
# Visites de la page du client, adresse IP comprise : un an au plus, la page le dit (décision 37).
VISITES_MAX = 366
VISITES_JOURS = env.int("VISITES_JOURS", default=365)
if not 30 <= VISITES_JOURS <= VISITES_MAX:
    raise ImproperlyConfigured(f"VISITES_JOURS doit être compris entre 30 et {VISITES_MAX}.")
CELERY_BEAT_SCHEDULE = {
    "tic": {
        "task": "relances.tasks.tic",
        "schedule": TIC_SECONDES,
        # Un tic manqué ne s'empile pas : le suivant fait le même travail.
        "options": {"expires": max(TIC_SECONDES - 1, 1)},
    },
    # Délais de procédure et prescriptions, avant l'arrivée de l'équipe.
    "veille-contentieux": {
        "task": "contentieux.tasks.veille",
        "schedule": crontab(hour=6, minute=30),
        "options": {"expires": 6 * 3600},
    },
    # Blocages de commandes : jugés avant l'ouverture des bureaux.
    "blocages": {
        "task": "factures.tasks.blocages",
        "schedule": crontab(hour=5, minute=30),
        "options": {"expires": 6 * 3600},
    },
    "sources": {
        "task": "factures.tasks.relever_sources",
        "schedule": SOURCES_SECONDES,
        "options": {"expires": max(SOURCES_SECONDES - 1, 1)},
    },
    "boites-des-reponses": {
        "task": "relances.tasks.relever_boites",
        "schedule": SOURCES_SECONDES,
        "options": {"expires": max(SOURCES_SECONDES - 1, 1)},
    },
    "webhooks": {
        "task": "recouvrement.api.tasks.webhooks",
        "schedule": WEBHOOKS_SECONDES,
        "options": {"expires": max(WEBHOOKS_SECONDES - 1, 1)},
    },
    # Récapitulatif du matin : de 7 h à 18 h, les jours ouvrés ; manqué à 7 h, il se rattrape.
    "recaps": {
        "task": "recouvrement.pilotage.tasks.recaps",
        "schedule": crontab(minute="*/10"),
        "options": {"expires": 590},
    },
    "visites-du-portail": {
        "task": "relances.tasks.oublier_les_visites",
        "schedule": crontab(hour=4, minute=40),
        "options": {"expires": 6 * 3600},
    },
    # Un semestre sans taux arrête les calculs : un seul courriel par semestre.
    "rappel-taux": {
        "task": "factures.tasks.rappel_taux",
        "schedule": crontab(hour=7, minute=30),
        "options": {"expires": 6 * 3600},
    },
}
CELERY_BEAT_SCHEDULE_FILENAME = str(VAR / "celerybeat-schedule")
# Au-delà, un envoi resté « en cours » est montré incertain, un passage interrompu est repris.
BAIL_ENVOI_SECONDES = env.int("BAIL_ENVOI_SECONDES", default=900)
BAIL_PASSAGE_SECONDES = env.int("BAIL_PASSAGE_SECONDES", default=900)

# --- La poste -------------------------------------------------------------------------------
# Prestataire de recommandés : « manuel » (impression et saisie à la main), ou « module.Classe » du protocole.
FOURNISSEUR_RECOMMANDES = env("FOURNISSEUR_RECOMMANDES", default="manuel")
RETOUR_AVIS_JOURS = env.int("RETOUR_AVIS_JOURS", default=20)  # jours ouvrés sans avis avant de le réclamer
LOT_SUR_PLACE = env.int("LOT_SUR_PLACE", default=12)  # lettres composées sans attendre le worker

# --- Courriels ------------------------------------------------------------------------------
EMAIL_CONFIG = env.email("EMAIL_URL", default=f"filemail:///{VAR / 'courriels'}")
vars().update(EMAIL_CONFIG)
if ESP := env("ANYMAIL_BACKEND", default=""):
    EMAIL_BACKEND = f"anymail.backends.{ESP}.EmailBackend"
    ANYMAIL = env.json("ANYMAIL", default={})
# « utilisateur:secret » que le fournisseur présente (Basic) en annonçant remises, rejets et réponses. Vide : la route
# n'existe pas.
ANYMAIL_WEBHOOK_SECRET = env("ANYMAIL_WEBHOOK_SECRET", default="")
if ANYMAIL_WEBHOOK_SECRET and (":" not in ANYMAIL_WEBHOOK_SECRET or len(ANYMAIL_WEBHOOK_SECRET) < 24):
    raise ImproperlyConfigured("ANYMAIL_WEBHOOK_SECRET : « utilisateur:secret », 24 caractères au moins.")
EMAIL_TIMEOUT = env.int("EMAIL_TIMEOUT", default=20)
DEFAULT_FROM_EMAIL = env("DEFAULT_FROM_EMAIL", default="recouvrement@localhost")
SERVER_EMAIL = DEFAULT_FROM_EMAIL

# --- SMS ------------------------------------------------------------------------------------
# « fichier » (un fichier par SMS), « http » (SMS_URL, SMS_JETON), ou « module.Classe » du protocole.
FOURNISSEUR_SMS = env("FOURNISSEUR_SMS", default="fichier")
SMS_DOSSIER = VAR / "sms"
SMS_URL = env("SMS_URL", default="")
SMS_JETON = env("SMS_JETON", default="")
SMS_MENTION = env("SMS_MENTION", default="")  # « STOP au 36000 », si le fournisseur la demande dans le texte

# --- Fichiers : PDF rangés par empreinte, imports en attente ----------------------------------
DEPOT = Path(env("RECOUVREMENT_DEPOT", default=str(VAR / "depot")))
FILE_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024
DATA_UPLOAD_MAX_MEMORY_SIZE = 10 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 20_000
# Racine des dossiers surveillés : une source n'en lit qu'un sous-dossier. Vide : aucun dossier surveillé.
DOSSIER_SOURCES = env("DOSSIER_SOURCES", default="")
SOURCES_REPOS_SECONDES = env.int("SOURCES_REPOS_SECONDES", default=60)  # un fichier encore écrit attend ce temps
API_DEMANDES_PAR_MINUTE = env.int("API_DEMANDES_PAR_MINUTE", default=600)  # par jeton
TAILLE_MAX_IMPORT = env.int("TAILLE_MAX_IMPORT", default=500 * 1024 * 1024)

# --- Webhooks : docs/webhooks.md ----------------------------------------------------------------
# Auto-hébergement : admet les adresses du réseau privé ; celles de lien local restent refusées.
WEBHOOKS_ADRESSES_PRIVEES = env.bool("WEBHOOKS_ADRESSES_PRIVEES", default=False)
WEBHOOKS_SANS_TLS = env.bool("WEBHOOKS_SANS_TLS", default=False)  # essais seulement : http:// admis
# Secondes avant chaque reprise ; un essai de plus que de reprises.
WEBHOOKS_REPRISES = env.list(
    "WEBHOOKS_REPRISES", cast=int,
    default=[60, 180, 600, 1800, 3600, 7200, 14_400, 28_800, 43_200, 64_800, 86_400],
)  # fmt: skip
BAIL_WEBHOOK_SECONDES = env.int("BAIL_WEBHOOK_SECONDES", default=60)

STATIC_URL = "/static/"
STATICFILES_DIRS = [RACINE / "recouvrement" / "static"]
STATIC_ROOT = Path(env("STATIC_ROOT", default=str(VAR / "static")))
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": str(DEPOT)}},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}

# --- Langue et temps --------------------------------------------------------------------------
LANGUAGE_CODE = "fr"
LANGUAGES = [("fr", _("Français")), ("en", _("Anglais"))]
LOCALE_PATHS = [RACINE / "locale"]
TIME_ZONE = "Europe/Paris"
USE_I18N = True
USE_TZ = True
USE_THOUSAND_SEPARATOR = False

# --- Comptes ----------------------------------------------------------------------------------
AUTH_USER_MODEL = "comptes.Utilisateur"
AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_USER_MODEL_EMAIL_FIELD = "courriel"
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_ADAPTER = "recouvrement.comptes.adaptateur.SansInscriptionAdapter"
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_EMAIL_SUBJECT_PREFIX = "Recouvrement : "
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = SITE_URL.startswith("http://")  # le navigateur ne l'admet que sur localhost
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_AGE = 12 * 3600

# --- En-têtes -----------------------------------------------------------------------------------
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "font-src": ["'self'"],
        "connect-src": ["'self'"],
        "frame-src": ["'self'"],
        "frame-ancestors": ["'self'"],
        "object-src": ["'none'"],
        "base-uri": ["'self'"],
        "form-action": ["'self'"],
    }
}
X_FRAME_OPTIONS = "SAMEORIGIN"  # l'aperçu d'une lettre s'affiche dans un cadre de la même origine
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CONTENT_TYPE_NOSNIFF = True

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"court": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "filters": {"sans_jeton": {"()": "recouvrement.commun.journaux.SansJeton"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "court", "filters": ["sans_jeton"]}},
    "root": {"handlers": ["console"], "level": env("LOG_LEVEL", default="INFO")},
    "loggers": {
        "weasyprint": {"level": "ERROR"},
        "fontTools": {"level": "ERROR"},
        # L'adresse d'une page de client est sa clé : elle ne s'écrit nulle part.
        **{f"django.{nom}": {"filters": ["sans_jeton"]} for nom in ("request", "security.csrf", "server")},
    },
}
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"
