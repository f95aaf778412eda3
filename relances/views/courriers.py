"""Un courrier : le lire, le valider, le réécrire, le retenir, trancher son sort."""

from django import forms
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from clients.models import Client
from recouvrement.commun import formats
from recouvrement.commun.depot import ErreurDepot
from recouvrement.commun.horloge import aujourd_hui
from recouvrement.commun.pdf import PdfIndisponible
from recouvrement.commun.vues import fait, rediriger, rendre
from recouvrement.comptes.droits import Droit, exige, peut, verifier_droit
from relances.domaine.statuts import TransitionInterdite
from relances.forms import ChoixForm, DerogationForm, RetenirForm, TexteForm, TrancherForm
from relances.models import Courrier
from relances.models.echelles import CanalChoix
from relances.services import gestes
from relances.services.avertissements import avertir
from relances.services.preparation import a_un_pdf

from . import listes
from .apercus import page_en_image
from .fiches import DELAI_RETENUE, RETENABLES, Fiche, courrier_visible, jour_de_depart

S = Courrier.Statut
MONTRES = 3  # refus détaillés d'une sélection ; les suivants se comptent


def du_perimetre(request, pk: int) -> Courrier:
    """Le courrier, ou 404 s'il n'est pas visible de la personne."""
    courrier = courrier_visible(request, pk)
    if courrier is None:
        raise Http404
    return courrier


def retour_a(vue: str, courrier: Courrier | None = None) -> str:
    suite = f"&lettre={courrier.pk}" if courrier else ""
    return f"{reverse('relances:ce_soir')}?v={vue}{suite}"


def geste(request, courrier: Courrier, action, phrase: str, *, vers: str, annuler=None):
    """Exécute un geste et en dit l'issue ; un état périmé (deux onglets, double clic) ne change rien.

    annuler(résultat) : adresse qui défait, offerte dix secondes.
    """
    verifier_droit(request.user, Droit.ENVOYER, courrier.societe_id)
    try:
        resultat = action()
    except (gestes.Refus, TransitionInterdite) as raison:
        messages.error(request, str(raison))
    else:
        fait(request, phrase, annuler=annuler(resultat) if annuler else "")
    return rediriger(request, vers)


def refuser(request, courrier: Courrier, nom: str, formulaire):
    """Une saisie refusée se remontre à sa place, avec sa faute."""
    verifier_droit(request.user, Droit.ENVOYER, courrier.societe_id)
    return _rendre_fiche(request, Fiche(request, courrier, formulaires={nom: formulaire}), status=422)


@require_safe
@exige(Droit.VOIR)
def fiche(request, pk: int):
    """Page ou volet : ce qui part ou est parti, ses pièces, ses contrôles, les gestes permis."""
    return _rendre_fiche(request, Fiche(request, du_perimetre(request, pk)))


def _rendre_fiche(request, fiche: Fiche, *, status: int = 200):
    fil = [(_("Ce soir"), reverse("relances:ce_soir")), listes.onglet_de(fiche.courrier)]
    contexte = {"f": fiche, "fil": fil}
    return rendre(request, "relances/courrier.html", "relances/_courrier.html", contexte, status=status)


@require_safe
@exige(Droit.VOIR)
def pdf(request, pk: int):
    """La lettre : celle qui est partie, octet pour octet, sinon celle qui partirait aujourd'hui."""
    courrier = du_perimetre(request, pk)
    octets, conserve = _pdf(courrier)
    if isinstance(octets, HttpResponse):
        return octets
    nom = f"{courrier.reference or 'apercu'}{'' if conserve else '-apercu'}.pdf"
    return HttpResponse(
        octets, content_type="application/pdf", headers={"Content-Disposition": f'inline; filename="{nom}"'}
    )


def _pdf(courrier: Courrier):
    if not a_un_pdf(courrier):
        raise Http404
    try:
        return gestes.apercu_pdf(courrier, au=jour_de_depart(courrier))
    except gestes.Refus as absente:
        raise Http404(str(absente)) from absente
    except (PdfIndisponible, ErreurDepot) as raison:
        return HttpResponse(str(raison), status=503, content_type="text/plain; charset=utf-8"), False


