"""Plans de relance : les lire, préparer un brouillon, voir ce qu'il changerait, publier."""

from django.contrib import messages
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from recouvrement.commun.horloge import maintenant
from recouvrement.commun.vues import fait, rediriger, rendre
from recouvrement.comptes.courante import restreindre
from recouvrement.comptes.droits import Droit, exige, peut, verifier_droit
from relances.forms import PalierForm
from relances.models import Echelle, Palier, VersionEchelle
from relances.services import plans as service
from relances.services.ce_soir import prochain_passage
from relances.services.comparaison import comparer

V = VersionEchelle.Statut


@require_safe
@exige(Droit.PLANS)
def liste(request):
    echelles = restreindre(request, Echelle.objects.visibles_pour(request.user))
    echelles = echelles.select_related("societe").prefetch_related("versions__paliers")
    lignes = [
        {"echelle": e, "publiee": _version(e, V.PUBLIEE), "brouillon": _version(e, V.BROUILLON)} for e in echelles
    ]
    return rendre(request, "relances/plans.html", "relances/_plans.html", {"lignes": lignes})


def _version(echelle: Echelle, statut: str) -> VersionEchelle | None:
    return next((v for v in echelle.versions.all() if v.statut == statut), None)


def _echelle(request, pk: int) -> Echelle:
    visibles = Echelle.objects.visibles_pour(request.user).select_related("societe")
    return get_object_or_404(visibles.prefetch_related("versions__paliers"), pk=pk)


@require_safe
@exige(Droit.PLANS)
def fiche(request, pk: int):
    """La version publiée et, s'il existe, le brouillon avec ce qu'il changerait ce soir."""
    return _rendre(request, _echelle(request, pk))


def _rendre(request, echelle: Echelle, *, formulaire=None, status: int = 200):
    publiee, brouillon = _version(echelle, V.PUBLIEE), _version(echelle, V.BROUILLON)
    montree = brouillon if brouillon and request.GET.get("version") != "publiee" else publiee
    editable = montree == brouillon and brouillon is not None
    editable = editable and peut(request.user, Droit.REGLER_PLANS, echelle.societe_id)
    paliers = list(montree.paliers.all()) if montree else []
    ecart = None
    if brouillon and montree == brouillon:
        ecart = comparer(brouillon, au=prochain_passage(echelle.societe, maintenant()))
    contexte = {
        "echelle": echelle,
        "publiee": publiee,
        "brouillon": brouillon,
        "montree": montree,
        "editable": editable,
        "peut_regler": peut(request.user, Droit.REGLER_PLANS, echelle.societe_id),
        "paliers": [
            {"palier": p, "form": _formulaire(p, formulaire) if editable else None, "jour": jour}
            for p, jour in zip(paliers, _jours(paliers), strict=True)
        ],
        "ecart": ecart,
    }
    return rendre(request, "relances/plan.html", "relances/_plan.html", contexte, status=status)


def _formulaire(palier: Palier, saisi: PalierForm | None) -> PalierForm:
    """La saisie refusée se réaffiche à sa place ; les autres paliers gardent leur valeur."""
    return saisi if saisi and saisi.instance.pk == palier.pk else PalierForm(instance=palier, prefix=f"p{palier.pk}")


def _jours(paliers: list[Palier]) -> list[int]:
    """Jour de chaque palier sur la frise, compté depuis l'échéance si rien ne retarde."""
    jours, dernier = [], 0
    for p in paliers:
        dernier = dernier + p.delai if p.reference == "precedent" else p.delai
        jours.append(dernier)
    return jours


@require_POST
@exige(Droit.REGLER_PLANS)
def brouillon(request, pk: int):
    echelle = _echelle(request, pk)
    verifier_droit(request.user, Droit.REGLER_PLANS, echelle.societe_id)
    service.nouveau_brouillon(echelle, par=request.user)
    return rediriger(request, reverse("relances:plan", args=[pk]))


@require_POST
@exige(Droit.REGLER_PLANS)
def palier(request, pk: int):
    """Enregistre un palier du brouillon."""
    visibles = Echelle.objects.visibles_pour(request.user)
    cible = get_object_or_404(
        Palier.objects.select_related("version__echelle__societe").filter(version__echelle__in=visibles), pk=pk
    )
    echelle = cible.version.echelle
    verifier_droit(request.user, Droit.REGLER_PLANS, echelle.societe_id)
    if cible.version.statut != V.BROUILLON:
        messages.error(request, _("Cette version est publiée : elle ne se modifie plus. Ouvrez un brouillon."))
        return rediriger(request, reverse("relances:plan", args=[echelle.pk]))
    form = PalierForm(request.POST, instance=cible, prefix=f"p{cible.pk}")
    if not form.is_valid():
        return _rendre(request, _echelle(request, echelle.pk), formulaire=form, status=422)
    form.save()
    fait(request, _("Palier enregistré dans le brouillon."))
    return rediriger(request, reverse("relances:plan", args=[echelle.pk]))


@require_POST
@exige(Droit.REGLER_PLANS)
def publier(request, pk: int):
    echelle = _echelle(request, pk)
    verifier_droit(request.user, Droit.REGLER_PLANS, echelle.societe_id)
    version = _version(echelle, V.BROUILLON)
    if version is None:
        messages.error(request, _("Il n'y a plus de brouillon à publier."))
    else:
        service.publier(version, par=request.user)
        fait(request, _("Version %(n)s publiée.") % {"n": version.numero})
    return rediriger(request, reverse("relances:plan", args=[pk]))
