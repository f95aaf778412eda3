"""Qui peut quoi : une matrice rôle × droit, fermée par défaut.

Toute vue porte `@exige(Droit.X)` ; un essai parcourt toutes les routes avec tous les rôles et
échoue sur une route que personne n'a classée. `docs/droits.md` montre la même matrice.
"""

from enum import StrEnum
from functools import wraps

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.utils.translation import gettext as _

from recouvrement.commun.horloge import aujourd_hui

from .models import Role, Societe


class Droit(StrEnum):
    VOIR = "voir"  # clients, factures, relances, contentieux de son périmètre
    EXPORTER = "exporter"
    AGIR = "agir"  # appeler, noter, promesse, litige, suspendre, affecter un encaissement
    ENVOYER = "envoyer"  # valider ou envoyer un courrier, poster un recommandé
    VALIDER_PLAFOND = "valider_plafond"  # au-dessus du plafond d'un plan
    LEVER_FREIN = "lever_frein"
    IMPORTER = "importer"
    CONTENTIEUX = "contentieux"  # ouvrir un dossier, produire la requête
    PLANS = "plans"  # voir les plans de relance
    REGLER_PLANS = "regler_plans"
    ADMINISTRER = "administrer"  # sociétés, utilisateurs, taux
    TOUT_VOIR = "tout_voir"  # tous les portefeuilles de la société


D, R = Droit, Role
MATRICE: dict[Role, frozenset[Droit]] = {
    R.LECTEUR: frozenset({D.VOIR, D.EXPORTER, D.PLANS, D.TOUT_VOIR}),
    R.GESTIONNAIRE: frozenset({D.VOIR, D.EXPORTER, D.AGIR, D.ENVOYER, D.IMPORTER, D.CONTENTIEUX, D.PLANS}),
    R.RESPONSABLE: frozenset(set(D) - {D.ADMINISTRER}),
    R.ADMINISTRATEUR: frozenset(D),
}


def roles_avec(droit: Droit) -> list[str]:
    return [role.value for role, droits in MATRICE.items() if droit in droits]


def societes_pour(user, droit: Droit = Droit.VOIR):
    """Sociétés où l'utilisateur exerce ce droit."""
    if not user.is_authenticated or not user.is_active:
        return Societe.objects.none()
    return Societe.objects.filter(affectations__utilisateur=user, affectations__role__in=roles_avec(droit))


def roles_de(user) -> dict[int, str]:
    """{societe_id: rôle}, lu une fois par requête (mémorisé sur l'utilisateur)."""
    if not hasattr(user, "_roles_par_societe"):
        user._roles_par_societe = dict(user.affectations.values_list("societe_id", "role"))
    return user._roles_par_societe


def peut(user, droit: Droit, societe=None) -> bool:
    """Vrai si l'utilisateur a ce droit dans `societe` (objet ou identifiant), ou dans l'une au moins."""
    if not user.is_authenticated or not user.is_active:
        return False
    roles = roles_de(user)
    if societe is not None:
        role = roles.get(getattr(societe, "pk", societe))
        return role is not None and droit in MATRICE[Role(role)]
    return any(droit in MATRICE[Role(role)] for role in roles.values())


def verifier_droit(user, droit: Droit, societe) -> None:
    """Lève PermissionDenied si le droit manque dans cette société : à appeler sur l'objet chargé."""
    if not peut(user, droit, societe):
        raise PermissionDenied(_("Votre rôle ne permet pas cette action dans cette société."))


def exige(droit: Droit):
    """Décorateur de vue : connexion, puis ce droit dans une société au moins.

    La vue filtre ensuite par `visibles_pour(request.user)` et appelle `verifier_droit` avant d'écrire.
    """

    def decorateur(vue):
        @wraps(vue)
        def gardee(request, *args, **kwargs):
            if not request.user.is_authenticated:
                return redirect_to_login(request.get_full_path())
            if not peut(request.user, droit):
                raise PermissionDenied(_("Votre rôle ne permet pas d'ouvrir cette page."))
            return vue(request, *args, **kwargs)

        gardee.droit = droit
        return gardee

    return decorateur


def public(vue):
    """Marque une vue ouverte sans connexion (santé, connexion) : l'essai des routes la reconnaît."""
    vue.droit = None
    return vue


PARTAGES_MAX = 500  # fiches ouvertes à une même personne ; au-delà, c'est un portefeuille qu'il faut


def remplaces_par(user) -> frozenset[int]:
    """Identifiants des collègues absents ce jour dont cette personne tient le portefeuille (mémorisé)."""
    if not hasattr(user, "_remplaces"):
        absences = user.remplacements.filter(utilisateur__is_active=True).en_cours(aujourd_hui())
        user._remplaces = frozenset(absences.values_list("utilisateur_id", flat=True))
    return user._remplaces


def partages_a(user) -> frozenset[int]:
    """Identifiants des clients qu'un collègue a ouverts à cette personne : mention, affaire confiée (mémorisé)."""
    if not hasattr(user, "_partages"):
        ouverts = user.partages.en_cours(aujourd_hui()).order_by("-pk").values_list("client_id", flat=True)
        user._partages = frozenset(ouverts[:PARTAGES_MAX])
    return user._partages


def filtre_portefeuille(user, chemin_societe: str, chemin_gestionnaire: str):
    """Q de visibilité : toute la société pour qui a TOUT_VOIR ; sinon son portefeuille, celui d'un absent qu'il
    remplace, et les clients qu'un collègue lui a ouverts. Toujours dans une société où il tient un rôle.

    chemin_* : chemins ORM depuis le modèle filtré (« societe_id », « client__gestionnaire_id »).
    """
    from django.db.models import Q

    if not user.is_authenticated or not user.is_active:
        return Q(pk__in=[])
    larges, etroites = [], []
    for societe_id, role in roles_de(user).items():
        droits = MATRICE[Role(role)]
        if Droit.VOIR in droits:
            (larges if Droit.TOUT_VOIR in droits else etroites).append(societe_id)
    filtre = Q(**{f"{chemin_societe}__in": larges})
    if etroites:
        tenus = Q(**{f"{chemin_gestionnaire}__in": [user.pk, *sorted(remplaces_par(user))]})
        if partages := partages_a(user):
            chemin_client = f"{chemin_gestionnaire.removesuffix('gestionnaire_id')}pk"
            tenus |= Q(**{f"{chemin_client}__in": sorted(partages)})
        filtre |= Q(**{f"{chemin_societe}__in": etroites}) & tenus
    return filtre
