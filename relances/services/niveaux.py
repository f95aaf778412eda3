"""Le niveau d'une échéance : la plus haute de ses relances vivantes ou remplacées (exigences 8 et 22)."""

from collections.abc import Iterable
from datetime import date, timedelta

from django.utils import timezone

from factures.models import Echeance
from relances.models import Relance, Verdict


def recalculer_niveaux(echeances: Iterable[int], *, au: date) -> None:
    """Après une erreur ou une annulation : le niveau redescend à la plus haute relance vivante ou remplacée.

    Le verdict courant, fondé sur l'ancien niveau, est clos : la prochaine nuit en écrit un autre.
    À appeler dans la transaction qui change les relances.
    """
    ids = list(echeances)
    if not ids:
        return
    plus_haute: dict[int, tuple] = {}
    atteintes = Relance.objects.filter(echeance__in=ids, statut__in=Relance.ATTEINTES)
    for e, nature, statut, rang, version, decidee, depot, envoi in atteintes.values_list(
        "echeance", "nature", "statut", "palier__rang", "palier__version", "decidee_le", "courrier__depose_le",
        "courrier__envoye_le",
    ):  # fmt: skip
        # Le palier suivant se compte du départ réel, non du jour décidé.
        le = depot or (timezone.localdate(envoi) if envoi else decidee)
        vivante = statut in Relance.VIVANTES  # à nature égale, celle qui a remplacé l'autre
        plus_haute[e] = max(plus_haute.get(e, (0, False, 0, 0, le)), (nature, vivante, rang, version, le))
    par_niveau: dict[tuple, list[int]] = {}
    for e in ids:
        par_niveau.setdefault(plus_haute.get(e, (0, False, 0, None, None)), []).append(e)
    for (nature, _vivante, rang, version, le), groupe in par_niveau.items():
        Echeance.objects.filter(pk__in=groupe).update(
            niveau=nature, niveau_rang=rang, niveau_version=version, niveau_le=le
        )
    clore_verdicts(ids, au=au)


def clore_verdicts(echeances: Iterable[int], *, au: date) -> None:
    """Ferme la veille les verdicts courants, ou les efface s'ils ne datent que du jour `au`."""
    courants = Verdict.objects.filter(echeance__in=list(echeances), au=None)
    courants.filter(du__gte=au).delete()
    courants.update(au=au - timedelta(days=1))
