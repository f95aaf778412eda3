"""Administration : la page du client, société par société ; ce qu'elle permet, et son aperçu."""

from django.conf import settings
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from clients.models import Client
from factures.models import Echeance
from recouvrement.commun.vues import adresse, fait, rediriger, rendre
from recouvrement.comptes.droits import Droit, exige, societes_pour, verifier_droit
from recouvrement.comptes.onglets import onglets_administration
from recouvrement.portail.forms_reglage import ReglagePortailForm
from relances.models import ReglagePortail
from relances.services.reglages_portail import enregistrer


@require_safe
@exige(Droit.ADMINISTRER)
def liste(request):
    """Écran « Page du client » : où elle est ouverte, combien de temps un lien vaut, ce qu'elle permet."""
    societes = list(societes_pour(request.user, Droit.ADMINISTRER).order_by("raison_sociale"))
    reglages = {r.societe_id: r for r in ReglagePortail.objects.filter(societe__in=societes)}
    contexte = {
        "lignes": [(s, reglages.get(s.pk)) for s in societes],
        "onglets": onglets_administration("page_client:reglages"),
    }
    return rendre(request, "portail/equipe/reglages.html", "portail/equipe/reglages.html", contexte)


@require_http_methods(["GET", "HEAD", "POST"])
@exige(Droit.ADMINISTRER)
def reglage(request, societe: int):
    """Le réglage d'une société ; les clés de paiement s'écrivent, elles ne se relisent pas."""
    trouvee = get_object_or_404(societes_pour(request.user, Droit.ADMINISTRER), pk=societe)
    verifier_droit(request.user, Droit.ADMINISTRER, trouvee)
    instance = ReglagePortail.objects.filter(societe=trouvee).first() or ReglagePortail(societe=trouvee)
    actif = instance.actif
    form = ReglagePortailForm(request.POST or None, instance=instance)
    if request.method == "POST" and form.is_valid():
        enregistrer(form.save(commit=False), acteur=request.user)
        fait(request, _("Réglages enregistrés."))
        return rediriger(request, reverse("page_client:reglage", args=[trouvee.pk]))
    contexte = {
        "form": form,
        "societe": trouvee,
        "actif": actif,
        "apercu": _apercu(request.user, trouvee),
        "site": settings.SITE_URL,
        "site_prive": settings.SITE_URL.startswith("http://") or "//localhost" in settings.SITE_URL,
        "notification": settings.SITE_URL.rstrip("/") + adresse("portail:notification", trouvee.pk),
        "manques": trouvee.manques(),
        "fil": [
            (_("Administration"), reverse("comptes:administration")),
            (_("Page du client"), reverse("page_client:reglages")),
        ],
    }
    statut = 422 if form.errors else 200
    gabarit = "portail/equipe/reglage.html"
    return rendre(request, gabarit, gabarit, contexte, status=statut)


def _apercu(user, societe) -> str:
    """L'aperçu d'un client de la société qui a quelque chose à régler ; vide s'il n'y en a pas."""
    dus = Echeance.objects.ouvertes().filter(societe=societe).values("client")
    client = Client.objects.visibles_pour(user).filter(societe=societe, pk__in=dus).order_by("pk").first()
    return reverse("page_client:apercu", args=[client.pk]) if client else ""
