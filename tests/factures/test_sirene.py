"""SIRENE : formes lues, ce qui s'écarte, ce qui se propose sans jamais s'écrire."""

import json
from datetime import date

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given, settings
from hypothesis import strategies as st

from clients.models import CorrectionProposee
from factures.imports.fichier import examiner_fichier
from factures.imports.lecteurs import lire_seul
from factures.imports.texte import FichierRefuse
from tests.clients.factories import ClientFactory
from tests.comptes.factories import SocieteFactory
from tests.factures.imports_essai import prendre

SIREN, SIRET = "732829320", "73282932000074"


def recherche(**champs) -> dict:
    siege = {
        "siret": SIRET, "numero_voie": "8", "type_voie": "BD", "libelle_voie": "VOLTAIRE", "code_postal": "75011",
        "libelle_commune": "PARIS", "complement_adresse": None,
    } | champs.pop("siege", {})  # fmt: skip
    return {"siren": SIREN, "siege": siege, "etat_administratif": "A", "nom_raison_sociale": "DURAND"} | champs


def insee(**unite) -> dict:
    return {
        "header": {"statut": 200},
        "uniteLegale": {
            "siren": SIREN, "prenom1UniteLegale": None,
            "periodesUniteLegale": [
                {"dateFin": "2024-01-01", "denominationUniteLegale": "ANCIEN", "etatAdministratifUniteLegale": "A"},
                {"dateFin": None, "dateDebut": "2025-06-30", "denominationUniteLegale": "NEUF",
                 "nicSiegeUniteLegale": "00074", "etatAdministratifUniteLegale": "C"} | unite,
            ][::-1],
        },
    }  # fmt: skip


def lire(objet):
    contenu = objet if isinstance(objet, bytes) else json.dumps(objet).encode()
    lot = lire_seul(examiner_fichier(contenu, "a"))
    return list(lot.elements), lot


def test_l_api_recherche_d_entreprises_dit_l_etat_le_nom_et_le_siege():
    (lue,), lot = lire({"results": [recherche()]})
    assert (lue.siren, lue.siret, lue.active) == (SIREN, SIRET, True)
    assert lue.valeurs["adresse"] == "8 BD VOLTAIRE" and lue.valeurs["ville"] == "PARIS"
    assert lot.faits == {"entreprises": 1, "actives": 1, "fermees": 0, "siren": SIREN, "nom": "DURAND", "etat": "A",
                         "siege": SIRET}  # fmt: skip


def test_la_periode_en_cours_de_l_insee_fait_foi():
    (lue,), _lot = lire(insee())
    assert (lue.valeurs["raison_sociale"], lue.active, lue.fermee_le) == ("NEUF", False, date(2025, 6, 30))
    assert lue.siret == SIRET


def test_un_nom_masque_ne_propose_rien():
    (lue,), _lot = lire(insee(denominationUniteLegale="[ND]"))
    assert "raison_sociale" not in lue.valeurs


@pytest.mark.parametrize(
    ("reponse", "phrase"),
    [
        ({"errors": [{"title": "Entité non traitable", "detail": "mauvais siret"}]}, "mauvais siret"),
        ({"erreur": "Veuillez indiquer un paramètre"}, "Veuillez"),
        ({"header": {"statut": 404, "message": "Aucun élément"}, "uniteLegale": None}, "404"),
    ],
)
def test_une_reponse_d_erreur_est_refusee_en_la_disant(reponse, phrase):
    with pytest.raises(FichierRefuse, match=phrase):
        list(lire_seul(examiner_fichier(json.dumps(reponse).encode(), "a"), "sirene").elements)


def test_le_stock_se_lit_en_flux_et_ecarte_les_purgees():
    entete = "siren,unitePurgeeUniteLegale,dateCreationUniteLegale,dateDebut,etatAdministratifUniteLegale," \
             "denominationUniteLegale,nomenclatureActivitePrincipaleUniteLegale,nicSiegeUniteLegale\n"  # fmt: skip
    lignes = "012345678,,pas-une-date,2001-02-03,C,ALPHA,NAFRev2,00011\n552100554,true,,,A,B,NAFRev2,00012\n" \
             "552100554,,,,A,B,NAF,00012\n5521,,,,A,B,NAFRev2,00012\n552100554,,,,Z,B,NAFRev2,00012\n"  # fmt: skip
    lues, lot = lire((entete + lignes).encode())
    assert [(x.siren, x.siret, x.active, x.fermee_le) for x in lues] == [
        ("012345678", "01234567800011", False, date(2001, 2, 3))
    ]
    assert (lot.faits["unites"], lot.faits["ecartees"], lot.faits["dates_illisibles"]) == (5, 2, 1)
    assert [r.champ for r in lot.rejets] == ["siren", "etatAdministratifUniteLegale"]


