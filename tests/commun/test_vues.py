"""Outils de liste : tri, pages, adresse, fragment."""

from types import SimpleNamespace

import pytest
from django.contrib.messages.storage.fallback import FallbackStorage
from django.test import RequestFactory

from recouvrement.commun import vues
from recouvrement.comptes.models import Societe
from tests.comptes.factories import SocieteFactory

TRIS = {"nom": ["raison_sociale"], "code": ["code"]}


def requete(adresse="/", htmx=None):
    request = RequestFactory().get(adresse)
    request.htmx = htmx or False
    request.session = {}
    request._messages = FallbackStorage(request)
    return request


def liste(adresse, **options):
    return vues.Liste(requete(adresse), Societe.objects.all(), **{"tris": TRIS, "defaut": "nom", **options})


@pytest.fixture
def trois_societes(db):
    return [SocieteFactory(raison_sociale=nom, code=code) for nom, code in [("Bel", "c"), ("Art", "b"), ("Cap", "a")]]


@pytest.mark.parametrize(
    ("adresse", "attendu"),
    [
        ("/", ["Art", "Bel", "Cap"]),
        ("/?tri=-nom", ["Cap", "Bel", "Art"]),
        ("/?tri=code", ["Cap", "Art", "Bel"]),
        ("/?tri=iban", ["Art", "Bel", "Cap"]),
        ("/?tri=-", ["Art", "Bel", "Cap"]),
    ],
)
def test_le_tri_ne_sort_jamais_de_la_liste_blanche(trois_societes, adresse, attendu):
    assert [s.raison_sociale for s in liste(adresse)] == attendu


def test_recliquer_un_en_tete_inverse_le_tri_et_revient_a_la_premiere_page(trois_societes):
    assert liste("/?tri=nom&page=2&q=a").url_tri("nom") == "?tri=-nom&q=a"
    assert liste("/?tri=-nom").url_tri("nom") == "?tri=nom"
    assert liste("/?tri=-nom").url_tri("code") == "?tri=code"


@pytest.mark.parametrize(
    ("page", "attendu"), [("1", ["Art", "Bel"]), ("2", ["Cap"]), ("99", ["Cap"]), ("x", ["Art", "Bel"])]
)
def test_une_page_hors_bornes_montre_la_plus_proche(trois_societes, page, attendu):
    assert [s.raison_sociale for s in liste(f"/?page={page}", par_page=2)] == attendu


def test_le_compte_s_arrete_au_plafond(trois_societes, monkeypatch):
    monkeypatch.setattr(vues, "PLAFOND", 2)
    assert (liste("/").total, liste("/").plafonnee) == (2, True)


def test_une_liste_coute_deux_requetes_quel_que_soit_le_nombre_de_lignes(trois_societes, django_assert_num_queries):
    with django_assert_num_queries(2):
        page = liste("/")
        assert (len(list(page)), page.total) == (3, 3)


def test_les_parametres_gardent_les_autres_filtres():
    request = requete("/?q=bel+court&gestionnaire=3&gestionnaire=4&page=5")
    assert vues.parametres(request, v="retard") == "?q=bel+court&gestionnaire=3&gestionnaire=4&v=retard"
    assert vues.parametres(request, gestionnaire=None, q="") == "?"
    assert vues.parametres(request, page=6).endswith("page=6")


def test_un_onglet_inconnu_ramene_au_premier():
    onglets = vues.onglets(requete("/?v=secret"), "v", [("tous", "Tous", 3), ("retard", "En retard")])
    assert [(o.libelle, o.courant, o.compte) for o in onglets] == [("Tous", True, 3), ("En retard", False, None)]


@pytest.mark.parametrize(
    ("htmx", "fragment"),
    [
        (None, False),
        (SimpleNamespace(history_restore_request=False), True),
        (SimpleNamespace(history_restore_request=True), False),
    ],
)
def test_htmx_recoit_le_fragment_sauf_au_retour_d_historique(htmx, fragment):
    reponse = vues.rendre(requete(htmx=htmx), "404.html", "_toasts_liste.html", {"exception": ""})
    assert (b"<html" in reponse.content) is not fragment
    assert "HX-Request" in reponse["Vary"]


def test_un_message_pose_pendant_un_appel_htmx_arrive_avec_le_fragment():
    request = requete(htmx=SimpleNamespace(history_restore_request=False))
    vues.fait(request, "Promesse enregistrée", annuler="/promesses/3/annuler")
    contenu = vues.rendre(
        request, "404.html", "account/_demo.html", {"coque": SimpleNamespace(comptes_demo=[])}
    ).content.decode()
    assert 'hx-swap-oob="beforeend"' in contenu
    assert 'action="/promesses/3/annuler"' in contenu


def test_apres_un_post_le_navigateur_suit_un_303_et_htmx_son_en_tete():
    assert (vues.rediriger(requete(), "/clients/").status_code, vues.rediriger(requete(), "/clients/").url) == (
        303,
        "/clients/",
    )
    assert vues.rediriger(requete(htmx=SimpleNamespace()), "/clients/")["HX-Redirect"] == "/clients/"


@pytest.mark.parametrize("texte", ["", None, "x", "-1", "1.5", "99999999999999999999", str(2**31), "9" * 5000])
def test_un_entier_d_adresse_illisible_ou_geant_ne_filtre_rien(texte):
    assert vues.entier(texte) is None


def test_un_entier_d_adresse_se_lit_jusqu_a_la_plus_grande_cle():
    assert (vues.entier("12"), vues.entier(str(2**31 - 1))) == (12, 2**31 - 1)
    assert vues.entier("10001", maximum=10_000) is None


@pytest.mark.parametrize(
    ("lu", "attendu"),
    [(" Étoile ", "Étoile"), ("a\x00b", "ab"), ("\ud800x", "x"), ("\x00", ""), ("a" * 100, "a" * 10)],
)
def test_un_texte_d_adresse_ne_porte_ni_commande_ni_demi_codet_et_se_coupe(lu, attendu):
    assert vues.texte(SimpleNamespace(GET={"q": lu}), "q", 10) == attendu
    assert vues.texte(SimpleNamespace(GET={}), "q") == ""
