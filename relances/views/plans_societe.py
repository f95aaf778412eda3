"""Les plans d'une société : créer, renommer, retirer, choisir, importer, exporter, affecter des clients."""

from django.contrib import messages
from django.db.models import Q
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from clients.models import Client
from recouvrement.commun.vues import Liste, fait, rediriger, rendre, texte
from recouvrement.comptes.droits import Droit, exige, peut, verifier_droit
from relances.domaine.echange_plans import FichierRefuse
from relances.formulaires_plans import ClientsForm, CreerPlanForm, ImporterPlanForm, NomForm, PlanDuClientForm
from relances.models import Echelle, VersionEchelle
from relances.services import echange_plans
from relances.services import plans_societe as service
from relances.services.brouillons import nouveau_brouillon
from relances.services.plans import PlanInvalide, meme_droit
from relances.services.versions_plans import differences

from .brouillons import tenter, vers
from .plans import echelle_reglable, echelle_visible, origines, rendre_liste, societe_reglable

V = VersionEchelle.Statut
TROUVES = 50  # clients proposés d'une recherche


@require_POST
@exige(Droit.REGLER_PLANS)
def creer(request):
    """Un plan neuf, en brouillon, copié d'un plan de la société ou d'un plan livré."""
    societe = _societe(request)
    if societe is None:
        return rediriger(request, reverse("relances:plans"))
    echelles = list(Echelle.objects.filter(societe=societe).prefetch_related("versions"))
    form = CreerPlanForm(request.POST, origines=origines(echelles))
    if not form.is_valid():
        return rendre_liste(request, creation=form, status=422)
    genre, cle = form.cleaned_data["depuis"].split("-", 1)
    source = {"type_debiteur": cle}
    if genre == "plan":
        source = {"copie_de": VersionEchelle.objects.get(echelle=int(cle), statut=V.PUBLIEE)}
    try:
        echelle = service.creer_plan(societe, form.cleaned_data["nom"], par=request.user, **source)
    except PlanInvalide as refus:
        form.add_error("nom", str(refus))
        return rendre_liste(request, creation=form, status=422)
    fait(request, _("Plan %(nom)s créé : réglez son brouillon, puis publiez-le.") % {"nom": echelle.nom})
    return rediriger(request, vers(echelle.pk))


def _societe(request):
    """La société où créer, ou None après l'avoir dit."""
    societe = societe_reglable(request)
    if societe is None:
        messages.error(request, _("Choisissez d'abord une société dont vous réglez les plans."))
    return societe


@require_POST
@exige(Droit.REGLER_PLANS)
def importer(request):
    """Un plan neuf depuis un fichier JSON ; jamais une version publiée."""
    societe = _societe(request)
    if societe is None:
        return rediriger(request, reverse("relances:plans"))
    form = ImporterPlanForm(request.POST, request.FILES)
    version = _importer(request, form, societe)
    if version is None:
        return rendre_liste(request, importation=form, status=422)
    fait(request, _("Plan %(nom)s importé en brouillon : relisez-le, puis publiez-le.") % {"nom": version.echelle.nom})
    return rediriger(request, vers(version.echelle_id))


def _importer(request, form, societe, echelle=None) -> VersionEchelle | None:
    """Le brouillon importé, ou None et la faute nommée dans le formulaire."""
    if not form.is_valid():
        return None
    try:
        plan = echange_plans.lire(form.cleaned_data["fichier"])
        return echange_plans.importer(plan, societe, par=request.user, echelle=echelle)
    except FichierRefuse as refus:
        form.add_error("fichier", phrase_de_refus(refus))
    except PlanInvalide as refus:
        form.add_error("fichier", str(refus))
    return None


def phrase_de_refus(refus: FichierRefuse) -> str:
    """La faute d'un fichier de plan, à sa place."""
    phrases = {
        "trop_gros": _("Fichier de plus de 64 Ko : ce n'est pas un plan exporté d'ici."),
        "texte": _("Caractère interdit dans %(valeur)s."),
        "encodage": _("Ce fichier n'est pas du texte UTF-8."),
        "profond": _("Ce fichier s'emboîte sans fin : ce n'est pas un plan."),
        "json": _("Ce fichier n'est pas du JSON lisible."),
        "nombre": _("Un nombre n'est pas un entier court : %(valeur)s."),
        "cle_double": _("La clé « %(valeur)s » est écrite deux fois."),
        "type": _("Valeur d'un autre type que celui attendu (%(valeur)s)."),
        "cle_inconnue": _("Clé inconnue : « %(valeur)s »."),
        "cle_manquante": _("Il manque la clé « %(valeur)s »."),
        "format": _("Ce fichier n'est pas un plan de relance : « %(valeur)s »."),
        "schema": _("Version de fichier inconnue : %(valeur)s."),
        "trop_long": _("Texte trop long (%(valeur)s caractères)."),
        "nom": _("Le nom du plan est vide ou illisible."),
        "inconnu": _("Valeur inconnue : « %(valeur)s »."),
        "montant": _("Ce n'est pas un montant en euros : « %(valeur)s »."),
        "borne": _("Valeur hors bornes : %(valeur)s."),
        "rang_double": _("Deux paliers au même rang : %(valeur)s."),
        "delai_negatif": _("Seul un rappel avant échéance a un délai négatif : %(valeur)s."),
        "mode_interdit": _("Ce palier ne peut pas partir ainsi : « %(valeur)s »."),
    }
    texte = phrases[refus.code] % {"valeur": refus.valeur}
    return _("%(ou)s : %(faute)s") % {"ou": refus.ou, "faute": texte} if refus.ou else texte


