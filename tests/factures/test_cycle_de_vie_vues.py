"""Écrans des statuts : ce qui contredit le compte, ce qui se déclare, et la fiche qui les montre."""

import zipfile
from datetime import date
from decimal import Decimal
from io import BytesIO

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from factures.models import Facture, StatutRecu
from recouvrement.comptes.models import Role
from tests.clients.factories import ClientFactory
from tests.comptes.factories import SocieteFactory, UtilisateurFactory
from tests.factures.factories import EcheanceFactory, FactureFactory, ImputationFactory

pytestmark = pytest.mark.django_db
D = Decimal
RECUS, DECIDER = reverse("factures:statuts_recus"), reverse("factures:statuts_decider")
LISTE, PRODUIRE = reverse("factures:statuts_212"), reverse("factures:statuts_212_produire")
FICHIER = reverse("factures:statuts_212_fichier")
PERIODE = {"du": "2026-02-01", "au": "2026-02-28"}


@pytest.fixture
def piece():
    facture = FactureFactory(
        client=ClientFactory(raison_sociale="Belcourt"), numero="F1", montant_ttc=D(1200),
        date_emission=date(2026, 1, 5), tva_encaissements=True, statut_fe="212", statut_fe_le=date(2026, 2, 1),
    )  # fmt: skip
    return EcheanceFactory(facture=facture, montant=1200, date_facture=date(2026, 1, 5))


@pytest.fixture
def navigateur(client, piece):
    client.force_login(UtilisateurFactory(role=Role.RESPONSABLE, societe=piece.societe))
    return client


def recu(piece, n=1, *, code="212", le=date(2026, 2, 1), anomalie="Dite encaissée : 1 200 € de plus.", **champs):
    return StatutRecu.objects.create(
        societe=piece.societe,
        facture=piece.facture,
        cle_source=f"FE:{n}",
        code=code,
        le=le,
        anomalie=anomalie,
        **champs,
    )


def texte(reponse) -> str:
    return reponse.content.decode().replace("\u00a0", " ").replace("\u202f", " ")


# --- Anomalies ---------------------------------------------------------------------------------


def test_une_anomalie_se_montre_et_s_ecarte(navigateur, piece):
    recu(piece, 0, code="205", le=date(2026, 1, 10), anomalie="")
    statut = recu(piece)
    page = texte(navigateur.get(RECUS))
    assert "Dite encaissée" in page and "Belcourt" in page and "Chercher l’encaissement" in page
    navigateur.post(DECIDER, {"une": f"{statut.pk}-ecartee"})
    assert Facture.objects.values_list("statut_fe", "statut_fe_le").get() == ("205", date(2026, 1, 10))
    assert "Rien à vérifier" in texte(navigateur.get(RECUS))
    assert "Dite encaissée" in texte(navigateur.get(RECUS, {"etat": "decidees"}))
    assert "déjà décidé" in texte(navigateur.post(DECIDER, {"une": f"{statut.pk}-ecartee"}, follow=True))


def test_verifiee_le_statut_reste(navigateur, piece):
    statut = recu(piece)
    navigateur.post(DECIDER, {"une": f"{statut.pk}-verifiee"})
    statut.refresh_from_db()
    assert statut.decidee_le and Facture.objects.get().statut_fe == "212"


def test_payee_depuis_elle_ne_contredit_plus_rien(navigateur, piece):
    recu(piece)
    ImputationFactory(echeance=piece)
    assert "Rien à vérifier" in texte(navigateur.get(RECUS))


@pytest.mark.parametrize("une", ["x-verifiee", "999999-verifiee"])
def test_un_statut_inconnu_repond_404(navigateur, une):
    assert navigateur.post(DECIDER, {"une": une}).status_code == 404


def test_une_decision_inconnue_se_dit(navigateur, piece):
    statut = recu(piece)
    for saisie in ({"une": f"{statut.pk}-x"}, {}):
        assert "écartez le statut" in texte(navigateur.post(DECIDER, saisie, follow=True))


