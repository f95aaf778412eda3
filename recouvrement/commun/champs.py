"""Un seul champ d'argent : centimes entiers en base, Decimal à deux décimales en Python.

DecimalField est un REAL sous SQLite (0,1 + 0,2 n'y vaut pas 0,3). On hérite de Field, non de
BigIntegerField, pour que F() - F() garde la conversion (docs/decisions/0002-argent.md).
"""

from decimal import Decimal, InvalidOperation

from django import forms
from django.core import exceptions, validators
from django.db import models
from django.db.models.expressions import register_combinable_fields
from django.utils.translation import gettext_lazy as _

CENT = Decimal("0.01")
MAXIMUM = 10**15  # en centimes : dix mille milliards, très au-dessus d'un grand livre


def en_centimes(valeur) -> int:
    """Decimal, int ou texte → centimes. Lève ValueError si la valeur a plus de deux décimales."""
    if isinstance(valeur, float):
        raise ValueError("un montant ne vient jamais d'un nombre à virgule flottante")
    centimes = Decimal(valeur) * 100
    entier = int(centimes)
    if centimes != entier:
        raise ValueError(f"montant à plus de deux décimales : {valeur}")
    return entier


def en_euros(centimes: int) -> Decimal:
    """Centimes entiers → Decimal à deux décimales exactement."""
    return Decimal(int(centimes)).scaleb(-2)


class ChampMontant(models.Field):
    """Montant exact dans la devise de la ligne."""

    description = _("Montant")
    empty_strings_allowed = False
    default_error_messages = {"invalid": _("« %(value)s » n'est pas un montant à deux décimales.")}

    def get_internal_type(self):
        return "BigIntegerField"

    def from_db_value(self, value, expression, connection):
        return None if value is None else en_euros(value)

    def to_python(self, value):
        if value is None or value == "":
            return None
        try:
            return en_euros(en_centimes(value))
        except (ValueError, TypeError, InvalidOperation) as erreur:
            raise exceptions.ValidationError(
                self.error_messages["invalid"], code="invalid", params={"value": value}
            ) from erreur

    def get_prep_value(self, value):
        value = super().get_prep_value(value)
        if value is None or hasattr(value, "resolve_expression"):
            return value
        centimes = en_centimes(value)
        if abs(centimes) > MAXIMUM:
            raise ValueError(f"montant hors bornes : {value}")
        return centimes

    def value_to_string(self, obj):
        value = self.value_from_object(obj)
        return "" if value is None else str(value)

    def formfield(self, **kwargs):
        return super().formfield(
            **{"form_class": forms.DecimalField, "decimal_places": 2, "max_digits": 15, "localize": True, **kwargs}
        )

    @property
    def validators(self):
        return [*super().validators, validators.DecimalValidator(15, 2)]


register_combinable_fields(ChampMontant, "+", ChampMontant, ChampMontant)
register_combinable_fields(ChampMontant, "-", ChampMontant, ChampMontant)
