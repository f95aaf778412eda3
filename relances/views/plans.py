"""Plans de relance : les lire, préparer un brouillon, voir ce qu'il changerait, publier."""

from django.contrib import messages
from django.db.models import Count
from django.http import Http404
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from factures.models import Echeance
from recouvrement.commun.horloge import maintenant
from recouvrement.commun.vues import fait, rediriger, rendre
from recouvrement.comptes.courante import restreindre
from recouvrement.comptes.droits import Droit, exige, peut, verifier_droit
from relances import motifs
from relances.domaine.controle import Constat, publiable
from relances.domaine.natures import Nature
from relances.forms import NaturePalierForm, PalierForm, VersionForm
from relances.models import Echelle, NatureChoix, Palier, VersionEchelle
from relances.models.echelles import CanalChoix
from relances.services import plans as service
from relances.services.ce_soir import prochain_passage
from relances.services.comparaison import comparer

from .ce_soir import perimetre
from .frises import frise, nom_du_jour

V = VersionEchelle.Statut
CANAUX = dict(CanalChoix.choices)
SIGNES = {"bon": "circle-check", "info": "info-circle", "att": "alert-triangle", "mal": "circle-x"}


def _version(echelle: Echelle, statut: str) -> VersionEchelle | None:
    return next((v for v in echelle.versions.all() if v.statut == statut), None)


@require_safe
@exige(Droit.PLANS)
def liste(request):
    echelles = restreindre(request, Echelle.objects.visibles_pour(request.user))
    echelles = list(echelles.select_related("societe").prefetch_related("versions__paliers"))
    en_cours = _en_cours([v.pk for e in echelles for v in e.versions.all() if v.statut == V.PUBLIEE])
    lignes = []
    for e in echelles:
        publiee = _version(e, V.PUBLIEE)
        regles = service.plan_de(publiee).paliers if publiee else ()
        points = frise(regles).points if regles else []
        lignes.append(
            {
                "echelle": e,
                "publiee": publiee,
                "brouillon": _version(e, V.BROUILLON),
                "paliers": [(p.nature, p.jour) for p in points],
                "en_cours": en_cours.get(publiee.pk, 0) if publiee else 0,
            }
        )
    return rendre(request, "relances/plans.html", "relances/_plans.html", {"lignes": lignes})


def _en_cours(versions: list[int]) -> dict[int, int]:
    """Échéances ouvertes déjà sur l'échelle, par version."""
    ouvertes = Echeance.objects.ouvertes().filter(niveau_version__in=versions).order_by()
    return dict(ouvertes.values_list("niveau_version").annotate(Count("pk")))


def _echelle(request, pk: int) -> Echelle:
    visibles = Echelle.objects.visibles_pour(request.user).select_related("societe")
    return get_object_or_404(visibles.prefetch_related("versions__paliers"), pk=pk)


def _brouillon(request, pk: int) -> VersionEchelle:
    """Le brouillon d'un plan que la personne peut régler ; 404 s'il n'y en a plus."""
    echelle = _echelle(request, pk)
    verifier_droit(request.user, Droit.REGLER_PLANS, echelle.societe_id)
    version = _version(echelle, V.BROUILLON)
    if version is None:
        raise Http404
    return version


@require_safe
@exige(Droit.PLANS)
def fiche(request, pk: int):
    """Une version : sa frise, un palier à la fois, son contrôle, et ce qu'un brouillon changerait."""
    return _rendre(request, _echelle(request, pk))


def _rendre(request, echelle: Echelle, *, formulaire=None, regles=None, status: int = 200):
    versions = sorted(echelle.versions.all(), key=lambda v: -v.numero)
    publiee, brouillon = _version(echelle, V.PUBLIEE), _version(echelle, V.BROUILLON)
    demandee = next((v for v in versions if str(v.numero) == request.GET.get("version", "")), None)
    montree = demandee or brouillon or publiee
    if formulaire or regles:
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
    contexte = {
        "echelle": echelle,
        "versions": versions,
        "publiee": publiee,
        "brouillon": brouillon,
        "montree": montree,
        "editable": editable,
        "peut_regler": peut_regler,
        "frise": dessin,
        "barreaux": _barreaux(montree, dessin, publies),
        "choisi": choisi,
        "jour_choisi": next((p.jour for p in dessin.points if choisi and p.id == choisi.pk), ""),
        "canaux_choisis": [CANAUX[c] for c in choisi.canaux] if choisi else [],
        "form": _form(choisi, formulaire) if editable and choisi else None,
        "publie_choisi": _publie(choisi, publiee) if choisi and montree != publiee else None,
        "regles": (regles or VersionForm(instance=montree)) if editable else None,
        "constats": [(c.ton, SIGNES[c.ton], phrase(c)) for c in constats],
        "publiable": publiable(constats),
        "natures": [(v, nom) for v, nom in NatureChoix.choices if v],
        "en_cours": _en_cours([publiee.pk]).get(publiee.pk, 0) if publiee else 0,
    }
    return rendre(request, "relances/plan.html", "relances/_plan.html", contexte, status=status)


