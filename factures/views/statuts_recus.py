"""Statuts à vérifier : la plateforme dit payé ce que le compte n'a pas reçu ; une personne décide."""

from django.contrib import messages
from django.db.models import F, OuterRef, Subquery, Sum
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_POST, require_safe

from factures.models import Echeance, StatutRecu
from factures.services.statuts_fe import Issue, decider_anomalie, nommer
from recouvrement.commun import formats
from recouvrement.commun.vues import Liste, entier, fait, onglets, rediriger, rendre, valeur_parmi
from recouvrement.comptes.courante import restreindre
from recouvrement.comptes.droits import Droit, exige, peut, verifier_droit

ETATS = {"a-decider": gettext_lazy("À décider"), "decidees": gettext_lazy("Décidées")}
TRIS = {"le": ["le"], "facture": ["facture__numero"], "client": ["facture__client__raison_sociale"]}


def anomalies(statuts):
    """Encore à décider : la facture payée depuis ne contredit plus rien."""
    reste = (
        Echeance.objects.filter(facture=OuterRef("facture"))
        .order_by()
        .values("facture")
        .annotate(reste=Sum(F("montant") - F("impute")))
    )
    statuts = statuts.exclude(anomalie="").annotate(reste=Subquery(reste.values("reste")))
    return statuts.filter(decidee_le=None, reste__gt=0)


@require_safe
@exige(Droit.VOIR)
def liste(request):
    visibles = restreindre(request, StatutRecu.objects.visibles_pour(request.user))
    etat = valeur_parmi(request, "etat", ETATS)
    lignes = anomalies(visibles) if etat == "a-decider" else visibles.filter(decidee_le__isnull=False)
    page = Liste(request, lignes.select_related("facture__client", "decidee_par"), tris=TRIS, defaut="-le")
    contexte = {
        "liste": page,
        "lignes": [(s, nommer(s.code)) for s in page],
        "etats": onglets(request, "etat", list(ETATS.items())),
        "a_decider": etat == "a-decider",
        "peut_agir": etat == "a-decider" and peut(request.user, Droit.AGIR),
        "annonce": ngettext("%(n)s statut", "%(n)s statuts", page.total) % {"n": formats.nombre(page.total)},
    }
    return rendre(request, "factures/statuts_recus.html", "factures/_statuts_recus.html", contexte)


@require_POST
@exige(Droit.AGIR)
def decider(request):
    """`une` : « clé-issue »."""
    cle, _sep, issue = request.POST.get("une", "").partition("-")
    if not cle:
        messages.error(request, _("Dites si le paiement est vérifié, ou écartez le statut."))
        return rediriger(request, reverse("factures:statuts_recus"))
    statut = get_object_or_404(
        StatutRecu.objects.visibles_pour(request.user).select_related("facture"), pk=entier(cle) or 0
    )
    verifier_droit(request.user, Droit.AGIR, statut.societe_id)
    if issue not in list(Issue):
        messages.error(request, _("Dites si le paiement est vérifié, ou écartez le statut."))
    elif not decider_anomalie(statut, issue=Issue(issue), acteur=request.user):
        messages.info(request, _("C'était déjà décidé."))
    elif issue == Issue.ECARTEE:
        fait(request, _("Statut écarté : il ne retient plus la relance de %(piece)s.") % {"piece": statut.facture})
    else:
        fait(request, _("Vérifié : la pièce reste retenue jusqu'à l'encaissement."))
    return rediriger(request, reverse("factures:statuts_recus"))
