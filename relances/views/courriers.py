"""Un courrier : le lire, le valider, le réécrire, le retenir, trancher son sort."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from clients.models import Client
from recouvrement.commun.depot import ErreurDepot
from recouvrement.commun.horloge import aujourd_hui
from recouvrement.commun.pdf import PdfIndisponible
from recouvrement.commun.vues import fait, rediriger, rendre
from recouvrement.comptes.droits import Droit, exige, peut, verifier_droit
from relances.domaine.statuts import TransitionInterdite
from relances.forms import ChoixForm, MotifForm, PosterForm, RetourForm, TexteForm, TrancherForm
from relances.models import Courrier
from relances.services import gestes
from relances.services.preparation import a_un_pdf, preparer

from .ce_soir import page_en_image

S = Courrier.Statut
MODIFIABLES = (S.A_VALIDER, S.A_ENVOYER)


def _courrier(request, pk: int) -> Courrier:
    visibles = Courrier.objects.visibles_pour(request.user)
    return get_object_or_404(
        visibles.select_related("societe", "client__gestionnaire", "palier__version__echelle", "valide_par"), pk=pk
    )


def retour_a(request, vue: str = "valider") -> str:
    return f"{reverse('relances:ce_soir')}?v={vue}"


def geste(request, courrier: Courrier, action, phrase: str, *, vue: str):
    """Exécute un geste et en dit l'issue ; un état périmé (deux onglets, double clic) ne change rien."""
    verifier_droit(request.user, Droit.ENVOYER, courrier.societe_id)
    try:
        action()
    except (gestes.Refus, TransitionInterdite) as raison:
        messages.error(request, str(raison))
    else:
        fait(request, phrase)
    return rediriger(request, request.GET.get("suite") or retour_a(request, vue))


@require_safe
@exige(Droit.VOIR)
def fiche(request, pk: int):
    """Page ou volet : ce qui part ou est parti, ses pièces, ses contrôles, les gestes permis."""
    return _rendre_fiche(request, _courrier(request, pk))


def _rendre_fiche(request, courrier: Courrier, *, formulaire=None, status: int = 200):
    au = aujourd_hui()
    a_preparer = courrier.statut in MODIFIABLES
    preparation = preparer(courrier, au=au) if a_preparer else None
    texte = preparation.texte if preparation else courrier.texte
    objet = preparation.objet if preparation else courrier.objet
    lettre = preparation.lettre if preparation else None
    contexte = {
        "courrier": courrier,
        "preparation": preparation,
        "lettre": lettre,
        "objet": objet,
        "texte": texte,
        "papier": a_un_pdf(courrier) and not (preparation and preparation.manques),
        "relances": courrier.relances.select_related("echeance__facture").order_by("echeance__date_echeance"),
        "peut_envoyer": peut(request.user, Droit.ENVOYER, courrier.societe_id),
        "modifiable": a_preparer and bool(texte),
        "form_texte": formulaire or TexteForm(initial={"objet": objet, "texte": texte}),
        "form_motif": MotifForm(),
        "form_trancher": TrancherForm(),
        "form_poster": PosterForm(initial={"depose_le": au, "numero_suivi": courrier.numero_suivi}),
        "form_retour": RetourForm(initial={"retour_le": au}),
        "au": au,
    }
    return rendre(request, "relances/courrier.html", "relances/_courrier.html", contexte, status=status)


@require_safe
@exige(Droit.VOIR)
def pdf(request, pk: int):
    """La lettre : celle qui est partie, octet pour octet, sinon celle qui partirait aujourd'hui."""
    courrier = _courrier(request, pk)
    try:
        octets, conserve = gestes.apercu_pdf(courrier, au=aujourd_hui())
    except (PdfIndisponible, ErreurDepot) as raison:
        return HttpResponse(str(raison), status=503, content_type="text/plain; charset=utf-8")
    nom = f"{courrier.reference or 'apercu'}{'' if conserve else '-apercu'}.pdf"
    return HttpResponse(
        octets, content_type="application/pdf", headers={"Content-Disposition": f'inline; filename="{nom}"'}
    )


