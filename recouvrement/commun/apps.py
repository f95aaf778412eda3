from gettext import NullTranslations

from django.apps import AppConfig
from django.conf import settings
from django.utils.translation import trans_real


class Accords(NullTranslations):
    """Pluriel des textes source : en français, zéro et un sont au singulier ; à défaut, gettext suit l'anglais."""

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return msgid1 if abs(n) < 2 else msgid2


class CommunConfig(AppConfig):
    name = "recouvrement.commun"
    label = "commun"
    verbose_name = "Commun"

    def ready(self) -> None:
        trans_real.translation(settings.LANGUAGE_CODE).add_fallback(Accords())
