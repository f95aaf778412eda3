"""Volet « Une étape, une seule fois » : un palier choisi pour une pièce, hors de son tour."""

from django.core.exceptions import ValidationError
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from recouvrement.commun.vues import entier
from recouvrement.comptes.droits import Droit, verifier_droit
from relances.domaine.natures import Nature
from relances.models import Courrier
from relances.services.etapes_uniques import paliers_possibles, relancer_une_fois
from relances.services.etats import Refus

from .formulaires_gestes import EtapeForm
from .volets import Issue, Volet, valeur


class Etape(Volet):
    nom, titre, signe = "etape", gettext_lazy("Une étape, une seule fois"), "send"
    bouton = gettext_lazy("Préparer cette étape")
    avec_effets = True

    @property
    def gabarit(self) -> str:
        return "clients/volets/exclure.html"  # les champs du formulaire, l'un sous l'autre

    @cached_property
    def paliers(self):
        return paliers_possibles(self.client)

    def formulaire(self, data=None):
        echues = [e for e in self.fiche.echues if not e.en_contentieux]
        piece = entier(self.params.get("piece"))
        return EtapeForm(data, pieces=echues, paliers=self.paliers, initial={"echeance": piece} if piece else {})

    def effets(self, form):
        nature = valeur(form, "palier")
        if not nature:
            return []
        return [
            _("Le courrier se prépare pour cette seule pièce ; rien ne part avant que vous l'ayez relu et validé."),
            _("Les mêmes freins et contrôles s'appliquent ; le niveau atteint ne redescend pas."),
        ]

    def enregistrer(self, form):
        verifier_droit(self.fiche.user, Droit.ENVOYER, self.client.societe_id)
        d = form.cleaned_data
        try:
            courrier = relancer_une_fois(
                self.client, d["echeance"], Nature(d["palier"]), par=self.fiche.user, au=self.au
            )
        except Refus as raison:
            raise ValidationError(str(raison)) from raison
        if courrier.statut == Courrier.Statut.TACHE:
            return Issue(_("Tâche créée dans Ma journée."))
        return Issue(
            _("Courrier préparé : relisez-le, puis validez."), vers=reverse("relances:courrier", args=[courrier.pk])
        )
