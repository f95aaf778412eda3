"""Administration des webhooks : abonnements, essai, journal des livraisons, rejeu."""

from django.core.exceptions import ValidationError
from django.db.models import Count, Max, Q
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from recouvrement.api.forms_webhooks import AbonnementForm
from recouvrement.api.models import AbonnementWebhook, Livraison
from recouvrement.api.tasks import livrer_a
from recouvrement.api.webhooks import gestes
from recouvrement.api.webhooks.evenements import ESSAI, EVENEMENTS, NOMS
from recouvrement.commun import formats
from recouvrement.commun.reveil import reveiller
from recouvrement.commun.vues import Liste, fait, rediriger, rendre, valeur_parmi
from recouvrement.comptes.courante import restreindre, societe_courante
from recouvrement.comptes.droits import Droit, exige, societes_pour, verifier_droit
from recouvrement.comptes.onglets import onglets_administration

S = Livraison.Statut
TONS = {S.LIVREE: "bon", S.ABANDONNEE: "mal", S.EN_COURS: "info", S.A_LIVRER: "att"}
TRIS = {"nom": ["nom"], "societe": ["societe__raison_sociale"]}
TRIS_LIVRAISONS = {"quand": ["created_at"], "evenement": ["evenement"]}


def _abonnements(request):
    return AbonnementWebhook.objects.visibles_pour(request.user).select_related("societe")


@require_safe
@exige(Droit.ADMINISTRER)
def liste(request):
    """Écran « Webhooks » : qui est prévenu de quoi, et si tout est livré."""
    lignes = restreindre(request, _abonnements(request)).annotate(
        attendent=Count("livraisons", filter=Q(livraisons__statut=S.A_LIVRER)),
        abandonnees=Count("livraisons", filter=Q(livraisons__statut=S.ABANDONNEE) & ~Q(livraisons__evenement=ESSAI)),
        derniere=Max("livraisons__livree_le"),
    )
    page = Liste(request, lignes, tris=TRIS, defaut="nom")
    contexte = {
        "liste": page,
        "onglets": onglets_administration("webhooks:liste"),
        "annonce": ngettext("%(n)s abonnement", "%(n)s abonnements", page.total) % {"n": formats.nombre(page.total)},
    }
    return rendre(request, "api/webhooks.html", "api/_webhooks.html", contexte)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@exige(Droit.ADMINISTRER)
def nouveau(request):
    """Créer un abonnement ; la réponse montre sa clé, une seule fois."""
    form = AbonnementForm(
        request.POST or None,
        societes=societes_pour(request.user, Droit.ADMINISTRER),
        initial={"societe": societe_courante(request), "evenements": [nom for nom, _phrase in EVENEMENTS]},
    )
    if request.method == "POST" and form.is_valid():
        verifier_droit(request.user, Droit.ADMINISTRER, form.cleaned_data["societe"])
        try:
            secret = gestes.abonner(form.save(commit=False), acteur=request.user)
        except ValidationError as refus:
            form.add_error(None, refus.messages)
        else:
            return _cle(request, form.instance, secret)
    return _page(request, form)


def _cle(request, abonnement: AbonnementWebhook, secret: str):
    contexte = {"abonnement": abonnement, "secret": secret, "fil": _fil()}
    return rendre(request, "api/webhook_cle.html", "api/webhook_cle.html", contexte)


def _fil():
    return [(_("Administration"), reverse("comptes:administration")), (_("Webhooks"), reverse("webhooks:liste"))]


@require_http_methods(["GET", "HEAD", "POST"])
@exige(Droit.ADMINISTRER)
def abonnement(request, pk: int):
    """Réglages d'un abonnement et journal de ses livraisons, filtrable par état et par événement."""
    trouve = get_object_or_404(_abonnements(request), pk=pk)
    form = AbonnementForm(
        request.POST or None, instance=trouve, societes=societes_pour(request.user, Droit.ADMINISTRER)
    )
    if request.method == "POST" and form.is_valid():
        verifier_droit(request.user, Droit.ADMINISTRER, trouve.societe_id)
        try:
            gestes.regler(form.save(commit=False), acteur=request.user)
        except ValidationError as refus:
            form.add_error(None, refus.messages)
        else:
            fait(request, _("Abonnement enregistré."))
            return rediriger(request, reverse("webhooks:abonnement", args=[pk]))
    if request.method == "POST":
        trouve = get_object_or_404(_abonnements(request), pk=pk)
    return _page(request, form, trouve)


