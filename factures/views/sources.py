"""Administration des sources d'import : liste, réglages, « Essayer maintenant », lecture à la demande."""

from django.core.exceptions import ValidationError
from django.db.models import Count, Q
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from factures.formulaires_sources import SourceForm
from factures.models import Lot, SourceImport
from factures.services import sources as service
from factures.tasks import relever_source
from recouvrement.commun import formats
from recouvrement.commun.horloge import maintenant
from recouvrement.commun.reveil import reveiller
from recouvrement.commun.vues import Liste, fait, rediriger, rendre
from recouvrement.comptes.courante import restreindre, societe_courante
from recouvrement.comptes.droits import Droit, exige, societes_pour, verifier_droit
from recouvrement.comptes.onglets import onglets_administration

TRIS = {"nom": ["nom"], "societe": ["societe__raison_sociale"], "lecture": ["lue_le"], "recu": ["recue_le"]}


def _sources(request):
    """Sources des sociétés que la personne administre."""
    administrees = SourceImport.objects.filter(societe__in=societes_pour(request.user, Droit.ADMINISTRER))
    return administrees.select_related("societe")


def etat(source: SourceImport) -> tuple[str, str]:
    """(mot, ton) : l'état d'une source d'un coup d'œil."""
    if not source.actif:
        return _("désactivée"), "vide"
    if source.erreur:
        return _("en panne"), "mal"
    if service.en_retard(source, maintenant()):
        return _("en retard"), "mal"
    if source.lue_le is None:
        return _("jamais lue"), "att"
    return _("à jour"), "bon"


@require_safe
@exige(Droit.ADMINISTRER)
def sources(request):
    """Écran « Sources » : d'où les fichiers arrivent seuls, et si tout arrive."""
    attend = Count("lots", filter=Q(lots__statut__in=service.ATTENDENT))
    lignes = restreindre(request, _sources(request)).annotate(attendent=attend)
    liste = Liste(request, lignes, tris=TRIS, defaut="nom", par_page=50)
    contexte = {
        "liste": liste,
        "lignes": [(source, *etat(source)) for source in liste],
        "onglets": onglets_administration("factures:sources"),
        "annonce": ngettext("%(n)s source", "%(n)s sources", liste.total) % {"n": formats.nombre(liste.total)},
    }
    return rendre(request, "factures/sources.html", "factures/_sources.html", contexte)


@require_http_methods(["GET", "HEAD", "POST"])
@exige(Droit.ADMINISTRER)
def source_nouvelle(request):
    form = SourceForm(
        request.POST or None,
        societes=societes_pour(request.user, Droit.ADMINISTRER),
        initial={"societe": societe_courante(request), "genre": SourceImport.Genre.DOSSIER},
    )
    if request.method == "POST" and _enregistrer(request, form):
        fait(request, _("Source créée : elle sera lue dans quelques minutes."))
        return rediriger(request, reverse("factures:source", args=[form.instance.pk]))
    return _page(request, form)


@require_http_methods(["GET", "HEAD", "POST"])
@exige(Droit.ADMINISTRER)
def source(request, pk: int):
    """Réglages d'une source, son état, ses derniers fichiers."""
    trouvee = get_object_or_404(_sources(request), pk=pk)
    form = SourceForm(request.POST or None, instance=trouvee, societes=societes_pour(request.user, Droit.ADMINISTRER))
    if request.method == "POST" and _enregistrer(request, form):
        fait(request, _("Réglages enregistrés."))
        return rediriger(request, reverse("factures:source", args=[pk]))
    if request.method == "POST":  # la saisie refusée est dans le formulaire ; l'état montré est celui de la base
        trouvee = get_object_or_404(_sources(request), pk=pk)
    return _page(request, form, trouvee)


def _enregistrer(request, form: SourceForm) -> bool:
    if not form.is_valid():
        return False
    verifier_droit(request.user, Droit.ADMINISTRER, form.cleaned_data["societe"])
    try:
        service.enregistrer_source(form.save(commit=False), acteur=request.user)
    except ValidationError as refus:
        form.add_error(None, refus.messages)
        return False
    return True


def _page(request, form: SourceForm, trouvee: SourceImport | None = None, regard=None):
    contexte = {
        "form": form,
        "source": trouvee,
        "etat": etat(trouvee) if trouvee else ("", ""),
        "lots": Lot.objects.filter(source=trouvee).order_by("-created_at", "-pk")[:10] if trouvee else [],
        "regard": regard,
        "fil": [(_("Administration"), reverse("comptes:administration")), (_("Sources"), reverse("factures:sources"))],
    }
    statut = 422 if form.errors else 200
    return rendre(request, "factures/source.html", "factures/source.html", contexte, status=statut)


@require_POST
@exige(Droit.ADMINISTRER)
def source_essayer(request, pk: int):
    """Ce que la prochaine lecture prendrait ; rien n'est importé, déplacé ni marqué."""
    trouvee = get_object_or_404(_sources(request), pk=pk)
    verifier_droit(request.user, Droit.ADMINISTRER, trouvee.societe_id)
    form = SourceForm(instance=trouvee, societes=societes_pour(request.user, Droit.ADMINISTRER))
    return _page(request, form, trouvee, regard=service.essayer(trouvee))


@require_POST
@exige(Droit.ADMINISTRER)
def source_relever(request, pk: int):
    """Réveille la lecture sans attendre son tour."""
    trouvee = get_object_or_404(_sources(request), pk=pk)
    verifier_droit(request.user, Droit.ADMINISTRER, trouvee.societe_id)
    if not trouvee.actif:
        fait(request, _("Cette source est désactivée : réactivez-la d’abord."))
        return rediriger(request, reverse("factures:source", args=[pk]))
    if reveiller(relever_source, pk, True):
        fait(request, _("Lecture demandée : les fichiers paraîtront ci-dessous."))
    else:
        SourceImport.objects.filter(pk=pk, lue_le__lte=timezone.now()).update(lue_le=None)
        fait(request, _("Le service de fond ne répond pas : la source sera lue à son retour."))
    return rediriger(request, reverse("factures:source", args=[pk]))
