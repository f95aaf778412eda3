"""Formulaires des plans : un palier, les règles, la publication, les plans d'une société."""

from django import forms
from django.utils.translation import gettext_lazy as _

from clients.models import Client, RoleContact
from recouvrement.commun.forms import ChoixField, MontantField
from relances.domaine.controle import DELAI_MAX, DELAI_MIN, REPONSE_MAX, canaux_permis, modes_permis
from relances.domaine.echange_plans import TAILLE_MAX
from relances.domaine.natures import ModePalier, Nature
from relances.models import NatureChoix, Palier, VersionEchelle
from relances.models.echelles import CanalChoix

MODES = {
    ModePalier.AUTOMATIQUE: _("Automatique"),
    ModePalier.A_VALIDER: _("À valider"),
    ModePalier.TACHE: _("Tâche pour une personne"),
}
# Palier, règles et publication ne font qu'un envoi : publier n'oublie rien de ce qui est affiché.
SAISIE = "saisie-palier"
RANGS = (_("Canal"), _("À défaut"), _("Puis à défaut"), _("Enfin"), _("En dernier"))


class PalierForm(forms.ModelForm):
    """Un palier d'un brouillon ; canaux et modes permis dépendent de sa nature et du débiteur.

    Un choix par rang de préférence : l'ordre se règle sans script. modeles : (code, nom) des modèles publiés.
    """

    class Meta:
        model = Palier
        fields = ["reference", "delai", "delai_reponse", "mode", "modele", "role_destinataire"]
        labels = {
            "reference": _("Compter à partir de"),
            "delai": _("Délai, en jours"),
            "delai_reponse": _("Délai donné au client, en jours"),
            "mode": _("Qui déclenche l'envoi ?"),
        }
        widgets = {"mode": forms.RadioSelect}

    def __init__(self, *args, modeles=(), **kwargs):
        super().__init__(*args, **kwargs)
        nature = Nature(self.instance.nature)
        permis = canaux_permis(nature, self.instance.version.echelle.type_debiteur)
        choix = [(c.value, CanalChoix(c).label) for c in permis]
        actuels = [c for c in self.instance.canaux if c in dict(choix)]
        self.canaux = [f"canal_{n}" for n in range(1, len(permis) + 1)]
        for n, nom in enumerate(self.canaux):
            self.fields[nom] = forms.ChoiceField(
                label=RANGS[min(n, len(RANGS) - 1)], required=n == 0, choices=choix if n == 0 else [("", "–"), *choix]
            )
            self.initial[nom] = actuels[n] if n < len(actuels) else ""
        self.fields["mode"].choices = [(m.value, MODES[m]) for m in modes_permis(nature)]
        self.fields["reference"].required = True
        self._modele(list(modeles))
        self.fields["role_destinataire"] = forms.ChoiceField(
            label=_("Destinataire"), required=False, choices=[("", _("destinataire habituel")), *RoleContact.choices],
            help_text=_("À défaut de contact de ce rôle, le destinataire habituel."),
        )  # fmt: skip
        if nature in (Nature.APPEL, Nature.CONTENTIEUX):  # rien ne s'écrit au client
            del self.fields["modele"]

    def _modele(self, modeles: list[tuple[str, str]]) -> None:
        choix = [("", _("standard de la société, sinon livré")), *modeles]
        actuel = self.instance.modele
        if actuel and actuel not in dict(modeles):
            choix.append((actuel, _("%(code)s (introuvable)") % {"code": actuel}))
        self.fields["modele"] = forms.ChoiceField(label=_("Modèle"), required=False, choices=choix)

    def saisies_canaux(self):
        return [self[nom] for nom in self.canaux]

    def clean_delai(self):
        delai = self.cleaned_data["delai"]
        if not DELAI_MIN <= delai <= DELAI_MAX:
            raise forms.ValidationError(
                _("De %(min)s à %(max)s jours.") % {"min": DELAI_MIN, "max": DELAI_MAX}, code="bornes"
            )
        if delai < 0 and self.instance.nature != Nature.AVANT_ECHEANCE:
            raise forms.ValidationError(_("Seul un rappel avant échéance a un délai négatif."))
        return delai

    def clean_delai_reponse(self):
        delai = self.cleaned_data["delai_reponse"]
        if not 1 <= delai <= REPONSE_MAX:
            raise forms.ValidationError(_("De 1 à %(max)s jours.") % {"max": REPONSE_MAX})
        return delai

    def clean(self):
        donnees = super().clean()
        vus = set()
        for nom in self.canaux:
            canal = donnees.get(nom)
            if canal and canal in vus:
                self.add_error(nom, _("Ce canal est déjà choisi plus haut."))
            vus.add(canal)
        return donnees

    def _post_clean(self):
        # Avant le modèle : le CheckConstraint et `has_changed` lisent les canaux saisis.
        self.instance.canaux = [c for c in (self.cleaned_data.get(nom) for nom in self.canaux) if c]
        super()._post_clean()