@require_safe
@exige(Droit.VOIR)
def image(request, pk: int, page: int):
    octets, _conserve = _pdf(du_perimetre(request, pk))
    return octets if isinstance(octets, HttpResponse) else page_en_image(lambda: octets, page)


@require_POST
@exige(Droit.ENVOYER)
def valider(request):
    """Valide une sélection ; chacun passe son contrôle, ceux qui sont refusés disent pourquoi."""
    attendent = Courrier.objects.visibles_pour(request.user).filter(statut=S.A_VALIDER)
    form = ChoixForm(request.POST, courriers=attendent.select_related("societe", "client"))
    if not form.is_valid():
        messages.error(request, _("Aucun de ces courriers n'attend plus de validation : la liste a changé."))
        return rediriger(request, retour_a("valider"))
    valides, refus = 0, []
    for courrier in form.cleaned_data["choix"]:
        verifier_droit(request.user, Droit.ENVOYER, courrier.societe_id)
        responsable = peut(request.user, Droit.VALIDER_PLAFOND, courrier.societe_id)
        try:
            gestes.valider(courrier, par=request.user, au=jour_de_depart(courrier), au_dela_du_plafond=responsable)
            valides += 1
        except (gestes.Refus, TransitionInterdite) as raison:
            refus.append(f"{courrier.client}\u00a0: {raison}")
    dire_les_refus(request, refus)
    if valides:
        fait(request, ngettext("%(n)s envoi validé.", "%(n)s envois validés.", valides) % {"n": valides})
    return rediriger(request, retour_a("valider"))


def dire_les_refus(request, refus: list[str]) -> None:
    """Les premiers en entier ; trois cents messages ne se lisent pas."""
    for phrase in refus[:MONTRES]:
        messages.error(request, phrase)
    if autres := len(refus) - MONTRES:
        if autres > 0:
            phrase = ngettext("Et %(n)s autre refusé.", "Et %(n)s autres refusés.", autres)
            messages.error(request, phrase % {"n": autres})


@require_POST
@exige(Droit.ENVOYER)
def texte(request, pk: int):
    """Réécrit le texte avant envoi (exigence 29), puis remontre la lettre telle qu'elle partirait."""
    courrier = du_perimetre(request, pk)
    form = TexteForm(request.POST)
    if not form.is_valid():
        return refuser(request, courrier, "texte", form)
    return geste(
        request,
        courrier,
        lambda: gestes.modifier_texte(courrier, par=request.user, au=aujourd_hui(), **form.cleaned_data),
        _("Texte enregistré : il partira tel quel."),
        vers=reverse("relances:courrier", args=[pk]),
    )


@require_POST
@exige(Droit.ENVOYER)
def retenir(request, pk: int):
    """Le courrier ne part pas et le client se tait jusqu'à une date (exigence 17)."""
    courrier = du_perimetre(request, pk)
    form = RetenirForm(request.POST)
    if not form.is_valid():
        return refuser(request, courrier, "retenir", form)
    fin = form.cleaned_data["jusqu_au"]
    return geste(
        request,
        courrier,
        lambda: gestes.retenir(courrier, par=request.user, au=aujourd_hui(), **form.cleaned_data),
        _("Courrier retenu, relances suspendues jusqu'au %(jour)s.") % {"jour": formats.jour(fin)},
        vers=retour_a("valider"),
    )


@require_POST
@exige(Droit.ENVOYER)
def retenir_choisis(request):
    """Plusieurs à la fois : d'abord pourquoi et jusqu'à quand, puis le geste."""
    retenables = Courrier.objects.visibles_pour(request.user).filter(statut__in=RETENABLES)
    choix = ChoixForm(request.POST, courriers=retenables.select_related("societe", "client"))
    if not choix.is_valid():
        messages.error(request, _("Aucun de ces courriers ne peut plus être retenu : la liste a changé."))
        return rediriger(request, retour_a("valider"))
    courriers = list(choix.cleaned_data["choix"])
    au = aujourd_hui()
    saisi = "jusqu_au" in request.POST
    form = RetenirForm(request.POST if saisi else None, initial={"jusqu_au": au + DELAI_RETENUE})
    if not saisi or not form.is_valid():
        contexte = {"courriers": courriers, "form": form}
        return render(request, "relances/retenir.html", contexte, status=422 if saisi else 200)
    retenus, refus = 0, []
    for courrier in courriers:
        verifier_droit(request.user, Droit.ENVOYER, courrier.societe_id)
        try:
            gestes.retenir(courrier, par=request.user, au=au, **form.cleaned_data)
            retenus += 1
        except (gestes.Refus, TransitionInterdite) as raison:
            refus.append(f"{courrier.client}\u00a0: {raison}")
    dire_les_refus(request, refus)
    if retenus:
        fait(request, ngettext("%(n)s courrier retenu.", "%(n)s courriers retenus.", retenus) % {"n": retenus})
    return rediriger(request, retour_a("valider"))


