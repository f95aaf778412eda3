"""Ce qu'un journal ne doit pas garder : l'adresse d'une page de client en est la clé."""

import logging
import re

_JETON = re.compile(r"(/p/)(?!code(?:[?\s\"']|$))[^/\s?\"']+")


class SansJeton(logging.Filter):
    """Remplace le jeton de chaque adresse « /p/… » par une ellipse ; ne retient aucune ligne."""

    def filter(self, record: logging.LogRecord) -> bool:
        texte = record.getMessage()
        if "/p/" in texte:
            record.msg, record.args = _JETON.sub(r"\1…", texte), ()
        return True
