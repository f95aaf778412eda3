"""Blocages de commandes : qui est bloqué, pourquoi, depuis quand ; la liste que le commerce attend."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_POST, require_safe

from clients.forms import LeveeBlocageForm
from clients.models import BlocageCommandes
from factures.services import blocages as services
from recouvrement.commun import formats
from recouvrement.commun.horloge import aujourd_hui
from recouvrement.commun.tableaux import Colonne
from recouvrement.commun.vues import Liste, fait, onglets, rediriger, rendre, texte, valeur_parmi
from recouvrement.comptes.courante import restreindre
from recouvrement.comptes.droits import Droit, exige, peut, verifier_droit
from recouvrement.comptes.exports import demande, exporter

ETATS = {"en-cours": gettext_lazy("En cours"), "leves": gettext_lazy("Levés"), "tous": gettext_lazy("Tous")}
TRIS = {"client": ["client__raison_sociale"], "motif": ["motif", "pose_le"], "pose": ["pose_le"]}


@require_safe
@exige(Droit.VOIR)
def liste(request):
    """Page entière, ou le bloc de liste pour htmx ; `?export=csv` : le fichier pour le commerce."""
    visibles = restreindre(request, BlocageCommandes.objects.visibles_pour(request.user), "client__societe")
    etat = valeur_parmi(request, "etat", ETATS)
    lignes = {
        "en-cours": visibles.en_cours(),
        "leves": visibles.filter(leve_le__isnull=False),
        "tous": visibles,
    }[etat]
    if q := texte(request, "q", 60):
        lignes = lignes.filter(client__raison_sociale__icontains=q) | lignes.filter(client__code__iexact=q)
    page = Liste(
        request,
        lignes.select_related("client__societe", "client__gestionnaire", "auteur", "leve_par"),
        tris=TRIS,
        defaut="-pose",
    )
    if demande(request):
        return exporter(request, page.lignes, colonnes(), nom=_("blocages"))
    contexte = {
        "liste": page,
        "etats": onglets(request, "etat", list(ETATS.items())),
        "annonce": ngettext("%(n)s blocage", "%(n)s blocages", page.total) % {"n": formats.nombre(page.total)},
        "peut_lever": peut(request.user, Droit.LEVER_FREIN),
        "filtree": bool(q),
    }
    return rendre(request, "clients/blocages.html", "clients/_blocages.html", contexte)


def colonnes() -> list[Colonne]:
    return [
        Colonne(_("Société"), lambda b: b.client.societe.code),
        Colonne(_("Code client"), lambda b: b.client.code),
        Colonne(_("Client"), lambda b: b.client.raison_sociale),
        Colonne("SIREN", lambda b: b.client.siren),
        Colonne(_("Motif"), lambda b: b.get_motif_display()),
        Colonne(_("Détail"), lambda b: b.detail),
        Colonne(_("Bloqué depuis"), lambda b: b.pose_le),
        Colonne(_("Par"), lambda b: b.auteur.nom if b.auteur else _("la règle de la société")),
        Colonne(_("Levé le"), lambda b: b.leve_le),
        Colonne(_("Motif de la levée"), lambda b: b.leve_motif),
        Colonne(_("Levé jusqu'au"), lambda b: b.leve_jusqu_au),
    ]


@require_POST
@exige(Droit.LEVER_FREIN)
def lever(request, pk: int):
    """Un responsable lève, avec un motif et jusqu'à un jour."""
    visibles = BlocageCommandes.objects.visibles_pour(request.user).select_related("client__societe")
    blocage = get_object_or_404(visibles, pk=pk)
    verifier_droit(request.user, Droit.LEVER_FREIN, blocage.client.societe_id)
    form = LeveeBlocageForm(request.POST)
    retour = reverse("clients:fiche", args=[blocage.client_id])
    if not form.is_valid():
        messages.error(request, _("Dites pourquoi et jusqu'à quand : rien n'est levé."))
        return rediriger(request, retour)
    try:
        leve = services.debloquer(blocage, **form.cleaned_data, au=aujourd_hui(), acteur=request.user)
    except ValidationError as refus:
        messages.error(request, " ".join(refus.messages))
    else:
        if leve:
            fait(request, _("Commandes débloquées."))
        else:
            messages.info(request, _("Ce blocage était déjà levé."))
    return rediriger(request, retour)
