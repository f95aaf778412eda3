"""Administration : les personnes et leurs rôles."""

from allauth.account.forms import ResetPasswordForm
from allauth.mfa.models import Authenticator
from django.core.exceptions import ValidationError
from django.db.models import Count, Exists, OuterRef, Prefetch, Q
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from clients.models import Client
from clients.portefeuilles import confier_portefeuille
from factures.services import phrase_de_rappel
from recouvrement.commun.horloge import aujourd_hui
from recouvrement.commun.vues import Liste, fait, rediriger, rendre, texte

from ..droits import Droit, exige, roles_avec, societes_pour
from ..forms import PortefeuilleForm, UtilisateurForm
from ..models import Affectation, Role, Utilisateur
from ..onglets import onglets_administration
from ..services import enregistrer_utilisateur

TRIS = {"nom": ["nom"], "courriel": ["courriel"], "connexion": ["last_login"]}


def administrees(request):
    """Sociétés que la personne connectée administre."""
    return societes_pour(request.user, Droit.ADMINISTRER)


def equipe(request):
    """Personnes qui ont un rôle dans une société administrée ; celles d'ailleurs sont invisibles."""
    ici = Affectation.objects.filter(utilisateur=OuterRef("pk"), societe__in=administrees(request))
    return Utilisateur.objects.filter(Exists(ici))


@require_safe
@exige(Droit.ADMINISTRER)
def utilisateurs(request):
    """Écran « Utilisateurs » : qui a quel rôle, combien de clients, quelle sécurité."""
    lignes = equipe(request)
    if q := texte(request, "q"):
        lignes = lignes.filter(Q(nom__icontains=q) | Q(courriel__icontains=q))
    if (role := request.GET.get("role")) in Role.values:
        lignes = lignes.filter(affectations__role=role, affectations__societe__in=administrees(request)).distinct()
    if (acces := request.GET.get("acces")) in ("actif", "ferme"):
        lignes = lignes.filter(is_active=acces == "actif")
    ici = Affectation.objects.filter(societe__in=administrees(request)).select_related("societe")
    lignes = lignes.annotate(
        second_facteur=Exists(Authenticator.objects.filter(user=OuterRef("pk")).exclude(type="recovery_codes"))
    ).prefetch_related(Prefetch("affectations", ici.order_by("societe__raison_sociale"), "roles_ici"))
    liste = Liste(request, lignes, tris=TRIS, defaut="nom")
    clients = Client.objects.filter(societe__in=administrees(request), gestionnaire__in=list(liste))
    contexte = {
        "liste": liste,
        "portefeuilles": dict(clients.values_list("gestionnaire").annotate(n=Count("pk")).order_by()),
        "onglets": onglets_administration("comptes:administration"),
        "rappel_taux": phrase_de_rappel(aujourd_hui()),
        "roles": Role.choices,
        "acces": [("actif", _("ouvert")), ("ferme", _("fermé"))],
    }
    return rendre(request, "comptes/utilisateurs.html", "comptes/_utilisateurs.html", contexte)


@require_http_methods(["GET", "HEAD", "POST"])
@exige(Droit.ADMINISTRER)
def utilisateur_nouveau(request):
    """Créer une personne ; elle reçoit un lien pour choisir son mot de passe."""
    formulaire = UtilisateurForm(request.POST or None, societes=administrees(request), initial={"langue": "fr"})
    if request.method == "POST" and _enregistrer(request, formulaire):
        _inviter(request, formulaire.instance)
        fait(request, _("Compte créé ; un lien est parti à %(courriel)s.") % {"courriel": formulaire.instance.courriel})
        return rediriger(request, reverse("comptes:utilisateur", args=[formulaire.instance.pk]))
    return _page_utilisateur(request, formulaire)


