"""L'écran « Déclarations » de l'équipe : à traiter, prises en compte, écartées ; une suite en un geste."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from time_machine import travel

from factures.models import Litige
from recouvrement.comptes.models import Role
from relances.models import Message
from relances.services import declarations_portail_suites as suites
from tests.comptes.factories import UtilisateurFactory

from .declarants import MOMENT, depot, monde
from .test_declarations import PNG, contester, delai, payer, promettre

pytestmark = pytest.mark.django_db


@pytest.fixture
def m(client):
    with travel("2026-11-20 10:00 +0100", tick=False):
        monde_ = monde()
        client.force_login(monde_.claire)
        yield monde_


def fiche(d, geste=""):
    return reverse(f"relances:declaration{geste}", args=[d.pk])


def test_la_liste_par_suite_et_par_client(client, m):
    ecartee = payer(m)
    suites.ecarter(ecartee, mot="Rien reçu.", acteur=m.claire)
    contester(m, cle="b", pieces=[m.pieces[1].pk])
    liste = reverse("relances:declarations")
    page = client.get(liste).content.decode()
    assert "Je conteste" in page and "Prix ou remise" in page and "J&#x27;ai payé" not in page
    page = client.get(f"{liste}?v=ecartee&client={m.client.pk}").content.decode()
    assert "Rien reçu." in page and str(m.claire) in page
    assert "Aucune déclaration ici" in client.get(f"{liste}?v=acceptee").content.decode()
    assert client.get(f"{liste}?client=999999").status_code == 404
    fragment = client.get(liste, headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in fragment and 'id="liste"' in fragment
    assert client.post(liste).status_code == 405


def test_la_liste_lit_autant_pour_vingt_lignes(client, m):
    def compter():
        with CaptureQueriesContext(connection) as lues:
            assert client.get(reverse("relances:declarations")).status_code == 200
        return len(lues)

    payer(m)
    avant = compter()
    for n in range(20):
        payer(m, cle=str(n), moment=MOMENT + timedelta(days=1 + n // 9))
    assert compter() == avant


def test_la_fiche_dit_d_ou_elle_vient_et_montre_ses_fichiers(client, m):
    d = payer(m, depot=depot("a", texte="<script>alert(1)</script>", fichiers=[(PNG, "ordre.png")]))
    page = client.get(fiche(d)).content.decode()
    attendus = ("203.0.113.7", "ordre.png", "&lt;script&gt;", "Nadia Ferrand", "Attendre ce paiement", "lien donné le")
    for attendu in attendus:
        assert attendu in page
    assert "<script>alert" not in page


def test_accepter_une_contestation_ouvre_le_litige_a_la_date_dite(client, m):
    d = contester(m)
    reponse = client.post(fiche(d, "_accepter"), {"mot": "Nous regardons.", "a_traiter_le": "2026-12-15"})
    assert reponse.status_code == 303
    assert str(Litige.objects.get().a_traiter_le) == "2026-12-15"
    assert Message.objects.filter(texte__contains="Nous regardons.").exists()
    assert client.post(fiche(d, "_accepter"), {}).status_code == 303 and Litige.objects.count() == 1


def test_une_date_de_reponse_passee_revient_avec_sa_faute(client, m):
    d = contester(m)
    reponse = client.post(fiche(d, "_accepter"), {"a_traiter_le": "2026-11-01"})
    assert reponse.status_code == 422 and "déjà passée" in reponse.content.decode()
    assert not Litige.objects.exists()


def test_ecarter_veut_un_mot_et_se_defait(client, m):
    d = promettre(m, pour_le=MOMENT.date() + timedelta(days=60))
    assert client.post(fiche(d, "_ecarter"), {"mot": " "}).status_code == 422
    assert client.post(fiche(d, "_ecarter"), {"mot": "Trop tard."}).status_code == 303
    page = client.get(fiche(d)).content.decode()
    assert fiche(d, "_remettre") in page and "Trop tard." in page
    assert client.post(fiche(d, "_remettre")).status_code == 303
    d.refresh_from_db()
    assert d.statut == "a_traiter"
    assert client.get(fiche(d, "_remettre")).status_code == 405


def test_accepter_chaque_genre(client, m):
    for d in (payer(m), promettre(m, cle="p", pour_le=MOMENT.date() + timedelta(days=60))):
        assert client.post(fiche(d, "_accepter"), {}).status_code == 303
        d.refresh_from_db()
        assert d.statut == "acceptee"
    d = delai(m, cle="d", premiere=MOMENT.date() + timedelta(days=25))
    assert "Préparer l&#x27;échéancier à signer" in client.get(fiche(d)).content.decode()


def test_un_lecteur_voit_sans_decider_et_un_voisin_ne_voit_rien(client, m):
    d = payer(m)
    client.force_login(UtilisateurFactory(societe=m.societe, role=Role.LECTEUR))
    page = client.get(fiche(d))
    assert page.status_code == 200 and fiche(d, "_accepter") not in page.content.decode()
    assert client.post(fiche(d, "_accepter")).status_code == 403
    client.force_login(UtilisateurFactory(role=Role.ADMINISTRATEUR))
    for geste in ("", "_accepter", "_ecarter", "_remettre"):
        reponse = client.post(fiche(d, geste)) if geste else client.get(fiche(d))
        assert reponse.status_code == 404
