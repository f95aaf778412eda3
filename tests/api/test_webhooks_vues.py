"""Écrans des webhooks : créer, montrer la clé une fois, essayer, filtrer, rejouer, arrêter ; et à qui."""

import re
from uuid import uuid4

import pytest
from django.urls import reverse
from kombu.exceptions import OperationalError

from recouvrement.api.models import AbonnementWebhook, Livraison
from recouvrement.api.tasks import livrer_a
from recouvrement.comptes.models import Role
from recouvrement.journal.models import Detail
from tests.comptes.factories import SocieteFactory, UtilisateurFactory
from tests.outils.recepteur import Recepteur

pytestmark = pytest.mark.django_db
S = Livraison.Statut
LISTE, NOUVEAU = "/administration/webhooks/", "/administration/webhooks/nouveau/"


@pytest.fixture
def societe():
    return SocieteFactory()


@pytest.fixture
def admin(societe, client):
    user = UtilisateurFactory(societe=societe, role=Role.ADMINISTRATEUR)
    client.force_login(user)
    return user


@pytest.fixture
def recepteur(settings):
    settings.WEBHOOKS_SANS_TLS = settings.WEBHOOKS_ADRESSES_PRIVEES = True
    pair = Recepteur()
    pair.ouvrir()
    yield pair
    pair.fermer()


@pytest.fixture
def reveils(monkeypatch):
    demandes = []
    monkeypatch.setattr(livrer_a, "apply_async", lambda args, **_: demandes.append(args))
    return demandes


def creer(client, societe, url, **champs):
    base = {"societe": societe.pk, "nom": "ERP", "url": url, "evenements": ["litige.clos", "relance.envoyee"]}
    return client.post(NOUVEAU, base | champs)


def un_abonnement(societe, **champs) -> AbonnementWebhook:
    base = {"nom": f"ERP {uuid4().hex[:4]}", "url": "https://exemple.fr/", "secret": "s", "evenements": ["litige.clos"]}
    return AbonnementWebhook.objects.create(societe=societe, **base | champs)


def une_livraison(abonnement, **champs) -> Livraison:
    base = {"identifiant": uuid4(), "cle": uuid4().hex, "evenement": "litige.clos", "corps": "{}"}
    return Livraison.objects.create(abonnement=abonnement, **base | champs)


def test_la_cle_se_montre_une_fois_et_se_range_chiffree(client, admin, societe, recepteur):
    reponse = creer(client, societe, recepteur.url)
    secret = re.search(r"whsec_[\w-]+", reponse.content.decode())[0]
    assert "no-store" in reponse["Cache-Control"]
    abonnement = AbonnementWebhook.objects.get()
    assert (abonnement.secret, abonnement.auteur) == (secret, admin)
    from django.db import connection

    with connection.cursor() as curseur:
        curseur.execute("select secret from api_abonnementwebhook")
        assert secret not in curseur.fetchone()[0]
    assert not any(secret in str(d.donnees) + d.texte for d in Detail.objects.all())
    assert secret not in client.get(reverse("webhooks:abonnement", args=[abonnement.pk])).content.decode()
    assert secret not in client.get(LISTE).content.decode()


@pytest.mark.parametrize("url", ["http://exemple.fr/", "https://127.0.0.1/", "https://169.254.169.254/latest", "x"])
def test_une_adresse_refusee_le_dit_a_sa_place(client, admin, societe, url):
    reponse = creer(client, societe, url)
    assert reponse.status_code == 422
    assert reponse.context["form"].errors["url"]
    assert not AbonnementWebhook.objects.exists()


def test_un_nom_deja_pris_est_refuse(client, admin, societe, recepteur):
    creer(client, societe, recepteur.url)
    assert creer(client, societe, recepteur.url).status_code == 422
    assert AbonnementWebhook.objects.count() == 1


def test_l_essai_arrive_et_se_lit(client, admin, societe, recepteur):
    creer(client, societe, recepteur.url)
    abonnement = AbonnementWebhook.objects.get()
    url = reverse("webhooks:essayer", args=[abonnement.pk])
    assert client.post(url).status_code == 303
    assert recepteur.recus[0].entetes["Recouvrement-Evenement"] == "essai"
    recepteur.fermer()
    client.post(url)
    assert list(abonnement.livraisons.order_by("pk").values_list("statut", flat=True)) == [S.LIVREE, S.ABANDONNEE]
    page = client.get(reverse("webhooks:abonnement", args=[abonnement.pk])).content.decode()
    assert "connexion refusée" in page and "essai" in page
    assert client.get(url).status_code == 405


