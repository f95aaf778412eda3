"""Toute liste sort en CSV et en classeur : mêmes filtres, même tri, mêmes droits, sans formule."""

import csv
from datetime import date
from decimal import Decimal
from io import BytesIO, StringIO

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from python_calamine import load_workbook

from recouvrement.commun.tableaux import Colonne, ecrire_classeur, lignes_csv
from tests.clients.factories import ClientFactory
from tests.comptes.factories import SocieteFactory, UtilisateurFactory
from tests.contentieux.factories import DossierFactory
from tests.factures.factories import EcheanceFactory, EncaissementFactory

LISTES = ["clients:liste", "factures:liste", "factures:encaissements", "contentieux:liste"]


@pytest.fixture
def societe(db):
    return SocieteFactory()


@pytest.fixture
def navigateur(client, societe):
    client.force_login(UtilisateurFactory(role="responsable", societe=societe))
    return client


def lire(reponse) -> list[list[str]]:
    texte = b"".join(reponse.streaming_content).decode()
    assert texte.startswith("\ufeff")  # sans la marque, le tableur lit les accents de travers
    return list(csv.reader(StringIO(texte[1:]), delimiter=";"))


@pytest.mark.django_db
@pytest.mark.parametrize("route", LISTES)
@pytest.mark.parametrize("format", ["csv", "xlsx"])
def test_chaque_liste_s_exporte(navigateur, societe, route, format):
    echeance = EcheanceFactory(societe=societe, client=ClientFactory(societe=societe, raison_sociale="Éts Çelik"))
    EncaissementFactory(client=echeance.client, montant=Decimal("12.30"))
    DossierFactory(client=echeance.client)
    reponse = navigateur.get(reverse(route), {"export": format})
    assert reponse.status_code == 200 and f".{format}" in reponse["Content-Disposition"]
    if format == "csv":
        lignes = lire(reponse)
    else:
        lignes = load_workbook(BytesIO(b"".join(reponse.streaming_content))).get_sheet_by_index(0).to_python()
    assert len(lignes) >= 2 and {len(ligne) for ligne in lignes} == {len(lignes[0])}
    assert "Éts Çelik" in {cellule for ligne in lignes for cellule in ligne}


@pytest.mark.django_db
def test_l_export_suit_les_filtres_et_le_tri_de_l_ecran(navigateur, societe):
    for nom in ("Beta", "Alpha", "Gamma"):
        ClientFactory(societe=societe, raison_sociale=nom)
    lignes = lire(navigateur.get(reverse("clients:liste"), {"export": "csv", "tri": "-nom", "q": "a"}))
    assert [ligne[2] for ligne in lignes[1:]] == ["Gamma", "Beta", "Alpha"]
    lignes = lire(navigateur.get(reverse("clients:liste"), {"export": "csv", "q": "gam"}))
    assert [ligne[2] for ligne in lignes[1:]] == ["Gamma"]


@pytest.mark.django_db
def test_un_controleur_n_exporte_que_son_portefeuille(client, societe):
    moi = UtilisateurFactory(role="gestionnaire", societe=societe)
    ClientFactory(societe=societe, raison_sociale="Le mien", gestionnaire=moi)
    ClientFactory(societe=societe, raison_sociale="Celui du voisin")
    ClientFactory(raison_sociale="Autre société")
    client.force_login(moi)
    lignes = lire(client.get(reverse("clients:liste"), {"export": "csv"}))
    assert [ligne[2] for ligne in lignes[1:]] == ["Le mien"]


@pytest.mark.django_db
def test_un_nom_de_client_ne_devient_jamais_une_formule(navigateur, societe):
    ClientFactory(societe=societe, raison_sociale='=HYPERLINK("http://mal.example";"ici")')
    lignes = lire(navigateur.get(reverse("clients:liste"), {"export": "csv"}))
    assert lignes[1][2].startswith("'=HYPERLINK")


@pytest.mark.django_db
@pytest.mark.parametrize("route", LISTES)
def test_le_nombre_de_requetes_ne_depend_pas_des_lignes(navigateur, societe, route):
    def remplir(n):
        for _ in range(n):
            e = EcheanceFactory(societe=societe, client=ClientFactory(societe=societe))
            EncaissementFactory(client=e.client)
            DossierFactory(client=e.client)

    remplir(1)
    with CaptureQueriesContext(
        connection,
    ) as une:
        lire(navigateur.get(reverse(route), {"export": "csv"}))
    remplir(19)
    with CaptureQueriesContext(connection) as vingt:
        assert len(lire(navigateur.get(reverse(route), {"export": "csv"}))) > 20
    assert len(vingt) == len(une)


COLONNES = [
    Colonne("Texte", lambda v: v[0]),
    Colonne("Montant", lambda v: v[1]),
    Colonne("Jour", lambda v: v[2]),
    Colonne("Nombre", lambda v: v[3]),
]
VALEURS = [("@sum", Decimal("-1234.50"), date(2026, 2, 1), 7), (None, None, None, None)]


def test_le_csv_est_celui_d_un_tableur_francais():
    texte = "".join(lignes_csv(VALEURS, COLONNES))
    assert texte == "\ufeffTexte;Montant;Jour;Nombre\r\n'@sum;-1234,50;01/02/2026;7\r\n;;;\r\n"
    assert len(list(lignes_csv(VALEURS * 1000, COLONNES))) > 3  # en flux, par paquets
    assert "".join(lignes_csv(VALEURS * 1000, COLONNES)).count("\r\n") == 2001


def test_le_classeur_porte_de_vrais_nombres_et_de_vraies_dates():
    flux = BytesIO()
    ecrire_classeur(flux, VALEURS, COLONNES, "Une feuille / au nom [impossible]")
    lignes = load_workbook(BytesIO(flux.getvalue())).get_sheet_by_index(0).to_python()
    assert lignes[1] == ["@sum", -1234.5, date(2026, 2, 1), 7.0]
