"""Exigence 38 : le drapeau « blocage commandes » se pose, se retire, se lève avec un motif, et s'exporte."""

import csv
from datetime import date, timedelta
from decimal import Decimal
from io import StringIO

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from clients.models import BlocageCommandes
from factures.services.blocages import bloquer, debloquer, evaluer
from recouvrement.commun.horloge import aujourd_hui
from recouvrement.journal.models import Maillon
from tests.clients.factories import ClientFactory
from tests.comptes.factories import SocieteFactory, UtilisateurFactory
from tests.factures.factories import EcheanceFactory, EncaissementFactory, LitigeFactory

AU = date(2026, 11, 20)


@pytest.fixture
def societe(db):
    return SocieteFactory(blocage_retard_jours=30, blocage_plafond=True)


def en_retard(societe, jours=45, **options):
    return EcheanceFactory(
        societe=societe, client=ClientFactory(societe=societe, **options), echue_le=AU - timedelta(days=jours)
    )


def test_exigence_38_un_retard_pose_le_drapeau_et_le_paiement_le_retire(societe):
    echeance = en_retard(societe)
    assert evaluer(societe, au=AU) == (1, 0)
    assert evaluer(societe, au=AU) == (0, 0)  # rejouer ne change rien
    blocage = BlocageCommandes.objects.get()
    assert (blocage.motif, blocage.detail, blocage.pose_le) == ("retard", "45 jours de retard", AU)
    type(echeance).objects.update(impute=echeance.montant, soldee_le=AU)
    assert evaluer(societe, au=AU + timedelta(days=1)) == (0, 1)
    assert list(Maillon.objects.order_by("rang").values_list("action", flat=True)) == ["blocage.pose", "blocage.leve"]


def test_une_piece_contestee_ne_bloque_pas(societe):
    LitigeFactory(echeance=en_retard(societe))
    assert evaluer(societe, au=AU) == (0, 0)


def test_le_plafond_compte_les_credits_et_ne_melange_pas_les_devises(societe):
    client = ClientFactory(societe=societe, plafond=Decimal("1000.00"))
    futur = AU + timedelta(days=10)
    EcheanceFactory(societe=societe, client=client, montant=Decimal("1200.00"), echue_le=futur)
    EcheanceFactory(societe=societe, client=client, montant=Decimal("5000.00"), devise="USD", echue_le=futur)
    credit = EncaissementFactory(client=client, montant=Decimal("200.00"))
    assert evaluer(societe, au=AU) == (0, 0)
    type(credit).objects.update(montant=Decimal("199.99"))
    assert evaluer(societe, au=AU) == (1, 0)
    assert "0,01" in BlocageCommandes.objects.get().detail


def test_une_levee_motivee_tient_puis_la_regle_reprend(societe):
    en_retard(societe)
    evaluer(societe, au=AU)
    chef, blocage = UtilisateurFactory(role="responsable", societe=societe), BlocageCommandes.objects.get()
    with pytest.raises(ValidationError):
        debloquer(blocage, motif=" ", jusqu_au=AU, au=AU, acteur=chef)
    with pytest.raises(ValidationError):
        debloquer(blocage, motif="Salon", jusqu_au=AU + timedelta(days=400), au=AU, acteur=chef)
    assert debloquer(blocage, motif="Salon", jusqu_au=AU + timedelta(days=5), au=AU, acteur=chef)
    assert not debloquer(blocage, motif="Salon", jusqu_au=AU + timedelta(days=5), au=AU, acteur=chef)  # double clic
    assert evaluer(societe, au=AU + timedelta(days=5)) == (0, 0)
    assert evaluer(societe, au=AU + timedelta(days=6)) == (1, 0)


def test_une_decision_ne_se_retire_pas_seule(societe):
    client = ClientFactory(societe=societe)
    moi = UtilisateurFactory(role="gestionnaire", societe=societe)
    premier = bloquer(client, motif="Chèque volé", au=AU, acteur=moi)
    assert bloquer(client, motif="Deux clics", au=AU, acteur=moi) == premier
    assert evaluer(societe, au=AU) == (0, 0)
    assert BlocageCommandes.objects.en_cours().count() == 1


def test_le_nombre_de_requetes_ne_depend_pas_du_nombre_de_clients(societe):
    def compter():
        with CaptureQueriesContext(connection) as lues:
            evaluer(societe, au=AU)
        return len(lues)

    en_retard(societe)
    evaluer(societe, au=AU)
    un = compter()
    for _ in range(19):
        en_retard(societe)
    evaluer(societe, au=AU)
    assert compter() == un


# --- Écrans ---------------------------------------------------------------------------------------


@pytest.fixture
def bloque(societe):
    client = ClientFactory(societe=societe, raison_sociale="Bloqué et Fils")
    return bloquer(client, motif="Chèque volé", au=aujourd_hui() - timedelta(days=3), acteur=None)


def connecter(client, societe, role):
    personne = UtilisateurFactory(role=role, societe=societe)
    client.force_login(personne)
    return personne


def test_la_liste_se_lit_et_s_exporte(client, societe, bloque):
    connecter(client, societe, "lecteur")
    assert "Bloqué et Fils" in client.get(reverse("clients:blocages")).content.decode()
    reponse = client.get(reverse("clients:blocages"), {"export": "csv"})
    lignes = list(csv.reader(StringIO(b"".join(reponse.streaming_content).decode()[1:]), delimiter=";"))
    assert lignes[1][2] == "Bloqué et Fils" and "Chèque volé" in lignes[1]


def test_seul_un_responsable_leve_et_le_motif_est_exige(client, societe, bloque):
    url = reverse("clients:blocage_lever", args=[bloque.pk])
    connecter(client, societe, "gestionnaire")
    assert client.post(url, {"motif": "x", "jusqu_au": "2030-01-01"}).status_code == 403
    connecter(client, societe, "responsable")
    assert client.get(url).status_code == 405
    client.post(url, {"motif": "", "jusqu_au": ""})
    assert BlocageCommandes.objects.en_cours().exists()
    jour = aujourd_hui() + timedelta(days=7)
    client.post(url, {"motif": "Accord du directeur", "jusqu_au": f"{jour:%d/%m/%Y}"})
    leve = BlocageCommandes.objects.get()
    assert (leve.leve_motif, leve.leve_jusqu_au) == ("Accord du directeur", jour)


def test_le_voisin_ne_voit_ni_ne_leve(client, societe, bloque):
    connecter(client, SocieteFactory(), "responsable")
    assert "Bloqué et Fils" not in client.get(reverse("clients:blocages")).content.decode()
    assert client.post(reverse("clients:blocage_lever", args=[bloque.pk])).status_code == 404


def test_la_fiche_montre_le_blocage_et_permet_de_le_poser(client, societe, bloque):
    personne = connecter(client, societe, "responsable")
    page = client.get(reverse("clients:fiche", args=[bloque.client_id])).content.decode()
    assert "Commandes bloquées" in page and "Lever le blocage" in page
    libre = ClientFactory(societe=societe, gestionnaire=personne)
    client.post(reverse("clients:geste", args=[libre.pk, "bloquer"]), {"motif": "Ouvre un compte sans Kbis"})
    assert BlocageCommandes.objects.filter(client=libre, motif="decision").exists()
