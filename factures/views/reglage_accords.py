"""Bornes des accords d'une société : ce qu'un gestionnaire, ou le client seul, peut convenir sans responsable."""

from django import forms
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from factures.models import ReglageAccords
from factures.services.accords import reglage
from recouvrement.commun.vues import fait, rediriger
from recouvrement.comptes.droits import Droit, exige, verifier_droit
from recouvrement.journal.services import consigner

from .rapprochement_reglages import _societe


class ReglageForm(forms.ModelForm):
    class Meta:
        model = ReglageAccords
        fields = (
            "mensualites_max", "mensualite_min", "premiere_sous_jours", "duree_max_jours", "montant_max", "remise_max",
            "penalites", "clause_decheance",
        )  # fmt: skip

    def clean_remise_max(self):
        taux = self.cleaned_data["remise_max"]
        if not 0 <= taux < 100:
            raise forms.ValidationError(_("Un taux de 0 à moins de 100 %."))
        return taux

    def clean_mensualite_min(self):
        montant = self.cleaned_data["mensualite_min"]
        if montant <= 0:
            raise forms.ValidationError(_("Une mensualité est un montant positif."))
        return montant


@require_http_methods(["GET", "HEAD", "POST"])
@exige(Droit.ADMINISTRER)
def reglages(request):
    """Les bornes de la société ; celles de la maison tant qu'aucune n'est enregistrée."""
    societe, administrees = _societe(request)
    form = ReglageForm(request.POST or None, instance=reglage(societe))
    if request.method == "POST":
        verifier_droit(request.user, Droit.ADMINISTRER, societe)
        if form.is_valid():
            garde = form.save()
            donnees = {nom: str(valeur) for nom, valeur in form.cleaned_data.items()}
            consigner(
                "accords.regles", societe=societe, acteur=request.user, objet=garde, texte=str(garde), donnees=donnees
            )
            fait(request, _("Bornes enregistrées : elles valent pour les accords à venir."))
            return rediriger(request, f"{reverse('factures:reglage_accords')}?societe={societe.code}")
    contexte = {
        "societe": societe,
        "administrees": [] if len(administrees) < 2 else administrees,
        "form": form,
        "fil": [(_("Accords"), reverse("clients:accords")), (_("Bornes"), "")],
    }
    return render(request, "factures/reglage_accords.html", contexte, status=422 if form.errors else 200)
