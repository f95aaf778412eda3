"""Ma journée : que faire, dans quel ordre, et pourquoi."""

from django.http import Http404
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_safe

from clients import partages
from clients.models import Client
from factures.compte import comptes, pieces_ouvertes
from recouvrement.commun import formats
from recouvrement.commun.horloge import aujourd_hui
from recouvrement.commun.vues import entier, onglets, parametres, rediriger, rendre, valeur_parmi, veut_fragment
from recouvrement.comptes import absences
from recouvrement.comptes.droits import Droit, exige, peut
from relances.models import Courrier

from .. import compteurs, journee
from ..domaine.priorite import Groupe
from ..forms import ConfierForm
from ..presentation import ONGLETS
from ..sources import confiees_ailleurs
from .portee import lire_portee

PAS = 25


@require_safe
@exige(Droit.VOIR)
def ma_journee(request):
    """La liste et l'aperçu ; pour htmx, la liste, et l'aperçu hors bande : il suit la ligne choisie."""
    au = aujourd_hui()
    portee, clients, de = lire_portee(request, au)
    lues = journee.toutes(portee)
    toutes = [x for x in lues if not journee.cachee(x)]
    if not request.GET.get("de") and sum(len(x.actions) for x in lues) < journee.PLAFOND:  # aucune source coupée
        compteurs.retenir(request, "taches", len(toutes))
    cles = {cle: genres for cle, _nom, genres in ONGLETS}
    q = valeur_parmi(request, "q", ("tout", *cles))
    choisies = [x for x in toutes if q == "tout" or any(a.genre in cles[q] for a in x.actions)]
    for ligne in choisies:
        if q != "tout":  # dans un onglet, c'est l'action de l'onglet qui se lit
            ligne.actions.sort(key=lambda a: a.genre not in cles[q])
    if not choisies and toutes:  # l'onglet vient de se vider : le reste de la journée attend
        return rediriger(request, reverse("pilotage:ma_journee") + parametres(request, q=None, choix=None))
    montrees = choisies[: _combien(request)]
    choix = _choisie(request, montrees)
    echu = journee.echu_du_portefeuille(clients, au=au)
    contexte = {
        "au": au,
        "groupes": _groupes(montrees),
        "total": len(choisies),
        "restantes": len(choisies) - len(montrees),
        "suite": parametres(request, lignes=len(montrees) + PAS),
        "vues": _onglets(request, toutes),
        "sous_titre": _sous_titre(au, toutes, echu, de),
        "de": de,
        "large": peut(request.user, Droit.TOUT_VOIR),
        "choix": choix,
        "rang": montrees.index(choix) + 1 if choix else 0,
        "fragment": veut_fragment(request),
        "peut_agir": peut(request.user, Droit.AGIR),
        "prochaine": journee.prochaine(clients, au=au) if not toutes else None,
        "de_cote": [x for x in lues if journee.cachee(x)] if q == "tout" else [],
        "confiees": confiees_ailleurs(portee) if q == "tout" and de == "moi" else [],
        "remplacements": absences.remplacements_de(request.user, au=au),
        "mon_absence": absences.absence_de(request.user, au=au),
        "sans_client": not lues and not Client.objects.visibles_pour(request.user).exists(),
        "peut_importer": peut(request.user, Droit.IMPORTER),
        "annonce": ngettext("%(n)s client à voir", "%(n)s clients à voir", len(choisies))
        % {"n": formats.nombre(len(choisies))},
    }
    if choix:
        contexte |= _apercu(choix, au=au, user=request.user)
    return rendre(request, "pilotage/ma_journee.html", "pilotage/_journee.html", contexte)


def _combien(request) -> int:
    demande = entier(request.GET.get("lignes"))
    return PAS if demande is None else max(min(demande, journee.PLAFOND), PAS)


def _choisie(request, montrees):
    voulu = request.GET.get("choix", "")
    return next((x for x in montrees if str(x.client.pk) == voulu), montrees[0] if montrees else None)


def _groupes(montrees):
    titres = {
        Groupe.DABORD: (_("D'abord"), _("un délai, une promesse rompue ou un envoi attend")),
        Groupe.AUJOURDHUI: (_("Aujourd'hui"), _("par montant et ancienneté")),
        Groupe.ATTENDRE: (_("Peut attendre"), _("dans la semaine")),
    }
    groupes = [(*titres[g], [x for x in montrees if x.groupe is g]) for g in Groupe]
    return [g for g in groupes if g[2]]


def _onglets(request, toutes):
    """« Tout », puis les onglets qui ont quelque chose, et celui où l'on est."""
    choix = [("tout", _("Tout"), len(toutes))]
    for cle, nom, genres in ONGLETS:
        nombre = sum(any(a.genre in genres for a in x.actions) for x in toutes)
        if nombre or request.GET.get("q") == cle:
            choix.append((cle, nom, nombre))
    vues = onglets(request, "q", choix)
    return vues


def _sous_titre(au, toutes, echu, de) -> str:
    n = sum(len(x.actions) for x in toutes)
    actions = ngettext("%(n)s action", "%(n)s actions", n) % {"n": n} if n else _("aucune action")
    morceaux = [formats.jour_long(au).capitalize(), actions]
    if echu:
        somme = _(" et ").join(formats.somme(montant, devise) for devise, montant in echu)
        ou = _("%(somme)s échus dans votre portefeuille") if de == "moi" else _("%(somme)s échus")
        morceaux.append(ou % {"somme": somme})
    return " · ".join(morceaux)


# --- Aperçu ------------------------------------------------------------------------------------


@require_safe
@exige(Droit.VOIR)
def apercu(request, pk: int):
    """Volet de droite : le client de la ligne courante."""
    client = get_object_or_404(Client.objects.visibles_pour(request.user).select_related("societe"), pk=pk)
    au = aujourd_hui()
    seul = Client.objects.filter(pk=client.pk)
    trouvees = journee.toutes(journee.portee(seul, au=au, user=request.user))
    if not trouvees:
        raise Http404
    contexte = {
        "au": au,
        "choix": trouvees[0],
        "rang": 0,
        "total": 0,
        "peut_agir": peut(request.user, Droit.AGIR, client.societe_id),
    }
    contexte |= _apercu(trouvees[0], au=au, user=request.user)
    return rendre(request, "pilotage/_apercu.html", "pilotage/_apercu.html", contexte)


def _apercu(ligne, *, au, user) -> dict:
    client = ligne.client
    pieces = pieces_ouvertes(client)
    contact = client.contacts.exclude(telephone="").first()
    return {
        "compte": comptes(client, au=au, pieces=pieces)[0],
        "a_reclamer": [e for e in pieces if e.date_echeance < au and e.reclame > 0][:5],
        "contact": contact,
        "telephone": contact.telephone if contact else client.telephone,
        "contacts_passes": list(
            client.courriers.filter(statut__in=[Courrier.Statut.ENVOYE, Courrier.Statut.POSTE]).order_by("-envoye_le")[
                :4
            ]
        ),
        "tache": next((a for a in ligne.actions if a.tache_id), None),
        "confier": ConfierForm(collegues=partages.collegues(client, sauf=user, droit=Droit.AGIR)),
    }
