"""Dépôt d'un fichier et choix d'application."""

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy


class SocieteChoix(forms.ModelChoiceField):
    def label_from_instance(self, societe):
        return societe.raison_sociale


class DepotForm(forms.Form):
    """societes : celles où la personne importe ; une seule ne se demande pas."""

    societe = SocieteChoix(queryset=None, label=gettext_lazy("Société"), empty_label=None)
    fichier = forms.FileField(
        label=gettext_lazy("Fichier"),
        max_length=250,
        widget=forms.ClearableFileInput(attrs={"accept": ".csv,.txt,.tsv,text/csv,text/plain"}),
    )

    def __init__(self, *args, societes, courante=None, **kwargs):
        super().__init__(*args, **kwargs)
        champ = self.fields["societe"]
        champ.queryset = societes.order_by("raison_sociale")
        choix = list(champ.queryset[:2])
        if len(choix) == 1:
            champ.widget = forms.HiddenInput()
            champ.initial = choix[0]
        elif courante:
            champ.initial = courante

    def clean_fichier(self):
        fichier = self.cleaned_data["fichier"]
        if fichier.size > settings.TAILLE_MAX_IMPORT:
            raise ValidationError(
                _("Le fichier dépasse %(max)d Mo : découpez l’export.")
                % {"max": settings.TAILLE_MAX_IMPORT // 1024 // 1024}
            )
        return fichier


class ApplicationForm(forms.Form):
    partiel = forms.BooleanField(required=False)
