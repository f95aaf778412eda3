"""Administration, « Accès API » : créer un jeton, montré une fois ; lire les derniers usages ; révoquer."""

from django.core.exceptions import ValidationError
from django.db.models import Exists, OuterRef
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from recouvrement.commun.horloge import aujourd_hui, maintenant
from recouvrement.commun.vues import Liste, fait, rediriger
from recouvrement.comptes.droits import Droit, exige, societes_pour, verifier_droit
from recouvrement.comptes.models import Affectation, Utilisateur
from recouvrement.comptes.onglets import onglets_administration

from ..forms import JetonForm
from ..jetons import creer_jeton, revoquer_jeton
from ..models import JetonApi
from ..portees import PORTEES, Portee

TRIS = {"nom": ["nom"], "usage": ["dernier_usage_le"], "expire": ["expire_le"], "cree": ["created_at"]}


@require_http_methods(["GET", "HEAD", "POST"])
@exige(Droit.ADMINISTRER)
def jetons(request):
    """La liste, et de quoi en créer un ; le secret ne s'affiche qu'à la réponse qui le crée."""
    societes, au, texte = societes_pour(request.user, Droit.ADMINISTRER), aujourd_hui(), ""
    ici = Affectation.objects.filter(utilisateur=OuterRef("pk"), societe__in=societes)
    equipe = Utilisateur.objects.filter(Exists(ici), is_active=True)
    form = JetonForm(request.POST or None, societes=societes, equipe=equipe, au=au)
    if request.method == "POST" and form.is_valid():
        donnees = form.cleaned_data
        verifier_droit(request.user, Droit.ADMINISTRER, donnees["societe"])
        try:
            _jeton, texte = creer_jeton(**donnees, au=au, acteur=request.user)
        except ValidationError as refus:
            form.add_error(None, refus)
        else:
            form = JetonForm(societes=societes, equipe=equipe, au=au)
    siens = JetonApi.objects.visibles_pour(request.user).select_related("societe", "utilisateur", "cree_par")
    liste = Liste(request, siens, tris=TRIS, defaut="-cree", par_page=25)
    contexte = {
        "liste": liste,
        "jetons": [(jeton, _etat(jeton, au), _portees(jeton)) for jeton in liste],
        "form": form,
        "texte_du_jeton": texte,
        "onglets": onglets_administration("api:jetons"),
    }
    reponse = render(request, "api/jetons.html", contexte, status=422 if form.errors else 200)
    reponse.headers["Cache-Control"] = "no-store"
    return reponse


def _etat(jeton: JetonApi, au) -> tuple[str, str, str]:
    """(mot, ton, signe)."""
    if jeton.revoque_le:
        return _("révoqué"), "mal", "ban"
    if au > jeton.expire_le:
        return _("expiré"), "att", "clock"
    if not jeton.utilisateur.is_active:
        return _("accès de la personne fermé"), "mal", "lock"
    return _("en service"), "bon", "check"


def _portees(jeton: JetonApi) -> list[tuple[str, str]]:
    return [(p, PORTEES[Portee(p)][1]) for p in jeton.portees if p in set(Portee)]


@require_POST
@exige(Droit.ADMINISTRER)
def revoquer(request, pk: int):
    """Ferme le jeton tout de suite ; il n'y a pas de retour."""
    jeton = get_object_or_404(JetonApi.objects.visibles_pour(request.user).select_related("societe"), pk=pk)
    verifier_droit(request.user, Droit.ADMINISTRER, jeton.societe_id)
    if revoquer_jeton(jeton, moment=maintenant(), acteur=request.user):
        fait(request, _("Jeton révoqué : il n’ouvre plus rien."))
    return rediriger(request, reverse("api:jetons"))
