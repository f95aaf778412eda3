"""Réglages du rapprochement d'une société : ce qui peut se faire seul, les tolérances, les règles de libellé."""

from django.http import Http404
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from factures.forms_rapprochement import ReglageForm, RegleForm
from factures.models import RegleRapprochement
from factures.services.rapprochement import reglage, suggerer
from recouvrement.commun.vues import fait, rediriger, texte
from recouvrement.comptes.courante import societe_courante
from recouvrement.comptes.droits import Droit, exige, societes_pour, verifier_droit
from recouvrement.journal.services import consigner


def _societe(request):
    administrees = societes_pour(request.user, Droit.ADMINISTRER).order_by("raison_sociale")
    demandee = request.POST.get("societe", "").replace("\0", "") or texte(request, "societe")
    courante = societe_courante(request)
    societe = administrees.filter(code=demandee).first() if demandee else None
    societe = societe or (administrees.filter(pk=courante.pk).first() if courante else None) or administrees.first()
    if societe is None:
        raise Http404
    return societe, administrees


@require_http_methods(["GET", "HEAD", "POST"])
@exige(Droit.ADMINISTRER)
def reglages(request):
    societe, administrees = _societe(request)
    actuel = reglage(societe)
    nouvelle = request.method == "POST" and "nom" in request.POST
    form = ReglageForm(None if nouvelle else request.POST or None, instance=actuel)
    regle = RegleForm(request.POST if nouvelle else None, societe=societe)
    if request.method == "POST":
        verifier_droit(request.user, Droit.ADMINISTRER, societe)
        if (regle if nouvelle else form).is_valid():
            objet = (regle if nouvelle else form).save()
            action = "rapprochement.regle_ajoutee" if nouvelle else "rapprochement.regle"
            donnees = {k: str(v) for k, v in (regle if nouvelle else form).cleaned_data.items()}
            consigner(action, societe=societe, acteur=request.user, objet=objet, texte=str(objet), donnees=donnees)
            suggerer(societe)
            fait(request, _("Règle enregistrée.") if nouvelle else _("Réglages enregistrés."))
            return rediriger(request, f"{reverse('factures:rapprochement_reglages')}?societe={societe.code}")
    contexte = {
        "societe": societe,
        "administrees": [] if len(administrees) < 2 else administrees,
        "form": form,
        "regle": regle,
        "regles": RegleRapprochement.objects.filter(societe=societe).select_related("client"),
        "url_suggestions": reverse("factures:encaissement_clients"),
        "fil": [(_("Rapprochement"), reverse("factures:rapprochement")), (_("Réglages"), "")],
    }
    statut = 422 if form.errors or regle.errors else 200
    return render(request, "factures/rapprochement_reglages.html", contexte, status=statut)


@require_POST
@exige(Droit.ADMINISTRER)
def retirer_regle(request, pk: int):
    regle = get_object_or_404(
        RegleRapprochement.objects.filter(societe__in=societes_pour(request.user, Droit.ADMINISTRER)), pk=pk
    )
    verifier_droit(request.user, Droit.ADMINISTRER, regle.societe_id)
    consigner(
        "rapprochement.regle_retiree", societe=regle.societe, acteur=request.user, objet=regle, texte=regle.nom,
        donnees={"contient": regle.contient, "action": regle.action},
    )  # fmt: skip
    code = regle.societe.code
    regle.delete()
    fait(request, _("Règle retirée : les prochains relevés ne la suivent plus."))
    return rediriger(request, f"{reverse('factures:rapprochement_reglages')}?societe={code}")