@require_safe
@exige(Droit.VOIR)
def image(request, pk: int, page: int):
    courrier = _courrier(request, pk)
    return page_en_image(lambda: gestes.apercu_pdf(courrier, au=aujourd_hui())[0], page)


@require_POST
@exige(Droit.ENVOYER)
def valider(request):
    """Valide une sélection ; chacun passe son contrôle, ceux qui sont refusés disent pourquoi."""
    attendent = Courrier.objects.visibles_pour(request.user).filter(statut=S.A_VALIDER)
    form = ChoixForm(request.POST, courriers=attendent.select_related("societe", "client"))
    if not form.is_valid():
        messages.error(request, _("Aucun de ces courriers n'attend plus de validation : la liste a changé."))
        return rediriger(request, retour_a(request))
    valides = 0
    for courrier in form.cleaned_data["choix"]:
        verifier_droit(request.user, Droit.ENVOYER, courrier.societe_id)
        try:
            gestes.valider(
                courrier,
                par=request.user,
                au=aujourd_hui(),
                au_dela_du_plafond=peut(request.user, Droit.VALIDER_PLAFOND, courrier.societe_id),
            )
            valides += 1
        except (gestes.Refus, TransitionInterdite) as raison:
            messages.error(request, f"{courrier.client} : {raison}")
    if valides:
        fait(request, ngettext("%(n)s envoi validé.", "%(n)s envois validés.", valides) % {"n": valides})
    return rediriger(request, retour_a(request))


@require_POST
@exige(Droit.ENVOYER)
def texte(request, pk: int):
    courrier = _courrier(request, pk)
    form = TexteForm(request.POST)
    if not form.is_valid():
        return _rendre_fiche(request, courrier, formulaire=form, status=422)
    return geste(
        request,
        courrier,
        lambda: gestes.modifier_texte(courrier, par=request.user, au=aujourd_hui(), **form.cleaned_data),
        _("Texte enregistré : il partira tel quel."),
        vue="valider",
    )


@require_POST
@exige(Droit.ENVOYER)
def annuler(request, pk: int):
    courrier = _courrier(request, pk)
    form = MotifForm(request.POST)
    motif = form.cleaned_data["motif"] if form.is_valid() else ""
    return geste(
        request,
        courrier,
        lambda: gestes.annuler(courrier, par=request.user, motif=motif, au=aujourd_hui()),
        _("Courrier retenu ; le palier n'est pas franchi."),
        vue="valider",
    )


@require_POST
@exige(Droit.ENVOYER)
def remettre(request, pk: int):
    courrier = _courrier(request, pk)
    return geste(
        request,
        courrier,
        lambda: gestes.remettre_a_envoyer(courrier, par=request.user, au=aujourd_hui()),
        _("Remis à envoyer."),
        vue="erreur",
    )


@require_POST
@exige(Droit.ENVOYER)
def trancher(request, pk: int):
    """Sort inconnu : la personne dit ce que le fournisseur lui a répondu."""
    courrier = _courrier(request, pk)
    form = TrancherForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("Dites s'il est parti ou non."))
        return rediriger(request, retour_a(request, "inconnu"))
    parti = form.cleaned_data["parti"] == "oui"
    return geste(
        request,
        courrier,
        lambda: gestes.trancher_incertain(courrier, par=request.user, parti=parti, au=aujourd_hui()),
        _("Envoi constaté.") if parti else _("Remis à envoyer."),
        vue="inconnu",
    )


@require_POST
@exige(Droit.ENVOYER)
def manuel(request, pk: int):
    """« Relancer maintenant » depuis la fiche client : le prochain palier, à relire et valider."""
    client = get_object_or_404(Client.objects.visibles_pour(request.user).select_related("societe"), pk=pk)
    verifier_droit(request.user, Droit.ENVOYER, client.societe_id)
    try:
        courriers = gestes.relancer_maintenant(client, par=request.user, au=aujourd_hui())
    except gestes.Refus as raison:
        messages.error(request, str(raison))
        return rediriger(request, reverse("clients:fiche", args=[client.pk]))
    fait(request, _("Courrier préparé : relisez-le, puis validez."))
    return rediriger(request, reverse("relances:courrier", args=[courriers[0].pk]))
