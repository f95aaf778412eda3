"""Jusqu'à quand ce que le client a dit, et que personne n'a encore lu, retient ses relances."""

from collections.abc import Iterable
from datetime import date

from django.db.models import Max

from relances.models import Declaration, MessageRecu


def fin_de_retenue(clients: Iterable[int], au: date) -> dict[int, date]:
    """{client: dernier jour retenu} au jour `au` : réponses à lire et déclarations à traiter. Deux requêtes.

    Une réponse lue, une déclaration décidée ou un délai passé ne retiennent plus.
    """
    ids = list(clients)
    fins: dict[int, date] = {}
    for attendues in (MessageRecu.objects.a_lire(), Declaration.objects.a_traiter()):
        lignes = attendues.filter(client__in=ids, retient_jusqu_au__gte=au).order_by().values_list("client")
        for client, fin in lignes.annotate(fin=Max("retient_jusqu_au")):
            fins[client] = max(fin, fins.get(client, fin))
    return fins
