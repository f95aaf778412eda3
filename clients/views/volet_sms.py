"""Volet « SMS » : un numéro qui n'en veut plus, ou qui les accepte de nouveau."""

from functools import cached_property

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from relances.services import sms

from .volets import Issue, Volet


class SmsForm(forms.Form):
    """mobiles : (numéro, de qui, opposition en vigueur) de la fiche."""

    numero = forms.ChoiceField(label=gettext_lazy("Mobile"), widget=forms.RadioSelect)

    def __init__(self, *args, mobiles, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["numero"].choices = [
            (numero, _("%(numero)s, %(nom)s : n'en veut plus") % {"numero": numero, "nom": nom} if oppose
             else f"{numero}, {nom}")
            for numero, nom, oppose in mobiles
        ]  # fmt: skip


class PlusDeSms(Volet):
    nom, titre, signe = "sms", gettext_lazy("Plus de SMS"), "message"
    bouton = gettext_lazy("Enregistrer")
    avec_effets = True

    @property
    def gabarit(self) -> str:
        return "clients/volets/suspendre.html"  # les champs du formulaire, l'un sous l'autre

    @cached_property
    def mobiles(self):
        return sms.mobiles_du_client(self.client)

    def formulaire(self, data=None):
        initial = {"numero": self.mobiles[0][0]} if len(self.mobiles) == 1 else {}
        return SmsForm(data, initial=initial, mobiles=self.mobiles)

    def effets(self, form):
        if not self.mobiles:
            return [_("Aucun mobile français sur la fiche : aucun SMS ne part.")]
        opposes = {numero for numero, _nom, oppose in self.mobiles if oppose}
        choisi = form.data.get("numero") if form.is_bound else form.initial.get("numero")
        if choisi in opposes:
            return [_("Ce numéro recevra de nouveau les SMS que le plan prévoit.")]
        return [
            _("Plus aucun SMS de cette société à ce numéro : le plan prend le canal suivant."),
            _("Les autres relances ne changent pas."),
        ]

    def enregistrer(self, form):
        numero, societe = form.cleaned_data["numero"], self.client.societe
        qui = {"acteur": self.fiche.user, "client": self.client}
        if sms.lever_opposition(societe, numero, **qui):
            return Issue(_("Les SMS au %(numero)s sont de nouveau permis.") % {"numero": numero})
        sms.s_opposer(societe, numero, source="personne", **qui)
        return Issue(_("Plus de SMS au %(numero)s.") % {"numero": numero})
