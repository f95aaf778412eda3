"""Recherche globale : ce qu'on trouve, et ce qu'on n'a pas le droit de trouver."""

from decimal import Decimal

import pytest

from recouvrement.comptes.models import Role
from recouvrement.pilotage.recherche import chercher
from tests.clients.factories import ClientFactory
from tests.comptes.factories import SocieteFactory, UtilisateurFactory
from tests.factures.factories import EncaissementFactory, FactureFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def societe():
    return SocieteFactory()


@pytest.fixture
def claire(societe):
    return UtilisateurFactory(role=Role.GESTIONNAIRE, societe=societe)


@pytest.fixture
def belcourt(societe, claire):
    return ClientFactory(
        societe=societe, gestionnaire=claire, code="CL-042", raison_sociale="Chaudronnerie Belcourt", siren="491840625"
    )


def trouves(user, texte):
    return {t.libelle for groupe in chercher(user, texte, par_groupe=5) for t in groupe.trouvailles}


@pytest.mark.parametrize("texte", ["belcourt", "  Chaudronnerie   bel ", "cl-04", "491 840 625", "4918"])
def test_un_client_se_trouve_par_son_nom_son_code_ou_son_siren(claire, belcourt, texte):
    assert trouves(claire, texte) == {"Chaudronnerie Belcourt"}


@pytest.mark.parametrize("texte", ["FA-2026-0871", "0871", "9 360,00 €", "9360"])
def test_une_facture_se_trouve_par_son_numero_ou_son_montant_exact(claire, belcourt, texte):
    FactureFactory(client=belcourt, numero="FA-2026-0871", montant_ttc=Decimal("9360"))
    assert "FA-2026-0871" in trouves(claire, texte)


def test_un_encaissement_se_trouve_par_sa_reference(claire, belcourt):
    EncaissementFactory(client=belcourt, reference="VIR BELC 17", montant=Decimal("1200"))
    assert trouves(claire, "belc 17") == {"VIR BELC 17"}


def test_le_portefeuille_d_un_collegue_ne_se_devine_pas_par_la_recherche(societe, belcourt):
    FactureFactory(client=belcourt, numero="FA-2026-0871", montant_ttc=Decimal("9360"))
    EncaissementFactory(client=belcourt, reference="VIR BELC 17", montant=Decimal("9360"))
    karim = UtilisateurFactory(role=Role.GESTIONNAIRE, societe=societe)
    etrangere = UtilisateurFactory(role=Role.RESPONSABLE)
    responsable = UtilisateurFactory(role=Role.RESPONSABLE, societe=societe)
    for texte in ("belcourt", "0871", "9360", "VIR", "491840625"):
        assert trouves(karim, texte) == trouves(etrangere, texte) == set()
        assert trouves(responsable, texte)


def test_une_lettre_seule_ne_ramene_rien(claire, belcourt):
    assert chercher(claire, "b", par_groupe=5) == []


def test_un_groupe_trop_long_dit_qu_il_y_en_a_d_autres(claire, societe):
    for n in range(7):
        ClientFactory(societe=societe, gestionnaire=claire, raison_sociale=f"Belcourt {n}")
    (groupe,) = chercher(claire, "belcourt", par_groupe=5)
    assert (len(groupe.trouvailles), groupe.suite) == (5, True)


def test_la_recherche_coute_une_requete_par_groupe_pour_un_client_comme_pour_vingt(
    claire, societe, belcourt, django_assert_num_queries
):
    chercher(claire, "belcourt", par_groupe=25)  # lit les rôles, mémorisés sur la personne
    with django_assert_num_queries(4):
        chercher(claire, "belcourt", par_groupe=25)
    for _ in range(20):
        FactureFactory(client=ClientFactory(societe=societe, gestionnaire=claire), numero="BELCOURT", numero_reel=False)
    with django_assert_num_queries(4):
        chercher(claire, "belcourt", par_groupe=25)


def test_la_page_montre_les_reponses_et_echappe_la_demande(client, claire, belcourt):
    client.force_login(claire)
    contenu = client.get("/recherche/", {"q": "<script>"}).content.decode()
    assert "<script>" not in contenu.split("<main", 1)[1]
    assert "Aucune réponse" in contenu


def test_une_reponse_unique_s_ouvre_et_la_liste_rapide_la_montre(client, claire, belcourt, monkeypatch):
    monkeypatch.setattr("recouvrement.pilotage.views.recherche.adresse", lambda route, cle: f"/{route}/{cle}/")
    client.force_login(claire)
    directe = client.get("/recherche/", {"q": "belcourt"})
    assert (directe.status_code, directe.url) == (302, f"/clients:fiche/{belcourt.pk}/")
    rapide = client.get("/recherche/", {"q": "belcourt"}, headers={"HX-Request": "true"}).content.decode()
    assert 'class="menu"' in rapide
    assert "Chaudronnerie Belcourt" in rapide


def test_la_recherche_exige_une_connexion_et_ne_se_poste_pas(client, claire):
    assert client.get("/recherche/").status_code == 302
    client.force_login(claire)
    assert client.post("/recherche/").status_code == 405
