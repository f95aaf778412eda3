"""Les documents d'un client : joindre (champ, dépôt, collage), voir sans risque, télécharger, retirer, remettre."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from clients import documents as service
from clients.forms import DocumentsForm
from clients.models import Client, Document
from recouvrement.commun import depot
from recouvrement.commun.apercu import image_de_page
from recouvrement.commun.vues import Liste, entier, fait, rediriger
from recouvrement.comptes.droits import Droit, exige, verifier_droit

REFUS_MONTRES = 3
# Ouvert dans l'application, un fichier reçu n'exécute rien et ne charge rien, quoi qu'il contienne.
SANS_EFFET = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Cache-Control": "private, no-store",
}


def contexte(request, client: Client, *, peut_agir: bool) -> dict:
    """L'onglet : documents gardés, les derniers d'abord ; deux requêtes."""
    gardes = client.documents.gardes().select_related("ajoute_par").order_by("-pk")
    return {"documents": Liste(request, gardes), "documents_form": DocumentsForm() if peut_agir else None}


def _retour(client_id: int) -> str:
    return f"{reverse('clients:fiche', args=[client_id])}?o=documents"


@require_POST
@exige(Droit.AGIR)
def joindre(request, pk: int):
    """Un ou plusieurs fichiers ; chacun dit pourquoi il est refusé, les autres entrent."""
    visibles = Client.objects.visibles_pour(request.user).select_related("societe")
    client = get_object_or_404(visibles, pk=pk)
    verifier_droit(request.user, Droit.AGIR, client.societe_id)
    form = DocumentsForm(request.POST, request.FILES)
    if not form.is_valid():
        for liste in form.errors.values():
            _dire(request, liste)
        return rediriger(request, _retour(pk))
    neufs, refus = [], []
    for fichier in form.cleaned_data["fichiers"]:
        octets = fichier.read(service.TAILLE_MAX + 1)  # un de trop : refusé sans tenir le reste en mémoire
        try:
            document, neuf = service.ajouter_document(
                client, octets=octets, nom=fichier.name, titre=form.cleaned_data["titre"], acteur=request.user
            )
            neufs += [document] if neuf else []
        except ValidationError as erreur:
            refus.append(f"{fichier.name}\u00a0: {' '.join(erreur.messages)}")
    if neufs:
        phrase = ngettext("%(n)d document joint.", "%(n)d documents joints.", len(neufs)) % {"n": len(neufs)}
        seul = reverse("clients:document_retirer", args=[pk, neufs[0].pk]) if len(neufs) == 1 else ""
        fait(request, phrase, annuler=seul)
    elif not refus:
        messages.info(request, _("Ce document était déjà joint."))
    _dire(request, refus)
    return rediriger(request, _retour(pk))


def _dire(request, refus: list[str]) -> None:
    for phrase in refus[:REFUS_MONTRES]:
        messages.error(request, phrase)
    if autres := len(refus[REFUS_MONTRES:]):
        phrase = ngettext("Et %(n)s autre refusé.", "Et %(n)s autres refusés.", autres)
        messages.error(request, phrase % {"n": autres})


def _document(request, client: int, pk: int) -> Document:
    """Le document, retiré ou non : une pièce d'un message ou d'un accord reste lisible."""
    visibles = Document.objects.visibles_pour(request.user).select_related("client__societe")
    return get_object_or_404(visibles, pk=pk, client=client)


@require_safe
@exige(Droit.VOIR)
def telecharger(request, pk: int, document: int):
    voulu = _document(request, pk, document)
    octets = _lire(request, voulu)
    if octets is None:
        return rediriger(request, _retour(pk))
    return HttpResponse(
        octets,
        content_type=voulu.type_mime,
        headers=SANS_EFFET | {"Content-Disposition": content_disposition_header(True, voulu.nom)},
    )


def _lire(request, document: Document) -> bytes | None:
    try:
        return depot.lire(document.chemin, document.empreinte)
    except depot.ErreurDepot:
        messages.error(request, _("Ce fichier manque au dépôt, ou ne correspond plus à son empreinte."))
        return None


@require_safe
@exige(Droit.VOIR)
def apercu(request, pk: int, document: int):
    """Une image et rien d'autre : la page du PDF dessinée par le serveur, ou l'image jointe, sans droit d'agir."""
    voulu = _document(request, pk, document)
    octets = _lire(request, voulu)
    if octets is None:
        return rediriger(request, _retour(pk))
    mime = voulu.type_mime
    if mime == "application/pdf":
        octets, mime = image_de_page(octets, entier(request.GET.get("page")) or 1), "image/png"
    if octets is None:
        raise Http404
    nom = content_disposition_header(False, voulu.nom.rpartition(".")[0] + (".jpg" if mime == "image/jpeg" else ".png"))
    return HttpResponse(octets, content_type=mime, headers=SANS_EFFET | {"Content-Disposition": nom})


@require_POST
@exige(Droit.AGIR)
def retirer(request, pk: int, document: int):
    """Le document quitte la fiche ; dix secondes pour le remettre, et le dépôt le garde."""
    voulu = _document(request, pk, document)
    verifier_droit(request.user, Droit.AGIR, voulu.client.societe_id)
    if service.retirer_document(voulu, acteur=request.user):
        fait(request, _("Document retiré."), annuler=reverse("clients:document_remettre", args=[pk, voulu.pk]))
    return rediriger(request, _retour(pk))


@require_POST
@exige(Droit.AGIR)
def remettre(request, pk: int, document: int):
    voulu = _document(request, pk, document)
    verifier_droit(request.user, Droit.AGIR, voulu.client.societe_id)
    if service.remettre_document(voulu, acteur=request.user):
        fait(request, _("Document remis."))
    else:
        messages.info(request, _("Ce document est déjà sur la fiche."))
    return rediriger(request, _retour(pk))
