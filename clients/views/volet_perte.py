"""Volet « Proposer une perte » : un gestionnaire propose, un responsable décide."""

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from factures.services import pertes
from recouvrement.commun import formats
from recouvrement.commun.vues import entier

from .formulaires_gestes import PerteForm
from .volets import Issue, Volet, valeur


class Perte(Volet):
    nom, titre, signe = "perte", gettext_lazy("Proposer une perte"), "trash"
    bouton = gettext_lazy("Proposer la perte")
    avec_effets = True

    @property
    def gabarit(self) -> str:
        return "clients/volets/exclure.html"  # les champs du formulaire, l'un sous l'autre

    def formulaire(self, data=None):
        piece = next((e for e in self.fiche.pieces if e.pk == entier(self.params.get("piece"))), None)
        depart = {"echeance": piece.pk, "montant": piece.reste_du} if piece else {}
        return PerteForm(data, pieces=self.fiche.pieces, initial=depart)

    def effets(self, form):
        choisie, montant = valeur(form, "echeance"), valeur(form, "montant")
        pk = getattr(choisie, "pk", choisie)
        piece = next((e for e in self.fiche.pieces if e.pk == pk), None)
        if not piece or not montant or montant > piece.reste_du:
            return []
        return [
            _("Un responsable décide : d'ici là, %(piece)s suit l'échelle comme avant.")
            % {"piece": piece.facture.numero},
            _("Acceptée, %(montant)s sortent du compte et des relances, et l'écriture passe en comptabilité.")
            % {"montant": formats.somme(montant, piece.devise)},
        ]

    def enregistrer(self, form):
        d = form.cleaned_data
        perte = pertes.proposer(
            d["echeance"], montant=d["montant"], motif=d["motif"], au=self.au, acteur=self.fiche.user
        )
        return Issue(
            _("Perte de %(montant)s proposée : un responsable décide.")
            % {"montant": formats.somme(perte.montant, d["echeance"].devise)},
            reverse("factures:perte_retirer", args=[perte.pk]),
        )
