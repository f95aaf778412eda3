"""Saisies de Ma journée."""

from django import forms
from django.utils.translation import gettext_lazy as _

from recouvrement.commun.forms import JourField


class ReportForm(forms.Form):
    """Reporter : un jour à venir et une raison, que la ligne montrera."""

    au = JourField(label=_("Reporter au"))
    motif = forms.CharField(label=_("Pourquoi cela peut attendre"), max_length=200)


class RetourForm(forms.Form):
    """D'où vient le geste : la fiche du client ou Ma journée."""

    retour = forms.ChoiceField(choices=[("journee", ""), ("fiche", "")], required=False)
