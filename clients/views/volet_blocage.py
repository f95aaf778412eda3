"""Volet « Bloquer les commandes » : bloquer, suspendre les livraisons ou retenir ; le commerce le lit (exigence 38)."""

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clients.forms import BlocageForm
from factures.services import blocages

from .volets import Issue, Volet, valeur


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
        phrases = [
            _("Le client paraît dans la liste des blocages que le commerce exporte."),
            _("Les relances ne changent pas. Un responsable peut lever le blocage."),
        ]
        droit = {
            BlocageForm.LIVRAISON: _(
                "Refuser de livrer suppose un manquement assez grave, et ne se fait pas pour un solde contesté "
                "(C. civ., art. 1219). Avant même l'échéance, il faut prévenir le client au plus vite (art. 1220)."
            ),
            BlocageForm.RETENTION: _(
                "Ne se retient que ce que nous détenons encore, et que ce contrat nous fait livrer ou rendre ; s'en "
                "dessaisir fait perdre le droit (C. civ., art. 2286)."
            ),
        }.get(valeur(form, "mesure"))
        return [droit, *phrases] if droit else phrases

    def enregistrer(self, form):
        mesure = form.cleaned_data["mesure"] or BlocageForm.COMMANDES
        motif = form.cleaned_data["motif"]
        if mesure != BlocageForm.COMMANDES:
            motif = f"{dict(BlocageForm.MESURES)[mesure]} : {motif}"
        blocages.bloquer(self.client, motif=motif, au=self.au, acteur=self.fiche.user)
        return Issue(
            {
                BlocageForm.COMMANDES: _("Commandes bloquées."),
                BlocageForm.LIVRAISON: _("Livraisons suspendues."),
                BlocageForm.RETENTION: _("Rétention notée."),
            }[mesure]
        )
