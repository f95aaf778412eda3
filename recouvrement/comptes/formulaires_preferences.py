"""Saisies des préférences : absence, récapitulatif du matin, seuils d'alerte d'un responsable."""

from django import forms
from django.utils.translation import gettext_lazy as _

from recouvrement.commun.forms import JourField, MontantField

from .models import Affectation, Utilisateur


class AbsenceForm(forms.Form):
    """Du jour au jour, compris ; le service dit ce qui s'y oppose."""

    du = JourField(label=_("Du"))
    au = JourField(label=_("Jusqu'au"), help_text=_("Compris : le portefeuille revient le lendemain."))
    remplacant = forms.ModelChoiceField(
        Utilisateur.objects.none(), label=_("Remplacé par"), empty_label=_("Choisir"),
        help_text=_("Il verra ces clients dans sa journée ; ce qu'il fait est à son nom."),
    )  # fmt: skip
    motif = forms.CharField(label=_("Motif"), max_length=120, required=False)

    def __init__(self, *args, remplacants, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["remplacant"].queryset = remplacants


class RecapForm(forms.ModelForm):
    class Meta:
        model = Utilisateur
        fields = ["recap_quotidien"]


class AlerteForm(forms.ModelForm):
    """Ce qui, franchi par un client de cette société, se dit dans le récapitulatif ; vide : rien."""

    alerte_echu = MontantField(
        label=_("Prévenir quand l'échu d'un client dépasse"), required=False, help_text=_("Dans chaque devise.")
    )

    class Meta:
        model = Affectation
        fields = ["alerte_echu", "alerte_retard_jours", "alerte_plafond"]
