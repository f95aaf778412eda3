"""Oublier les visites de la page du client : une trace de sécurité ne se garde pas au-delà de son utilité."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Q

from relances.models import Declaration, VisitePortail

PAR_LOT = 5000


def purger(moment: datetime) -> tuple[int, int]:
    """Efface les visites de plus de `VISITES_JOURS` jours, et l'adresse IP des déclarations aussi anciennes.

    (visites effacées, déclarations allégées). RGPD, art. 5, 1, e : pas plus longtemps que nécessaire. La déclaration
    reste, sans l'adresse ; la signature d'un accord garde la sienne : c'est sa preuve. Par lots, rejouable.
    """
    limite = moment - timedelta(days=settings.VISITES_JOURS)
    effacees = 0
    while lot := list(
        VisitePortail.objects.filter(le__lt=limite).order_by("pk").values_list("pk", flat=True)[:PAR_LOT]
    ):
        with transaction.atomic():
            effacees += VisitePortail.objects.filter(pk__in=lot).delete()[0]
    anciennes = Declaration.objects.filter(faite_le__lt=limite).exclude(Q(adresse_ip=None) & Q(agent=""))
    return effacees, anciennes.update(adresse_ip=None, agent="")
