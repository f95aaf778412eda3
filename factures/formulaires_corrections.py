"""Corrections d'un FEC à l'aperçu : un formulaire par compte montré, un par ligne à ventiler."""

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from factures.domaine.echeances import ConditionsIllisibles, lire_conditions


class PiecesForm(forms.Form):
    pieces = forms.ChoiceField(
        label=gettext_lazy("La référence de pièce (PieceRef)"),
        choices=[
            ("auto", gettext_lazy("est un numéro de facture quand tout le confirme")),
            ("numero", gettext_lazy("est toujours un numéro de facture")),
            ("regroupement", gettext_lazy("n’est jamais un numéro : elle regroupe des pièces")),
        ],
    )


class ClientForm(forms.Form):
    """Les corrections d'un compte ; `origine` : le code qu'il a dans le fichier."""

    code = forms.CharField(max_length=40, widget=forms.HiddenInput)
    conditions = forms.CharField(label=gettext_lazy("Conditions"), max_length=20, required=False)
    fiches = forms.CharField(label=gettext_lazy("Rattacher à la fiche"), max_length=40, required=False)
    pas_un_client = forms.BooleanField(label=gettext_lazy("N’est pas un client"), required=False)

    origine = attendu = ""
    codes: frozenset[str] = frozenset()

    @classmethod
    def pour(cls, ligne: dict, rang: int, corrections: dict, poste, codes: frozenset[str]) -> "ClientForm":
        code = ligne["code"]
        fiches = corrections.get("fiches") or {}
        origine = next((cle for cle, fiche in fiches.items() if fiche == code), code)
        initial = {
            "code": code,
            "conditions": (corrections.get("conditions") or {}).get(code, ""),
            "fiches": fiches.get(origine, ""),
            "pas_un_client": code in (corrections.get("non_clients") or []),
        }
        form = cls(poste, prefix=f"c{rang}", initial=initial, auto_id=f"c{rang}_%s")
        form.origine, form.attendu, form.codes = origine, code, codes
        for nom in ("conditions", "fiches", "pas_un_client"):
            attributs = form.fields[nom].widget.attrs
            attributs["aria-label"] = f"{form.fields[nom].label} – {ligne['nom']}"
            attributs["class"] = "form-check-input" if nom == "pas_un_client" else "form-control"
            if nom != "pas_un_client":
                attributs["size"] = 10
        form.fields["conditions"].widget.attrs["placeholder"] = "30J"
        return form

    def clean_code(self):
        if self.cleaned_data["code"] != self.attendu:
            raise ValidationError(_("L’aperçu a changé depuis : rechargez la page."))
        return self.attendu

    def clean_conditions(self):
        conditions = self.cleaned_data["conditions"].strip()
        if conditions:
            try:
                return lire_conditions(conditions).code
            except ConditionsIllisibles as erreur:
                raise ValidationError(_("Conditions illisibles : « 30J », « 45J FDM », « 30J LE 10 »…")) from erreur
        return ""

    def clean_fiches(self):
        fiche = self.cleaned_data["fiches"].strip()
        if fiche and fiche not in self.codes and fiche != self.attendu:
            raise ValidationError(_("Aucune fiche ne porte le code « %(code)s ».") % {"code": fiche})
        return fiche


class VentilationForm(forms.Form):
    client = forms.CharField(label=gettext_lazy("Client"), max_length=40, required=False)
    cle = ""

    @classmethod
    def pour(cls, ligne: dict, rang: int, corrections: dict, poste) -> "VentilationForm":
        initial = {"client": (corrections.get("ventiler") or {}).get(ligne["cle"], "")}
        form = cls(poste, prefix=f"v{rang}", initial=initial, auto_id=f"v{rang}_%s")
        form.cle = ligne["cle"]
        attributs = form.fields["client"].widget.attrs
        attributs |= {"aria-label": f"{_('Client')} – {ligne['numero']}", "class": "form-control", "size": 12}
        return form
