"""Liste des factures et fiche : filtres de la base, portefeuille, décompte sourcé."""

import re
from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from factures import services
from factures.decompte import calculer
from recouvrement.commun.horloge import aujourd_hui
from relances.models import Verdict
from tests.clients.factories import ClientFactory
from tests.comptes.factories import SocieteFactory, UtilisateurFactory

from .factories import (
    AvoirFactory,
    EcheanceFactory,
    EncaissementFactory,
    FactureFactory,
    ImputationFactory,
    PromesseFactory,
)

pytestmark = pytest.mark.django_db
URL = "/factures/"
AU = date(2026, 11, 20)


@pytest.fixture
def claire(client):
    user = UtilisateurFactory(nom="Claire Bonnet")
    client.force_login(user)
    return user


def dette(user, **champs):
    societe = user.affectations.get().societe
    debiteur = champs.pop("client", None) or ClientFactory(societe=societe, gestionnaire=user)
    return EcheanceFactory(client=debiteur, **{"echue_le": aujourd_hui() - timedelta(days=10)} | champs)


def lire(client, url=URL, **params):
    reponse = client.get(url, params)
    assert reponse.status_code == 200
    return reponse.content.decode().replace("\xa0", " ")


def numeros(page):
    return re.findall(r'lien-ligne" href="/factures/\d+/">([^<]+)<', page)


# --- Liste -------------------------------------------------------------------------------------------


def test_la_liste_montre_l_ouvert_du_portefeuille_la_plus_ancienne_d_abord(client, claire):
    recente, ancienne = dette(claire), dette(claire, echue_le=aujourd_hui() - timedelta(days=90), reste=400)
    dette(claire, soldee=True)
    EcheanceFactory(client=ClientFactory(societe=claire.affectations.get().societe))  # autre portefeuille
    page = lire(client)
    assert numeros(page) == [ancienne.facture.numero, recente.facture.numero]
    assert "2 échéances" in page and "1 400,00 € restant dus" in page and "90 j" in page


@pytest.mark.parametrize(
    ("vue", "attendus"),
    [
        ("ouvertes", {"a_echoir", "retard", "litige"}),
        ("retard", {"retard", "litige"}),
        ("litige", {"litige"}),
        ("soldees", {"soldee"}),
        ("toutes", {"a_echoir", "retard", "litige", "soldee"}),
        ("inventee", {"a_echoir", "retard", "litige"}),
    ],
)
def test_chaque_vue_a_ses_factures(client, claire, vue, attendus):
    situations = {
        "a_echoir": {"echue_le": aujourd_hui()},
        "retard": {},
        "litige": {"en_litige": True},
        "soldee": {"soldee": True},
    }
    par_numero = {dette(claire, **champs).facture.numero: nom for nom, champs in situations.items()}
    assert {par_numero[n] for n in numeros(lire(client, v=vue))} == attendus


def test_on_cherche_par_numero_client_ou_commande_et_on_filtre_par_palier(client, claire):
    a = dette(claire, niveau=2)
    b = dette(claire, niveau=5)
    a.facture.commande = "BC-778"
    a.facture.save()
    for q in (a.facture.numero.lower(), "bc-77", a.client.raison_sociale, a.client.code):
        assert numeros(lire(client, q=q))[0] == a.facture.numero
    assert numeros(lire(client, palier="5")) == [b.facture.numero]
    assert "Aucune facture ne répond" in lire(client, q="%_introuvable")
    assert numeros(lire(client, palier="99", gestionnaire="abc", tri="mot_de_passe", page="zéro"))


@pytest.mark.parametrize("tri", ["facture", "-client", "emise", "-echeance", "montant", "-reste", "palier"])
def test_chaque_tri_marche(client, claire, tri):
    dette(claire)
    dette(claire)
    assert len(numeros(lire(client, tri=tri))) == 2


def test_deux_devises_ne_s_additionnent_pas(client, claire):
    dette(claire)
    dollars = dette(claire, montant=70, devise="USD")
    page = lire(client)
    assert "1 000,00 € restant dus · 70,00 $ restant dus" in page
    assert numeros(lire(client, devise="USD")) == [dollars.facture.numero]


def test_autant_de_requetes_pour_une_facture_que_pour_vingt(client, claire):
    dette(claire)
    lire(client)
    with CaptureQueriesContext(connection) as une:
        lire(client)
    for _ in range(19):
        dette(claire)
    with CaptureQueriesContext(connection) as vingt:
        lire(client)
    assert len(vingt) == len(une)


# --- Fiche -------------------------------------------------------------------------------------------


def fiche(client, facture, **params):
    return lire(client, reverse("factures:fiche", args=[facture.pk]), **params)


def test_la_fiche_montre_echeances_reglements_verdict_et_promesse(client, claire):
    e = dette(claire, echue_le=date(2026, 3, 31), montant=12480, en_litige=1200, niveau=4)
    paiement = EncaissementFactory(client=e.client, montant=4000, date=date(2026, 7, 15), reference="VIR 42")
    ImputationFactory(echeance=e, encaissement=paiement, montant=4000, date=date(2026, 7, 20))
    PromesseFactory(echeances=[e], date_promise=AU + timedelta(days=7), faite_le=AU, montant=500)
    Verdict.objects.create(echeance=e, du=AU, code="promesse", detail="attendue le 27/11", prochaine=AU)
    page = fiche(client, e.facture, au=AU.isoformat())
    for attendu in ("8 480,00", "VIR 42", "15/07/2026", "20/07/2026", "litige 1 200,00 €",
                    "Promesse de paiement en cours", "attendue le 27/11", "Promesse de 500,00 € pour le 27/11/2026",
                    "Formalisation"):  # fmt: skip
        assert attendu in page, attendu


