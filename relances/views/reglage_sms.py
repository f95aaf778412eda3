"""Administration : les SMS de chaque société, éteints tant qu'on ne les allume pas."""

from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from recouvrement.commun.sms import fournisseur
from recouvrement.commun.vues import fait, rediriger, rendre
from recouvrement.comptes.droits import Droit, exige, societes_pour, verifier_droit
from recouvrement.comptes.onglets import onglets_administration
from relances.formulaires_sms import ReglageSmsForm
from relances.models import ReglageSms
from relances.services.sms import enregistrer_reglage


@require_safe
@exige(Droit.ADMINISTRER)
def liste(request):
    societes = list(societes_pour(request.user, Droit.ADMINISTRER).order_by("raison_sociale"))
    reglages = {r.societe_id: r for r in ReglageSms.objects.filter(societe__in=societes)}
    contexte = {
        "lignes": [(s, reglages.get(s.pk)) for s in societes],
        "onglets": onglets_administration("relances:reglages_sms"),
        "en_fichiers": fournisseur().code == "fichier",
    }
    return rendre(request, "relances/reglages_sms.html", "relances/reglages_sms.html", contexte)


@require_http_methods(["GET", "HEAD", "POST"])
@exige(Droit.ADMINISTRER)
def reglage(request, pk: int):
    """Le réglage de la société `pk`, neuf s'il n'y en a pas ; 404 hors de celles qu'on administre."""
    societe = get_object_or_404(societes_pour(request.user, Droit.ADMINISTRER), pk=pk)
    verifier_droit(request.user, Droit.ADMINISTRER, societe)
    trouve = ReglageSms.objects.filter(societe=societe).first() or ReglageSms(societe=societe)
    form = ReglageSmsForm(request.POST or None, instance=trouve)
    if request.method == "POST" and form.is_valid():
        enregistrer_reglage(form.save(commit=False), acteur=request.user)
        fait(request, _("Réglages enregistrés."))
        return rediriger(request, reverse("relances:reglages_sms"))
    contexte = {
        "form": form,
        "societe": societe,
        "en_fichiers": fournisseur().code == "fichier",
        "fil": [
            (_("Administration"), reverse("comptes:administration")),
            (_("SMS"), reverse("relances:reglages_sms")),
        ],
    }
    statut = 422 if form.errors else 200
    return rendre(request, "relances/reglage_sms.html", "relances/reglage_sms.html", contexte, status=statut)
