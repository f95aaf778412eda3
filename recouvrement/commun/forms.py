"""Champs de saisie communs : un montant tapé à la française, une date du calendrier natif."""

import re
import secrets
from datetime import date, timedelta

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _g
from django.utils.translation import gettext_lazy as _

from recouvrement.commun import formats
from recouvrement.commun.horloge import aujourd_hui
from recouvrement.commun.vues import entier

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
    """Date par le calendrier du navigateur ; accepte aussi 27/11/2026.

    Une faute de frappe sur l'année se refuse : rien avant `depuis`, rien au-delà d'aujourd'hui plus `avance`.
    """

    widget = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")

    def __init__(self, *, depuis: date = date(2000, 1, 1), avance: timedelta = timedelta(days=5 * 366), **kwargs):
        super().__init__(**{"input_formats": ["%Y-%m-%d", "%d/%m/%Y"], **kwargs})
        self.depuis, self.avance = depuis, avance

    def validate(self, value):
        super().validate(value)
        if value is None:
            return
        if value < self.depuis:
            refus = _g("Cette date est trop ancienne : au plus tôt le %(jour)s.")
            raise ValidationError(refus % {"jour": formats.jour(self.depuis)})
        if value > (fin := aujourd_hui() + self.avance):
            refus = _g("Cette date est trop lointaine : au plus tard le %(jour)s.")
            raise ValidationError(refus % {"jour": formats.jour(fin)})


class ChoixField(forms.ModelMultipleChoiceField):
    """Objets cochés parmi ceux du queryset.

    Une clé qui n'est pas un entier de base est un choix qui n'existe pas : SQLite déborderait au-delà de 64 bits.
    """

    def _check_values(self, value):
        for cle in value:
            if entier(str(cle)) is None:
                raise ValidationError(self.error_messages["invalid_choice"], "invalid_choice", {"value": str(cle)[:20]})
        return super()._check_values(value)


def _cle() -> str:
    return secrets.token_urlsafe(12)


class CleField(forms.CharField):
    """Clé d'un formulaire affiché, cachée : un double clic la rejoue, et le service n'écrit qu'une fois."""

    widget = forms.HiddenInput

    def __init__(self, **kwargs):
        super().__init__(**{"max_length": 40, "required": False, "initial": _cle, **kwargs})
