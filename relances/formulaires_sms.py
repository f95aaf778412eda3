"""Saisie du réglage des SMS d'une société."""

import re

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _g
from django.utils.translation import gettext_lazy as _

from relances.domaine.sms_regles import PLUS_TARD, PLUS_TOT
from relances.models import ReglageSms


class ReglageSmsForm(forms.ModelForm):
    class Meta:
        model = ReglageSms
        fields = ["actif", "expediteur", "debut", "fin", "par_mois_max"]
        widgets = {
            "debut": forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
            "fin": forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
        }
        help_texts = {
            "actif": _("Éteint : un palier qui prévoit un SMS prend son second canal."),
            "expediteur": _("Onze lettres ou chiffres au plus, sans espace ; vide : celui du fournisseur."),
            "debut": _("Jours ouvrés seulement ; hors des heures, le SMS attend."),
            "fin": _("Entre 8 h et 20 h."),
        }

    def clean_expediteur(self):
        valeur = self.cleaned_data["expediteur"].strip()
        if valeur and (not re.fullmatch(r"[A-Za-z0-9]{3,11}", valeur) or valeur.isdigit()):
            raise ValidationError(_g("De trois à onze lettres sans accent ou chiffres, dont une lettre."))
        return valeur

    def clean_debut(self):
        return self._dans_les_bornes("debut")

    def clean_fin(self):
        return self._dans_les_bornes("fin")

    def _dans_les_bornes(self, nom: str):
        valeur = self.cleaned_data[nom]
        if not PLUS_TOT <= valeur <= PLUS_TARD:
            raise ValidationError(_g("Entre 8 h et 20 h."))
        return valeur

    def clean(self):
        lues = super().clean()
        if lues.get("debut") and lues.get("fin") and lues["fin"] <= lues["debut"]:
            self.add_error("fin", _g("L’heure de fin suit celle de début."))
        return lues
