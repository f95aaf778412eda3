"""Jusqu'à quand ce que le client a dit, et que personne n'a encore lu, retient ses relances."""

from collections import Counter
from collections.abc import Iterable
from datetime import date
from decimal import Decimal

from django.db.models import Max

from relances.models import Declaration, MessageRecu


def fin_de_retenue(clients: Iterable[int], au: date) -> dict[int, date]:
    """{client: dernier jour retenu} au jour `au` : réponses à lire, déclarations qui attendent. Deux requêtes.

    Une réponse lue, une déclaration écartée ou un délai passé ne retiennent plus ; un paiement qu'on croit, ou fait par
    carte, retient jusqu'à sa date. Une contestation ne retient que sa part (`parts_contestees`).
    """
    ids = list(clients)
    fins: dict[int, date] = {}
    declarees = Declaration.objects.exclude(statut=Declaration.Statut.ECARTEE).exclude(genre=Declaration.Genre.CONTESTE)
    for attendues in (MessageRecu.objects.a_lire(), declarees):
        lignes = attendues.filter(client__in=ids, retient_jusqu_au__gte=au).order_by().values_list("client")
        for client, fin in lignes.annotate(fin=Max("retient_jusqu_au")):
            fins[client] = max(fin, fins.get(client, fin))
    return fins


def parts_contestees(clients: Iterable[int], au: date) -> dict[int, Decimal]:
    """{échéance: part contestée sur la page, pas encore examinée}, au plus tard jusqu'à sa date (exigence 33).

    Une pièce : la part dite ; plusieurs : chacune en entier (son montant, que le reste dû borne). Une requête.
    """
    attendues = Declaration.objects.a_traiter().filter(
        client__in=list(clients), genre=Declaration.Genre.CONTESTE, retient_jusqu_au__gte=au
    )
    parts: dict[int, Decimal] = {}
    lues = list(attendues.order_by().values_list("pk", "montant", "echeances", "echeances__montant"))
    visees = Counter(pk for pk, *_reste in lues)
    for pk, dit, echeance, entiere in lues:
        if echeance is not None:
            part = dit if visees[pk] == 1 else entiere
            parts[echeance] = max(part, parts.get(echeance, part))
    return parts
