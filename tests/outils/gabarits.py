"""Une variable inconnue dans un gabarit de la maison fait échouer l'essai, au lieu de s'afficher vide.

Tolérés, car c'est leur rôle : `{% if %}` et `|default`, ainsi que les gabarits des bibliothèques.
"""

import copy

import pytest
from django.conf import settings
from django.template.base import FilterExpression, VariableDoesNotExist

FILTRES_TOLERANTS = {"default", "default_if_none"}


class Resolue:
    """Variable déjà lue : la lire deux fois doublerait les requêtes que les essais comptent."""

    def __init__(self, valeur):
        self.valeur = valeur

    def resolve(self, context):
        return self.valeur


def gabarit_courant(context) -> str:
    """Chemin du gabarit en cours de rendu, inclusions comprises."""
    gabarit = getattr(context.render_context, "template", None) or context.template
    return str(getattr(getattr(gabarit, "origin", None), "name", "") or "")


def est_de_la_maison(context) -> bool:
    return any(gabarit_courant(context).startswith(str(dossier)) for dossier in settings.TEMPLATES[0]["DIRS"])


def rendre_strict(retouche: pytest.MonkeyPatch) -> None:
    """Enveloppe la résolution des expressions de gabarit."""
    origine = FilterExpression.resolve

    def resolve(self, context, ignore_failures=False):
        tolerant = any(filtre.__name__ in FILTRES_TOLERANTS for filtre, _ in self.filters)
        if ignore_failures or tolerant or not self.is_var or not est_de_la_maison(context):
            return origine(self, context, ignore_failures)
        try:
            valeur = self.var.resolve(context)
        except VariableDoesNotExist as absence:
            pytest.fail(f"variable de gabarit inconnue : « {self.var} » dans {gabarit_courant(context)} ({absence})")
        expression = copy.copy(self)
        expression.var = Resolue(valeur)
        return origine(expression, context, ignore_failures)

    retouche.setattr(FilterExpression, "resolve", resolve)
