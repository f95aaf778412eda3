"""À imprimer et poster : un seul PDF, son bordereau, les numéros de suivi, les retours d'avis."""

from django.contrib import messages
from django.http import HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from recouvrement.commun import depot
from recouvrement.commun.horloge import aujourd_hui
from recouvrement.commun.pdf import PdfIndisponible, fusionner
from recouvrement.commun.vues import fait, rediriger
from recouvrement.comptes.droits import Droit, exige, verifier_droit
from relances.domaine.natures import Canal
from relances.domaine.statuts import TransitionInterdite
from relances.forms import ChoixForm
from relances.formulaires_postes import DepotsForm, PosterForm, RetourForm
from relances.models import Courrier
from relances.rendu.contexte import Bordereau, Pli
from relances.rendu.lettres import rendre_bordereau_pdf
from relances.services import gestes
from relances.services.jointes import pli_complet
from relances.services.preparation import emetteur
from relances.services.relecture import rafraichir_lettre

from . import listes, retours
from .courriers import du_perimetre, geste, refuser, retour_a

S = Courrier.Statut


def _choisis(request) -> list[Courrier]:
    """Les plis cochés, encore à poster, dans l'ordre où ils se montrent."""
    a_poster = Courrier.objects.visibles_pour(request.user).filter(statut=S.A_POSTER)
    form = ChoixForm(request.POST, courriers=a_poster.select_related("client", "societe"))
    if not form.is_valid():
        return []
    return list(form.cleaned_data["choix"].order_by("client__raison_sociale", "pk")[: listes.A_LA_FOIS])


@require_POST
@exige(Droit.ENVOYER)
def imprimer(request):
    """Les lettres choisies en un seul PDF, chacune commençant sur une feuille neuve."""
    courriers = _choisis(request)
    if not courriers:
        messages.error(request, _("Choisissez au moins une lettre à imprimer."))
        return rediriger(request, retour_a("poster"))
    pretes = [c for c in courriers if rafraichir_lettre(c, au=aujourd_hui())]
    if len(pretes) < len(courriers):
        # Une seule erreur arrête le lot : la liste a changé, la personne choisit de nouveau.
        texte = ngettext(
            "%(n)s lettre n'est plus à jour : elle se refait ou s'annule. Vérifiez la liste, puis imprimez.",
            "%(n)s lettres ne sont plus à jour : elles se refont ou s'annulent. Vérifiez la liste, puis imprimez.",
            len(courriers) - len(pretes),
        )
        messages.error(request, texte % {"n": len(courriers) - len(pretes)})
        return rediriger(request, retour_a("poster"))
    try:
        lettres = [pli_complet(c) for c in courriers]
        octets = fusionner(lettres, recto_verso=True)
    except depot.ErreurDepot as raison:
        messages.error(request, str(raison))
        return rediriger(request, retour_a("poster"))
    return _pdf(octets, f"lettres-{aujourd_hui():%Y-%m-%d}.pdf")


@require_POST
@exige(Droit.ENVOYER)
def bordereau(request):
    """Bordereau de dépôt des recommandés choisis ; une société à la fois."""
    courriers = [c for c in _choisis(request) if c.canal == Canal.RECOMMANDE]
    societes = {c.societe for c in courriers}
    if len(societes) != 1:
        messages.error(request, _("Choisissez des recommandés d'une seule société."))
        return rediriger(request, retour_a("poster"))
    jour = aujourd_hui()
    saisie = DepotsForm(request.POST, courriers=courriers)  # numéros déjà tapés, pas encore enregistrés
    saisie.is_valid()
    plis = tuple(
        Pli(
            destinataire=c.client.raison_sociale,
            localite=f"{c.client.code_postal} {c.client.ville}".strip(),
            reference=c.reference,
            numero_recommande=c.numero_suivi or saisie.saisi(c.pk),
        )
        for c in courriers
    )
    try:
        octets = rendre_bordereau_pdf(
            Bordereau(
                emetteur=emetteur(societes.pop()),
                reference=f"DEP-{jour:%Y%m%d}",
                date=jour,
                prepare_par=str(request.user),
                plis=plis,
            )
        )
    except PdfIndisponible as raison:
        return HttpResponse(str(raison), status=503, content_type="text/plain; charset=utf-8")
    return _pdf(octets, f"bordereau-{jour:%Y-%m-%d}.pdf")


