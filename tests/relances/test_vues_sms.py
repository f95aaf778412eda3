"""Le réglage des SMS à l'administration, et le geste « plus de SMS » de la fiche."""

import pytest
from django.urls import reverse

from clients.models import OppositionSms
from recouvrement.comptes.models import Role
from recouvrement.journal.models import Maillon
from relances.models import ReglageSms
from tests.clients.factories import ClientFactory, ContactFactory
from tests.comptes.factories import SocieteFactory, UtilisateurFactory

pytestmark = pytest.mark.django_db
SAISIE = {"actif": "on", "expediteur": "ACME", "debut": "10:00", "fin": "18:00", "par_mois_max": "4"}


@pytest.fixture
def societe(client):
    societe = SocieteFactory()
    client.force_login(UtilisateurFactory(role=Role.ADMINISTRATEUR, societe=societe))
    return societe


def test_le_reglage_s_enregistre_et_se_consigne(client, societe):
    adresse = reverse("relances:reglage_sms", args=[societe.pk])
    assert "rien ne part" in client.get(adresse).content.decode()
    assert client.post(adresse, SAISIE).status_code == 303
    regle = ReglageSms.objects.get(societe=societe)
    assert (regle.actif, regle.expediteur, regle.par_mois_max) == (True, "ACME", 4)
    assert Maillon.objects.filter(action="reglage_sms.modifie").count() == 1
    client.post(adresse, SAISIE)
    assert Maillon.objects.filter(action="reglage_sms.modifie").count() == 1
    assert "envoyés" in client.get(reverse("relances:reglages_sms")).content.decode()


@pytest.mark.parametrize(
    "faute",
    [{"debut": "07:00"}, {"fin": "22:00"}, {"debut": "18:00", "fin": "10:00"}, {"expediteur": "trop long nom"},
     {"expediteur": "12345"}, {"par_mois_max": "99"}, {"debut": "x"}],
)  # fmt: skip
def test_une_saisie_fausse_revient_avec_sa_faute(client, societe, faute):
    assert client.post(reverse("relances:reglage_sms", args=[societe.pk]), SAISIE | faute).status_code == 422
    assert not ReglageSms.objects.exists()


def test_une_autre_societe_est_introuvable_et_un_gestionnaire_n_entre_pas(client, societe):
    assert client.get(reverse("relances:reglage_sms", args=[SocieteFactory().pk])).status_code == 404
    assert client.delete(reverse("relances:reglage_sms", args=[societe.pk])).status_code == 405
    assert client.post(reverse("relances:reglages_sms")).status_code == 405
    client.force_login(UtilisateurFactory(role=Role.GESTIONNAIRE, societe=societe))
    assert client.get(reverse("relances:reglages_sms")).status_code == 403


def test_la_liste_coute_autant_avec_une_societe_ou_vingt(client, societe):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from recouvrement.comptes.models import Affectation

    def compter():
        with CaptureQueriesContext(
            connection,
        ) as requetes:
            assert client.get(reverse("relances:reglages_sms")).status_code == 200
        return len(requetes)

    une = compter()
    user = Affectation.objects.get(societe=societe).utilisateur
    for _ in range(20):
        Affectation.objects.create(utilisateur=user, societe=SocieteFactory(), role=Role.ADMINISTRATEUR)
    assert compter() == une


def test_le_geste_plus_de_sms_se_pose_et_se_leve(client):
    societe = SocieteFactory()
    debiteur = ClientFactory(societe=societe, telephone="06 12 34 56 78")
    ContactFactory(client=debiteur, telephone="01 23 45 67 89")
    client.force_login(UtilisateurFactory(role=Role.RESPONSABLE, societe=societe))
    page = client.get(reverse("clients:fiche", args=[debiteur.pk]) + "?volet=sms").content.decode()
    assert "+33612345678" in page and "canal suivant" in page and "+33123456789" not in page
    geste = reverse("clients:geste", args=[debiteur.pk, "sms"])
    assert client.post(geste, {"numero": "+33612345678"}).status_code == 303
    assert OppositionSms.objects.en_vigueur().get().source == "personne"
    page = client.get(reverse("clients:fiche", args=[debiteur.pk]) + "?volet=sms").content.decode()
    assert "n&#x27;en veut plus" in page or "n'en veut plus" in page
    assert client.post(geste, {"numero": "+33612345678"}).status_code == 303
    assert not OppositionSms.objects.en_vigueur().exists()
    assert client.post(geste, {"numero": "+33699999999"}).status_code == 422
