"""Plans de relance : la liste, une version palier par palier, son contrôle, ce qu'un brouillon changerait."""

from django.db.models import Count
from django.http import Http404
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from factures.models import Echeance
from recouvrement.commun.vues import rendre
from recouvrement.comptes.courante import restreindre, societe_courante
from recouvrement.comptes.droits import Droit, exige, peut, verifier_droit
from relances.domaine.controle import publiable
from relances.domaine.natures import Nature
from relances.domaine.plans import PLANS
from relances.formulaires_plans import CreerPlanForm, ImporterPlanForm, PalierForm, PublierForm, VersionForm
from relances.models import Echelle, NatureChoix, Palier, VersionEchelle
from relances.models.echelles import CanalChoix
from relances.services import brouillons
from relances.services import plans as service
from relances.services.plans_societe import suivi_par_defaut
from relances.services.versions_plans import CHAMPS

from .constats import dire
from .frises import frise

V = VersionEchelle.Statut
CANAUX = dict(CanalChoix.choices)


def _version(echelle: Echelle, statut: str) -> VersionEchelle | None:
    return next((v for v in echelle.versions.all() if v.statut == statut), None)


@require_safe
@exige(Droit.PLANS)
def liste(request):
    return rendre_liste(request)


def societe_reglable(request):
    """La société où créer un plan : la courante ; None s'il faut en choisir une ou si le droit manque."""
    societe = societe_courante(request)
    return societe if societe and peut(request.user, Droit.REGLER_PLANS, societe.pk) else None


def origines(echelles) -> list[tuple[str, str]]:
    """Ce dont un plan neuf se copie : les versions publiées de la société, puis les plans livrés."""
    publiees = [(f"plan-{e.pk}", e.nom) for e in echelles if _version(e, V.PUBLIEE)]
    livres = [(f"livre-{p.type_debiteur}", _("%(nom)s, plan livré") % {"nom": _(p.nom)}) for p in PLANS]
    return [*publiees, *livres]


def rendre_liste(request, *, creation=None, importation=None, status: int = 200):
    echelles = restreindre(request, Echelle.objects.visibles_pour(request.user)).annotate(affectes=Count("clients"))
    echelles = list(echelles.select_related("societe").prefetch_related("versions__paliers"))
    en_cours = _en_cours([v.pk for e in echelles for v in e.versions.all()])
    lignes = []
    for e in echelles:
        publiee, brouillon = _version(e, V.PUBLIEE), _version(e, V.BROUILLON)
        montree = publiee or brouillon
        points = frise(service.plan_de(montree).paliers).points if montree and montree.paliers.all() else []
        lignes.append(
            {
                "echelle": e,
                "publiee": publiee,
                "brouillon": brouillon,
                "paliers": [(p.nature, p.jour) for p in points],
                "en_cours": sum(en_cours.get(v.pk, 0) for v in e.versions.all()),
            }
        )
    societe = societe_reglable(request)
    siennes = [e for e in echelles if societe and e.societe_id == societe.pk]
    contexte = {
        "lignes": sorted(lignes, key=lambda x: (x["publiee"] is None and x["brouillon"] is None, x["echelle"].pk)),
        "societe": societe,
        "creation": (creation or CreerPlanForm(origines=origines(siennes))) if societe else None,
        "importation": (importation or ImporterPlanForm()) if societe else None,
        "ouvert": bool(creation or importation),
        "plusieurs": societe is None and peut(request.user, Droit.REGLER_PLANS),
    }
    return rendre(request, "relances/plans.html", "relances/_plans.html", contexte, status=status)


def _en_cours(versions: list[int]) -> dict[int, int]:
    """Échéances ouvertes déjà sur l'échelle, par version."""
    ouvertes = Echeance.objects.ouvertes().filter(niveau_version__in=versions).order_by()
    return dict(ouvertes.values_list("niveau_version").annotate(Count("pk")))


def echelle_visible(request, pk: int) -> Echelle:
    visibles = Echelle.objects.visibles_pour(request.user).select_related("societe")
    return get_object_or_404(visibles.prefetch_related("versions__paliers", "versions__publiee_par"), pk=pk)


def echelle_reglable(request, pk: int) -> Echelle:
    """Un plan que la personne peut régler."""
    echelle = echelle_visible(request, pk)
    verifier_droit(request.user, Droit.REGLER_PLANS, echelle.societe_id)
    return echelle


@require_safe
@exige(Droit.PLANS)
def fiche(request, pk: int):
    """Une version : sa frise, un palier à la fois, son contrôle, et ce qu'un brouillon changerait."""
    return rendre_fiche(request, echelle_visible(request, pk))


