"""Client par client : un à la fois, dans un ordre figé, jusqu'au dernier."""

from django.contrib import messages
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_safe

from clients.models import Client
from recouvrement.commun.horloge import aujourd_hui
from recouvrement.commun.vues import entier, rediriger
from recouvrement.comptes.droits import Droit, exige, peut
from recouvrement.journal.models import Maillon

from .. import enchainement, journee
from .portee import lire_portee

NOMS = 3  # clients sautés nommés


@require_safe
@exige(Droit.VOIR)
def suivant(request):
    """Le client suivant (`?apres=`) ou précédent (`?avant=`) de la journée, volet d'appel ouvert s'il s'appelle.

    L'ordre se fige au premier clic, dans la session. Ce qu'un autre a traité entre-temps se saute, et se dit ; revenir
    en arrière ne saute rien. Au bout, retour à Ma journée.
    """
    apres, avant = entier(request.GET.get("apres")), entier(request.GET.get("avant"))
    file = enchainement.file_de(request.session, apres or avant)
    if file is None:
        return _commencer(request)
    ids = file["ids"]
    if avant is not None:
        rang = ids.index(avant) - 1
        return _ouvrir(request, ids[max(rang, 0)])
    restent = _restent(request, file["de"])
    suite = ids[ids.index(apres) + 1 :]
    sautes = []
    for pk in suite:
        if pk in restent:
            _dire_sautes(request, sautes)
            return _ouvrir(request, pk)
        sautes.append(pk)
    _dire_sautes(request, sautes)
    dit = ngettext("Le seul client de la liste est vu.", "Les %(n)d clients de la liste sont vus.", len(ids))
    messages.info(request, dit % {"n": len(ids)})
    return rediriger(request, reverse("pilotage:ma_journee"))


def _restent(request, de: str = "") -> list[int]:
    portee, _clients, _de = lire_portee(request, aujourd_hui(), de=de)
    return [x.client.pk for x in journee.toutes(portee) if not journee.cachee(x)]


def _commencer(request):
    de = request.GET.get("de", "")
    ids = _restent(request, de)
    if not ids:
        messages.info(request, _("Plus rien à enchaîner : aucun client n'attend."))
        return rediriger(request, reverse("pilotage:ma_journee"))
    enchainement.figer(request.session, ids, de=de, jour=aujourd_hui())
    return _ouvrir(request, ids[0])


def _ouvrir(request, pk: int):
    """La fiche, volet d'appel ouvert, sauf procédure collective ou client à ne pas appeler."""
    client = Client.objects.visibles_pour(request.user).filter(pk=pk).first()
    appelable = client and not client.procedure_ouverte and not client.ne_pas_appeler_le
    volet = "&volet=appel" if appelable and peut(request.user, Droit.AGIR) else ""
    return rediriger(request, f"{reverse('clients:fiche', args=[pk])}?suite=journee{volet}")


def _dire_sautes(request, sautes: list[int]) -> None:
    """« Sauté, traité entre-temps : Belcourt (Paul Vidal) » : qui y a fait le dernier geste du jour."""
    if not sautes:
        return
    visibles = Client.objects.visibles_pour(request.user).filter(pk__in=sautes)
    noms = dict(visibles.values_list("pk", "raison_sociale")[: NOMS + 1])
    gestes = Maillon.objects.filter(client_id__in=noms, quand__date=aujourd_hui(), acteur__isnull=False)
    qui = dict(gestes.exclude(acteur=request.user).order_by("rang").values_list("client_id", "acteur__nom"))
    dits = [f"{nom} ({qui[pk]})" if pk in qui else nom for pk, nom in list(noms.items())[:NOMS]]
    if len(sautes) > len(dits):
        dits.append(f"… + {len(sautes) - len(dits)}" if dits else str(len(sautes)))
    texte = ngettext("Sauté, il n'attend plus rien : %(noms)s.", "Sautés, ils n'attendent plus rien : %(noms)s.",
                     len(sautes))  # fmt: skip
    messages.info(request, texte % {"noms": ", ".join(dits)})
