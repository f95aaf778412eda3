"""Créances nées avant ou après un jugement d'ouverture, lues en base."""

from collections.abc import Iterable

from django.db.models import F
from django.db.models.functions import Coalesce

from ..models import Echeance


def posterieures(echeances: Iterable[int] | None = None, *, clients: Iterable[int] | None = None) -> set[int]:
    """Celles de ces échéances, ou des échéances ouvertes de ces clients, nées le jour du jugement ou après.

    Une créance naît à l'exécution, à défaut à la facture (C. com., art. L622-17 et L622-24 ; lecture). Sans jugement,
    aucune.
    """
    lues = Echeance.objects.all() if clients is None else Echeance.objects.ouvertes().filter(client__in=list(clients))
    if echeances is not None:
        lues = lues.filter(pk__in=list(echeances))
    nees = lues.order_by().annotate(nee=Coalesce("facture__date_execution", "facture__date_emission"))
    return set(nees.filter(nee__gte=F("client__jugement_ouverture_le")).values_list("pk", flat=True))
