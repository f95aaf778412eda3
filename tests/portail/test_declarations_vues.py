"""Les formulaires de la page : ils marchent sans script, se bornent, et ne montrent rien d'un voisin."""

import re
from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from time_machine import travel

from factures.models import Litige, Promesse, ReglageAccords
from relances.models import Declaration, ReglagePortail
from relances.services import liens
from tests.clients.factories import ClientFactory
from tests.factures.factories import EcheanceFactory, LitigeFactory

from .declarants import AU, LienFactory, monde
from .test_declarations import PNG

pytestmark = pytest.mark.django_db
CLE = "cle-de-formulaire"


@pytest.fixture
def m():
    with travel("2026-11-20 10:00 +0100", tick=False):
        yield monde()


def url(m, suite=""):
    return f"/p/{liens.jeton(m.lien)}{suite}"


def cle_de(reponse) -> str:
    return re.search(rb'name="cle" value="([^"]+)"', reponse.content)[1].decode()


def test_la_page_offre_les_situations_et_redit_ce_qui_est_dit(client, m):
    page = client.get(url(m)).content.decode()
    for suite in ("paye", "promet", "conteste", "delai"):
        assert url(m, f"/declarer/{suite}") in page
    client.post(url(m, "/declarer/paye"), saisie(m))
    assert "Ce que vous nous avez dit" in client.get(url(m)).content.decode()


def saisie(m, **champs):
    base = {
        "cle": CLE, "pieces": [m.pieces[0].pk], "montant": "1 000,00", "le": "2026-11-20", "moyen": "virement",
        "nom": "Nadia Ferrand",
    }  # fmt: skip
    return base | champs


@pytest.mark.parametrize("genre", ["paye", "promet"])
def test_le_montant_propose_est_d_une_devise_et_sans_la_part_contestee(client, m, genre):
    LitigeFactory(echeance=m.pieces[0], montant_conteste=300)
    dollars = EcheanceFactory(client=m.client, montant=5000, echue_le=AU - timedelta(days=9), devise="USD")
    page = client.get(url(m, f"/declarer/{genre}")).content.decode()

    assert 'value="1 300,00"' in page.replace("\xa0", " ").replace("\u202f", " ")  # 1 000 + 600, moins 300
    assert f'value="{m.pieces[1].pk}" checked' in page and f'value="{dollars.pk}">' in page


def test_promettre_tout_ce_qui_n_est_pas_conteste_ne_demande_personne(client, m):
    LitigeFactory(echeance=m.pieces[0], montant_conteste=300)
    champs = {"pieces": [p.pk for p in m.pieces[:2]], "montant": "1300", "le": "2026-12-15", "moyen": ""}
    client.post(url(m, "/declarer/promet"), saisie(m, **champs))

    assert (Declaration.objects.get().statut, Promesse.objects.get().montant) == ("acceptee", 1300)


def test_j_ai_paye_avec_une_preuve(client, m):
    formulaire = client.get(url(m, "/declarer/paye"))
    assert formulaire.status_code == 200 and len(cle_de(formulaire)) >= 8
    fichier = SimpleUploadedFile("ordre.png", PNG, content_type="application/pdf")  # le type annoncé ne compte pas
    reponse = client.post(url(m, "/declarer/paye"), saisie(m, fichiers=fichier), REMOTE_ADDR="203.0.113.9")

    d = Declaration.objects.get()
    assert reponse.status_code == 303 and reponse["Location"] == url(m, f"/recu/{d.pk}")
    assert (d.adresse_ip, d.documents.get().type_mime) == ("203.0.113.9", "image/png")
    recu = client.get(reponse["Location"]).content.decode()
    assert "C’est noté" in recu and "25/11/2026" in recu
    client.post(url(m, "/declarer/paye"), saisie(m))  # le même formulaire, renvoyé
    assert Declaration.objects.count() == 1


@pytest.mark.parametrize(
    ("champs", "phrase"),
    [
        ({"pieces": []}, "Cochez au moins une facture"),
        ({"pieces": ["99999999999999999999"]}, "Factures concernées"),
        ({"montant": "beaucoup"}, "Montant payé"),
        ({"le": "2026-12-20"}, "à venir"),
        ({"cle": ""}, ""),
        ({"moyen": "pigeon"}, "Par"),
    ],
)
def test_une_saisie_fausse_revient_avec_sa_faute(client, m, champs, phrase):
    reponse = client.post(url(m, "/declarer/paye"), saisie(m, **champs))
    assert reponse.status_code == 422 and phrase in reponse.content.decode()
    assert not Declaration.objects.exists()


