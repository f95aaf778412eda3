"""Ce que chiffre une lettre : un paiement au jour où il est reçu, 40 € une fois par facture."""

from datetime import date

import pytest

from factures import services
from factures.decompte import calculer
from relances.services.dues import lignes_dues
from tests.factures.factories import EcheanceFactory, EncaissementFactory, FactureFactory, ImputationFactory

pytestmark = pytest.mark.django_db
JUIN = date(2026, 6, 30)


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


@pytest.fixture
def trois():
    """Une facture à trois échéances ; au 30 juin, la dernière n'est pas échue."""
    facture = FactureFactory(montant_ttc=3000, date_emission=date(2026, 1, 1))
    jours = (date(2026, 3, 31), date(2026, 4, 30), date(2026, 7, 31))
    return [EcheanceFactory(facture=facture, echue_le=jour) for jour in jours]


def indemnites(echeances):
    return [x.indemnite for x in lignes_dues(echeances, echeances[0].client, au=JUIN, chiffree=True).lignes]


def test_deux_lettres_pour_une_facture_ne_reclament_qu_une_indemnite(trois):
    """Produit.md § 9.4 : l'échéance porteuse est la plus ancienne encore ouverte et échue, dans la lettre ou non."""
    assert [indemnites([e]) for e in trois] == [[40], [0], [0]]
    assert indemnites(trois[::-1]) == [0, 0, 40]


def test_la_porteuse_payee_l_indemnite_passe_a_la_suivante(trois):
    ImputationFactory(echeance=trois[0], date=date(2026, 5, 15))
    assert [indemnites([e]) for e in trois[1:]] == [[40], [0]]


def test_le_decompte_de_la_facture_designe_la_meme_porteuse(trois):
    bareme = services.bareme()

    def decompte():
        return [x.calcul.indemnite for x in calculer(trois[0].client, trois, au=JUIN, bareme=bareme)]

    assert decompte() == [40, 0, 0]
    ImputationFactory(echeance=trois[0], date=date(2026, 5, 15))
    assert decompte() == [0, 40, 0]
    ImputationFactory(echeance=trois[1], date=date(2026, 5, 15))
    assert decompte() == [40, 0, 0]  # payée en retard, elle les doit toujours
