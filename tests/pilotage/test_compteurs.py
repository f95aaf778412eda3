"""Les compteurs du menu, gardés en mémoire : exacts après le geste de la personne, une demi-minute sinon."""

from datetime import date

import pytest
from django.core.cache import caches
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from recouvrement.pilotage import compteurs, journee
from relances.models import Tache
from tests.clients.factories import ClientFactory
from tests.comptes.factories import SocieteFactory, UtilisateurFactory

pytestmark = pytest.mark.django_db
RECHERCHE = "/recherche/"


@pytest.fixture(autouse=True)
def en_memoire(settings):
    """Les essais n'ont pas de mémoire : ceux-ci prennent la vraie, vidée avant et après."""
    locmem = {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "LOCATION": "essai-compteurs"}
    settings.CACHES = settings.CACHES | {"memoire": locmem}
    caches["memoire"].clear()
    yield
    caches["memoire"].clear()


@pytest.fixture
def societe():
    return SocieteFactory()


@pytest.fixture
def gestionnaire(societe):
    return UtilisateurFactory(societe=societe)


@pytest.fixture
def connectee(client, gestionnaire):
    client.force_login(gestionnaire)
    return client


def a_faire(gestionnaire) -> Tache:
    fiche = ClientFactory(societe=gestionnaire.affectations.get().societe, gestionnaire=gestionnaire)
    return Tache.objects.create(
        societe=fiche.societe, client=fiche, genre=Tache.Genre.APPEL, titre="Appeler", due_le=date(2020, 1, 6), cle="a"
    )


def taches(reponse) -> int:
    return next(x.compte for groupe in reponse.context["coque"].menu for x in groupe["entrees"] if x.url == "/")


def test_la_seconde_page_ne_recompte_pas(connectee, gestionnaire):
    a_faire(gestionnaire)
    with CaptureQueriesContext(connection) as premiere:
        assert taches(connectee.get(RECHERCHE)) == 1
    with CaptureQueriesContext(connection) as seconde:
        assert taches(connectee.get(RECHERCHE)) == 1
    assert len(seconde) < len(premiere)
    assert not any("UNION" in q["sql"] for q in seconde.captured_queries)


def test_le_geste_d_un_autre_se_voit_une_demi_minute_plus_tard(connectee, gestionnaire):
    assert taches(connectee.get(RECHERCHE)) == 0
    a_faire(gestionnaire)
    assert taches(connectee.get(RECHERCHE)) == 0
    caches["memoire"].clear()  # les trente secondes ont passé
    assert taches(connectee.get(RECHERCHE)) == 1


def test_le_geste_de_la_personne_se_compte_aussitot(connectee, gestionnaire):
    tache = a_faire(gestionnaire)
    assert taches(connectee.get(RECHERCHE)) == 1
    connectee.post(reverse("pilotage:tache_faite", args=[tache.pk]))
    assert taches(connectee.get(RECHERCHE)) == 0


def test_ma_journee_et_son_menu_disent_toujours_le_meme_nombre(connectee, gestionnaire):
    assert taches(connectee.get(RECHERCHE)) == 0
    a_faire(gestionnaire)
    page = connectee.get("/")
    assert page.context["total"] == taches(page) == 1
    assert taches(connectee.get(RECHERCHE)) == 1


def test_deux_personnes_ne_partagent_pas_leur_compte(connectee, client, gestionnaire, societe):
    a_faire(gestionnaire)
    assert taches(connectee.get(RECHERCHE)) == 1
    client.force_login(UtilisateurFactory(societe=societe))
    assert taches(client.get(RECHERCHE)) == 0


def test_une_journee_coupee_par_son_plafond_laisse_le_menu_compter(monkeypatch, connectee, gestionnaire):
    monkeypatch.setattr(journee, "PLAFOND", 1)
    for _tour in range(2):
        a_faire(gestionnaire)
    assert taches(connectee.get("/")) == 2


def test_qui_n_a_pas_de_session_n_a_pas_de_temoin(client):
    assert compteurs.TEMOIN not in client.post(reverse("comptes:langue"), {"language": "en"}).cookies