@settings(max_examples=80, deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=15),
        lambda x: st.lists(x, max_size=4) | st.dictionaries(
            st.sampled_from(["siren", "siret", "siege", "results", "uniteLegale", "etablissements",
                             "periodesUniteLegale",
                             "etat_administratif", "errors", "header", "statut", "nom_complet", "dateDebut"]), x,
            max_size=5),
        max_leaves=25,
    )
)  # fmt: skip
def test_aucun_json_ne_fait_tomber_la_lecture(objet):
    try:
        list(lire_seul(examiner_fichier(json.dumps(objet).encode(), "a"), "sirene").elements)
    except FichierRefuse:
        pass


@pytest.mark.parametrize("contenu", [b'{"uniteLegale": ', b'{"uniteLegale": ' + b"[" * 100_000, b'"uniteLegale"'])
def test_un_json_casse_est_refuse_ou_ne_dit_rien(contenu):
    try:
        assert not list(lire_seul(examiner_fichier(contenu, "a"), "sirene").elements)
    except FichierRefuse as refus:
        assert "JSON" in str(refus) or "SIRENE" in str(refus)


# --- Propositions ------------------------------------------------------------------------------


@pytest.fixture
def client(db):
    return ClientFactory(
        societe=SocieteFactory(), siren=SIREN, siret="73282932000066", raison_sociale="Société Ancienne",
        adresse="1 rue Vieille", code_postal="69003", ville="Lyon",
    )  # fmt: skip


def propositions(client) -> dict[str, str]:
    return dict(CorrectionProposee.objects.filter(client=client).values_list("champ", "apres"))


def test_nom_siege_et_adresse_se_proposent_et_rien_ne_s_ecrit(client):
    rendu = prendre(client.societe, json.dumps({"results": [recherche()]}))
    assert rendu.crees["corrections"] == 3
    assert propositions(client) == {
        "raison_sociale": "DURAND", "siret": SIRET, "adresse": "8 BD VOLTAIRE\n\n75011\nPARIS"
    }  # fmt: skip
    client.refresh_from_db()
    assert client.raison_sociale == "Société Ancienne" and client.ville == "Lyon"


def test_rejouer_ne_repropose_rien_un_refus_non_plus(client):
    contenu = json.dumps({"results": [recherche()]})
    prendre(client.societe, contenu)
    CorrectionProposee.objects.filter(champ="siret").update(statut="refusee", decidee_le="2026-03-01T00:00Z")
    rendu = prendre(client.societe, contenu)
    assert (rendu.crees["corrections"], rendu.inchanges["corrections"]) == (0, 3)
    assert CorrectionProposee.objects.count() == 3


def test_un_registre_plus_recent_remplace_la_proposition_en_attente(client):
    prendre(client.societe, json.dumps({"results": [recherche()]}))
    prendre(client.societe, json.dumps({"results": [recherche(nom_raison_sociale="MARTIN")]}))
    assert propositions(client)["raison_sociale"] == "MARTIN"


def test_une_entreprise_cessee_ne_propose_que_sa_cessation(client):
    prendre(client.societe, json.dumps(insee()))
    assert list(propositions(client)) == ["cessation"]
    assert "30/06/2025" in propositions(client)["cessation"]


@pytest.mark.parametrize(
    "fiche",
    [
        {"raison_sociale": "Durand SARL"}, {"raison_sociale": "S.A.S. DURAND"},
        {"adresse": "8, boulevard Voltaire"}, {"ville": "Paris cedex 11"},
    ],
)  # fmt: skip
def test_une_variante_d_ecriture_ne_se_propose_pas(fiche, db):
    base = {"raison_sociale": "Durand", "adresse": "8 bd Voltaire", "code_postal": "75011", "ville": "Paris"}
    client = ClientFactory(siren=SIREN, siret=SIRET, **base | fiche)
    prendre(client.societe, json.dumps({"results": [recherche()]}))
    assert propositions(client) == {}


def test_un_zero_de_tete_se_garde(db):
    client = ClientFactory(siren="005520135", raison_sociale="X")
    prendre(client.societe, json.dumps({"results": [recherche(siren="005520135", siege={"siret": ""})]}))
    assert propositions(client)["raison_sociale"] == "DURAND"


def test_le_nombre_de_requetes_ne_suit_pas_les_clients(db):
    def compter(n):
        societe = SocieteFactory()
        for i in range(n):
            ClientFactory(societe=societe, siren=f"{100000000 + i}")
        lignes = [recherche(siren=f"{100000000 + i}", siege={"siret": ""}) for i in range(n)]
        with CaptureQueriesContext(connection) as capture:
            prendre(societe, json.dumps({"results": lignes}))
        return len(capture)

    compter(1)
    assert compter(2) == compter(40)
