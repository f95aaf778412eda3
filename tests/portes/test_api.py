"""Ce que la loi ou la maison interdit à l'écran ne s'obtient pas par l'API."""

from datetime import date, timedelta

import pytest
from django.core.cache import cache

from clients.models import TypeDebiteur
from recouvrement.api.application import operations
from recouvrement.comptes.models import Role
from relances.models import Courrier
from relances.services.plans import installer_plans
from tests.api.monde import AU, Programme, jeton_de
from tests.clients.factories import ClientFactory
from tests.comptes.factories import SocieteFactory, UtilisateurFactory
from tests.contentieux.factories import CourrierEnvoyeFactory
from tests.factures.factories import EcheanceFactory, EncaissementFactory


@pytest.fixture
def societe(db, time_machine):
    time_machine.move_to("2026-11-20 10:00 +0100", tick=False)
    cache.clear()
    societe = SocieteFactory()
    installer_plans(societe)
    return societe


@pytest.fixture
def api(societe) -> Programme:
    return Programme(jeton_de(UtilisateurFactory(societe=societe, role=Role.ADMINISTRATEUR), societe))


def champs(reponse):
    return [faute["champ"] for faute in reponse.json()["champs"]]


def test_jamais_de_taux_de_professionnel_pour_un_consommateur(societe, api):
    particulier = ClientFactory(societe=societe, particulier=True)
    refus = api("PATCH", f"clients/{particulier.pk}", {"version": 1, "taux_penalites": "12.00"})
    assert (refus.status_code, champs(refus)) == (422, ["taux_penalites"])
    neuf = {"code": "P1", "raison_sociale": "Mme Roy", "type": "particulier", "taux_penalites": "12.00"}
    assert champs(api.post("clients", neuf)) == ["taux_penalites"]


def test_un_consommateur_ne_doit_ni_penalites_ni_quarante_euros(societe, api):
    particulier = ClientFactory(societe=societe, particulier=True)
    EcheanceFactory(client=particulier, echue_le=AU - timedelta(90))
    devise = api.get(f"clients/{particulier.pk}/decompte").json()["devises"][0]
    assert (devise["interets"], devise["indemnites"], devise["total"]) == ("0.00", "0.00", "1000.00")


def test_un_debiteur_a_qualifier_ne_se_chiffre_pas(societe, api):
    inconnu = ClientFactory(societe=societe, type=TypeDebiteur.A_QUALIFIER)
    EcheanceFactory(client=inconnu, echue_le=AU - timedelta(90))
    devise = api.get(f"clients/{inconnu.pk}/decompte").json()["devises"][0]
    assert not devise["calculable"] and devise["total"] is None and devise["refus"]


def test_le_type_ne_change_pas_sous_une_lettre_chiffree_qui_attend(societe, api):
    client = ClientFactory(societe=societe)
    piece = EcheanceFactory(client=client, echue_le=AU - timedelta(60))
    courrier = CourrierEnvoyeFactory([piece], nature=5)
    Courrier.objects.filter(pk=courrier.pk).update(statut=Courrier.Statut.A_VALIDER)
    refus = api("PATCH", f"clients/{client.pk}", {"version": 1, "type": "particulier"})
    assert (refus.status_code, champs(refus)) == (422, ["type"])


def test_le_jugement_ne_s_efface_pas_et_vaut_pour_une_fiche_neuve(societe, api):
    juge = ClientFactory(societe=societe, jugement_ouverture_le=date(2026, 10, 1))
    for champ in ("jugement_ouverture_le", "procedure_cloturee_le", "version_courante", "societe"):
        assert champs(api("PATCH", f"clients/{juge.pk}", {"version": 1, champ: None})) == [champ]
    neuf = api.post("clients", {"code": "J2", "raison_sociale": "Même débiteur", "siren": juge.siren}).json()
    assert neuf["jugement_ouverture_le"] == "2026-10-01"


def test_l_argent_d_un_client_ne_paie_pas_un_autre_ni_une_autre_devise(societe, api):
    un, autre = ClientFactory(societe=societe), ClientFactory(societe=societe)
    recu = EncaissementFactory(client=un, date=AU)
    for piece in (EcheanceFactory(client=autre), EcheanceFactory(client=un, devise="USD")):
        refus = api.post(f"encaissements/{recu.pk}/affecter", {"parts": [{"echeance": piece.pk, "montant": "1.00"}]})
        assert refus.status_code == 422
    recu.refresh_from_db()
    assert recu.impute == 0


def test_rien_ne_part_ne_se_leve_ni_s_ouvre_en_contentieux_par_l_api():
    """Envoyer, valider, lever un frein, ouvrir un dossier : une personne, à l'écran."""
    ecrites = {(op.methods[0], chemin) for chemin, ops in operations().items() for op in ops if op.methods[0] != "GET"}
    assert ecrites == {
        ("POST", "clients"), ("PATCH", "clients/{id}"), ("POST", "clients/{id}/contacts"), ("POST", "encaissements"),
        ("POST", "encaissements/{id}/affecter"), ("POST", "imports"), ("POST", "imports/{id}/appliquer"),
        ("POST", "imports/{id}/abandonner"),
    }  # fmt: skip
