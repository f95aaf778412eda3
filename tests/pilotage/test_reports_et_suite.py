"""Mettre un client de côté ; enchaîner les clients un à un, à plusieurs et dans deux onglets."""

from datetime import date, timedelta

import pytest
from django.urls import reverse

from clients.models import Report
from recouvrement.comptes.models import Role
from relances.models import Tache
from relances.services.taches import terminer_tache
from tests.clients.factories import ClientFactory
from tests.comptes.factories import SocieteFactory, UtilisateurFactory
from tests.factures.factories import EcheanceFactory

AU = date(2026, 11, 20)
SUIVANT = "/journee/suivant/"


@pytest.fixture(autouse=True)
def vendredi(time_machine):
    time_machine.move_to("2026-11-20 10:00 +0100", tick=False)


@pytest.fixture
def societe(db):
    return SocieteFactory()


@pytest.fixture
def claire(societe):
    return UtilisateurFactory(societe=societe, nom="Claire Bonnet")


@pytest.fixture
def connectee(client, claire):
    client.force_login(claire)
    return client


def debiteur(claire, nom, montant=1000, genre="appel", **champs):
    societe = claire.affectations.get().societe
    client = ClientFactory(societe=societe, gestionnaire=claire, raison_sociale=nom)
    EcheanceFactory(client=client, echue_le=AU - timedelta(10), montant=montant)
    Tache.objects.create(
        societe=societe, client=client, titre="Agir", cle=nom, **{"genre": genre, "due_le": AU} | champs
    )
    return client


def noms(page) -> list[str]:
    return [x.client.raison_sociale for *_t, lignes in page.context["groupes"] for x in lignes]


def reporter(navigateur, client, au="2026-11-24", motif="comptable en congés", **suite):
    return navigateur.post(reverse("pilotage:client_reporter", args=[client.pk]), {"au": au, "motif": motif, **suite})


# --- Mettre de côté ---------------------------------------------------------------------------------------


def test_un_client_mis_de_cote_quitte_la_journee_revient_seul_et_se_reprend(connectee, claire, time_machine):
    belcourt = debiteur(claire, "Belcourt")
    assert reporter(connectee, belcourt).status_code == 303
    page = connectee.get("/")
    assert noms(page) == []
    assert "Mis de côté" in page.content.decode() and "comptable en congés" in page.content.decode()
    assert page.context["coque"].menu[0]["entrees"][0].compte == 0
    time_machine.move_to("2026-11-24 08:00 +0100", tick=False)
    connectee.force_login(claire)
    assert noms(connectee.get("/")) == ["Belcourt"]
    time_machine.move_to("2026-11-20 11:00 +0100", tick=False)
    connectee.force_login(claire)
    assert connectee.post(reverse("pilotage:report_annuler", args=[Report.objects.get().pk])).status_code == 303
    assert noms(connectee.get("/")) == ["Belcourt"]


def test_un_delai_legal_ne_se_cache_pas(connectee, claire):
    tref = debiteur(claire, "Tréfilerie", genre="declarer", due_le=AU + timedelta(30), butoir=AU + timedelta(30))
    Tache.objects.create(societe=tref.societe, client=tref, genre="appel", titre="Appeler", due_le=AU, cle="x")
    reporter(connectee, tref)
    page = connectee.get("/")
    assert noms(page) == ["Tréfilerie"]
    assert page.context["groupes"][0][2][0].principale.consigne == "Agir"
    assert "mis de côté jusqu&#x27;au 24/11" in page.content.decode()
    assert page.context["coque"].menu[0]["entrees"][0].compte == 1


@pytest.mark.parametrize(("au", "motif"), [("2026-11-20", "x"), ("2027-03-01", "x"), ("2026-11-24", " "), ("", "x")])
def test_un_report_a_un_jour_une_raison_et_une_fin(connectee, claire, au, motif):
    assert reporter(connectee, debiteur(claire, "Belcourt"), au=au, motif=motif).status_code == 422
    assert not Report.objects.exists()


def test_deux_fois_le_meme_n_en_fait_qu_un_un_autre_le_remplace(connectee, claire):
    belcourt = debiteur(claire, "Belcourt")
    for au in ("2026-11-24", "2026-11-24", "2026-11-26"):
        reporter(connectee, belcourt, au=au)
    assert Report.objects.count() == 2
    assert Report.objects.get(annule_le=None).jusqu_au == date(2026, 11, 26)


