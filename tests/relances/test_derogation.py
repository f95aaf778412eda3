"""Mise en demeure en premier acte ou après les relances amiables, avec un motif tracé (exigences 10, 11, 14)."""

from datetime import date, timedelta

import pytest
from django.urls import reverse

from recouvrement.comptes.models import Role
from recouvrement.journal.models import Maillon
from relances.domaine.natures import Nature
from relances.models import Courrier
from relances.services import gestes
from relances.services.preparation import preparer
from tests.clients.factories import ClientFactory
from tests.comptes.factories import UtilisateurFactory
from tests.factures.factories import EcheanceFactory

pytestmark = pytest.mark.django_db
MARDI = date(2026, 2, 10)


@pytest.fixture
def responsable(client, time_machine):
    time_machine.move_to("2026-02-10 09:00 +0100", tick=False)
    user = UtilisateurFactory(role=Role.RESPONSABLE)
    client.force_login(user)
    return user


@pytest.fixture
def debiteur(responsable):
    return ClientFactory(societe=responsable.affectations.get().societe)


def test_en_premier_acte_avec_motif_a_valider_et_trace(client, debiteur):
    due = EcheanceFactory(client=debiteur, echue_le=MARDI - timedelta(days=9))
    EcheanceFactory(client=debiteur, echue_le=MARDI - timedelta(days=9), en_litige=100)
    url = reverse("relances:manuel", args=[debiteur.pk]) + "?palier=mise-en-demeure"
    assert "Pourquoi mettre en demeure" in client.get(url).content.decode()
    assert client.post(url, {"motif": " "}).status_code == 422
    assert not Courrier.objects.exists()

    client.post(url, {"motif": "cessation d'activité annoncée"})
    courrier = Courrier.objects.get()
    assert (courrier.nature, courrier.statut, courrier.canal) == (Nature.MISE_EN_DEMEURE, "a_valider", "recommande")
    assert [r.echeance for r in courrier.relances.all()] == [due], "la pièce contestée n'y entre pas"
    assert "cessation d'activité" in courrier.motif
    assert "cessation d'activité" in Maillon.objects.get(action="courrier.demande").detail.texte
    assert preparer(courrier, au=MARDI).manques == []


def test_apres_les_relances_amiables_epuisees_la_mise_en_demeure_reste_possible(debiteur):
    EcheanceFactory(client=debiteur, echue_le=MARDI - timedelta(days=90))
    debiteur.societe.max_amiables = 0
    debiteur.societe.save()
    with pytest.raises(gestes.Refus):
        gestes.relancer_maintenant(debiteur, par=None, au=MARDI)
    (courrier,) = gestes.relancer_maintenant(debiteur, par=None, au=MARDI, derogation="décision du responsable")
    assert courrier.nature == Nature.MISE_EN_DEMEURE


def test_jamais_a_une_administration(debiteur):
    publique = ClientFactory(societe=debiteur.societe, administration=True)
    EcheanceFactory(client=publique, echue_le=MARDI - timedelta(days=90))
    with pytest.raises(gestes.Refus, match="pas de mise en demeure"):
        gestes.relancer_maintenant(publique, par=None, au=MARDI, derogation="essai")
