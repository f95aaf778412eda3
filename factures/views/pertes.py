"""Pertes : ce qui est proposé, qui décide, ce qui est passé ; un responsable décide, jamais qui a proposé."""

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import Q
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_POST, require_safe

from factures.models import PropositionPerte
from factures.services import pertes as services
from recouvrement.commun import formats
from recouvrement.commun.horloge import aujourd_hui
from recouvrement.commun.tableaux import Colonne
from recouvrement.commun.vues import Liste, fait, onglets, rediriger, rendre, texte, valeur_parmi
from recouvrement.comptes.courante import restreindre
from recouvrement.comptes.droits import Droit, exige, peut, verifier_droit
from recouvrement.comptes.exports import demande, exporter

S = PropositionPerte.Statut
VUES = {
    "a-decider": gettext_lazy("À décider"),
    "passees": gettext_lazy("Passées en perte"),
    "autres": gettext_lazy("Refusées ou retirées"),
}
STATUTS = {"a-decider": [S.PROPOSEE], "passees": [S.ACCEPTEE], "autres": [S.REFUSEE, S.RETIREE]}
TRIS = {
    "client": ["echeance__client__raison_sociale"],
    "montant": ["montant"],
    "propose": ["propose_le", "pk"],
}


class DecisionForm(forms.Form):
    """Accepter ou refuser ; la TVA ne se récupère que si la loi le permet."""

    ACCEPTER, REFUSER = "accepter", "refuser"
    decision = forms.ChoiceField(
        label=gettext_lazy("Décision"),
        choices=[(ACCEPTER, gettext_lazy("Passer en perte")), (REFUSER, gettext_lazy("Refuser"))],
        widget=forms.RadioSelect,
    )
    tva = forms.BooleanField(
        label=gettext_lazy("Récupérer la TVA (CGI, art. 272)"),
        required=False,
        help_text=gettext_lazy(
            "Seulement si la créance est définitivement irrécouvrable et que la facture rectificative est envoyée."
        ),
    )
    raison = forms.CharField(label=gettext_lazy("Raison"), max_length=250, required=False)


def _visibles(request):
    return PropositionPerte.objects.visibles_pour(request.user).select_related(
        "echeance__facture", "echeance__client__societe", "propose_par", "decide_par", "avoir"
    )


@require_safe
@exige(Droit.VOIR)
def liste(request):
    visibles = restreindre(request, _visibles(request), "echeance__societe")
    vue = valeur_parmi(request, "v", VUES)
    lignes = visibles.filter(statut__in=STATUTS[vue])
    if q := texte(request, "q", 60):
        lignes = lignes.filter(
            Q(echeance__client__raison_sociale__icontains=q) | Q(echeance__facture__numero__icontains=q)
        )
    page = Liste(request, lignes, tris=TRIS, defaut="-propose", par_page=50)
    if demande(request):
        return exporter(request, page.lignes, _colonnes(), nom=_("pertes"))
    contexte = {
        "liste": page,
        "vues": onglets(request, "v", list(VUES.items())),
        "vue": vue,
        "annonce": ngettext("%(n)s perte", "%(n)s pertes", page.total) % {"n": formats.nombre(page.total)},
        "filtree": bool(q),
    }
    return rendre(request, "factures/pertes.html", "factures/_pertes.html", contexte)


def _colonnes() -> list[Colonne]:
    return [
        Colonne(_("Société"), lambda x: x.echeance.client.societe.code),
        Colonne(_("Code client"), lambda x: x.echeance.client.code),
        Colonne(_("Client"), lambda x: x.echeance.client.raison_sociale),
        Colonne(_("Facture"), lambda x: x.echeance.facture.numero),
        Colonne(_("Montant"), lambda x: x.montant),
        Colonne(_("Devise"), lambda x: x.echeance.devise),
        Colonne(_("Motif"), lambda x: x.motif),
        Colonne(_("Proposée par"), lambda x: str(x.propose_par)),
        Colonne(_("Proposée le"), lambda x: x.propose_le),
        Colonne(_("Statut"), lambda x: x.get_statut_display()),
        Colonne(_("Décidée par"), lambda x: str(x.decide_par or "")),
        Colonne(_("TVA récupérée"), lambda x: _("oui") if x.tva_recuperee else _("non")),
    ]


