"""Champs de saisie communs : un montant tapé à la française, une date du calendrier natif."""

import re

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from recouvrement.commun import formats

SUPERFLU = re.compile(r"[\s\u00a0\u202f€]")


class MontantField(forms.DecimalField):
    """« 13 646,40 € », « 13646.4 » ou « 1 250 » → Decimal à deux décimales au plus."""

    widget = forms.TextInput(attrs={"inputmode": "decimal", "class": "num", "autocomplete": "off"})

    def __init__(self, **kwargs):
        super().__init__(**{"max_digits": 15, "decimal_places": 2, "min_value": 0, **kwargs})

    def to_python(self, value):
        if isinstance(value, str):
            value = SUPERFLU.sub("", value).replace(formats.MOINS, "-")
            if "," in value and "." in value:
                raise ValidationError(_("Écrivez le montant sans séparateur de milliers, par exemple 1250,50."))
            value = value.replace(",", ".")
        return super().to_python(value)

    def prepare_value(self, value):
        """Une saisie refusée se réaffiche telle quelle ; une valeur connue, à la française."""
        return value if isinstance(value, str) or value is None else formats.nombre(value, 2)

    def widget_attrs(self, widget):
        return {}


class JourField(forms.DateField):
    """Date par le calendrier du navigateur ; accepte aussi 27/11/2026."""

    widget = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")

    def __init__(self, **kwargs):
        super().__init__(**{"input_formats": ["%Y-%m-%d", "%d/%m/%Y"], **kwargs})
