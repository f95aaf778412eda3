"""Ce que le client a dit retient l'échelle jusqu'à lecture, et pas un jour de plus que réglé."""

from datetime import date, timedelta

import pytest
from django.utils import timezone

from relances.models import Declaration, LienPortail, MessageRecu
from relances.services.retenues_reponses import fin_de_retenue
from tests.clients.factories import ClientFactory

pytestmark = pytest.mark.django_db
MARDI, JOUR = date(2026, 2, 10), timedelta(days=1)


def recu(client, cle, **champs):
    return MessageRecu.objects.create(
        **{"societe": client.societe, "client": client, "origine": "imap", "cle_source": cle, "categorie": "reponse",
           "recu_le": timezone.now(), "retient_jusqu_au": MARDI + 6 * JOUR} | champs
    )  # fmt: skip


def test_une_reponse_retient_jusqu_a_lecture_et_au_plus_les_jours_regles():
    client = ClientFactory()
    recu(client, "<a@x>")
    assert fin_de_retenue([client.pk], MARDI) == {client.pk: MARDI + 6 * JOUR}
    assert fin_de_retenue([client.pk], MARDI + 7 * JOUR) == {}
    MessageRecu.objects.update(statut="lu")
    assert fin_de_retenue([client.pk], MARDI) == {}


def test_une_absence_ne_retient_rien():
    client = ClientFactory()
    recu(client, "<a@x>", categorie="absence", retient_jusqu_au=None)
    assert fin_de_retenue([client.pk], MARDI) == {}


def test_une_declaration_a_traiter_retient_aussi_et_la_plus_longue_l_emporte():
    client, lues = ClientFactory(), {}
    recu(client, "<a@x>")
    lien = LienPortail.objects.create(client=client, cree_le=MARDI, expire_le=MARDI + 90 * JOUR)
    declaration = Declaration.objects.create(
        client=client, lien=lien, genre="paye", faite_le=timezone.now(), retient_jusqu_au=MARDI + 9 * JOUR, cle="a"
    )
    lues["à traiter"] = fin_de_retenue([client.pk], MARDI)[client.pk]
    declaration.statut = Declaration.Statut.ECARTEE
    declaration.save()
    lues["écartée"] = fin_de_retenue([client.pk], MARDI)[client.pk]
    assert lues == {"à traiter": MARDI + 9 * JOUR, "écartée": MARDI + 6 * JOUR}


@pytest.mark.parametrize("nombre", [1, 20])
def test_deux_requetes_quel_que_soit_le_nombre_de_clients(django_assert_num_queries, nombre):
    clients = [ClientFactory() for _ in range(nombre)]
    for n, client in enumerate(clients):
        recu(client, f"<{n}@x>")
    with django_assert_num_queries(2):
        assert len(fin_de_retenue([c.pk for c in clients], MARDI)) == nombre