@require_http_methods(["GET", "HEAD", "POST"])
@exige(Droit.ADMINISTRER)
def utilisateur(request, pk: int):
    """Fiche d'une personne : coordonnées, rôles, portefeuille."""
    personne = get_object_or_404(equipe(request), pk=pk)
    ailleurs = personne.affectations.exclude(societe__in=administrees(request)).exists()
    formulaire = UtilisateurForm(
        request.POST or None, instance=personne, societes=administrees(request), identite=not ailleurs
    )
    if request.method == "POST" and _enregistrer(request, formulaire):
        fait(request, _("Modifications enregistrées."))
        return rediriger(request, reverse("comptes:administration"))
    return _page_utilisateur(request, formulaire, personne=personne, ailleurs=ailleurs)


def _enregistrer(request, formulaire: UtilisateurForm) -> bool:
    """Vrai si la personne est enregistrée ; sinon l'erreur est dans le formulaire."""
    if not formulaire.is_valid():
        return False
    try:
        enregistrer_utilisateur(formulaire.save(commit=False), roles=formulaire.roles(), acteur=request.user)
    except ValidationError as refus:
        formulaire.add_error(None, refus)
        return False
    return True


def _page_utilisateur(request, formulaire, personne=None, ailleurs=False):
    portefeuille = []
    if personne:
        siens = Client.objects.filter(gestionnaire=personne, societe__in=administrees(request))
        portefeuille = (
            siens.values("societe", "societe__raison_sociale")
            .annotate(n=Count("pk"))
            .order_by("societe__raison_sociale")
        )
    contexte = {
        "formulaire": formulaire,
        "personne": personne,
        "ailleurs": ailleurs,
        "portefeuille": portefeuille,
        "confier": _formulaire_portefeuille(request, personne) if portefeuille else None,
        "fil": [(_("Administration"), reverse("comptes:administration")), (_("Utilisateurs"), "")],
    }
    statut = 422 if formulaire.errors else 200
    return rendre(request, "comptes/utilisateur.html", "comptes/utilisateur.html", contexte, status=statut)


def _formulaire_portefeuille(request, personne, donnees=None):
    avec_clients = administrees(request).filter(clients__gestionnaire=personne).distinct()
    capables = equipe(request).filter(
        is_active=True, affectations__role__in=roles_avec(Droit.AGIR), affectations__societe__in=administrees(request)
    )
    return PortefeuilleForm(donnees, societes=avec_clients, equipe=capables.exclude(pk=personne.pk).distinct())


@require_POST
@exige(Droit.ADMINISTRER)
def portefeuille(request, pk: int):
    """Confie les clients d'une personne, dans une société, à une autre."""
    personne = get_object_or_404(equipe(request), pk=pk)
    formulaire = _formulaire_portefeuille(request, personne, request.POST)
    if formulaire.is_valid():
        vers = formulaire.cleaned_data["a"]
        try:
            n = confier_portefeuille(formulaire.cleaned_data["societe"], de=personne, a=vers, acteur=request.user)
        except ValidationError as refus:
            formulaire.add_error(None, refus)
        else:
            fait(request, _("%(n)d clients confiés à %(qui)s.") % {"n": n, "qui": vers})
            return rediriger(request, reverse("comptes:utilisateur", args=[pk]))
    fiche = UtilisateurForm(instance=personne, societes=administrees(request))
    reponse = _page_utilisateur(request, fiche, personne=personne)
    reponse.status_code = 422
    return reponse


@require_POST
@exige(Droit.ADMINISTRER)
def inviter(request, pk: int):
    """Renvoie le lien qui laisse choisir un mot de passe."""
    personne = get_object_or_404(equipe(request), pk=pk, is_active=True)
    _inviter(request, personne)
    fait(request, _("Un lien est parti à %(courriel)s.") % {"courriel": personne.courriel})
    return rediriger(request, reverse("comptes:utilisateur", args=[pk]))


def _inviter(request, personne: Utilisateur) -> None:
    lien = ResetPasswordForm({"email": personne.courriel})
    if lien.is_valid():
        lien.save(request)
