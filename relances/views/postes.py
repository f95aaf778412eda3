"""À imprimer et poster : un seul PDF, son bordereau, les numéros de suivi, les retours d'avis."""

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from recouvrement.commun import depot
from recouvrement.commun.horloge import aujourd_hui
from recouvrement.commun.pdf import PdfIndisponible, fusionner
from recouvrement.commun.vues import rediriger
from recouvrement.comptes.droits import Droit, exige, verifier_droit
from relances.forms import ChoixForm, PosterForm, RetourForm
from relances.models import Courrier
from relances.rendu.contexte import Bordereau, Pli
from relances.rendu.lettres import rendre_bordereau_pdf
from relances.services import gestes
from relances.services.preparation import emetteur

from .courriers import _courrier, geste, retour_a

S = Courrier.Statut
LOT_MAX = 500  # lettres fusionnées en une fois


def _choisis(request):
    a_poster = Courrier.objects.visibles_pour(request.user).filter(statut=S.A_POSTER)
    form = ChoixForm(request.POST, courriers=a_poster.select_related("client", "societe").order_by("pk")[:LOT_MAX])
    form.fields["choix"].queryset = a_poster.select_related("client", "societe")
    return list(form.cleaned_data["choix"].order_by("pk")[:LOT_MAX]) if form.is_valid() else []


@require_POST
@exige(Droit.ENVOYER)
def imprimer(request):
    """Les lettres choisies en un seul PDF, chacune commençant sur une feuille neuve."""
    courriers = _choisis(request)
    if not courriers:
        messages.error(request, _("Choisissez au moins une lettre à imprimer."))
        return rediriger(request, retour_a(request, "poster"))
    try:
        lettres = [depot.lire(c.pdf_chemin, c.pdf_empreinte) for c in courriers]
        octets = fusionner(lettres, recto_verso=True)
    except depot.ErreurDepot as raison:
        messages.error(request, str(raison))
        return rediriger(request, retour_a(request, "poster"))
    return _pdf(octets, f"lettres-{aujourd_hui():%Y-%m-%d}.pdf")


@require_POST
@exige(Droit.ENVOYER)
def bordereau(request):
    """Bordereau de dépôt des recommandés choisis ; une société à la fois."""
    courriers = [c for c in _choisis(request) if c.canal == "recommande"]
    societes = {c.societe for c in courriers}
    if len(societes) != 1:
        messages.error(request, _("Choisissez des recommandés d'une seule société."))
        return rediriger(request, retour_a(request, "poster"))
    jour = aujourd_hui()
    plis = tuple(
        Pli(
            destinataire=c.client.raison_sociale,
            localite=f"{c.client.code_postal} {c.client.ville}".strip(),
            reference=c.reference,
            numero_recommande=c.numero_suivi,
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
def poster(request, pk: int):
    courrier = _courrier(request, pk)
    form = PosterForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("Donnez la date du dépôt (JJ/MM/AAAA)."))
        return rediriger(request, retour_a(request, "poster"))
    return geste(
        request,
        courrier,
        lambda: gestes.poster(courrier, par=request.user, **form.cleaned_data),
        _("Dépôt enregistré."),
        vue="poster",
    )


@require_POST
@exige(Droit.ENVOYER)
def retour(request, pk: int):
    """Retour de l'avis de réception, avec son scan (exigence 26)."""
    courrier = _courrier(request, pk)
    form = RetourForm(request.POST, request.FILES)
    if not form.is_valid():
        messages.error(request, " ".join(str(e) for erreurs in form.errors.values() for e in erreurs))
        return rediriger(request, retour_a(request, "retours"))
    return geste(
        request,
        courrier,
        lambda: gestes.consigner_retour(courrier, par=request.user, **form.cleaned_data),
        _("Retour d'avis enregistré."),
        vue="retours",
    )


@require_safe
@exige(Droit.VOIR)
def avis(request, pk: int):
    """Le scan de l'avis de réception, tel que déposé."""
    courrier = _courrier(request, pk)
    if not courrier.avis_chemin:
        raise Http404
    verifier_droit(request.user, Droit.VOIR, courrier.societe_id)
    types = {"pdf": "application/pdf", "png": "image/png", "jpg": "image/jpeg"}
    octets = depot.lire(courrier.avis_chemin, courrier.avis_empreinte)
    return HttpResponse(octets, content_type=types[courrier.avis_chemin.rpartition(".")[2]])