def _choisi(request, version: VersionEchelle, formulaire: PalierForm | None) -> Palier | None:
    """Le palier de l'adresse, sinon la mise en demeure, sinon le premier."""
    paliers = list(version.paliers.all())
    if formulaire:
        return formulaire.instance
    demande = next((p for p in paliers if str(p.pk) == request.GET.get("palier", "")), None)
    grave = next((p for p in paliers if p.nature == Nature.MISE_EN_DEMEURE), None)
    return demande or grave or next(iter(paliers), None)


def _form(palier: Palier, saisi: PalierForm | None) -> PalierForm:
    return saisi or PalierForm(instance=palier, prefix=f"p{palier.pk}")


def _publie(palier: Palier, publiee: VersionEchelle | None) -> Palier | None:
    """Le palier de même nature et de même rang parmi elle, dans la version publiée."""
    if publiee is None:
        return None
    rang = [p.pk for p in palier.version.paliers.all() if p.nature == palier.nature].index(palier.pk)
    memes = [p for p in publiee.paliers.all() if p.nature == palier.nature]
    return memes[rang] if rang < len(memes) else None


def _barreaux(version: VersionEchelle, dessin, publies) -> list[dict]:
    """Une tuile par palier : son jour, son canal, qui l'envoie, et s'il a changé."""
    avant = {}
    for p in publies:
        avant.setdefault(p.nature, []).append((p.reference.value, p.delai, [c.value for c in p.canaux], p.mode.value,
                                               p.delai_reponse))  # fmt: skip
    tuiles = []
    for p, point in zip(sorted(version.paliers.all(), key=lambda p: p.rang), dessin.points, strict=True):
        maintenant_ = (p.reference, p.delai, list(p.canaux), p.mode, p.delai_reponse)
        tuiles.append(
            {
                "palier": p,
                "jour": point.jour,
                "canaux": ", ".join(str(CANAUX[c]) for c in p.canaux),
                "modifie": bool(publies) and maintenant_ not in avant.get(p.nature, []),
            }
        )
    return tuiles


def phrase(c: Constat) -> str:
    """Un constat du contrôle, en une phrase."""
    nom = motifs.nom_palier(c.nature)
    phrases = {
        "vide": _("Le plan n'a aucun palier."),
        "ordre": _("%(nom)s vient après %(autre)s, qui est plus grave."),
        "calendrier": _("%(nom)s tombe à %(jour)s, avant le palier qui le précède (%(avant)s)."),
        "amiables": _("%(n)s relances amiables avant la décision d'une personne : plafond de %(autre_n)s respecté."),
        "trop_amiables": _(
            "%(n)s relances amiables pour un plafond de %(autre_n)s : au-delà, la pièce attend une personne."
        ),
        "administration": _("Aucune mise en demeure de droit privé à une administration : mandatement d'office."),
        "sans_formalisation": _("Mise en demeure sans formalisation avant elle : elle ne partirait jamais."),
        "sans_recommande": _("Une mise en demeure part en recommandé avec avis de réception."),
        "delai": _(
            "%(n)s jours de nouveau délai sont un usage. La loi demande un délai raisonnable (C. civ., art. 1231)."
        ),
        "delai_court": _("%(n)s jours de nouveau délai : trop court, il se contesterait (C. civ., art. 1231)."),
        "trop_pres": _(
            "%(nom)s vient %(n)s jours après le palier précédent : le délai de %(autre_n)s jours entre contacts le "
            "repoussera."
        ),
        "sans_repli": _("%(nom)s : sans adresse de courriel, rien ne part. Ajoutez un repli."),
        "sans_canal": _("%(nom)s n'a aucun canal."),
    }
    return phrases[c.code] % {
        "nom": nom,
        "autre": motifs.nom_palier(c.autre) if c.code == "ordre" else "",
        "jour": nom_du_jour(c.n),
        "avant": nom_du_jour(c.autre),
        "n": c.n,
        "autre_n": c.autre,
    }


