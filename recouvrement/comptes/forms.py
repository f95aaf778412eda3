"""Saisies des préférences d'une personne."""

from django import forms

from .models import Langue, Utilisateur


class ThemeForm(forms.ModelForm):
    class Meta:
        model = Utilisateur
        fields = ["theme"]


class LangueForm(forms.Form):
    langue = forms.ChoiceField(choices=Langue.choices)


class SocieteCouranteForm(forms.Form):
    """Choix du rail ; vide = toutes les sociétés de la personne."""

    societe = forms.ChoiceField(required=False)

    def __init__(self, *args, societes, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["societe"].choices = [("", ""), *((s.code, s.code) for s in societes)]