def _rattacher(form) -> None:
    """Des champs montrés hors de la saisie du palier, et envoyés avec elle."""
    for champ in form.fields.values():
        champ.widget.attrs["form"] = SAISIE


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

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["regroupement"].help_text = _(
            "Un client peut en avoir un autre sur sa fiche ; aucun niveau ne bouge."
        )
        _rattacher(self)


class NaturePalierForm(forms.Form):
    nature = forms.TypedChoiceField(coerce=int, choices=[(v, nom) for v, nom in NatureChoix.choices if v])


class PasForm(forms.Form):
    pas = forms.TypedChoiceField(coerce=int, choices=[(-1, "-1"), (1, "1")])


class PublierForm(forms.Form):
    """reprise et note sont des décisions ; version et etat disent quel brouillon la personne a lu."""

    reprise = forms.ChoiceField(
        label=_("Pièces déjà relancées"), widget=forms.RadioSelect,
        choices=[("nouvelles", _("Elles finissent avec la version qui les a relancées")),
                 ("toutes", _("Elles passent à celle-ci, sans perdre leur niveau"))],
    )  # fmt: skip
    note = forms.CharField(
        label=_("Ce qui change"), max_length=250, help_text=_("Une phrase, gardée avec la version et au journal.")
    )
    version = forms.IntegerField(widget=forms.HiddenInput)
    etat = forms.CharField(widget=forms.HiddenInput, max_length=16)

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        _rattacher(self)


class NomForm(forms.Form):
    nom = forms.CharField(label=_("Nom du plan"), max_length=80)

    def clean_nom(self):
        nom = " ".join(self.cleaned_data["nom"].split())
        if not nom.isprintable():
            raise forms.ValidationError(_("Ce nom contient des caractères invisibles."))
        return nom


class CreerPlanForm(NomForm):
    """Un plan se copie d'un plan de la société, ou d'un plan livré ; la vue donne les choix."""

    depuis = forms.ChoiceField(label=_("Copié de"))

    def __init__(self, *args, origines, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["depuis"].choices = origines


class ImporterPlanForm(forms.Form):
    fichier = forms.FileField(
        label=_("Fichier JSON d'un plan exporté"), widget=forms.FileInput(attrs={"accept": ".json,application/json"})
    )

    def clean_fichier(self):
        fichier = self.cleaned_data["fichier"]
        if fichier.size > TAILLE_MAX:
            raise forms.ValidationError(_("Fichier de plus de 64 Ko : ce n'est pas un plan exporté d'ici."))
        return fichier.read()


class ClientsForm(forms.Form):
    """Une sélection de clients parmi ceux que la vue permet."""

    choix = ChoixField(queryset=Client.objects.none(), label=_("Clients"))

    def __init__(self, *args, clients, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["choix"].queryset = clients


class PlanDuClientForm(forms.Form):
    """Le plan d'un client : celui de son type, ou l'un de ceux de son droit."""

    echelle = forms.ChoiceField(label=_("Plan de relance"), required=False, widget=forms.RadioSelect)

    def __init__(self, *args, echelles, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["echelle"].choices = [
            ("", _("celui de son type de débiteur")),
            *((str(e.pk), e.nom) for e in echelles if not e.par_defaut),
        ]