def test_le_decompte_donne_chaque_periode_sa_source_et_son_article(client, claire):
    """Mêmes chiffres que la maquette : paiement au jour de sa réception, intérêts d'abord (1343-1)."""
    e = dette(claire, echue_le=date(2026, 3, 31), montant=12480)
    paiement = EncaissementFactory(client=e.client, montant=4000, date=date(2026, 7, 15))
    ImputationFactory(echeance=e, encaissement=paiement, montant=4000, date=date(2026, 9, 1))
    page = fiche(client, e.facture, au=AU.isoformat())
    for attendu in ('01/04/2026 –</span> <span class="date">30/06/2026', "378,04", "63,60", "387,96",
                    "12,15 %", "12,40 %",
                    "−441,64", "−3 558,36", "BCE 2,15 au 01/01/2026 + 10", "BCE 2,40 au 01/07/2026 + 10",
                    "C. com., art. L441-10, II", "C. com., art. D441-5", "40,00 €", "9 349,60 €"):  # fmt: skip
        assert attendu in page, attendu


def test_un_semestre_absent_est_nomme_et_rien_n_est_chiffre(client, claire):
    e = dette(claire, echue_le=date(2026, 3, 31))
    page = fiche(client, e.facture, au="2027-02-01")
    assert "Taux absent : 2027-S1" in page and "Total au" not in page


@pytest.mark.parametrize(
    ("genre", "present", "absent"),
    [
        ("administration", "BCE 2,15 au 01/01/2026 + 8, figé", "+ 10"),
        ("particulier", "Aucune mise en demeure", "40,00"),
        ("a_qualifier", "Pas de décompte", "Total au"),
    ],
)
def test_le_decompte_suit_le_droit_du_debiteur(client, claire, genre, present, absent):
    debiteur = ClientFactory(societe=claire.affectations.get().societe, gestionnaire=claire, type=genre)
    e = dette(claire, client=debiteur, echue_le=date(2026, 3, 31), montant=100)
    page = fiche(client, e.facture, au=AU.isoformat())
    assert present in page and absent not in page


def test_une_facture_a_deux_echeances_n_a_qu_une_indemnite_et_un_avoir_reduit_des_l_origine():
    """Produit.md § 9.4 ; droit.md § 1."""
    facture = FactureFactory(montant_ttc=2000, date_emission=date(2026, 1, 1))
    un = EcheanceFactory(facture=facture, echue_le=date(2026, 3, 31), montant=1000)
    deux = EcheanceFactory(facture=facture, echue_le=date(2026, 4, 30), montant=1000)
    avoir = AvoirFactory(client=facture.client, montant=200, date_emission=date(2026, 9, 1))
    ImputationFactory(echeance=un, avoir=avoir, montant=200, date=date(2026, 10, 1))
    d1, d2 = calculer(facture.client, [un, deux], au=date(2026, 9, 30), bareme=services.bareme())
    assert (d1.calcul.indemnite, d2.calcul.indemnite) == (40, 0)
    assert d1.calcul.principal_restant == 800
    assert [s.interets for s in d1.calcul.segments] == [Decimal("24.23"), Decimal("25.00")]  # 800 × 12,15 % × 91 / 365
    avant, _ = calculer(facture.client, [un, deux], au=date(2026, 6, 30), bareme=services.bareme())
    assert avant.calcul.principal_restant == 1000  # l'avoir n'existait pas encore : l'arrêté le dit
    assert [a.code for a in avant.avertissements] == ["avoir_posterieur"]


def test_la_fiche_du_voisin_n_existe_pas_et_ne_s_ecrit_pas(client, claire):
    voisine = EcheanceFactory(client=ClientFactory(societe=claire.affectations.get().societe))
    ailleurs = EcheanceFactory(client=ClientFactory(societe=SocieteFactory()))
    for e in (voisine, ailleurs):
        assert client.get(reverse("factures:fiche", args=[e.facture_id])).status_code == 404
    assert client.post(reverse("factures:fiche", args=[voisine.facture_id])).status_code == 405
    assert client.post(URL).status_code == 405


def test_autant_de_requetes_pour_une_echeance_que_pour_vingt(client, claire):
    e = dette(claire, date_facture=date(2026, 1, 1))
    fiche(client, e.facture)

    def peupler():
        e2 = EcheanceFactory(facture=e.facture, echue_le=AU, montant=10)
        ImputationFactory(echeance=e2, montant=5, date=AU)
        Verdict.objects.create(echeance=e2, du=AU, code="attente")

    peupler()
    with CaptureQueriesContext(connection) as une:
        fiche(client, e.facture)
    for _ in range(19):
        peupler()
    with CaptureQueriesContext(connection) as vingt:
        fiche(client, e.facture)
    assert len(vingt) == len(une)