@require_safe
@exige(Droit.PLANS)
def exporter(request, pk: int):
    """Le JSON d'une version : celle de l'adresse, sinon la publiée, sinon la plus récente."""
    echelle = echelle_visible(request, pk)
    versions = sorted(echelle.versions.all(), key=lambda v: (v.statut != V.PUBLIEE, -v.numero))
    demandee = request.GET.get("version", "")
    version = next((v for v in versions if str(v.numero) == demandee), None) or next(iter(versions), None)
    if version is None:
        raise Http404
    reponse = HttpResponse(echange_plans.exporter(version), content_type="application/json; charset=utf-8")
    reponse["Content-Disposition"] = f'attachment; filename="{echelle.code}-v{version.numero}.json"'
    return reponse


# --- Un plan ----------------------------------------------------------------------------------------


@require_safe
@exige(Droit.PLANS)
def versions(request, pk: int):
    """Toutes les versions, ce qui change de l'une à l'autre, et les réglages du plan lui-même."""
    return _versions(request, echelle_visible(request, pk))


def _versions(request, echelle: Echelle, *, nom=None, importation=None, status: int = 200):
    liste = sorted(echelle.versions.all(), key=lambda v: -v.numero)
    if not liste:
        raise Http404
    par_numero = {str(v.numero): v for v in liste}
    a = par_numero.get(request.GET.get("apres", ""), liste[0])
    de = par_numero.get(request.GET.get("avant", ""), liste[min(1, len(liste) - 1)])
    contexte = {
        "echelle": echelle,
        "versions": liste,
        "avant": de,
        "apres": a,
        "differences": differences(de, a) if de != a else [],
        "brouillon": next((v for v in liste if v.statut == V.BROUILLON), None),
        "publiee": next((v for v in liste if v.statut == V.PUBLIEE), None),
        "peut_regler": peut(request.user, Droit.REGLER_PLANS, echelle.societe_id),
        "affectes": echelle.clients.count(),
        "nom": nom or NomForm(initial={"nom": echelle.nom}),
        "importation": importation or ImporterPlanForm(),
    }
    return rendre(request, "relances/plan_versions.html", "relances/_plan_versions.html", contexte, status=status)


def vers_versions(pk: int) -> str:
    return reverse("relances:plan_versions", args=[pk])


@require_POST
@exige(Droit.REGLER_PLANS)
def revenir(request, pk: int):
    """Un brouillon neuf copié d'une ancienne version ; elle-même ne bouge pas."""
    echelle = echelle_reglable(request, pk)
    ancienne = next((v for v in echelle.versions.all() if str(v.numero) == request.POST.get("version", "")), None)
    if ancienne is None:
        messages.error(request, _("Cette version n'existe plus."))
        return rediriger(request, vers_versions(pk))
    return tenter(
        request, nouveau_brouillon, echelle, par=request.user, depuis=ancienne, url=vers(pk),
        bon=_("Brouillon copié de la version %(n)s : relisez-le, puis publiez-le.") % {"n": ancienne.numero},
    )  # fmt: skip


@require_POST
@exige(Droit.REGLER_PLANS)
def renommer(request, pk: int):
    echelle = echelle_reglable(request, pk)
    form = NomForm(request.POST)
    if form.is_valid():
        try:
            service.renommer(echelle, form.cleaned_data["nom"], par=request.user)
        except PlanInvalide as refus:
            form.add_error("nom", str(refus))
    if form.errors:
        return _versions(request, echelle, nom=form, status=422)
    fait(request, _("Plan renommé."))
    return rediriger(request, vers_versions(pk))


@require_POST
@exige(Droit.REGLER_PLANS)
def importer_brouillon(request, pk: int):
    """Le fichier devient le brouillon de ce plan, à relire avant de publier."""
    echelle = echelle_reglable(request, pk)
    form = ImporterPlanForm(request.POST, request.FILES)
    if _importer(request, form, echelle.societe, echelle) is None:
        return _versions(request, echelle, importation=form, status=422)
    fait(request, _("Fichier importé en brouillon : relisez-le, puis publiez-le."))
    return rediriger(request, vers(pk))


