"""Réglages d'un abonnement : où, quoi, pour quelle société."""

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from recouvrement.api.models import AbonnementWebhook

from .webhooks import adresses
from .webhooks.evenements import EVENEMENTS


class SocieteChoix(forms.ModelChoiceField):
    def label_from_instance(self, societe):
        return societe.raison_sociale


class AbonnementForm(forms.ModelForm):
    """societes : celles que la personne administre. L'adresse est jugée ici, et de nouveau à chaque envoi."""

    societe = SocieteChoix(queryset=None, label=_("Société"))
    url = forms.CharField(label=_("Adresse"), max_length=300, widget=forms.URLInput)
    evenements = forms.MultipleChoiceField(
        label=_("Événements"), choices=EVENEMENTS, widget=forms.CheckboxSelectMultiple
    )

    class Meta:
        model = AbonnementWebhook
        fields = ["societe", "nom", "url", "evenements"]

    def __init__(self, *args, societes, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["societe"].queryset = societes.order_by("raison_sociale")
        if self.instance.pk:
            self.fields["societe"].disabled = True

    def clean_url(self):
        url = self.cleaned_data["url"].strip()
        try:
            adresses.resoudre(adresses.lire(url))
        except adresses.AdresseRefusee as refus:
            raise ValidationError(str(refus)) from refus
        return url
