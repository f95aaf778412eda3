"""Formulaires de la poste : dépôts, numéros, retours, lots."""

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from recouvrement.commun import fichiers
from recouvrement.commun.forms import JourField
from relances.domaine.natures import Canal
from relances.models import Courrier


class ScanField(forms.FileField):
    """Un PDF, un PNG ou un JPEG, reconnu à son contenu, jamais à son nom ; rend (octets, suffixe), ou None."""

    def __init__(self, **kwargs):
        widget = forms.FileInput(attrs={"accept": "application/pdf,image/png,image/jpeg"})
        super().__init__(**{"required": False, "widget": widget, **kwargs})

    def clean(self, data, initial=None):
        fichier = super().clean(data, initial)
        if not fichier:
            return None
        if fichier.size > fichiers.TAILLE_MAX:
            maximum = {"max": fichiers.TAILLE_MAX // 1024 // 1024}
            raise ValidationError(_("Fichier de plus de %(max)d Mo : réduisez le scan.") % maximum)
        octets = fichier.read()
        return octets, fichiers.identifier(octets).suffixe


class SuiviForm(forms.Form):
    """Un numéro qui n'est ni de La Poste ni S10 s'admet par exception, avec son motif."""

    hors_forme = forms.BooleanField(label=_("Numéro d'un autre opérateur"), required=False)
    pourquoi = forms.CharField(label=_("Pourquoi l'admettre"), max_length=200, required=False)

    def clean(self):
        donnees = super().clean()
        if donnees.get("hors_forme") and not donnees.get("pourquoi", "").strip():
            self.add_error("pourquoi", _("Dites pourquoi ce numéro n'a pas la forme de La Poste."))
        return donnees

    @property
    def derogation(self) -> str:
        return self.cleaned_data["pourquoi"] if self.cleaned_data.get("hors_forme") else ""


class PosterForm(SuiviForm):
    depose_le = JourField(label=_("Déposé le"))
    numero_suivi = forms.CharField(label=_("Numéro de suivi"), max_length=60, required=False)
    preuve = ScanField(label=_("Preuve de dépôt (PDF, PNG ou JPEG)"))
    field_order = ["depose_le", "numero_suivi", "preuve"]

    def __init__(self, *args, recommande: bool = True, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["numero_suivi"].required = recommande
        if not recommande:
            for nom in ("numero_suivi", "hors_forme", "pourquoi"):
                del self.fields[nom]


class DepotsForm(forms.Form):
    """Dépôt de plusieurs plis d'un coup : une date, un numéro de suivi par recommandé (exigence 26)."""

    depose_le = JourField(label=_("Déposés le"))

    def __init__(self, *args, courriers, **kwargs):
        super().__init__(*args, **kwargs)
        self.refus: dict[int, str] = {}  # courrier → pourquoi son dépôt est refusé
        for c in courriers:
            if c.canal == Canal.RECOMMANDE:
                nom = _("Numéro de suivi, %(client)s") % {"client": c.client}
                self.fields[f"numero_{c.pk}"] = forms.CharField(
                    label=nom, max_length=60, required=False, initial=c.numero_suivi
                )

    def numero(self, pk: int):
        """Le champ du courrier, ou None : une lettre simple n'a pas de numéro."""
        nom = f"numero_{pk}"
        return self[nom] if nom in self.fields else None

    def saisi(self, pk: int) -> str:
        return self.cleaned_data.get(f"numero_{pk}", "")


VOIE_ELECTRONIQUE = {
    "distribue": _("Accepté"),
    "non_reclame": _("Non réclamé"),
    "refuse": _("Refusé"),
}


class RetourForm(forms.Form):
    """electronique : les trois issues d'un recommandé électronique, au lieu des quatre du papier."""

    retour = forms.ChoiceField(label=_("Retour de l'avis"), choices=Courrier.Retour.choices, widget=forms.RadioSelect)
    presente_le = JourField(label=_("Présenté le"), required=False, help_text=_("Première présentation, ou avis."))
    retour_le = JourField(label=_("Retour le"), help_text=_("Jour de la remise, du refus, ou du retour du pli."))
    scan = ScanField(label=_("Scan de l'avis (PDF, PNG ou JPEG)"))

    def __init__(self, *args, electronique: bool = False, **kwargs):
        super().__init__(*args, **kwargs)
        if electronique:
            self.fields["retour"].choices = list(VOIE_ELECTRONIQUE.items())


class CorrectionForm(RetourForm):
    """Un retour mal saisi ; l'ancien reste au journal."""

    motif = forms.CharField(label=_("Pourquoi corriger"), max_length=200)


class RetourALaChaineForm(forms.Form):
    """Douchette : le numéro, puis Entrée ; l'issue et les dates restent pour le suivant."""

    retour = forms.ChoiceField(label=_("Issue"), choices=Courrier.Retour.choices, widget=forms.RadioSelect)
    retour_le = JourField(label=_("Retour le"))
    presente_le = JourField(label=_("Présenté le"), required=False)
    numero = forms.CharField(label=_("Numéro de suivi"), max_length=60)


class PresentationForm(forms.Form):
    """À côté du retour sur la même page : ses identifiants s'en distinguent."""

    presente_le = JourField(label=_("Présenté le"))

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **{"auto_id": "presentation_%s", **kwargs})


class PreuveForm(forms.Form):
    preuve = ScanField(label=_("Preuve de dépôt (PDF, PNG ou JPEG)"), required=True)


class NumeroForm(SuiviForm):
    """Un numéro scanné : la douchette le tape et valide par Entrée."""

    numero = forms.CharField(label=_("Scanner un numéro de suivi"), max_length=60)


class NumerosForm(SuiviForm):
    """À côté du scan sur la même page : ses identifiants s'en distinguent."""

    numeros = forms.CharField(
        label=_("Numéros, un par ligne"),
        max_length=40_000,
        widget=forms.Textarea(attrs={"rows": 6, "spellcheck": "false", "autocomplete": "off"}),
        help_text=_("Des numéros seuls, dans l'ordre du lot, ou « référence ; numéro »."),
    )
    field_order = ["numeros"]

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **{"auto_id": "collage_%s", **kwargs})


class CorrigerSuiviForm(SuiviForm):
    """Un numéro figé au dépôt et faux ; l'ancien reste au journal."""

    numero = forms.CharField(label=_("Numéro de suivi"), max_length=60)
    motif = forms.CharField(label=_("Pourquoi corriger"), max_length=200)
    field_order = ["numero", "motif"]

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **{"auto_id": "suivi_%s", **kwargs})


class AvisForm(forms.Form):
    """L'avis rentré sans son scan ; à côté du retour, ses identifiants s'en distinguent."""

    scan = ScanField(label=_("Scan de l'avis (PDF, PNG ou JPEG)"), required=True)

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **{"auto_id": "avis_%s", **kwargs})


class DeposerLotForm(forms.Form):
    depose_le = JourField(label=_("Déposé le"))
    preuve = ScanField(label=_("Preuve de dépôt (PDF, PNG ou JPEG)"))


class SortirForm(forms.Form):
    motif = forms.CharField(label=_("Pourquoi"), max_length=200)
