"""Corriger la lecture d'un FEC avant de l'appliquer : l'aperçu se recalcule, et le FEC suivant s'en souvient."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext

from clients.models import Client
from factures.imports import depots
from factures.models import Echeance, Lot
from factures.tasks import apercevoir_lot, appliquer_lot
from recouvrement.comptes.models import Role
from tests.clients.factories import ClientFactory
from tests.comptes.factories import SocieteFactory, UtilisateurFactory
from tests.factures.fec_essai import Fec

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def depot_d_essai(settings, tmp_path, monkeypatch):
    settings.DEPOT = tmp_path / "depot"
    for tache in (apercevoir_lot, appliquer_lot):
        monkeypatch.setattr(tache, "apply_async", lambda args, nom=tache, **_: nom(*args))


@pytest.fixture
def societe():
    return SocieteFactory()


@pytest.fixture
def claire(societe, client):
    user = UtilisateurFactory(societe=societe)
    client.force_login(user)
    return user


def fec(n=1) -> Fec:
    fec = Fec().vente("C1", "F1", "100", quand="20250115").vente("411CB", "T1", "40")
    for i in range(n - 1):
        fec.vente(f"X{i}", f"G{i}", "10")
    return fec


def deposer(client, societe, contenu, nom="732829320FEC20251231.txt"):
    client.post("/imports/", {"fichier": SimpleUploadedFile(nom, contenu.texte().encode()), "societe": societe.pk})
    return Lot.objects.order_by("pk").last()


def champs_de(reponse, changes: dict) -> dict:
    """Le formulaire tel qu'il est à l'écran, avec ces changements : {(code, champ): valeur}."""
    envoi = {"pieces": "auto"}
    for ligne, form in reponse.context["clients"]:
        envoi[form.add_prefix("code")] = ligne["code"]
        for nom in ("conditions", "fiches"):
            envoi[form.add_prefix(nom)] = changes.get((ligne["code"], nom), form.initial[nom])
        if changes.get((ligne["code"], "pas_un_client"), form.initial["pas_un_client"]):
            envoi[form.add_prefix("pas_un_client")] = "on"
    for ligne, form in reponse.context["ventilations"]:
        envoi[form.add_prefix("client")] = changes.get((ligne["cle"], "client"), "")
    return envoi


def corriger(client, lot):
    return f"/imports/{lot.pk}/corrections/"


def test_l_ecran_dit_le_deduit_le_devine_et_le_solde(client, claire, societe):
    lot = deposer(client, societe, fec())
    assert f"/imports/{lot.pk}/corrections/" in client.get(f"/imports/{lot.pk}/").content.decode()
    texte = client.get(corriger(client, lot)).content.decode()
    for attendu in ("Semble un mode de paiement", "1 facture, 1 à numéro réel", "100,00", "échéance comptée"):
        assert attendu in texte, attendu


def test_corriger_recalcule_l_apercu_puis_s_applique(client, claire, societe):
    lot = deposer(client, societe, fec())
    reponse = client.get(corriger(client, lot))
    envoi = champs_de(reponse, {("C1", "conditions"): "60j", ("411CB", "pas_un_client"): True})
    assert client.post(corriger(client, lot), envoi).status_code == 303
    lot.refresh_from_db()
    assert lot.statut == "apercu" and lot.compte_rendu["faits"]["solde"] == "100.00"
    assert lot.corrections["conditions"] == {"C1": "60J"} and lot.corrections["non_clients"] == ["411CB"]
    assert "écarté" in client.get(f"/imports/{lot.pk}/").content.decode()
    assert depots.demander(lot, partiel=False)
    appliquer_lot(lot.pk)
    assert list(Client.objects.values_list("code", "conditions")) == [("C1", "60J")]
    assert str(Echeance.objects.get().date_echeance) == "2025-03-16"
    suivant = deposer(client, societe, fec().vente("C1", "F2", "5", quand="20250401"))
    assert suivant.corrections == lot.corrections and suivant.compte_rendu["faits"]["solde"] == "105.00"
    reponse = client.get(corriger(client, suivant))
    envoi = champs_de(reponse, {("411CB", "pas_un_client"): False})
    client.post(corriger(client, suivant), envoi)
    suivant.refresh_from_db()
    assert suivant.corrections["non_clients"] == [] and suivant.compte_rendu["faits"]["solde"] == "145.00"


def test_rattacher_a_une_fiche_existante_et_ventiler_un_collectif(client, claire, societe):
    ClientFactory(societe=societe, code="DUPONT")
    contenu = Fec().vente("411DUP", "F1", "100").vente("", "F2", "30").vente("C2", "F3", "1")
    lot = deposer(client, societe, contenu)
    reponse = client.get(corriger(client, lot))
    assert "Lignes à ventiler" in reponse.content.decode()
    ((ligne, _form),) = reponse.context["ventilations"]
    envoi = champs_de(reponse, {("411DUP", "fiches"): "DUPONT", (ligne["cle"], "client"): "C2"})
    client.post(corriger(client, lot), envoi)
    lot.refresh_from_db()
    assert {x["code"]: x["solde"] for x in lot.compte_rendu["par_client"]} == {"DUPONT": "100.00", "C2": "31.00"}


@pytest.mark.parametrize(
    ("champ", "valeur", "dit"),
    [("conditions", "bientôt", "Conditions illisibles"), ("fiches", "INCONNU", "Aucune fiche ne porte")],
)
def test_une_correction_impossible_se_dit(client, claire, societe, champ, valeur, dit):
    lot = deposer(client, societe, fec())
    envoi = champs_de(client.get(corriger(client, lot)), {("C1", champ): valeur})
    reponse = client.post(corriger(client, lot), envoi)
    assert reponse.status_code == 422 and dit in reponse.content.decode()
    lot.refresh_from_db()
    assert not lot.corrections


def test_applique_ou_voisin_rien_ne_se_corrige(client, claire, societe):
    lot = deposer(client, societe, fec())
    Lot.objects.update(statut="applique", applique_le=lot.created_at)
    assert client.get(corriger(client, lot)).status_code == 303
    assert client.put(corriger(client, lot)).status_code == 405
    client.force_login(UtilisateurFactory(role=Role.ADMINISTRATEUR))
    assert client.get(corriger(client, lot)).status_code == 404


def test_le_nombre_de_requetes_ne_depend_pas_du_nombre_de_comptes(client, claire, societe):
    comptes = []
    for n in (1, 20):
        lot = deposer(client, societe, fec(n))
        with CaptureQueriesContext(connection) as requetes:
            client.get(corriger(client, lot))
        comptes.append(len(requetes))
    assert comptes[0] == comptes[1]
