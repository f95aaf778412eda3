"""À l'écran : le document sur la fiche, et le compte à choisir quand plusieurs répondent."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from factures.imports import depots
from factures.models import Facture, Lot
from recouvrement.comptes.models import Role
from tests.clients.factories import ClientFactory
from tests.comptes.factories import SocieteFactory, UtilisateurFactory

from .efacture_essai import ACHETEUR, cii
from .factories import EcheanceFactory
from .imports_essai import AU, MOMENT, prendre

pytestmark = pytest.mark.django_db


@pytest.fixture
def paul(client, settings, tmp_path):
    settings.DEPOT = tmp_path
    user = UtilisateurFactory(nom="Paul", role=Role.RESPONSABLE)
    client.force_login(user)
    return user


@pytest.fixture
def societe(paul):
    return paul.affectations.get().societe


def lire(client, url):
    reponse = client.get(url)
    assert reponse.status_code == 200
    return " ".join(reponse.content.decode().replace("\xa0", " ").split())


def fiche(client, numero="F-100"):
    return lire(client, reverse("factures:fiche", args=[Facture.objects.get(numero=numero).pk]))


# --- La fiche --------------------------------------------------------------------------------


def test_la_fiche_montre_le_net_et_les_mentions_absentes_avec_leur_texte(client, societe):
    prendre(societe, cii(acompte="20.00", net="100.00", notes={}, exigibilite="72"))
    page = fiche(client)
    assert "Document électronique" in page and "TVA à l’encaissement" in page
    assert "acompte 20,00 €" in page and "<b>100,00 €</b>" in page
    assert "Taux des pénalités de retard" in page and "L441-9" in page and "Elles affaiblissent" in page


def test_la_fiche_d_une_facture_cedee_le_dit(client, societe):
    prendre(societe, cii(type_="393"))
    page = fiche(client)
    assert "cédée à un affactureur" in page and "Facture affacturée" in page


def test_une_facture_sans_document_ne_montre_rien(client, societe):
    e = EcheanceFactory(societe=societe)
    assert "Document électronique" not in fiche(client, e.facture.numero)


def test_la_fiche_ne_demande_pas_plus_de_requetes_avec_vingt_mentions(client, societe):
    prendre(societe, cii("F-1"))
    prendre(societe, cii("F-2", notes={}, cadre="x", ht="0.00", acheteur_siren="", acheteur_tva="BE1"))
    comptes = []
    for numero in ("F-1", "F-2"):
        fiche(client, numero)
        with CaptureQueriesContext(connection) as requetes:
            fiche(client, numero)
        comptes.append(len(requetes))
    assert comptes[0] == comptes[1]


# --- Le compte à choisir ---------------------------------------------------------------------


@pytest.fixture
def lot(societe, paul, tmp_path):
    import io

    ClientFactory(societe=societe, siren=ACHETEUR, code="UN")
    ClientFactory(societe=societe, siren=ACHETEUR, code="DEUX")
    lot = depots.deposer(io.BytesIO(cii()), "f.xml", societe, auteur=paul)
    depots.apercevoir(lot.pk, moment=MOMENT, au=AU)
    lot.refresh_from_db()
    return lot


def test_l_apercu_propose_les_comptes_et_le_choix_relit_le_fichier(client, lot):
    page = lire(client, reverse("factures:import", args=[lot.pk]))
    assert "À quel compte" in page and "DEUX" in page
    client.post(reverse("factures:import_client", args=[lot.pk]), {"cle": ACHETEUR, "code": "DEUX"})
    lot.refresh_from_db()
    assert lot.corrections["clients"] == {ACHETEUR: "DEUX"}
    depots.apercevoir(lot.pk, moment=timezone.now(), au=AU)
    lot.refresh_from_db()
    assert lot.statut == Lot.Statut.APERCU and not lot.compte_rendu["rejets"]
    assert "À quel compte" not in lire(client, reverse("factures:import", args=[lot.pk]))
    depots.demander(lot, partiel=False)
    depots.appliquer(lot.pk, moment=timezone.now(), au=AU)
    assert Facture.objects.get().client.code == "DEUX"


@pytest.mark.parametrize("donnees", [{"cle": ACHETEUR, "code": "AUTRE"}, {"cle": "x", "code": "UN"}, {}])
def test_un_choix_qui_n_est_pas_a_faire_ne_change_rien(client, lot, donnees):
    client.post(reverse("factures:import_client", args=[lot.pk]), donnees)
    lot.refresh_from_db()
    assert not lot.corrections and lot.statut == Lot.Statut.APERCU


def test_le_choix_se_refuse_au_voisin_et_a_la_lecture(client, lot):
    url = reverse("factures:import_client", args=[lot.pk])
    assert client.get(url).status_code == 405
    client.force_login(UtilisateurFactory(role=Role.RESPONSABLE, societe=SocieteFactory()))
    assert client.post(url, {"cle": ACHETEUR, "code": "UN"}).status_code == 404
