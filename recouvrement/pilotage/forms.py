"""Saisies de Ma journée."""

from django import forms
from django.utils.translation import gettext_lazy as _

from recouvrement.commun.forms import JourField
from recouvrement.comptes.models import Utilisateur


class ReportForm(forms.Form):
    """Reporter : un jour à venir et une raison, que la ligne montrera."""

    au = JourField(label=_("Reporter au"))
    motif = forms.CharField(label=_("Pourquoi cela peut attendre"), max_length=200)


class ConfierForm(forms.Form):
    """Passer la main : à qui, et pourquoi."""

    a = forms.ModelChoiceField(Utilisateur.objects.none(), label=_("Confier à"), empty_label=_("Choisir"))
    motif = forms.CharField(label=_("Ce qu'il faut savoir"), max_length=200)

    def __init__(self, *args, collegues, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["a"].queryset = collegues


class RetourForm(forms.Form):
    """D'où vient le geste : la fiche du client, la suite des clients, ou Ma journée."""

    retour = forms.ChoiceField(choices=[("journee", ""), ("fiche", ""), ("suite", "")], required=False)
