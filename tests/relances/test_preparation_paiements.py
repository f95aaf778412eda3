"""Un paiement arrête les intérêts d'une lettre le jour où il est reçu."""

from datetime import date

import pytest

from relances.services.preparation import lignes_dues
from tests.factures.factories import EcheanceFactory, EncaissementFactory, ImputationFactory


@pytest.mark.django_db
def test_un_paiement_affecte_plus_tard_compte_au_jour_de_sa_reception():
    """droit.md § 1 : fin des intérêts = compte crédité."""
    echeance = EcheanceFactory(echue_le=date(2026, 3, 31), montant=1000)
    paiement = EncaissementFactory(client=echeance.client, montant=400, date=date(2026, 5, 15))
    ImputationFactory(echeance=echeance, encaissement=paiement, montant=400, date=date(2026, 6, 20))
    (ligne,) = lignes_dues([echeance], echeance.client, au=date(2026, 6, 30), chiffree=True).lignes
    assert [(s.du, s.au) for s in ligne.segments] == [
        (date(2026, 4, 1), date(2026, 5, 15)),
        (date(2026, 5, 16), date(2026, 6, 30)),
    ]