def test_le_voisin_et_le_lecteur(client, piece):
    statut = recu(piece)
    client.force_login(UtilisateurFactory(role=Role.RESPONSABLE, societe=SocieteFactory()))
    assert "Belcourt" not in texte(client.get(RECUS))
    assert client.post(DECIDER, {"une": f"{statut.pk}-verifiee"}).status_code == 404
    client.force_login(UtilisateurFactory(role=Role.LECTEUR, societe=piece.societe))
    assert "Écarter" not in texte(client.get(RECUS)) and client.post(DECIDER).status_code == 403


# --- 212 ---------------------------------------------------------------------------------------


def test_produire_puis_telecharger_une_seule_fois(navigateur, piece):
    ImputationFactory(echeance=piece, montant=D(500), date=date(2026, 2, 10))
    assert "Produire le statut" in texte(navigateur.get(LISTE, PERIODE))
    assert "1 statut « Encaissée » produit" in texte(navigateur.post(PRODUIRE, PERIODE, follow=True))
    assert "Rien à produire" in texte(navigateur.post(PRODUIRE, PERIODE, follow=True))
    statut = StatutRecu.objects.get()
    xml = navigateur.get(FICHIER, {"statut": statut.pk})
    assert xml["Content-Type"] == "application/xml" and b"<ram:ValueAmount" in xml.content
    archive = navigateur.get(FICHIER, PERIODE | {"format": "zip"})
    assert len(zipfile.ZipFile(BytesIO(archive.content)).namelist()) == 2
    tableau = navigateur.get(FICHIER, PERIODE | {"format": "csv"}).content.decode("utf-8-sig")
    assert "F1;212;2026-02-10T" in tableau and ";500.00;" in tableau


def test_depuis_la_fiche(navigateur, piece):
    fiche = reverse("factures:fiche", args=[piece.facture_id])
    assert "TVA exigible à l’encaissement" in texte(navigateur.get(fiche))
    ImputationFactory(echeance=piece, montant=D(500), date=date(2026, 2, 10))
    recu(piece, motif="Motif dit")
    page = texte(navigateur.get(fiche))
    assert "Motif dit" in page and "Dite encaissée" in page
    StatutRecu.objects.all().delete()
    assert "500,00 € à déclarer" in texte(navigateur.get(fiche))
    page = texte(navigateur.post(PRODUIRE, {"facture": piece.facture_id}, follow=True))
    assert "produit ici" in page and "à déclarer" not in page


def test_vide_et_dates_illisibles(navigateur):
    assert "Rien à déclarer sur cette période" in texte(navigateur.get(LISTE, {"du": "x", "au": "2026-13-45"}))


def test_le_voisin_ne_telecharge_ni_ne_produit(client, piece):
    ImputationFactory(echeance=piece, montant=D(500), date=date(2026, 2, 10))
    statut = recu(piece, motif_code="EMIS", montant=D(10), anomalie="")
    client.force_login(UtilisateurFactory(role=Role.RESPONSABLE, societe=SocieteFactory()))
    assert client.get(FICHIER, {"statut": statut.pk}).status_code == 404
    assert "Belcourt" not in texte(client.get(LISTE, PERIODE))
    client.post(PRODUIRE, {"facture": piece.facture_id})
    assert StatutRecu.objects.count() == 1


def test_methodes_et_requetes(navigateur, piece):
    assert {navigateur.post(u).status_code for u in (RECUS, LISTE, FICHIER)} == {405}
    assert {navigateur.get(u).status_code for u in (DECIDER, PRODUIRE)} == {405}

    def compter(url):
        with CaptureQueriesContext(connection) as capture:
            navigateur.get(url, PERIODE if url == LISTE else {})
        return len(capture)

    recu(piece)
    ImputationFactory(echeance=piece, montant=D(10), date=date(2026, 2, 10))
    navigateur.post(PRODUIRE, PERIODE)
    une = {url: compter(url) for url in (RECUS, LISTE)}
    for n in range(20):
        autre = EcheanceFactory(
            facture=FactureFactory(societe=piece.societe, tva_encaissements=True, date_emission=date(2026, 1, 5))
        )
        recu(autre, n + 10)
        ImputationFactory(echeance=autre, montant=D(10), date=date(2026, 2, 10))
    navigateur.post(PRODUIRE, PERIODE)
    assert {url: compter(url) for url in (RECUS, LISTE)} == une
