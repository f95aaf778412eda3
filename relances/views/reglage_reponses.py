"""Administration : où les réponses de chaque société reviennent, la boîte qui les lit, « Essayer la connexion »."""

from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from recouvrement.commun.reveil import reveiller
from recouvrement.commun.vues import fait, rediriger, rendre
from recouvrement.comptes.droits import Droit, exige, societes_pour, verifier_droit
from recouvrement.comptes.models import Societe
from recouvrement.comptes.onglets import onglets_administration
from relances.formulaires_reponses import ReglageForm
from relances.models import ReglageReponses
from relances.reponses.boite import Releve
from relances.reponses.boite import essayer as essayer_la_boite
from relances.services.reglages_reponses import enregistrer
from relances.tasks import relever_boite


def etat(reglage: ReglageReponses | None) -> tuple[str, str]:
    """(mot, ton) : d'un coup d'œil."""
    if reglage is None or not (reglage.adresse or reglage.actif):
        return _("au gestionnaire"), "vide"
    if not reglage.actif:
        return _("adresse seule"), "info"
    if reglage.erreur:
        return _("en panne"), "mal"
    return (_("à jour"), "bon") if reglage.lue_le else (_("jamais lue"), "att")


@require_safe
@exige(Droit.ADMINISTRER)
def liste(request):
    societes = list(societes_pour(request.user, Droit.ADMINISTRER).order_by("raison_sociale"))
    reglages = {r.societe_id: r for r in ReglageReponses.objects.filter(societe__in=societes)}
    contexte = {
        "lignes": [(s, reglages.get(s.pk), *etat(reglages.get(s.pk))) for s in societes],
        "onglets": onglets_administration("relances:reglages_reponses"),
    }
    return rendre(request, "relances/reglages_reponses.html", "relances/reglages_reponses.html", contexte)


def _trouve(request, pk: int) -> ReglageReponses:
    """Le réglage de la société `pk`, neuf s'il n'y en a pas ; 404 hors de celles qu'on administre."""
    societe = get_object_or_404(societes_pour(request.user, Droit.ADMINISTRER), pk=pk)
    verifier_droit(request.user, Droit.ADMINISTRER, societe)
    return ReglageReponses.objects.filter(societe=societe).first() or ReglageReponses(societe=societe)


@require_http_methods(["GET", "HEAD", "POST"])
@exige(Droit.ADMINISTRER)
def reglage(request, pk: int):
    trouve = _trouve(request, pk)
    form = ReglageForm(request.POST or None, instance=trouve)
    if request.method == "POST" and form.is_valid():
        enregistrer(form.save(commit=False), acteur=request.user)
        fait(request, _("Réglages enregistrés."))
        return rediriger(request, reverse("relances:reglage_reponses", args=[pk]))
    return _page(request, trouve.societe, form)


def _page(request, societe: Societe, form: ReglageForm, essai: Releve | None = None):
    connu = ReglageReponses.objects.filter(societe=societe).first()
    contexte = {
        "form": form,
        "societe": societe,
        "connu": connu,
        "etat": etat(connu),
        "essai": essai,
        "fil": [
            (_("Administration"), reverse("comptes:administration")),
            (_("Réponses"), reverse("relances:reglages_reponses")),
        ],
    }
    statut = 422 if form.errors else 200
    return rendre(request, "relances/reglage_reponses.html", "relances/reglage_reponses.html", contexte, status=statut)


@require_POST
@exige(Droit.ADMINISTRER)
def essayer(request, pk: int):
    """Entre dans la boîte et dit ce qui attend ; rien n'est rangé ni marqué."""
    trouve = _trouve(request, pk)
    essai = essayer_la_boite(trouve)
    return _page(request, trouve.societe, ReglageForm(instance=trouve), essai)


@require_POST
@exige(Droit.ADMINISTRER)
def relever(request, pk: int):
    trouve = _trouve(request, pk)
    if not (trouve.pk and trouve.actif):
        fait(request, _("Cette boîte n’est pas relevée : activez-la d’abord."))
        return rediriger(request, reverse("relances:reglage_reponses", args=[pk]))
    if reveiller(relever_boite, trouve.pk, True):
        fait(request, _("Lecture demandée : les courriels paraîtront à l’écran Réponses."))
    else:
        fait(request, _("Le service de fond ne répond pas : la boîte sera lue à son retour."))
    return rediriger(request, reverse("relances:reglage_reponses", args=[pk]))