def _perte(request, pk: int) -> PropositionPerte:
    return get_object_or_404(_visibles(request), pk=pk)


@require_safe
@exige(Droit.VOIR)
def perte(request, pk: int):
    return _rendre(request, _perte(request, pk), DecisionForm())


def _rendre(request, proposee: PropositionPerte, form, status: int = 200):
    societe = proposee.echeance.societe_id
    responsable = peut(request.user, Droit.LEVER_FREIN, societe)
    attend = proposee.statut == S.PROPOSEE
    contexte = {
        "perte": proposee,
        "form": form,
        "peut_decider": attend and responsable and proposee.propose_par_id != request.user.pk,
        "peut_retirer": attend
        and peut(request.user, Droit.AGIR, societe)
        and (responsable or proposee.propose_par_id == request.user.pk),
        "peut_defaire": proposee.statut == S.ACCEPTEE and responsable,
    }
    return rendre(request, "factures/perte.html", "factures/perte.html", contexte, status=status)


@require_POST
@exige(Droit.LEVER_FREIN)
def decider(request, pk: int):
    """Accepte ou refuse ; refusée à la saisie, la page revient avec ce qui était écrit (422)."""
    proposee = _perte(request, pk)
    verifier_droit(request.user, Droit.LEVER_FREIN, proposee.echeance.societe_id)
    form = DecisionForm(request.POST)
    if not form.is_valid():
        return _rendre(request, proposee, form, status=422)
    d, au = form.cleaned_data, aujourd_hui()
    try:
        if d["decision"] == DecisionForm.ACCEPTER:
            faite = services.accepter(proposee, tva=d["tva"], raison=d["raison"], au=au, acteur=request.user)
            phrase, annuler = (
                _("Passée en perte : la somme sort du compte."),
                reverse("factures:perte_defaire", args=[pk]),
            )
        else:
            faite = services.refuser(proposee, raison=d["raison"], acteur=request.user)
            phrase, annuler = _("Perte refusée : la pièce suit l'échelle."), ""
    except ValidationError as refus:
        champs = refus.message_dict if hasattr(refus, "error_dict") else {}
        form.add_error("raison" if "raison" in champs else None, refus.messages)
        return _rendre(request, proposee, form, status=422)
    if faite:
        fait(request, phrase, annuler=annuler)
    else:
        messages.info(request, _("Cette perte était déjà décidée ou retirée."))
    return rediriger(request, reverse("factures:pertes"))


@require_POST
@exige(Droit.AGIR)
def retirer(request, pk: int):
    """Qui l'a proposée, ou un responsable, la retire."""
    proposee = _perte(request, pk)
    societe = proposee.echeance.societe_id
    verifier_droit(request.user, Droit.AGIR, societe)
    if proposee.propose_par_id != request.user.pk:
        verifier_droit(request.user, Droit.LEVER_FREIN, societe)
    if services.retirer(proposee, acteur=request.user):
        fait(request, _("Proposition de perte retirée."))
    else:
        messages.info(request, _("Cette perte était déjà décidée ou retirée."))
    return rediriger(request, reverse("clients:fiche", args=[proposee.echeance.client_id]))


@require_POST
@exige(Droit.LEVER_FREIN)
def defaire(request, pk: int):
    """La somme redevient due, la proposition revient à décider."""
    proposee = _perte(request, pk)
    verifier_droit(request.user, Droit.LEVER_FREIN, proposee.echeance.societe_id)
    try:
        if services.defaire(proposee, au=aujourd_hui(), acteur=request.user):
            fait(request, _("Perte défaite : la somme est de nouveau due."))
        else:
            messages.info(request, _("Cette perte n'était plus passée."))
    except ValidationError as refus:
        messages.error(request, " ".join(refus.messages))
    return rediriger(request, reverse("factures:perte", args=[pk]))
