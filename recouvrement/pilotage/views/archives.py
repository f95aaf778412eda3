"""Emporter un client, ou toute une société, en un zip qui s'écrit pendant qu'il part."""

from django.http import StreamingHttpResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from clients.models import Client
from recouvrement.commun.fichiers import nom_sur
from recouvrement.commun.formats import jour
from recouvrement.commun.horloge import aujourd_hui
from recouvrement.comptes.droits import Droit, exige, societes_pour, verifier_droit
from recouvrement.journal.services import consigner

from ..archives import Archive


def _repondre(archive: Archive, nom: str) -> StreamingHttpResponse:
    reponse = StreamingHttpResponse(archive.flux(), content_type="application/zip")
    reponse["Content-Disposition"] = f'attachment; filename="{nom_sur(nom)}-{aujourd_hui().isoformat()}.zip"'
    return reponse


@require_safe
@exige(Droit.EXPORTER)
def client(request, pk: int):
    """Tout ce que la maison tient d'un client ; ce qui sort se consigne."""
    visibles = Client.objects.visibles_pour(request.user).select_related("societe")
    choisi = get_object_or_404(visibles, pk=pk)
    verifier_droit(request.user, Droit.EXPORTER, choisi.societe_id)
    if request.method == "GET":
        consigner("client.exporte", societe=choisi.societe, acteur=request.user, objet=choisi, client=choisi)
    titre = _("%(client)s (%(code)s), au %(jour)s") % {
        "client": choisi.raison_sociale, "code": choisi.code, "jour": jour(aujourd_hui()),
    }  # fmt: skip
    return _repondre(Archive(Client.objects.filter(pk=choisi.pk), titre), f"client-{choisi.code}")


@require_safe
@exige(Droit.ADMINISTRER)
def societe(request, pk: int):
    """Tous les clients d'une société, pour qui l'administre."""
    choisie = get_object_or_404(societes_pour(request.user, Droit.ADMINISTRER), pk=pk)
    if request.method == "GET":
        consigner("societe.exportee", societe=choisie, acteur=request.user, objet=choisie)
    titre = _("%(societe)s, au %(jour)s") % {"societe": choisie.raison_sociale, "jour": jour(aujourd_hui())}
    clients = Client.objects.visibles_pour(request.user).filter(societe=choisie)
    return _repondre(Archive(clients, titre), f"societe-{choisie.code}")
