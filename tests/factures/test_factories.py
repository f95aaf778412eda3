"""Les fabriques tiennent les mêmes soldes que le produit."""

from datetime import date
from decimal import Decimal

import pytest
from django.db.models import Sum

from tests.clients.factories import ClientFactory, ContactFactory, NoteFactory, SuspensionFactory
from tests.comptes.factories import SocieteFactory, UtilisateurFactory

from .factories import AvoirFactory, EcheanceFactory, PromesseFactory

pytestmark = pytest.mark.django_db


def test_une_societe_de_fabrique_n_a_aucun_manque():
    assert SocieteFactory().manques() == []
    assert SocieteFactory(incomplete=True).manques()


@pytest.mark.parametrize(
    ("traits", "reste", "soldee_le"),
    [
        ({}, 1000, None),
        ({"reste": 400}, 400, None),
        ({"soldee": True}, 0, date(2026, 1, 31)),
        ({"soldee": date(2026, 2, 3)}, 0, date(2026, 2, 3)),
        ({"reste": 2500}, 2500, None),
    ],
)
def test_le_reste_du_d_une_echeance_egale_ses_imputations(traits, reste, soldee_le):
    echeance = EcheanceFactory(**traits)
    echeance.refresh_from_db()
    impute = echeance.imputations.aggregate(s=Sum("montant"))["s"] or Decimal(0)
    assert (echeance.reste_du, echeance.impute, echeance.soldee_le) == (reste, impute, soldee_le)


def test_les_autres_fabriques_vont_ensemble():
    client = ClientFactory(particulier=True)
    EcheanceFactory(client=client, en_litige=300)
    assert client.echeances.get().litiges.get().montant_conteste == 300
    assert AvoirFactory(client=client).societe == ContactFactory(client=client).client.societe
    assert SuspensionFactory(client=client, du=date(2026, 1, 1)).auteur != NoteFactory(client=client).auteur
    assert PromesseFactory(date_promise=date(2026, 2, 10)).montant == 1000
    assert UtilisateurFactory(role=None).affectations.count() == 0
