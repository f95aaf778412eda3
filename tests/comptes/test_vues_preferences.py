"""Préférences : thème, langue, société courante ; et la coque qui en dépend."""

from datetime import timedelta

import pytest
from django.test import RequestFactory
from django.urls import reverse
from django.utils import timezone

from recouvrement.comptes.courante import restreindre, societe_courante
from recouvrement.comptes.models import Role, Societe
from recouvrement.pilotage.contexte import Coque
from tests.comptes.factories import AffectationFactory, SocieteFactory, UtilisateurFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def deux_societes():
    return SocieteFactory(code="un", nom_court="Un"), SocieteFactory(code="deux", nom_court="Deux")


@pytest.fixture
def personne(deux_societes, client):
    user = UtilisateurFactory(role=None)
    for societe in deux_societes:
        AffectationFactory(user, societe, Role.ADMINISTRATEUR)
    client.force_login(user)
    return user


def requete(user, adresse="/", **session):
    request = RequestFactory().get(adresse)
    request.user, request.session = user, session
    return request


def test_le_theme_s_enregistre_et_une_valeur_inconnue_est_refusee(client, personne):
    assert client.post(reverse("comptes:theme"), {"theme": "dark"}).status_code == 204
    assert client.post(reverse("comptes:theme"), {"theme": "rose"}).status_code == 422
    personne.refresh_from_db()
    assert personne.theme == "dark"


@pytest.mark.parametrize("suite", ["https://mal.example/", "//mal.example/", "javascript:alert(1)", ""])
def test_une_preference_ne_renvoie_jamais_ailleurs(client, personne, suite):
    reponse = client.post(reverse("comptes:langue"), {"langue": "en", "suite": suite})
    assert (reponse.status_code, reponse.url) == (303, "/")


def test_la_langue_vaut_avant_la_connexion_et_suit_la_personne(client, deux_societes):
    assert client.post(reverse("comptes:langue"), {"langue": "en", "suite": "/compte/login/"}).status_code == 303
    assert '<html lang="en"' in client.get("/compte/login/").content.decode()


@pytest.mark.parametrize("route", ["theme", "langue", "societe_courante"])
def test_une_preference_ne_se_change_pas_par_un_lien(client, personne, route):
    assert client.get(reverse(f"comptes:{route}")).status_code == 405


def test_la_societe_de_l_adresse_l_emporte_sur_le_choix_de_session(personne, deux_societes):
    une, deux = deux_societes
    assert societe_courante(requete(personne)) is None
    assert societe_courante(requete(personne, societe="deux")) == deux
    assert societe_courante(requete(personne, "/?societe=un", societe="deux")) == une
    assert list(restreindre(requete(personne, societe="deux"), Societe.objects.all(), "pk")) == [deux]


def test_la_societe_d_un_autre_ne_se_choisit_pas(client, personne):
    SocieteFactory(code="secrete")
    assert client.post(reverse("comptes:societe_courante"), {"societe": "secrete"}).status_code == 422
    assert societe_courante(requete(personne, "/?societe=secrete")) is None


def test_changer_de_societe_retire_celle_de_l_adresse(client, personne):
    reponse = client.post(
        reverse("comptes:societe_courante"), {"societe": "deux", "suite": "/clients/?societe=un&v=retard&page=3"}
    )
    assert reponse.url == "/clients/?v=retard"
    assert client.session["societe"] == "deux"


def test_le_menu_ne_montre_que_ce_que_le_role_permet(deux_societes):
    lecteur = UtilisateurFactory(role=Role.LECTEUR)
    admin = UtilisateurFactory(role=Role.ADMINISTRATEUR)

    def libelles(user):
        return {lien.libelle for groupe in Coque(requete(user)).menu for lien in groupe["entrees"]}

    assert "Administration" in libelles(admin)
    assert "Administration" not in libelles(lecteur)
    assert "Imports" not in libelles(lecteur)


def test_un_fragment_n_evalue_ni_menu_ni_compteurs(personne, django_assert_num_queries):
    with django_assert_num_queries(0):
        Coque(requete(personne))


def test_des_donnees_plus_vieilles_que_la_regle_se_disent_perimees(personne, deux_societes):
    une, deux = deux_societes
    maintenant = timezone.now()
    vieux, frais = maintenant - timedelta(hours=25), maintenant - timedelta(hours=1)
    Societe.objects.filter(pk=une.pk).update(alimentee_par_import=True, dernier_import_le=vieux)
    Societe.objects.filter(pk=deux.pk).update(alimentee_par_import=True, dernier_import_le=frais)
    ensemble = Coque(requete(personne))
    assert (ensemble.fraicheur, ensemble.perimees) == (vieux, True)
    seule = Coque(requete(personne, societe="deux"))
    assert (seule.fraicheur, seule.perimees) == (frais, False)


def test_les_comptes_de_demonstration_ne_se_montrent_que_si_le_reglage_le_dit(client, settings):
    UtilisateurFactory(courriel="c.bonnet@vauquelin.example", role=Role.GESTIONNAIRE)
    settings.DEMO = False
    assert "c.bonnet@vauquelin.example" not in client.get("/compte/login/").content.decode()
    settings.DEMO = True
    assert "c.bonnet@vauquelin.example" in client.get("/compte/login/").content.decode()


def test_un_echec_de_connexion_ne_dit_pas_si_le_compte_existe(client):
    UtilisateurFactory(courriel="connue@mercier.example")
    pages = [
        client.post("/compte/login/", {"login": courriel, "password": "faux"})
        .context["form"]
        .non_field_errors()
        .as_text()
        for courriel in ("connue@mercier.example", "inconnue@mercier.example")
    ]
    assert pages[0] == pages[1] != ""


@pytest.mark.parametrize("adresse", ["/compte/login/", "/compte/password/reset/", "/compte/password/reset/done/"])
def test_les_pages_sans_compte_s_affichent_dans_notre_porte(client, adresse):
    assert 'class="porte"' in client.get(adresse).content.decode()


@pytest.mark.variables_inconnues_permises  # les gabarits d'allauth lisent des clés absentes
@pytest.mark.parametrize("adresse", ["/compte/password/change/", "/compte/2fa/", "/compte/2fa/totp/activate/"])
def test_les_pages_du_compte_s_affichent_dans_la_coque(client, personne, adresse):
    reponse = client.get(adresse, follow=True)
    assert reponse.status_code == 200
    assert 'class="rail"' in reponse.content.decode() or 'class="porte"' in reponse.content.decode()


def test_une_page_inconnue_et_un_refus_parlent_francais(client, personne):
    assert "Page introuvable" in client.get("/nulle-part/").content.decode()
    client.force_login(UtilisateurFactory(role=Role.LECTEUR))
    refus = client.get(reverse("comptes:administration"))
    assert refus.status_code == 403
    assert "ne vous est pas ouverte" in refus.content.decode()
