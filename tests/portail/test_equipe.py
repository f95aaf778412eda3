"""Côté équipe : régler, voir, révoquer ; rien d'un autre portefeuille, et une visite dite pour ce qu'elle est."""

from datetime import timedelta

import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext

from recouvrement.comptes.models import Role
from recouvrement.journal.models import Maillon
from relances.models import LienPortail, ReglagePortail, VisitePortail
from relances.services import liens
from tests.clients.factories import ClientFactory
from tests.comptes.factories import SocieteFactory, UtilisateurFactory
from tests.factures.factories import EcheanceFactory

from .outils import AU, MOMENT, societe_ouverte, url

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def jour(time_machine):
    time_machine.move_to(MOMENT, tick=False)
    cache.clear()


@pytest.fixture
def societe():
    return societe_ouverte()


@pytest.fixture
def gestionnaire(societe, client):
    personne = UtilisateurFactory(societe=societe, role=Role.GESTIONNAIRE)
    client.force_login(personne)
    return personne


@pytest.fixture
def debiteur(societe, gestionnaire):
    return ClientFactory(societe=societe, gestionnaire=gestionnaire)


def page(client, debiteur, suite=""):
    return client.get(f"/clients/{debiteur.pk}/page/{suite}")


def test_les_liens_et_leurs_ouvertures_se_montrent_pour_ce_qu_elles_sont(client, debiteur):
    lien = liens.lien_pour(debiteur, au=AU)
    client.get(url(lien), headers={"User-Agent": "Antivirus/1"})

    texte = page(client, debiteur).text

    assert liens.adresse(lien) in texte
    assert "Antivirus/1" in texte
    assert "ne prouve rien" in texte
    assert "valable" in texte


def test_revoquer_un_lien_transfere_par_erreur(client, debiteur, gestionnaire):
    lien = liens.lien_pour(debiteur, au=AU)
    assert client.get(url(lien)).status_code == 200

    assert client.post(f"/clients/{debiteur.pk}/page/liens/{lien.pk}/revoquer/").status_code == 303
    assert client.post(f"/clients/{debiteur.pk}/page/liens/{lien.pk}/revoquer/").status_code == 303  # sans effet

    lien.refresh_from_db()
    assert lien.revoque_par == gestionnaire
    assert client.get(url(lien)).status_code == 404
    assert Maillon.objects.filter(action="lien.revoque").count() == 1
    texte = page(client, debiteur).text
    assert "révoqué" in texte
    assert liens.adresse(lien) not in texte


def test_donner_un_lien_a_la_main(client, debiteur):
    for _i in range(2):
        assert client.post(f"/clients/{debiteur.pk}/page/donner/").status_code == 303

    assert LienPortail.objects.filter(client=debiteur, courrier=None).count() == 1
    assert Maillon.objects.filter(action="lien.donne").count() == 1


def test_page_fermee_rien_a_donner(client, debiteur, societe):
    ReglagePortail.objects.update(actif=False)

    client.post(f"/clients/{debiteur.pk}/page/donner/")

    assert not LienPortail.objects.exists()
    assert "fermée dans cette société" in page(client, debiteur).text


def test_un_lecteur_voit_les_visites_sans_la_cle(client, debiteur, societe):
    lien = liens.lien_pour(debiteur, au=AU)
    client.force_login(UtilisateurFactory(societe=societe, role=Role.LECTEUR))

    texte = page(client, debiteur).text

    assert liens.jeton(lien) not in texte
    assert client.post(f"/clients/{debiteur.pk}/page/liens/{lien.pk}/revoquer/").status_code == 403


def test_le_voisin_et_le_lien_d_un_autre_client_n_existent_pas(client, debiteur, societe, gestionnaire):
    autre = ClientFactory(societe=societe, gestionnaire=UtilisateurFactory(societe=societe))
    son_lien = liens.lien_pour(autre, au=AU)

    assert page(client, autre).status_code == 404
    assert page(client, autre, "apercu/").status_code == 404
    assert client.post(f"/clients/{autre.pk}/page/donner/").status_code == 404
    assert client.post(f"/clients/{debiteur.pk}/page/liens/{son_lien.pk}/revoquer/").status_code == 404
    assert client.get(f"/clients/{debiteur.pk}/page/donner/").status_code == 405
    assert client.post(f"/clients/{debiteur.pk}/page/").status_code == 405


def test_l_apercu_ne_laisse_ni_lien_ni_visite(client, debiteur):
    EcheanceFactory(client=debiteur, montant=1000, echue_le=AU - timedelta(days=30))

    reponse = page(client, debiteur, "apercu/")

    assert "1\xa0000,00" in reponse.text
    assert "Aperçu" in reponse.text
    assert "/p/" not in reponse.text
    assert not LienPortail.objects.exists()
    assert not VisitePortail.objects.exists()
    assert page(client, debiteur, "apercu/?langue=en")["Content-Language"] == "en"


