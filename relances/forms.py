"""Formulaires des relances."""

from django import forms
from django.utils.translation import gettext_lazy as _

from recouvrement.commun.forms import ChoixField, JourField
from recouvrement.commun.vues import entier
from relances.models import Courrier


class EncorePossibles(ChoixField):
    """Une sélection où ce qui a changé d'état entre-temps se laisse de côté, sans refuser le reste."""

    def _check_values(self, value):
        pks = [pk for v in value if (pk := entier(str(v))) is not None]
        return self.queryset.filter(pk__in=pks)


class ChoixForm(forms.Form):
    """Une sélection de courriers ; la vue restreint le queryset à ce que la personne voit et à l'état attendu."""

    choix = EncorePossibles(queryset=Courrier.objects.none(), label=_("Courriers"))

    def __init__(self, *args, courriers, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["choix"].queryset = courriers

    def clean_choix(self):
        if not self.cleaned_data["choix"]:
            raise forms.ValidationError(_("Aucun de ces courriers n'est encore dans cet état."))
        return self.cleaned_data["choix"]


class TexteForm(forms.Form):
    objet = forms.CharField(label=_("Objet"), max_length=250)
    texte = forms.CharField(label=_("Texte"), max_length=20_000, widget=forms.Textarea(attrs={"rows": 18}))

    def clean_objet(self):
        return " ".join(self.cleaned_data["objet"].split())  # jamais de saut de ligne dans un en-tête


class RetenirForm(forms.Form):
    """Le client se tait jusqu'à une date : sans elle, la nuit suivante referait le même courrier."""

    motif = forms.CharField(
        label=_("Pourquoi"), max_length=200, help_text=_("Il se lit à côté de chaque pièce retenue, et au journal.")
    )
    jusqu_au = JourField(label=_("Jusqu'au"), help_text=_("Compris. Les relances reprennent seules le lendemain."))


class DerogationForm(forms.Form):
    """Mise en demeure sans attendre la formalisation : le motif est obligatoire et reste au journal."""

    motif = forms.CharField(label=_("Pourquoi mettre en demeure sans attendre ?"), max_length=200)


class TrancherForm(forms.Form):
    parti = forms.ChoiceField(
        label=_("Après vérification"),
        choices=[("oui", _("Il est parti")), ("non", _("Il n'est pas parti : le renvoyer"))],
        widget=forms.RadioSelect,
    )
