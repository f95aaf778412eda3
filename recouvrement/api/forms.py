"""Saisie d'un jeton d'accès."""

from datetime import timedelta

from django import forms
from django.utils.translation import gettext_lazy as _

from recouvrement.commun.forms import JourField
from recouvrement.comptes.models import Societe, Utilisateur

from .jetons import DUREE_MAX
from .portees import PORTEES

DUREE_PROPOSEE = timedelta(days=180)


class JetonForm(forms.Form):
    """societes : celles que la personne administre ; equipe : qui y a un rôle et un accès ouvert."""

    nom = forms.CharField(
        label=_("Nom"), max_length=80, help_text=_("Le programme qui s’en servira : « Logiciel de facturation ».")
    )
    societe = forms.ModelChoiceField(Societe.objects.none(), label=_("Société"), empty_label=None)
    utilisateur = forms.ModelChoiceField(
        Utilisateur.objects.none(),
        label=_("Au nom de"),
        empty_label=_("Choisir"),
        help_text=_("Le jeton voit ce que voit cette personne, et signe de son nom ce qu’il écrit."),
    )
    expire_le = JourField(label=_("Expire le"), avance=DUREE_MAX, help_text=_("Dans un an au plus tard."))
    portees = forms.MultipleChoiceField(
        label=_("Ce que le jeton permet"),
        choices=[(portee.value, phrase) for portee, (_droit, phrase) in PORTEES.items()],
        widget=forms.CheckboxSelectMultiple,
    )

    def __init__(self, *args, societes, equipe, au, **kwargs):
        super().__init__(*args, initial={"expire_le": au + DUREE_PROPOSEE}, **kwargs)
        self.fields["societe"].queryset = societes.order_by("raison_sociale")
        self.fields["utilisateur"].queryset = equipe.order_by("nom")
        if not self.is_bound and (premiere := self.fields["societe"].queryset.first()):
            self.initial["societe"] = premiere.pk