def test_nombre_de_requetes_egal_avec_un_et_vingt_liens(client, debiteur):
    comptes = []
    for nombre in (1, 19):
        for _i in range(nombre):
            lien = LienPortail.objects.create(client=debiteur, cree_le=AU, expire_le=AU + timedelta(days=3))
            VisitePortail.objects.create(lien=lien, genre="visite", le="2026-11-20T09:00Z")
        page(client, debiteur)
        with CaptureQueriesContext(connection) as lues:
            page(client, debiteur)
        comptes.append(len(lues))

    assert comptes[0] == comptes[1]


# --- Réglage -------------------------------------------------------------------------------------


@pytest.fixture
def administratrice(client):
    societe = SocieteFactory()
    personne = UtilisateurFactory(societe=societe, role=Role.ADMINISTRATEUR)
    client.force_login(personne)
    return personne, societe


SAISIE = {
    "actif": "on", "duree_jours": "60", "declarations": "on", "echeanciers": "on", "contact_donnees": "dpo@x.fr",
    "carte": "",
}  # fmt: skip


def test_ouvrir_la_page(client, administratrice):
    _personne, societe = administratrice
    assert "fermée" in client.get("/administration/page-client/").text

    reponse = client.post(f"/administration/page-client/{societe.pk}/", SAISIE)

    assert reponse.status_code == 303
    reglage = ReglagePortail.objects.get(societe=societe)
    assert (reglage.actif, reglage.duree_jours, reglage.accord_immediat) == (True, 60, False)
    assert "ouverte" in client.get("/administration/page-client/").text
    assert Maillon.objects.filter(action="portail.regle").count() == 1
    client.post(f"/administration/page-client/{societe.pk}/", SAISIE)
    assert Maillon.objects.filter(action="portail.regle").count() == 1  # rien n'a changé


def test_les_cles_de_paiement_s_ecrivent_et_ne_se_relisent_pas(client, administratrice):
    _personne, societe = administratrice
    adresse = f"/administration/page-client/{societe.pk}/"
    assert client.post(adresse, SAISIE | {"carte": "stripe"}).status_code == 422
    cles = {"carte": "stripe", "carte_secret": "sk_test_abcdef", "carte_signature": "whsec_123456"}
    assert client.post(adresse, SAISIE | cles).status_code == 303

    texte = client.get(adresse).text
    assert "sk_test_abcdef" not in texte
    assert "whsec_123456" not in texte
    assert "sk_test" not in str(list(Maillon.objects.values_list("detail", flat=True)))
    assert client.post(adresse, SAISIE | {"carte": "stripe"}).status_code == 303  # vide : gardées
    assert ReglagePortail.objects.get().carte_secret == "sk_test_abcdef"
    client.post(adresse, SAISIE)
    assert ReglagePortail.objects.get().carte_secret == ""


@pytest.mark.parametrize("duree", ["0", "-1", "731", "9999999999", "x", ""])
def test_une_duree_impossible_se_dit(client, administratrice, duree):
    adresse = f"/administration/page-client/{administratrice[1].pk}/"

    assert client.post(adresse, SAISIE | {"duree_jours": duree}).status_code == 422
    assert not ReglagePortail.objects.exists()


def test_la_societe_d_un_autre_n_existe_pas(client, administratrice):
    autre = SocieteFactory()

    assert client.get(f"/administration/page-client/{autre.pk}/").status_code == 404
    assert client.post(f"/administration/page-client/{autre.pk}/", SAISIE).status_code == 404
    assert autre.raison_sociale not in client.get("/administration/page-client/").text


def test_un_site_sans_https_se_dit(client, administratrice, settings):
    adresse = f"/administration/page-client/{administratrice[1].pk}/"
    assert "SITE_URL" in client.get(adresse).text
    settings.SITE_URL = "https://regler.mercier.example"

    assert "SITE_URL" not in client.get(adresse).text


def test_la_demonstration_ouvre_la_page_et_montre_un_lien(client):
    """Le lien montré à la mise en route ouvre la page ; il ne se multiplie pas, et se refait quand il expire."""
    from recouvrement.pilotage.demo import page_du_client, societes

    assert page_du_client.lien_montre(au=AU) == ""
    societe = SocieteFactory(code=societes.CODE)
    debiteur = ClientFactory(societe=societe, raison_sociale=page_du_client.CLIENT)
    page_du_client.ouvrir(societe, par=UtilisateurFactory(societe=societe), au=AU)

    adresse = page_du_client.lien_montre(au=AU)

    assert client.get(adresse).status_code == 200
    assert page_du_client.lien_montre(au=AU + timedelta(days=30)) == adresse
    assert page_du_client.lien_montre(au=AU + timedelta(days=100)) != adresse
    assert LienPortail.objects.filter(client=debiteur).count() == 2
