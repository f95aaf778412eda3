"""Liste des clients : ce qu'elle montre, ce qu'elle filtre, ce qu'elle coûte."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from recouvrement.comptes.models import Role
from tests.clients.factories import ClientFactory, SuspensionFactory
from tests.comptes.factories import AffectationFactory, SocieteFactory, UtilisateurFactory
from tests.factures.factories import EcheanceFactory

pytestmark = pytest.mark.django_db
URL = reverse("clients:liste")


def noms(reponse) -> list[str]:
    return [c.raison_sociale for c in reponse.context["liste"]]


def test_la_liste_montre_l_echu_l_encours_et_le_plus_vieux_retard(connecte, belcourt, au):
    page = connecte.get(URL)

    (client,) = page.context["liste"]
    (compte,) = client.vue.lignes
    assert (compte.echu, compte.encours) == (Decimal("19262.80"), Decimal("25546.80"))
    assert (client.vue.retard(au), client.vue.pieces_echues, client.vue.en_litige) == (53, 3, 1)
    assert "19 262,80 €" in page.content.decode().replace("\u00a0", " ")


def test_deux_devises_ne_s_additionnent_jamais(connecte, belcourt, au):
    EcheanceFactory(client=belcourt, echue_le=au - timedelta(12), montant=500, devise="GBP")

    page = connecte.get(URL, {"devise": "GBP"})

    (client,) = page.context["liste"]
    assert {x.devise: x.echu for x in client.vue.lignes} == {"EUR": Decimal("19262.80"), "GBP": Decimal("500.00")}
    assert "19 762,80" not in page.content.decode().replace("\u00a0", " ")


@pytest.mark.parametrize(
    ("tri", "attendu"),
    [
        ("-echu", ["Gros", "Vieux", "Petit"]),
        ("echu", ["Petit", "Vieux", "Gros"]),
        ("retard", ["Vieux", "Gros", "Petit"]),
        ("nom", ["Gros", "Petit", "Vieux"]),
        ("mot-de-passe", ["Gros", "Vieux", "Petit"]),
    ],
)
def test_le_tri_vient_d_une_liste_blanche(connecte, gestionnaire, societe, au, tri, attendu):
    for nom, jours, montant in (("Petit", 5, 100), ("Gros", 10, 9000), ("Vieux", 80, 500)):
        client = ClientFactory(societe=societe, gestionnaire=gestionnaire, raison_sociale=nom)
        EcheanceFactory(client=client, echue_le=au - timedelta(jours), montant=montant)

    assert noms(connecte.get(URL, {"tri": tri})) == attendu


@pytest.mark.parametrize(
    ("filtre", "attendu"),
    [
        ({"q": "belc"}, ["Chaudronnerie Belcourt SAS"]),
        ({"q": "552 100 554"}, ["À jour", "Chaudronnerie Belcourt SAS", "Suspendu"]),
        ({"q": "inconnu"}, []),
        ({"type": "administration"}, ["Mairie"]),
        ({"type": "n'importe quoi"}, ["À jour", "Chaudronnerie Belcourt SAS", "Mairie", "Suspendu"]),
        ({"etat": "retard"}, ["Chaudronnerie Belcourt SAS"]),
        ({"etat": "litige"}, ["Chaudronnerie Belcourt SAS"]),
        ({"etat": "suspendus"}, ["Suspendu"]),
        ({"palier": "4"}, ["Mairie"]),
        ({"gestionnaire": "aucun"}, []),
    ],
)
def test_chaque_filtre_vient_de_l_adresse(connecte, gestionnaire, societe, belcourt, au, filtre, attendu):
    suivi = {"societe": societe, "gestionnaire": gestionnaire}
    mairie = ClientFactory(raison_sociale="Mairie", administration=True, siren="", **suivi)
    EcheanceFactory(client=mairie, echue_le=au + timedelta(3), niveau=4)
    ClientFactory(raison_sociale="À jour", **suivi)
    SuspensionFactory(client=ClientFactory(raison_sociale="Suspendu", **suivi), du=au, au=au)

    assert sorted(noms(connecte.get(URL, filtre | {"tri": "nom"}))) == sorted(attendu)


def test_exigence_39_chacun_ne_voit_que_son_portefeuille(client, belcourt, voisin, responsable):
    client.force_login(voisin)
    assert noms(client.get(URL)) == []
    client.force_login(responsable)
    assert noms(client.get(URL)) == ["Chaudronnerie Belcourt SAS"]
    client.force_login(UtilisateurFactory(societe=SocieteFactory(), role=Role.ADMINISTRATEUR))
    assert noms(client.get(URL)) == []


def test_la_societe_courante_filtre(client, belcourt, responsable):
    autre = SocieteFactory()
    AffectationFactory(responsable, autre, Role.RESPONSABLE)
    ClientFactory(societe=autre, raison_sociale="Ailleurs")
    client.force_login(responsable)

    assert noms(client.get(URL, {"tri": "nom"})) == ["Ailleurs", "Chaudronnerie Belcourt SAS"]
    assert noms(client.get(URL, {"societe": autre.code})) == ["Ailleurs"]


def test_htmx_recoit_le_seul_bloc_de_liste(connecte, belcourt):
    fragment = connecte.get(URL, headers={"HX-Request": "true"})

    assert fragment.content.decode().lstrip().startswith('<section class="liste"')
    assert "HX-Request" in fragment.headers["Vary"]


def test_mauvaise_methode(connecte):
    assert connecte.post(URL).status_code == 405


def test_le_nombre_de_requetes_ne_depend_pas_des_lignes(connecte, gestionnaire, societe, au):
    def remplir(n):
        for _ in range(n):
            client = ClientFactory(societe=societe, gestionnaire=gestionnaire)
            EcheanceFactory(client=client, echue_le=au - timedelta(9), en_litige=True)
            SuspensionFactory(client=client, du=au)

    def compter():
        with CaptureQueriesContext(
            connection,
        ) as requetes:
            assert connecte.get(URL).status_code == 200
        return len(requetes)

    remplir(1)
    une = compter()
    remplir(19)

    assert compter() == une


def test_liste_vide_propose_d_importer(connecte):
    page = connecte.get(URL).content.decode()

    assert "Aucun client pour l’instant" in page