def test_un_corps_de_plus_de_trente_mega_octets_n_est_pas_lu(client, m):
    reponse = client.post(
        url(m, "/declarer/paye"), b"x", content_type="multipart/form-data; boundary=x", CONTENT_LENGTH="40000000"
    )
    assert reponse.status_code == 413 and "30 Mo" in reponse.content.decode()


def test_contester_et_promettre(client, m):
    conteste = {"cle": CLE, "pieces": [m.pieces[0].pk], "montant": "300", "categorie": "prix", "texte": "<b>Remise</b>"}
    assert client.post(url(m, "/declarer/conteste"), conteste).status_code == 303
    promet = {"cle": CLE + "2", "pieces": [m.pieces[1].pk], "montant": "600", "le": "2026-12-01"}
    assert client.post(url(m, "/declarer/promet"), promet).status_code == 303
    assert Promesse.objects.get().montant == 600 and not Litige.objects.exists()
    recu = client.get(url(m, f"/recu/{Declaration.objects.get(genre='conteste').pk}")).content.decode()
    assert "Une personne examine" in recu


def test_un_delai_se_propose_dans_les_bornes_et_n_accorde_rien(client, m):
    ReglageAccords.objects.create(societe=m.societe, mensualites_max=4, mensualite_min=100)
    page = client.get(url(m, "/declarer/delai")).content.decode()
    assert "4 versements" in page and "5 versements" not in page
    assert "Cela n’accorde rien encore" in page and "533,33" in page
    revu = client.get(url(m, f"/declarer/delai?pieces={m.pieces[0].pk}&premiere=2026-12-05")).content.decode()
    assert "333,33" in revu and "05/12/2026" in revu
    envoi = {"cle": CLE, "pieces": [m.pieces[0].pk], "premiere": "2026-12-05", "nombre": "3", "texte": "En décembre."}
    assert client.post(url(m, "/declarer/delai"), envoi).status_code == 303
    d = Declaration.objects.get()
    assert (d.genre, d.statut, d.accord) == ("delai", "a_traiter", None)


def test_les_adresses_fausses_et_les_reglages_fermes_sont_introuvables(client, m):
    assert client.get(url(m, "/declarer/autre")).status_code == 404
    assert client.get(url(m, "/recu/999999")).status_code == 404
    ReglagePortail.objects.update(declarations=False, echeanciers=False)
    for genre in ("paye", "promet", "conteste", "delai"):
        assert client.get(url(m, f"/declarer/{genre}")).status_code == 404
    assert client.put(url(m, "/recu/1")).status_code == 405
    assert client.delete(url(m, "/declarer/paye")).status_code == 405


def test_le_recu_d_un_voisin_n_existe_pas(client, m):
    client.post(url(m, "/declarer/paye"), saisie(m))
    voisin = ClientFactory(societe=m.societe)
    EcheanceFactory(client=voisin)
    autre = LienFactory(client=voisin)
    recu = f"/p/{liens.jeton(autre)}/recu/{Declaration.objects.get().pk}"
    assert client.get(recu).status_code == 404
    assert client.post(f"/p/{liens.jeton(autre)}/declarer/paye", saisie(m)).status_code == 422  # la pièce d'un autre
    assert Declaration.objects.count() == 1


def test_procedure_collective_les_formulaires_disent_ou_s_adresser(client, m):
    m.client.jugement_ouverture_le = "2026-11-01"
    m.client.save()
    reponse = client.get(url(m, "/declarer/paye"))
    assert reponse.status_code == 200 and "mandataire" in reponse.content.decode()
    assert client.post(url(m, "/declarer/paye"), saisie(m)).status_code == 200
    assert not Declaration.objects.exists()


def test_le_nombre_de_requetes_ne_depend_pas_des_pieces(client, m, django_assert_max_num_queries):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    def compter(suite):
        with CaptureQueriesContext(connection) as lues:
            assert client.get(url(m, suite)).status_code == 200
        return len(lues)

    suites = ["/declarer/paye", "/declarer/conteste", "/declarer/delai"]
    avant = [compter(s) for s in suites]
    for _ in range(20):
        EcheanceFactory(client=m.client, montant=50)
    assert [compter(s) for s in suites] == avant


def test_en_anglais_la_page_garde_sa_langue(client, m):
    reponse = client.post(url(m, "/declarer/paye?langue=en"), saisie(m))
    assert reponse["Location"].endswith("?langue=en")
