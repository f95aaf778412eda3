"""Volet « Bloquer les commandes » : une personne décide, le commerce le lit."""

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clients.forms import BlocageForm
from factures.services import blocages

from .volets import Issue, Volet


class Bloquer(Volet):
    nom, titre, signe = "bloquer", gettext_lazy("Bloquer les commandes"), "hand-stop"
    bouton = gettext_lazy("Bloquer les commandes")
    avec_effets = True

    @property
    def gabarit(self) -> str:
        return "clients/volets/suspendre.html"  # les champs du formulaire, l'un sous l'autre

    def formulaire(self, data=None):
        return BlocageForm(data)

    def effets(self, form):
        return [
            _("Le client paraît dans la liste des blocages que le commerce exporte."),
            _("Les relances ne changent pas. Un responsable peut lever le blocage."),
        ]

    def enregistrer(self, form):
        blocages.bloquer(self.client, motif=form.cleaned_data["motif"], au=self.au, acteur=self.fiche.user)
        return Issue(_("Commandes bloquées."))