@require_POST
@exige(Droit.REGLER_PLANS)
def par_defaut(request, pk: int):
    echelle = echelle_reglable(request, pk)
    bon = _("%(nom)s est le plan par défaut de ce type de débiteur.") % {"nom": echelle.nom}
    return tenter(request, service.mettre_par_defaut, echelle, par=request.user, url=vers_versions(pk), bon=bon)


@require_POST
@exige(Droit.REGLER_PLANS)
def retirer(request, pk: int):
    echelle = echelle_reglable(request, pk)
    try:
        disparu = service.retirer_plan(echelle, par=request.user)
    except PlanInvalide as refus:
        messages.error(request, str(refus))
        return rediriger(request, vers_versions(pk))
    if disparu:
        fait(request, _("Plan retiré."))
    else:
        fait(request, _("Plan retiré : ses versions restent à lire, des relances les citent."))
    return rediriger(request, reverse("relances:plans"))


# --- Clients affectés -------------------------------------------------------------------------------


@require_safe
@exige(Droit.PLANS)
def clients(request, pk: int):
    """Les clients de ce plan, et une recherche pour en ajouter."""
    echelle = echelle_visible(request, pk)
    visibles = Client.objects.visibles_pour(request.user)
    cherche = " ".join(texte(request, "q").split())
    peut_regler = peut(request.user, Droit.REGLER_PLANS, echelle.societe_id)
    suivis = visibles.filter(echelles=echelle)
    trouves = []
    if cherche and peut_regler:
        ouverts = service.chercher(service.affectables(visibles, echelle), cherche)
        trouves = list(ouverts.prefetch_related("echelles").order_by("raison_sociale", "pk")[: TROUVES + 1])
    contexte = {
        "echelle": echelle,
        "liste": Liste(request, suivis, tris={"nom": ["raison_sociale"]}, defaut="nom"),
        "caches": echelle.clients.count() - suivis.count(),
        "cherche": cherche,
        "trouves": trouves[:TROUVES],
        "plus": len(trouves) > TROUVES,
        "peut_regler": peut_regler,
        "publiee": echelle.versions.filter(statut=V.PUBLIEE).exists(),
    }
    return rendre(request, "relances/plan_clients.html", "relances/_plan_clients.html", contexte)


@require_POST
@exige(Droit.REGLER_PLANS)
def affecter(request, pk: int):
    """Affecte à ce plan les clients choisis, ou les rend au plan de leur type (`rendre`)."""
    echelle = echelle_reglable(request, pk)
    url = reverse("relances:plan_clients", args=[pk])
    visibles = Client.objects.visibles_pour(request.user).filter(societe=echelle.societe_id)
    form = ClientsForm(request.POST, clients=visibles)
    if not form.is_valid():
        messages.error(request, _("Choisissez au moins un client."))
        return rediriger(request, url)
    cible = None if "rendre" in request.POST else echelle
    choisis = form.cleaned_data["choix"]
    if cible is None:
        choisis = choisis.filter(echelles=echelle)
    try:
        n = service.affecter_plusieurs(choisis, cible, par=request.user)
    except PlanInvalide as refus:
        messages.error(request, str(refus))
    else:
        fait(request, ngettext("%(n)s client a changé de plan.", "%(n)s clients ont changé de plan.", n) % {"n": n})
    return rediriger(request, url)


@require_http_methods(["GET", "HEAD", "POST"])
@exige(Droit.PLANS)
def plan_du_client(request, pk: int):
    """Le plan d'un client : celui de son type, ou un plan particulier de son droit."""
    client = get_object_or_404(Client.objects.visibles_pour(request.user).select_related("societe"), pk=pk)
    actuel = client.echelles.first()
    siennes = Echelle.objects.visibles_pour(request.user).filter(societe=client.societe_id)
    siennes = siennes.filter(Q(versions__statut=V.PUBLIEE) | Q(pk=actuel.pk if actuel else None)).distinct()
    echelles = [e for e in siennes if meme_droit(client.type, e.type_debiteur)]
    if request.method == "POST":
        verifier_droit(request.user, Droit.REGLER_PLANS, client.societe_id)
        form = PlanDuClientForm(request.POST, echelles=echelles)
        if form.is_valid():
            choisie = next((e for e in echelles if str(e.pk) == form.cleaned_data["echelle"]), None)
            return tenter(
                request, service.affecter, client, choisie, par=request.user,
                url=reverse("clients:fiche", args=[pk]), bon=_("Plan de relance du client enregistré."),
            )  # fmt: skip
        status = 422
    else:
        form, status = PlanDuClientForm(initial={"echelle": actuel.pk if actuel else ""}, echelles=echelles), 200
    contexte = {
        "client": client, "form": form, "defaut": next((e for e in echelles if e.par_defaut), None),
        "peut_regler": peut(request.user, Droit.REGLER_PLANS, client.societe_id),
    }  # fmt: skip
    return rendre(request, "relances/plan_du_client.html", "relances/_plan_du_client.html", contexte, status=status)