def _page(request, form, trouve: AbonnementWebhook | None = None):
    contexte = {"form": form, "abonnement": trouve, "fil": _fil()}
    if trouve:
        lignes = trouve.livraisons.defer("corps")
        if statut := valeur_parmi(request, "statut", ["", *S.values]):
            lignes = lignes.filter(statut=statut)
        if evenement := valeur_parmi(request, "evenement", ["", ESSAI, *NOMS]):
            lignes = lignes.filter(evenement=evenement)
        page = Liste(request, lignes, tris=TRIS_LIVRAISONS, defaut="-quand", par_page=25)
        n = formats.nombre(page.total)
        contexte |= {
            "liste": page,
            "livraisons": [(x, TONS[x.statut], x.statut in (S.LIVREE, S.ABANDONNEE)) for x in page],
            "statuts": S.choices,
            "evenements": [*EVENEMENTS, (ESSAI, _("Essai"))],
            "annonce": ngettext("%(n)s livraison", "%(n)s livraisons", page.total) % {"n": n},
        }
    statut_http = 422 if form.errors else 200
    fragment = "api/_livraisons.html" if trouve and request.method != "POST" else "api/webhook.html"
    return rendre(request, "api/webhook.html", fragment, contexte, status=statut_http)


@require_POST
@exige(Droit.ADMINISTRER)
def essayer(request, pk: int):
    """Envoie un événement d'essai et dit la réponse."""
    trouve = get_object_or_404(_abonnements(request), pk=pk)
    verifier_droit(request.user, Droit.ADMINISTRER, trouve.societe_id)
    issue = gestes.essayer(trouve, moment=timezone.now())
    if issue.livree:
        fait(request, _("L’essai est arrivé : réponse %(n)d.") % {"n": issue.statut})
    else:
        fait(request, _("L’essai n’est pas arrivé : %(erreur)s.") % {"erreur": issue.erreur.rstrip(".")})
    return rediriger(request, reverse("webhooks:abonnement", args=[pk]))


@never_cache
@require_POST
@exige(Droit.ADMINISTRER)
def renouveler(request, pk: int):
    trouve = get_object_or_404(_abonnements(request), pk=pk)
    verifier_droit(request.user, Droit.ADMINISTRER, trouve.societe_id)
    return _cle(request, trouve, gestes.renouveler(trouve, acteur=request.user))


@require_POST
@exige(Droit.ADMINISTRER)
def basculer(request, pk: int):
    """Arrête l'abonnement s'il est actif, le réactive sinon ; l'état voulu est dans le formulaire."""
    trouve = get_object_or_404(_abonnements(request), pk=pk)
    verifier_droit(request.user, Droit.ADMINISTRER, trouve.societe_id)
    actif = request.POST.get("actif") == "1"
    if gestes.basculer(trouve, actif=actif, moment=timezone.now(), acteur=request.user):
        fait(request, _("Abonnement réactivé.") if actif else _("Abonnement arrêté : rien ne se perd, tout attend."))
        if actif:
            _reveiller(pk)
    return rediriger(request, reverse("webhooks:abonnement", args=[pk]))


@require_POST
@exige(Droit.ADMINISTRER)
def rejouer(request, pk: int, livraison: int):
    """Remet une livraison à envoyer, sous le même identifiant."""
    trouve = get_object_or_404(_abonnements(request), pk=pk)
    verifier_droit(request.user, Droit.ADMINISTRER, trouve.societe_id)
    ligne = get_object_or_404(trouve.livraisons.select_related("abonnement__societe"), pk=livraison)
    if gestes.rejouer(ligne, moment=timezone.now(), acteur=request.user):
        fait(request, _("Livraison remise à envoyer, sous le même identifiant."))
        _reveiller(pk)
    return rediriger(request, reverse("webhooks:abonnement", args=[pk]))


def _reveiller(pk: int) -> None:
    """Le courtier ne fait que réveiller : sans lui, la minute suivante s'en charge."""
    reveiller(livrer_a, pk)