def test_le_client_d_un_autre_portefeuille_est_introuvable(client, societe, claire, connectee):
    belcourt = debiteur(claire, "Belcourt")
    reporter(connectee, belcourt)
    client.force_login(UtilisateurFactory(societe=societe))
    assert reporter(client, belcourt).status_code == 404
    assert client.post(reverse("pilotage:report_annuler", args=[Report.objects.get().pk])).status_code == 404
    assert client.get(reverse("pilotage:client_reporter", args=[belcourt.pk])).status_code == 405
    client.force_login(UtilisateurFactory(societe=societe, role=Role.LECTEUR))
    assert reporter(client, belcourt).status_code == 403


# --- Client par client --------------------------------------------------------------------------------------


@pytest.fixture
def trois(claire):
    return [debiteur(claire, nom, montant) for nom, montant in (("Un", 9000), ("Deux", 5000), ("Trois", 1000))]


def va(navigateur, **params) -> str:
    return navigateur.get(SUIVANT, params).url


def fiche(client) -> str:
    return f"{reverse('clients:fiche', args=[client.pk])}?suite=journee&volet=appel"


def test_un_a_la_fois_la_place_se_lit_et_l_on_revient(connectee, trois):
    un, deux, trois_ = trois
    assert va(connectee) == fiche(un)
    page = connectee.get(fiche(un)).content.decode()
    assert "1 sur 3" in page and "Agir" in page and "avant=" not in page
    assert va(connectee, apres=un.pk) == fiche(deux)
    page = connectee.get(fiche(deux)).content.decode()
    assert "2 sur 3" in page and f"avant={deux.pk}" in page
    assert va(connectee, apres=deux.pk) == fiche(trois_)
    assert va(connectee, avant=trois_.pk) == fiche(deux)
    assert va(connectee, avant=un.pk) == fiche(un)
    assert va(connectee, apres=trois_.pk) == "/"
    assert "Les 3 clients de la liste sont vus." in connectee.get("/").content.decode()


def test_ce_qu_un_autre_a_traite_se_saute_et_se_dit(connectee, societe, trois):
    un, deux, trois_ = trois
    va(connectee)
    paul = UtilisateurFactory(societe=societe, nom="Paul Vidal")
    terminer_tache(Tache.objects.get(client=deux), issue="fait", acteur=paul)
    assert va(connectee, apres=un.pk) == fiche(trois_)
    assert "Sauté, il n&#x27;attend plus rien : Deux (Paul Vidal)." in connectee.get(
        fiche(trois_)
    ).content.decode().replace("\u00a0", " ")
    assert va(connectee, avant=trois_.pk) == fiche(deux)  # revenir ne saute rien
    assert "plus rien n’attend ce client" in connectee.get(fiche(deux)).content.decode()


def test_une_liste_vide_le_dit(connectee):
    assert va(connectee) == "/"
    assert "Plus rien à enchaîner" in connectee.get("/").content.decode()


def test_deux_onglets_gardent_chacun_leur_place(connectee, claire, trois):
    un, deux, trois_ = trois
    va(connectee)
    terminer_tache(Tache.objects.get(client=un), issue="fait", acteur=claire)
    assert va(connectee) == fiche(deux)  # l'autre onglet repart : « Un » n'y est plus
    assert va(connectee, apres=un.pk) == fiche(deux)  # le premier finit sa liste à lui
    assert va(connectee, apres=deux.pk) == fiche(trois_)


def test_un_client_inconnu_de_la_liste_recommence(connectee, trois):
    assert va(connectee, apres=999_999) == fiche(trois[0])
    assert va(connectee, apres="x") == fiche(trois[0])


def test_reporter_en_chemin_passe_au_suivant(connectee, trois):
    va(connectee)
    reponse = reporter(connectee, trois[0], retour="suite")
    assert reponse.url == f"{SUIVANT}?apres={trois[0].pk}"
    assert va(connectee, apres=trois[0].pk) == fiche(trois[1])


def test_hors_de_la_suite_la_fiche_ne_calcule_pas_la_journee(connectee, trois):
    page = connectee.get(reverse("clients:fiche", args=[trois[0].pk]))
    assert "sur 3" not in page.content.decode()
