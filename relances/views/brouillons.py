"""Régler un brouillon de plan, palier par palier, et le publier."""

from django.contrib import messages
from django.http import Http404
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from recouvrement.commun.vues import entier, fait, rediriger
from recouvrement.comptes.droits import Droit, exige, verifier_droit
from relances.domaine.natures import Nature
from relances.formulaires_plans import NaturePalierForm, PasForm, PublierForm, VersionForm
from relances.models import Echelle, Palier, VersionEchelle
from relances.services import brouillons as service
from relances.services.plans import PlanInvalide, exiger_publiable
from relances.services.plans import publier as publier_version

from .plans import echelle_reglable, echelle_visible, form_palier, rendre_fiche

V = VersionEchelle.Statut
PARTI = gettext_lazy("Ce brouillon n'est plus ouvert : il a été publié ou abandonné dans un autre onglet.")


def vers(pk: int, palier: int | None = None) -> str:
    return reverse("relances:plan", args=[pk]) + (f"?palier={palier}" if palier else "")


def tenter(request, geste, *args, url: str, bon: str, **kwargs):
    """Un geste que le service peut refuser : dit pourquoi, puis revient au plan."""
    try:
        geste(*args, **kwargs)
    except PlanInvalide as refus:
        messages.error(request, str(refus))
    else:
        fait(request, bon)
    return rediriger(request, url)


def _ouvert(request, pk: int) -> tuple[Echelle, VersionEchelle | None]:
    """Le plan et son brouillon ; None, et le message est posé, s'il n'y en a plus."""
    echelle = echelle_reglable(request, pk)
    version = next((v for v in echelle.versions.all() if v.statut == V.BROUILLON), None)
    if version is None:
        messages.error(request, PARTI)
    return echelle, version


@require_POST
@exige(Droit.REGLER_PLANS)
def ouvrir(request, pk: int):
    service.nouveau_brouillon(echelle_reglable(request, pk), par=request.user)
    return rediriger(request, vers(pk))


def _palier(request, pk: int) -> Palier | None:
    """Un palier d'un plan que la personne peut régler ; None s'il a disparu d'un plan qu'elle voit (autre onglet)."""
    visibles = Echelle.objects.visibles_pour(request.user)
    paliers = Palier.objects.select_related("version__echelle__societe").filter(version__echelle__in=visibles)
    cible = paliers.filter(pk=pk).first()
    if cible is None:
        plan = entier(request.POST.get("plan"))
        if plan is None or Palier.objects.filter(pk=pk).exists():
            raise Http404
        verifier_droit(request.user, Droit.REGLER_PLANS, get_object_or_404(visibles, pk=plan).societe_id)
        texte = _("Ce palier n'est plus dans le brouillon : il a été retiré, ou le brouillon abandonné.")
        messages.error(request, texte)
        return None
    verifier_droit(request.user, Droit.REGLER_PLANS, cible.version.echelle.societe_id)
    return cible


def _saisies(request, version: VersionEchelle) -> tuple:
    """(palier saisi, règles saisies) ; None pour ce que la demande ne porte pas."""
    cible = next((p for p in version.paliers.all() if f"p{p.pk}-delai" in request.POST), None)
    regles = VersionForm(request.POST, instance=version) if "regroupement" in request.POST else None
    return form_palier(cible, request.POST) if cible else None, regles


def _annonce(request) -> dict[str, str]:
    """Note et reprise déjà choisies : elles restent avec le brouillon jusqu'à sa publication."""
    note, reprise = request.POST.get("note"), request.POST.get("reprise")
    permises = VersionEchelle._meta.get_field("reprise").choices
    return ({} if note is None else {"note": note.strip()[:250]}) | (
        {"reprise": reprise} if reprise in dict(permises) else {}
    )


def _ecrire(version: VersionEchelle, saisi, regles, **annonce) -> None:
    service.enregistrer(
        version, saisi and saisi.save(commit=False), regles and regles.save(commit=False), **annonce
    )  # fmt: skip


def _enregistrer(request, echelle: Echelle, version: VersionEchelle):
    """Palier et règles d'un seul geste ; si l'une est fautive ou le brouillon changé ailleurs, tout se remontre."""
    perime = request.POST.get("etat", "") not in ("", service.empreinte(version))
    saisi, regles = _saisies(request, version)
    formulaires = [f for f in (saisi, regles) if f]
    if not all([f.is_valid() for f in formulaires]) or perime:
        if perime:
            messages.error(request, _("Le brouillon a changé dans un autre onglet : relisez votre saisie, gardée ici."))
        return rendre_fiche(request, echelle_visible(request, echelle.pk), formulaire=saisi, regles=regles, status=422)
    return tenter(
        request, _ecrire, version, saisi, regles, **_annonce(request),
        url=vers(echelle.pk, saisi.instance.pk if saisi else None), bon=_("Saisie enregistrée dans le brouillon."),
    )  # fmt: skip


