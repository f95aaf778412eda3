"""L'écran des jetons : créer, montré une fois, lister, révoquer ; et la documentation."""

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from recouvrement.api.models import JetonApi
from recouvrement.comptes.models import Role
from recouvrement.journal.models import Maillon

from .monde import Programme, jeton_de

URL = "/administration/acces-api/"


@pytest.fixture
def admin(monde, client):
    client.force_login(monde.equipe[Role.ADMINISTRATEUR])
    return client


def saisie(monde, **plus):
    qui = monde.equipe[Role.GESTIONNAIRE]
    return {
        "nom": "Facturation", "societe": monde.societe.pk, "utilisateur": qui.pk, "expire_le": "2027-05-20",
        "portees": ["clients:lire", "factures:lire"],
    } | plus  # fmt: skip


def test_creer_montre_le_jeton_une_fois_et_il_ouvre(monde, admin):
    page = admin.post(URL, saisie(monde))
    texte = re.search(r"rcv_\w+", page.content.decode()).group()
    assert page.headers["Cache-Control"] == "no-store"
    assert Programme(texte).get("clients").status_code == 200
    relue = admin.get(URL).content.decode()
    assert texte not in relue and "Facturation" in relue
    assert JetonApi.objects.get(nom="Facturation").cree_par == monde.equipe[Role.ADMINISTRATEUR]
    assert Maillon.objects.latest("rang").action == "jeton.cree"


@pytest.mark.parametrize(("champ", "valeur", "mot"), [
    ("expire_le", "2026-11-20", "demain au plus tôt"),
    ("expire_le", "2027-11-21", "trop lointaine"),
    ("portees", [], "obligatoire"),
    ("portees", ["tout"], "choix"),
    ("nom", "", "obligatoire"),
])  # fmt: skip
def test_une_saisie_fausse_est_refusee(monde, admin, champ, valeur, mot):
    page = admin.post(URL, saisie(monde, **{champ: valeur}))
    assert page.status_code == 422 and mot in page.content.decode()
    assert not JetonApi.objects.exists()


def test_une_portee_au_dela_du_role_est_refusee(monde, admin):
    lecteur = monde.equipe[Role.LECTEUR]
    page = admin.post(URL, saisie(monde, utilisateur=lecteur.pk, portees=["clients:ecrire"]))
    assert page.status_code == 422 and "ne permet pas" in page.content.decode()


def test_deux_jetons_en_service_n_ont_pas_le_meme_nom(monde, admin):
    admin.post(URL, saisie(monde))
    assert admin.post(URL, saisie(monde)).status_code == 422
    admin.post(reverse("api:jeton_revoquer", args=[JetonApi.objects.get().pk]))
    assert admin.post(URL, saisie(monde)).status_code == 200


def test_personne_ni_societe_d_ailleurs(monde, admin):
    assert admin.post(URL, saisie(monde, utilisateur=monde.etranger.pk)).status_code == 422
    assert admin.post(URL, saisie(monde, societe=monde.ailleurs.pk)).status_code == 422


def test_revoquer_coupe_tout_de_suite_et_le_voisin_404(monde, admin, client):
    texte = jeton_de(monde.equipe[Role.GESTIONNAIRE], monde.societe)
    url = reverse("api:jeton_revoquer", args=[JetonApi.objects.get().pk])
    assert admin.get(url).status_code == 405
    assert admin.post(url).status_code == 303
    assert Programme(texte).get("moi").status_code == 401
    assert Maillon.objects.filter(action="jeton.revoque").count() == 1
    admin.post(url)
    assert Maillon.objects.filter(action="jeton.revoque").count() == 1
    client.force_login(monde.etranger)
    assert client.post(url).status_code == 404


def test_le_nombre_de_requetes_ne_depend_pas_du_nombre_de_jetons(monde, admin):
    def mesurer():
        with CaptureQueriesContext(connection) as requetes:
            admin.get(URL)
        return len(requetes)

    jeton_de(monde.equipe[Role.GESTIONNAIRE], monde.societe)
    mesurer()
    avec_un = mesurer()
    for _ in range(19):
        jeton_de(monde.equipe[Role.GESTIONNAIRE], monde.societe)
    assert mesurer() == avec_un


def test_la_documentation_se_lit_sans_script_en_ligne(monde, admin):
    page = admin.get("/api/v1/").content.decode()
    assert "Saisir un encaissement" in page and "Idempotency-Key" in page
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\bstyle=|https?://(?!testserver)[^\"<]*\.js", page)
    ancres = set(re.findall(r'<li id="([\w-]+)"', page))
    assert "jeton-refuse" in ancres and "saisie-refusee" in ancres