@require_POST
@exige(Droit.ENVOYER)
def remettre(request, pk: int):
    courrier = du_perimetre(request, pk)
    return geste(
        request,
        courrier,
        lambda: gestes.remettre_a_envoyer(courrier, par=request.user, au=aujourd_hui()),
        _("Remis à envoyer."),
        vers=retour_a("erreur"),
    )


@require_POST
@exige(Droit.ENVOYER)
def trancher(request, pk: int):
    """Sort inconnu : la personne dit ce que le fournisseur lui a répondu."""
    courrier = du_perimetre(request, pk)
    form = TrancherForm(request.POST)
    if not form.is_valid():
        return refuser(request, courrier, "trancher", form)
    parti = form.cleaned_data["parti"] == "oui"
    return geste(
        request,
        courrier,
        lambda: gestes.trancher_incertain(courrier, par=request.user, parti=parti, au=aujourd_hui()),
        _("Envoi constaté.") if parti else _("Remis à envoyer."),
        vers=retour_a("inconnu"),
    )


class ConfirmerForm(forms.Form):
    confirme = forms.BooleanField(label=gettext_lazy("Relancer quand même"))


@require_http_methods(["GET", "HEAD", "POST"])
@exige(Droit.ENVOYER)
def manuel(request, pk: int):
    """« Relancer maintenant » depuis la fiche client : ce qui partirait, puis le courrier à relire et valider.

    `?palier=formalisation` : celle qui manque à une mise en demeure.
    `?palier=mise-en-demeure` : la mise en demeure tout de suite, avec un motif (exigences 10 et 11). Un délai qui
    court encore ou un contact récent demandent une confirmation ; la mise en demeure, elle, attend la fin du délai.
    """
    client = get_object_or_404(Client.objects.visibles_pour(request.user).select_related("societe"), pk=pk)
    verifier_droit(request.user, Droit.ENVOYER, client.societe_id)
    au, canaux = aujourd_hui(), dict(CanalChoix.choices)
    deroge = request.GET.get("palier") == "mise-en-demeure"
    formaliser = request.GET.get("palier") == "formalisation"
    form = DerogationForm(request.POST or None) if deroge else None
    try:
        resultats = gestes.proposer_maintenant(
            client, au=au, derogation=_("à motiver") if deroge else "", formaliser=formaliser
        )
        envois = [v for _f, _p, r in resultats for v in r.envois]
        pieces = [d.echeance.id for v in envois for d in v.decisions]
        avertis = avertir(client, pieces, au=au)
        confirmation = ConfirmerForm(request.POST if request.method == "POST" else None) if avertis else None
        formulaires = [f for f in (form, confirmation) if f]
        if request.method != "POST" or not all([f.is_valid() for f in formulaires]):
            contexte = {
                "client": client, "envois": [(v, canaux[v.canal]) for v in envois], "au": au, "form": form,
                "avertis": avertis, "confirmation": confirmation,
            }  # fmt: skip
            status = 422 if any(f.errors for f in formulaires) else 200
            return render(request, "relances/manuel.html", contexte, status=status)
        motif = form.cleaned_data["motif"] if form else ""
        courriers = gestes.relancer_maintenant(client, par=request.user, au=au, derogation=motif, formaliser=formaliser)
    except gestes.Refus as raison:
        messages.error(request, str(raison))
        return rediriger(request, reverse("clients:fiche", args=[client.pk]))
    if courriers[0].statut == S.TACHE:
        fait(request, _("Tâche créée dans Ma journée."))
        return rediriger(request, reverse("clients:fiche", args=[client.pk]))
    fait(request, _("Courrier préparé : relisez-le, puis validez."))
    return rediriger(request, reverse("relances:courrier", args=[courriers[0].pk]))