@require_POST
@exige(Droit.REGLER_PLANS)
def palier(request, pk: int):
    """Enregistre un palier du brouillon, et les règles du plan si elles sont saisies à côté."""
    cible = _palier(request, pk)
    if cible is None:
        return rediriger(request, vers(entier(request.POST["plan"])))
    echelle = cible.version.echelle
    if cible.version.statut != V.BROUILLON:
        messages.error(request, _("Cette version est publiée : elle ne se modifie plus. Ouvrez un brouillon."))
        return rediriger(request, vers(echelle.pk))
    return _enregistrer(request, echelle, cible.version)


@require_POST
@exige(Droit.REGLER_PLANS)
def retirer(request, pk: int):
    cible = _palier(request, pk)
    if cible is None:
        return rediriger(request, vers(entier(request.POST["plan"])))
    return tenter(
        request, service.retirer_palier, cible, url=vers(cible.version.echelle_id),
        bon=_("Palier retiré du brouillon."),
    )  # fmt: skip


@require_POST
@exige(Droit.REGLER_PLANS)
def deplacer(request, pk: int):
    """Avance ou recule un palier d'un rang dans le brouillon."""
    cible = _palier(request, pk)
    if cible is None:
        return rediriger(request, vers(entier(request.POST["plan"])))
    form = PasForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("Dites dans quel sens déplacer le palier."))
        return rediriger(request, vers(cible.version.echelle_id, pk))
    return tenter(
        request, service.deplacer_palier, cible, form.cleaned_data["pas"], url=vers(cible.version.echelle_id, pk),
        bon=_("Palier déplacé dans le brouillon."),
    )  # fmt: skip


@require_POST
@exige(Droit.REGLER_PLANS)
def ajouter(request, pk: int):
    _echelle, version = _ouvert(request, pk)
    if version is None:
        return rediriger(request, vers(pk))
    form = NaturePalierForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("Choisissez la nature du palier à ajouter."))
        return rediriger(request, vers(pk))
    try:
        neuf = service.ajouter_palier(version, Nature(form.cleaned_data["nature"]))
    except PlanInvalide as refus:
        messages.error(request, str(refus))
        return rediriger(request, vers(pk))
    fait(request, _("Palier ajouté au brouillon : réglez son délai."))
    return rediriger(request, vers(pk, neuf.pk))


@require_POST
@exige(Droit.REGLER_PLANS)
def regles(request, pk: int):
    """Seuils, plafond et regroupement du brouillon."""
    echelle, version = _ouvert(request, pk)
    if version is None:
        return rediriger(request, vers(pk))
    return _enregistrer(request, echelle, version)


@require_POST
@exige(Droit.REGLER_PLANS)
def abandonner(request, pk: int):
    _echelle, version = _ouvert(request, pk)
    if version is None:
        return rediriger(request, vers(pk))
    return tenter(
        request, service.abandonner, version, par=request.user, url=vers(pk),
        bon=_("Brouillon abandonné : la version publiée n'a pas bougé."),
    )  # fmt: skip


@require_POST
@exige(Droit.REGLER_PLANS)
def publier(request, pk: int):
    """Publie ce que la personne a sous les yeux : le brouillon lu, par son empreinte, et la saisie en cours."""
    echelle, version = _ouvert(request, pk)
    if version is None:
        return rediriger(request, vers(pk))
    empreinte = service.empreinte(version)  # avant que la saisie ne touche la version
    form = PublierForm(request.POST, auto_id="pub_%s")
    saisi, regles = _saisies(request, version)
    if not all([f.is_valid() for f in (form, saisi, regles) if f is not None]):
        relue = echelle_visible(request, pk)
        return rendre_fiche(request, relue, formulaire=saisi, regles=regles, publication=form, status=422)
    if (form.cleaned_data["version"], form.cleaned_data["etat"]) != (version.pk, empreinte):
        messages.error(
            request, _("Le brouillon a changé depuis que vous l'avez ouvert : relisez ce qu'il change, puis publiez.")
        )
        return rendre_fiche(request, echelle_visible(request, pk), formulaire=saisi, regles=regles, status=422)
    note, reprise = form.cleaned_data["note"], form.cleaned_data["reprise"]
    try:
        _ecrire(version, saisi, regles, note=note, reprise=reprise)
        version = VersionEchelle.objects.select_related("echelle__societe").get(pk=version.pk)
        exiger_publiable(version)
        publier_version(version, par=request.user, note=note, reprise=reprise)
    except PlanInvalide as refus:
        messages.error(request, str(refus))
    else:
        fait(request, _("Version %(n)s publiée.") % {"n": version.numero})
    return rediriger(request, vers(pk, saisi.instance.pk if saisi else None))