def _pdf(octets: bytes, nom: str) -> HttpResponse:
    return HttpResponse(
        octets, content_type="application/pdf", headers={"Content-Disposition": f'attachment; filename="{nom}"'}
    )


@require_POST
@exige(Droit.ENVOYER)
def deposer(request):
    """Les dépôts des plis choisis, numéros saisis à la chaîne ; un refus laisse les autres faits."""
    courriers = _choisis(request)
    if not courriers:
        messages.error(request, _("Choisissez les plis déposés : la liste a changé."))
        return rediriger(request, retour_a("poster"))
    form = DepotsForm(request.POST, courriers=courriers)
    if not form.is_valid():
        return _remontrer(request, form)
    faits = 0
    for courrier in courriers:
        verifier_droit(request.user, Droit.ENVOYER, courrier.societe_id)
        try:
            gestes.poster(
                courrier,
                par=request.user,
                au=aujourd_hui(),
                depose_le=form.cleaned_data["depose_le"],
                numero_suivi=form.saisi(courrier.pk),
            )
            faits += 1
        except (gestes.Refus, TransitionInterdite) as raison:
            form.refus[courrier.pk] = str(raison)
    if faits:
        deposes = [c for c in courriers if c.pk not in form.refus]
        retours.prevenir_du_delai(request, deposes, form.cleaned_data["depose_le"])
        fait(request, ngettext("%(n)s dépôt enregistré.", "%(n)s dépôts enregistrés.", faits) % {"n": faits})
    return _remontrer(request, form) if form.refus else rediriger(request, retour_a("poster"))


def _remontrer(request, saisie: DepotsForm):
    """L'onglet avec la saisie refusée : rien de ce qui a été tapé n'est perdu."""
    restants = list(listes.a_l_etat(request, "poster").order_by("client__raison_sociale", "pk")[: listes.A_LA_FOIS])
    form = DepotsForm(request.POST, courriers=restants)
    form.refus = saisie.refus
    if saisie.errors:
        messages.error(request, " ".join(str(e) for fautes in saisie.errors.values() for e in fautes))
    return listes.rendre_liste(request, "poster", depots=form, status=422)


@require_POST
@exige(Droit.ENVOYER)
def poster(request, pk: int):
    courrier = du_perimetre(request, pk)
    form = PosterForm(request.POST, request.FILES, recommande=courrier.canal == Canal.RECOMMANDE)
    if not form.is_valid():
        return refuser(request, courrier, "poster", form)
    champs = {n: v for n, v in form.cleaned_data.items() if n in ("depose_le", "numero_suivi", "preuve")}
    retours.prevenir_du_delai(request, [courrier], form.cleaned_data["depose_le"])
    return geste(
        request,
        courrier,
        lambda: gestes.poster(courrier, par=request.user, au=aujourd_hui(), derogation=form.derogation, **champs),
        _("Dépôt enregistré."),
        vers=retour_a("poster"),
    )


@require_POST
@exige(Droit.ENVOYER)
def retour(request, pk: int):
    """Retour de l'avis de réception, avec son scan (exigence 26)."""
    courrier = du_perimetre(request, pk)
    form = RetourForm(request.POST, request.FILES, electronique=courrier.electronique)
    if not form.is_valid():
        return refuser(request, courrier, "retour", form)
    retours.prevenir(request, form.cleaned_data)
    return geste(
        request,
        courrier,
        lambda: gestes.consigner_retour(courrier, par=request.user, au=aujourd_hui(), **form.cleaned_data),
        _("Retour d'avis enregistré."),
        vers=retour_a("retours"),
    )
