"""Un import par l'écran, écrit par un vrai worker ; puis le worker tué au milieu de l'écriture."""

import time

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from factures.models import Echeance, Facture, Lot
from factures.views import imports
from recouvrement.celery import app
from tests.clients.factories import ClientFactory
from tests.comptes.factories import SocieteFactory, UtilisateurFactory

from .processus import attendre, worker

pytestmark = [pytest.mark.reel, pytest.mark.timeout(300)]
FACTURES = 20_000


@pytest.fixture
def societe(environnement_reel, settings, tmp_path, redis_url, monkeypatch, client):
    """Société et personne connectée ; les réveils vont au Redis de l'essai, le dépôt est celui du worker."""
    settings.DEPOT = tmp_path / "var" / "depot"

    def reveiller(tache, lot):
        with app.connection_for_write(redis_url) as connexion:
            tache.apply_async((lot.pk,), connection=connexion)
        return True

    monkeypatch.setattr(imports, "reveiller", reveiller)
    societe = SocieteFactory()
    ClientFactory(societe=societe, code="C1")
    client.force_login(UtilisateurFactory(societe=societe))
    return societe


def deposer(client, societe) -> Lot:
    lignes = "".join(f"F{i};C1;2026-01-05;2026-02-04;12,00\n" for i in range(FACTURES))
    texte = "numero;code_client;date_facture;date_echeance;montant_ttc\n" + lignes
    client.post("/imports/", {"societe": societe.pk, "fichier": SimpleUploadedFile("f.csv", texte.encode())})
    return Lot.objects.get()


def en_etat(lot: Lot, *statuts: str):
    return lambda: Lot.objects.filter(pk=lot.pk, statut__in=statuts).exists()


def test_de_l_ecran_au_grand_livre_et_tout_ou_rien_sous_kill_9(environnement_reel, societe, client, tmp_path):
    lot = deposer(client, societe)
    processus = worker(environnement_reel, tmp_path / "worker.log", concurrence=1)
    try:
        attendre(en_etat(lot, "apercu"), secondes=60, quoi="aperçu prêt")
        assert f"{FACTURES // 1000}\xa0000 factures" in client.get(f"/imports/{lot.pk}/").content.decode()
        assert not Facture.objects.exists()
        for moment in (0.2, 0.6, 1.2):
            if not en_etat(lot, "apercu", "en_cours")():
                break
            geste = "relancer" if moment > 0.2 else "appliquer"
            client.post(f"/imports/{lot.pk}/{geste}/")
            time.sleep(moment)
            processus.tuer()
            assert Facture.objects.count() in (0, FACTURES)
            processus = worker(environnement_reel, tmp_path / "worker.log", concurrence=1)
        client.post(f"/imports/{lot.pk}/relancer/")
        attendre(en_etat(lot, "applique"), secondes=120, quoi="import appliqué")
    finally:
        processus.arreter()
    assert (Facture.objects.count(), Echeance.objects.count()) == (FACTURES, FACTURES)
    assert Lot.objects.get().compte_rendu["crees"]["factures"] == FACTURES
