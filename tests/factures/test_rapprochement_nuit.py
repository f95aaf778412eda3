"""Une somme qui attend en banque retient la relance de celui qu'elle désigne (exigence 2), et « Pourquoi » le dit."""

from datetime import date, timedelta

import pytest
from django.core.management import call_command

from factures.models import MouvementBancaire
from factures.services.rapprochement import suggerer
from factures.services.rapprochement_gestes import ignorer
from relances.models import Relance
from relances.services.explications import expliquer
from tests.clients.factories import ClientFactory
from tests.comptes.factories import SocieteFactory, UtilisateurFactory

from .banque_essai import MouvementFactory
from .factories import EcheanceFactory

pytestmark = pytest.mark.django_db
MARDI = date(2026, 2, 10)


@pytest.fixture(autouse=True)
def un_mardi(time_machine):
    time_machine.move_to("2026-02-10T22:00:00+01:00", tick=False)


@pytest.fixture
def mercier():
    client = ClientFactory(
        societe=SocieteFactory(), raison_sociale="Mercier Lagarde SARL", type="entreprise", courriel="c@mercier.example"
    )
    EcheanceFactory(client=client, echue_le=MARDI - timedelta(days=12), montant=1000)
    return client


def nuit(capsys) -> str:
    call_command("relancer", "--essai", "--json")
    return capsys.readouterr().out


def verdict(client) -> str:
    from django.utils import timezone

    return expliquer(client.echeances.get(), MARDI, moment=timezone.localtime()).phrase


def test_la_nuit_retient_le_client_que_le_mouvement_designe(mercier, capsys):
    assert "credit_non_affecte" not in nuit(capsys)
    m = MouvementFactory(societe=mercier.societe, montant=600, date=MARDI, libelle="VIR MERCIER LAGARDE SARL")
    suggerer(mercier.societe)
    assert MouvementBancaire.objects.get().client_presume == mercier
    essai = nuit(capsys)
    assert "credit_non_affecte" in essai and not Relance.objects.exists()
    assert "à rapprocher" in verdict(mercier) or "affecter" in verdict(mercier)
    ignorer(m, motif="Ce n'est pas lui", acteur=UtilisateurFactory(societe=mercier.societe))
    assert "credit_non_affecte" not in nuit(capsys)


def test_une_petite_somme_ou_une_autre_devise_ne_retient_pas(mercier, capsys):
    for champs in ({"montant": 400}, {"montant": 900, "devise": "USD"}):
        MouvementBancaire.objects.all().delete()
        MouvementFactory(societe=mercier.societe, date=MARDI, libelle="VIR MERCIER LAGARDE SARL", **champs)
        suggerer(mercier.societe)
        assert "credit_non_affecte" not in nuit(capsys)


def test_un_mouvement_que_rien_ne_nomme_ne_retient_personne(mercier, capsys):
    MouvementFactory(societe=mercier.societe, montant=600, date=MARDI, libelle="VIREMENT RECU")
    suggerer(mercier.societe)
    assert MouvementBancaire.objects.get().client_presume is None and "credit_non_affecte" not in nuit(capsys)
