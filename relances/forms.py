"""Formulaires des relances."""

from django import forms
from django.utils.translation import gettext_lazy as _

from recouvrement.commun.forms import JourField, MontantField
from relances.domaine.natures import Canal, ModePalier, Nature
from relances.models import Courrier, NatureChoix, Palier, VersionEchelle
from relances.models.echelles import CanalChoix


class EncorePossibles(forms.ModelMultipleChoiceField):
    """Une sélection où ce qui a changé d'état entre-temps se laisse de côté, sans refuser le reste."""

    def _check_values(self, value):
        pks = [int(v) for v in value if str(v).isdecimal() and len(str(v)) < 19]
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


CANAUX_PERMIS = {
    Nature.APPEL: (Canal.APPEL, Canal.TACHE),
    Nature.MISE_EN_DEMEURE: (Canal.RECOMMANDE, Canal.TACHE),
    Nature.CONTENTIEUX: (Canal.TACHE,),
}
ECRITS = (Canal.COURRIEL, Canal.LETTRE, Canal.RECOMMANDE, Canal.TACHE)  # rappels et formalisation
MODES_PERMIS = {
    Nature.APPEL: (ModePalier.TACHE,),
    Nature.MISE_EN_DEMEURE: (ModePalier.A_VALIDER, ModePalier.TACHE),
    Nature.CONTENTIEUX: (ModePalier.TACHE,),
}
MODES = {
    ModePalier.AUTOMATIQUE: _("Automatique"),
    ModePalier.A_VALIDER: _("À valider"),
    ModePalier.TACHE: _("Tâche pour une personne"),
}


class PalierForm(forms.ModelForm):
    """Un palier d'un brouillon ; canaux et modes permis dépendent de sa nature."""

    canal = forms.ChoiceField(label=_("Canal"))
    repli = forms.ChoiceField(label=_("Repli"), required=False)

    class Meta:
        model = Palier
        fields = ["reference", "delai", "delai_reponse", "mode"]
        labels = {
            "reference": _("Compter à partir de"),
            "delai": _("Délai, en jours"),
            "delai_reponse": _("Délai donné au client, en jours"),
            "mode": _("Qui déclenche l'envoi ?"),
        }
        widgets = {"mode": forms.RadioSelect}

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        nature = self.instance.nature
        permis = CANAUX_PERMIS.get(nature, ECRITS)
        choix = [(c.value, CanalChoix(c).label) for c in permis]
        choisis = [*self.instance.canaux, "", ""]
        self.fields["canal"].choices = choix
        self.fields["repli"].choices = [("", _("aucun")), *choix]
        self.initial |= {"canal": choisis[0], "repli": choisis[1]}
        modes = MODES_PERMIS.get(nature, tuple(ModePalier))
        self.fields["mode"].choices = [(m.value, MODES[m]) for m in modes]
        if len(permis) == 1:
            del self.fields["repli"]

    def clean(self):
        donnees = super().clean()
        if (donnees.get("delai") or 0) < 0 and self.instance.nature != Nature.AVANT_ECHEANCE:
            self.add_error("delai", _("Seul un rappel avant échéance a un délai négatif."))
        if donnees.get("canal") and donnees.get("repli") == donnees.get("canal"):
            self.add_error("repli", _("Le repli est déjà le canal."))
        return donnees

    def save(self, commit=True):
        d = self.cleaned_data
        self.instance.canaux = [c for c in (d["canal"], d.get("repli", "")) if c]
        return super().save(commit)


class VersionForm(forms.ModelForm):
    """Ce qui vaut pour tout le plan (exigences 9 et 16)."""

    seuil_piece = MontantField(label=_("Seuil par pièce"), help_text=_("Au-dessous, la pièce est retenue."))
    seuil_envoi = MontantField(label=_("Seuil par envoi"), help_text=_("Au-dessous, l'envoi est retenu."))
    plafond_envoi = MontantField(
        label=_("Plafond par envoi"), required=False, help_text=_("Au-dessus, un responsable valide.")
    )

    class Meta:
        model = VersionEchelle
        fields = ["regroupement", "seuil_piece", "seuil_envoi", "plafond_envoi"]


class NaturePalierForm(forms.Form):
    nature = forms.TypedChoiceField(coerce=int, choices=[(v, nom) for v, nom in NatureChoix.choices if v])