def rendre_fiche(request, echelle: Echelle, *, formulaire=None, regles=None, publication=None, status: int = 200):
    """formulaire, regles, publication : une saisie refusée, à réafficher avec ses fautes."""
    versions = sorted(echelle.versions.all(), key=lambda v: -v.numero)
    publiee, brouillon = _version(echelle, V.PUBLIEE), _version(echelle, V.BROUILLON)
    demandee = next((v for v in versions if str(v.numero) == request.GET.get("version", "")), None)
    montree = demandee or brouillon or publiee or next(iter(versions), None)
    if formulaire or regles or publication:
        montree = brouillon
    if montree is None:
        raise Http404
    peut_regler = peut(request.user, Droit.REGLER_PLANS, echelle.societe_id)
    editable = peut_regler and montree == brouillon
    plan = service.plan_de(montree)
    publies = service.plan_de(publiee).paliers if publiee and montree != publiee else ()
    dessin = frise(plan.paliers, publies)
    choisi = _choisi(request, montree, formulaire)
    constats = service.controler_version(montree)
    en_cours = _en_cours([v.pk for v in versions])
    contexte = {
        "echelle": echelle,
        "versions": versions,
        "publiee": publiee,
        "brouillon": brouillon,
        "montree": montree,
        "editable": editable,
        "peut_regler": peut_regler,
        "frise": dessin,
        "barreaux": _barreaux(montree, dessin, publiee if montree != publiee else None),
        "choisi": choisi,
        "jour_choisi": next((p.jour for p in dessin.points if choisi and p.id == choisi.pk), ""),
        "canaux_choisis": [CANAUX[c] for c in choisi.canaux if c in CANAUX] if choisi else [],
        "form": (formulaire or form_palier(choisi)) if editable and choisi else None,
        "publie_choisi": _publie(choisi, publiee) if choisi and montree != publiee else None,
        "regles": (regles or VersionForm(instance=montree)) if editable else None,
        "publication": (publication or _publication(montree, request.POST)) if editable else None,
        "sale": bool(formulaire or regles or publication),
        "constats": dire(constats, montree, editable=editable),
        "publiable": publiable(constats),
        "natures": [(v, nom) for v, nom in NatureChoix.choices if v],
        "en_cours": sum(en_cours.values()),
        "retire": publiee is None and brouillon is None,
        "affectes": echelle.clients.count(),
        "par_defaut": suivi_par_defaut(echelle) if echelle.par_defaut else None,
    }
    return rendre(request, "relances/plan.html", "relances/_plan.html", contexte, status=status)


def _publication(version: VersionEchelle, saisi) -> PublierForm:
    """saisi : une note et un choix déjà tapés, à remontrer ; l'empreinte est toujours celle d'aujourd'hui."""
    dits = {nom: saisi.get(nom) or getattr(version, nom) for nom in ("reprise", "note")}
    etat = dits | {"version": version.pk, "etat": brouillons.empreinte(version)}
    return PublierForm(initial=etat, auto_id="pub_%s")


def _choisi(request, version: VersionEchelle, formulaire: PalierForm | None) -> Palier | None:
    """Le palier de l'adresse, sinon la mise en demeure, sinon le premier."""
    paliers = list(version.paliers.all())
    if formulaire:
        return formulaire.instance
    demande = next((p for p in paliers if str(p.pk) == request.GET.get("palier", "")), None)
    grave = next((p for p in paliers if p.nature == Nature.MISE_EN_DEMEURE), None)
    return demande or grave or next(iter(paliers), None)


def form_palier(palier: Palier, saisi=None) -> PalierForm:
    """Les réglages d'un palier ; ses modèles sont ceux que la société a publiés pour lui."""
    echelle = palier.version.echelle
    modeles = [(c, nom) for c, n, nom in service.modeles_publies(echelle.societe, echelle.type_debiteur)
               if n == palier.nature]  # fmt: skip
    return PalierForm(saisi, instance=palier, prefix=f"p{palier.pk}", modeles=modeles)


def _publie(palier: Palier, publiee: VersionEchelle | None) -> Palier | None:
    """Le palier de même nature et de même rang parmi elle, dans la version publiée."""
    if publiee is None:
        return None
    rang = [p.pk for p in palier.version.paliers.all() if p.nature == palier.nature].index(palier.pk)
    memes = [p for p in publiee.paliers.all() if p.nature == palier.nature]
    return memes[rang] if rang < len(memes) else None


def _barreaux(version: VersionEchelle, dessin, publiee: VersionEchelle | None) -> list[dict]:
    """Une tuile par palier : son jour, ses canaux, qui l'envoie, et s'il a changé."""
    avant = {(p.nature, *_reglages(p)) for p in publiee.paliers.all()} if publiee else None
    return [
        {
            "palier": p,
            "jour": point.jour,
            "canaux": ", ".join(str(CANAUX.get(c, c)) for c in p.canaux),
            "modifie": avant is not None and (p.nature, *_reglages(p)) not in avant,
        }
        for p, point in zip(sorted(version.paliers.all(), key=lambda p: p.rang), dessin.points, strict=True)
    ]


def _reglages(p: Palier) -> tuple:
    return tuple(tuple(v) if isinstance(v, list) else v for v in (getattr(p, c) for c in CHAMPS))