def test_le_journal_se_filtre(client, admin, societe):
    abonnement = un_abonnement(societe)
    une_livraison(abonnement, statut=S.ABANDONNEE, erreur="HTTP 410")
    une_livraison(abonnement, evenement="litige.ouvert")
    url = reverse("webhooks:abonnement", args=[abonnement.pk])
    assert client.get(url).context["liste"].total == 2
    assert client.get(url, {"statut": S.ABANDONNEE}).context["liste"].total == 1
    assert client.get(url, {"evenement": "litige.ouvert", "statut": S.ABANDONNEE}).context["liste"].total == 0
    fragment = client.get(url, {"statut": "x"}, headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in fragment and "HTTP 410" in fragment


def test_rejouer_garde_l_identifiant(client, admin, societe, reveils):
    abonnement = un_abonnement(societe)
    livraison = une_livraison(abonnement, statut=S.ABANDONNEE, tentatives=12, reponse=500)
    url = reverse("webhooks:rejouer", args=[abonnement.pk, livraison.pk])
    for _ in range(2):
        assert client.post(url).status_code == 303
    relue = Livraison.objects.get()
    assert (relue.statut, relue.tentatives, relue.identifiant) == (S.A_LIVRER, 0, livraison.identifiant)
    assert reveils == [(abonnement.pk,)]
    assert client.get(url).status_code == 405


def test_arreter_puis_reactiver_sans_courtier(client, admin, societe, monkeypatch):
    def muet(*_args, **_options):
        raise OperationalError

    monkeypatch.setattr(livrer_a, "apply_async", muet)
    abonnement = un_abonnement(societe)
    url = reverse("webhooks:basculer", args=[abonnement.pk])
    client.post(url, {"actif": "0"})
    client.post(url, {"actif": "0"})  # double clic
    abonnement.refresh_from_db()
    assert not abonnement.actif
    assert "Réactiver" in client.get(reverse("webhooks:abonnement", args=[abonnement.pk])).content.decode()
    client.post(url, {"actif": "1"})
    abonnement.refresh_from_db()
    assert abonnement.actif


def test_regler_ne_change_ni_la_cle_ni_la_societe(client, admin, societe, recepteur):
    abonnement = un_abonnement(societe)
    autre = SocieteFactory()
    donnees = {"societe": autre.pk, "nom": "Neuf", "url": recepteur.url, "evenements": ["blocage.pose"]}
    reponse = client.post(reverse("webhooks:abonnement", args=[abonnement.pk]), donnees)
    assert reponse.status_code == 303, reponse.context["form"].errors
    abonnement.refresh_from_db()
    assert (abonnement.nom, abonnement.societe, abonnement.secret) == ("Neuf", societe, "s")


def test_renouveler_montre_la_nouvelle_cle(client, admin, societe):
    abonnement = un_abonnement(societe)
    page = client.post(reverse("webhooks:cle", args=[abonnement.pk])).content.decode()
    abonnement.refresh_from_db()
    assert abonnement.secret.startswith("whsec_") and abonnement.secret in page


@pytest.mark.parametrize("route", ["abonnement", "essayer", "cle", "basculer"])
def test_l_abonnement_du_voisin_est_introuvable(client, admin, route):
    url = reverse(f"webhooks:{route}", args=[un_abonnement(SocieteFactory()).pk])
    assert (client.get(url) if route == "abonnement" else client.post(url)).status_code == 404


def test_la_livraison_d_un_autre_abonnement_est_introuvable(client, admin, societe):
    ailleurs = une_livraison(un_abonnement(SocieteFactory()), statut=S.LIVREE, livree_le="2026-11-20T10:00Z")
    assert client.post(reverse("webhooks:rejouer", args=[un_abonnement(societe).pk, ailleurs.pk])).status_code == 404


def test_un_responsable_n_entre_pas(client, societe):
    client.force_login(UtilisateurFactory(societe=societe, role=Role.RESPONSABLE))
    assert client.get(LISTE).status_code == 403
    assert creer(client, societe, "https://exemple.fr/").status_code == 403


def test_on_n_abonne_pas_la_societe_d_un_autre(client, admin, recepteur):
    assert creer(client, SocieteFactory(), recepteur.url).status_code == 422


def test_une_ligne_ou_vingt_autant_de_requetes(client, admin, societe, django_assert_num_queries):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    abonnement = un_abonnement(societe)
    une_livraison(abonnement)
    pages = [LISTE, reverse("webhooks:abonnement", args=[abonnement.pk])]
    for page in pages:
        client.get(page)
        with CaptureQueriesContext(connection) as avec_une:
            client.get(page)
        for _ in range(20):
            une_livraison(abonnement)
            un_abonnement(societe)
        with django_assert_num_queries(len(avec_une)):
            client.get(page)