@require_safe
@exige(Droit.PLANS)
def comparaison(request, pk: int):
    """Volet « Si publié », saisie en cours comprise ; n'écrit rien."""
    echelle = _echelle(request, pk)
    brouillon = _version(echelle, V.BROUILLON)
    if brouillon is None:
        raise Http404
    saisis, fautive = [], False
    for p in brouillon.paliers.all():
        if f"p{p.pk}-delai" in request.GET:
            form = PalierForm(request.GET, instance=p, prefix=f"p{p.pk}")
            fautive = not form.is_valid()
            if not fautive and form.has_changed():
                saisis.append(service.regle(form.save(commit=False)))
    clients, _nom = perimetre(request, echelle.societe)
    au = prochain_passage(echelle.societe, maintenant())
    ecart = None if fautive else comparer(brouillon, au=au, clients=clients, paliers=saisis)
    contexte = {"ecart": ecart, "echelle": echelle, "brouillon": brouillon, "saisie": bool(saisis)}
    return rendre(request, "relances/comparaison.html", "relances/_ecart.html", contexte)


# --- Gestes ------------------------------------------------------------------------------------------


def _vers(pk: int, palier: int | None = None) -> str:
    return reverse("relances:plan", args=[pk]) + (f"?palier={palier}" if palier else "")


@require_POST
@exige(Droit.REGLER_PLANS)
def brouillon(request, pk: int):
    echelle = _echelle(request, pk)
    verifier_droit(request.user, Droit.REGLER_PLANS, echelle.societe_id)
    service.nouveau_brouillon(echelle, par=request.user)
    return rediriger(request, _vers(pk))


def _palier(request, pk: int) -> Palier:
    """Un palier d'un plan que la personne peut régler."""
    visibles = Echelle.objects.visibles_pour(request.user)
    paliers = Palier.objects.select_related("version__echelle__societe").filter(version__echelle__in=visibles)
    cible = get_object_or_404(paliers, pk=pk)
    verifier_droit(request.user, Droit.REGLER_PLANS, cible.version.echelle.societe_id)
    return cible


@require_POST
@exige(Droit.REGLER_PLANS)
def palier(request, pk: int):
    """Enregistre un palier du brouillon."""
    cible = _palier(request, pk)
    echelle = cible.version.echelle
    if cible.version.statut != V.BROUILLON:
        messages.error(request, _("Cette version est publiée : elle ne se modifie plus. Ouvrez un brouillon."))
        return rediriger(request, _vers(echelle.pk))
    form = PalierForm(request.POST, instance=cible, prefix=f"p{cible.pk}")
    if not form.is_valid():
        return _rendre(request, _echelle(request, echelle.pk), formulaire=form, status=422)
    form.save()
    fait(request, _("Palier enregistré dans le brouillon."))
    return rediriger(request, _vers(echelle.pk, cible.pk))


@require_POST
@exige(Droit.REGLER_PLANS)
def retirer(request, pk: int):
    cible = _palier(request, pk)
    try:
        service.retirer_palier(cible)
    except service.PlanInvalide as refus:
        messages.error(request, str(refus))
    else:
        fait(request, _("Palier retiré du brouillon."))
    return rediriger(request, _vers(cible.version.echelle_id))


@require_POST
@exige(Droit.REGLER_PLANS)
def ajouter(request, pk: int):
    version = _brouillon(request, pk)
    form = NaturePalierForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("Choisissez la nature du palier à ajouter."))
        return rediriger(request, _vers(pk))
    neuf = service.ajouter_palier(version, Nature(form.cleaned_data["nature"]))
    fait(request, _("Palier ajouté au brouillon : réglez son délai."))
    return rediriger(request, _vers(pk, neuf.pk))


@require_POST
@exige(Droit.REGLER_PLANS)
def regles(request, pk: int):
    """Seuils, plafond et regroupement du brouillon."""
    version = _brouillon(request, pk)
    form = VersionForm(request.POST, instance=version)
    if not form.is_valid():
        return _rendre(request, _echelle(request, pk), regles=form, status=422)
    form.save()
    fait(request, _("Règles enregistrées dans le brouillon."))
    return rediriger(request, _vers(pk))


@require_POST
@exige(Droit.REGLER_PLANS)
def abandonner(request, pk: int):
    service.abandonner(_brouillon(request, pk), par=request.user)
    fait(request, _("Brouillon abandonné : la version publiée n'a pas bougé."))
    return rediriger(request, _vers(pk))


@require_POST
@exige(Droit.REGLER_PLANS)
def publier(request, pk: int):
    echelle = _echelle(request, pk)
    verifier_droit(request.user, Droit.REGLER_PLANS, echelle.societe_id)
    version = _version(echelle, V.BROUILLON)
    if version is None:
        messages.error(request, _("Il n'y a plus de brouillon à publier."))
        return rediriger(request, _vers(pk))
    try:
        service.exiger_publiable(version)
        service.publier(version, par=request.user)
    except service.PlanInvalide as refus:
        messages.error(request, str(refus))
    else:
        fait(request, _("Version %(n)s publiée.") % {"n": version.numero})
    return rediriger(request, _vers(pk))
