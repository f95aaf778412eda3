"""Ce que le contrat promet : pages, filtres, clés d'idempotence, versions, débit, erreurs, montants, langue."""

from decimal import Decimal

import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext

from clients.models import BlocageCommandes, Client
from factures.models import Encaissement, Lot, MouvementBancaire
from recouvrement.api.application import schema
from recouvrement.api.models import CleIdempotence
from recouvrement.comptes.models import Role
from recouvrement.journal.models import Maillon
from tests.clients.factories import ClientFactory, ContactFactory
from tests.comptes.factories import SocieteFactory
from tests.contentieux.factories import CourrierEnvoyeFactory
from tests.factures.factories import ECHUE_LE, EcheanceFactory, EncaissementFactory, ImputationFactory

from .monde import AU, Programme, jeton_de

PROBLEME = "application/problem+json"


def problemes(reponse) -> list[str]:
    assert reponse.headers["Content-Type"] == PROBLEME
    return [faute["champ"] for faute in reponse.json().get("champs", [])]


# --- Pages et filtres -----------------------------------------------------------------------------------


def test_les_pages_se_suivent_sans_trou_ni_doublon_meme_si_des_lignes_s_ajoutent(monde, api):
    for _ in range(4):
        ClientFactory(societe=monde.societe)
    premiere = api.get("clients", limite=2).json()
    ClientFactory(societe=monde.societe)
    lus, curseur = [c["id"] for c in premiere["donnees"]], premiere["curseur_suivant"]
    while curseur:
        page = api.get("clients", limite=2, curseur=curseur).json()
        lus += [c["id"] for c in page["donnees"]]
        curseur = page["curseur_suivant"]
    assert lus == sorted(Client.objects.filter(societe=monde.societe).values_list("pk", flat=True))


@pytest.mark.parametrize("curseur", ["x", "W10:abc", "éé", "a" * 300])
def test_un_curseur_fabrique_est_refuse(api, curseur):
    reponse = api.get("clients", curseur=curseur)
    assert (reponse.status_code, problemes(reponse)) == (422, ["curseur"])


def test_le_curseur_d_une_autre_liste_est_refuse(monde, api):
    ClientFactory(societe=monde.societe)
    curseur = api.get("clients", limite=1).json()["curseur_suivant"]
    assert api.get("factures", curseur=curseur).status_code == 422


@pytest.mark.parametrize("params", [
    {"limite": 201}, {"limite": 0}, {"limite": "dix"}, {"inconnu": 1}, {"type": "x"}, {"q": "a\x00b"},
    {"gestionnaire": 2**70}, {"modifie_depuis": "hier"}, {"modifie_depuis": "2026-11-20T10:00:00"},
])  # fmt: skip
def test_un_filtre_faux_se_nomme(api, params):
    reponse = api.get("clients", **params)
    assert (reponse.status_code, problemes(reponse)) == (422, list(params))


def test_la_balance_pagine_groupe_et_n_additionne_jamais_deux_devises(monde, api):
    for n in range(3):
        autre = ClientFactory(societe=monde.societe, segment=f"S{n}")
        EcheanceFactory(client=autre, echue_le=ECHUE_LE, montant=10, devise="USD" if n else "EUR")
    lues, curseur = [], None
    while True:
        page = api.get("balance", limite=1, **({"curseur": curseur} if curseur else {})).json()
        lues += page["donnees"]
        curseur = page["curseur_suivant"]
        if not curseur:
            break
    assert len(lues) == len({(x["cle"], x["devise"]) for x in lues}) == 4
    totaux = {t["devise"]: t["encours"] for t in page["totaux"]}
    for devise, total in totaux.items():
        assert sum(Decimal(x["encours"]) for x in lues if x["devise"] == devise) == Decimal(total)
    assert set(totaux) == {"EUR", "USD"}
    assert api.get("balance", par="segment", devise="USD").json()["donnees"][0]["nom"] == "S1"
    assert api.get("balance", au="2001-01-01").json()["totaux"] == []


def ajouter(monde, n):
    for i in range(n):
        client = ClientFactory(societe=monde.societe, gestionnaire=monde.equipe[Role.GESTIONNAIRE])
        ContactFactory(client=monde.client)
        e = EcheanceFactory(client=client, echue_le=ECHUE_LE)
        EcheanceFactory(client=monde.client, echue_le=ECHUE_LE)
        EncaissementFactory(client=client, date=AU)
        CourrierEnvoyeFactory([e], nature=4)
        BlocageCommandes.objects.create(client=client, motif="retard", pose_le=AU)
        Lot.objects.create(societe=monde.societe, fichier="f", empreinte="0", statut="depose")
        compte = monde.mouvement.compte
        MouvementBancaire.objects.create(
            societe=monde.societe, compte=compte, cle_source=f"m{i}", date=AU, montant=1, libelle="x"
        )


def test_le_nombre_de_requetes_ne_depend_pas_du_nombre_de_lignes(monde, api):
    pk = monde.client.pk
    listes = [
        "clients", f"clients/{pk}", f"clients/{pk}/contacts", "factures", "encaissements", "imports", "relances",
        "blocages", "mouvements", "balance", f"clients/{pk}/pourquoi", f"clients/{pk}/decompte",
    ]  # fmt: skip

    def mesurer(liste):
        with CaptureQueriesContext(
            connection,
        ) as requetes:
            reponse = api.get(liste)
        assert reponse.status_code == 200
        return len(requetes)

    mesurer("moi")
    avec_un = {liste: mesurer(liste) for liste in listes}
    ajouter(monde, 19)
    assert len(api.get("relances").json()["donnees"]) == 20
    assert {liste: mesurer(liste) for liste in listes} == avec_un


# --- Idempotence ----------------------------------------------------------------------------------------


def saisie(monde, **plus):
    return {"client": monde.client.pk, "montant": "120.50", "recu_le": "2026-11-19"} | plus


def test_la_meme_cle_rend_la_meme_reponse_et_n_ecrit_qu_une_fois(monde, api):
    avant = Encaissement.objects.count()
    premiere = api.post("encaissements", saisie(monde), cle="k1")
    seconde = api.post("encaissements", saisie(monde), cle="k1")
    assert (premiere.status_code, seconde.status_code) == (201, 201)
    assert premiere.json() == seconde.json()
    assert seconde.headers["Idempotency-Replayed"] == "true"
    assert "Idempotency-Replayed" not in premiere.headers
    assert Encaissement.objects.count() == avant + 1
    CleIdempotence.objects.all().delete()  # oubliée, la clé du service tient encore
    api.post("encaissements", saisie(monde), cle="k1")
    assert Encaissement.objects.count() == avant + 1


def test_la_meme_cle_pour_un_autre_corps_422_et_sans_cle_400(monde, api):
    api.post("encaissements", saisie(monde), cle="k2")
    autre = api.post("encaissements", saisie(monde, montant="1.00"), cle="k2")
    assert (autre.status_code, autre.json()["type"]) == (422, "/api/v1/#cle-reemployee")
    assert api.post("encaissements", saisie(monde), cle="").status_code == 400


def test_une_demande_en_cours_409_puis_reprise_apres_son_bail(monde, api, time_machine):
    api.post("encaissements", saisie(monde), cle="k3")
    CleIdempotence.objects.update(statut=0, corps=None)
    en_cours = api.post("encaissements", saisie(monde), cle="k3")
    assert (en_cours.status_code, en_cours.headers["Retry-After"]) == (409, "2")
    time_machine.shift(301)
    assert api.post("encaissements", saisie(monde), cle="k3").status_code == 201


def test_un_refus_libere_la_cle(monde, api):
    refus = api.post("encaissements", saisie(monde, recu_le="2026-11-21"), cle="k4")
    assert (refus.status_code, problemes(refus)) == (422, ["recu_le"])
    assert api.post("encaissements", saisie(monde), cle="k4").status_code == 201


def test_deux_jetons_n_ont_pas_les_memes_cles(monde, api):
    autre = Programme(jeton_de(monde.equipe[Role.ADMINISTRATEUR], monde.societe))
    un, deux = (p.post("encaissements", saisie(monde), cle="k5").json()["id"] for p in (api, autre))
    assert un != deux


# --- Écrire comme à l'écran -----------------------------------------------------------------------------


def test_modifier_un_client_avance_sa_version_et_refuse_une_version_perimee(monde, api):
    chemin = f"clients/{monde.client.pk}"
    lu = api("PATCH", chemin, {"version": 1, "adresse": "1 rue Neuve", "plafond": "1500.00"}).json()
    assert (lu["version"], lu["adresse"], lu["plafond"]) == (2, "1 rue Neuve", "1500.00")
    assert lu["raison_sociale"] == monde.client.raison_sociale
    perime = api("PATCH", chemin, {"version": 1, "ville": "Nantes"})
    assert (perime.status_code, perime.json()["version"]) == (409, 2)
    maillon = Maillon.objects.filter(action="client.modifie").latest("rang")
    assert maillon.acteur == monde.equipe[Role.RESPONSABLE]


def test_un_gestionnaire_ne_regle_pas_les_conditions_ni_le_portefeuille(monde):
    gestionnaire = Programme(jeton_de(monde.equipe[Role.GESTIONNAIRE], monde.societe))
    chemin = f"clients/{monde.client.pk}"
    for champ, valeur in (("plafond", "1.00"), ("conditions", "60J"), ("gestionnaire", monde.voisin.pk)):
        refus = gestionnaire("PATCH", chemin, {"version": 1, champ: valeur})
        assert (refus.status_code, problemes(refus)) == (422, [champ])
    assert gestionnaire("PATCH", chemin, {"version": 1, "ville": "Nantes"}).status_code == 200
    neuf = gestionnaire.post("clients", {"code": "N1", "raison_sociale": "Neuf"}).json()
    assert neuf["gestionnaire"]["id"] == monde.equipe[Role.GESTIONNAIRE].pk


@pytest.mark.parametrize(("champ", "valeur"), [
    ("siren", "123456789"), ("pays", "ZZ"), ("courriel", "pas une adresse"), ("conditions", "un jour"),
    ("cas_delai", "public"), ("inconnu", 1), ("plafond", 12.5), ("plafond", "1e3"), ("plafond", "-1"),
    ("raison_sociale", "a\x00"), ("delai_entre_contacts", 61), ("lre_acceptee_le", "2099-01-01"),
])  # fmt: skip
def test_un_champ_faux_se_nomme_et_rien_n_est_ecrit(monde, api, champ, valeur):
    refus = api("PATCH", f"clients/{monde.client.pk}", {"version": 1, champ: valeur})
    assert (refus.status_code, problemes(refus)) == (422, [champ])
    monde.client.refresh_from_db()
    assert monde.client.version == 1


def test_un_code_deja_pris_est_refuse_dans_la_societe_et_libre_ailleurs(monde, api):
    ClientFactory(societe=SocieteFactory(), code="PARTAGE")
    assert api.post("clients", {"code": "PARTAGE", "raison_sociale": "Un"}).status_code == 201
    refus = api.post("clients", {"code": "PARTAGE", "raison_sociale": "Deux"})
    assert (refus.status_code, problemes(refus)) == (422, ["code"])


def test_affecter_pose_au_centime_et_jamais_trop(monde, api):
    chemin, e = f"encaissements/{monde.encaissement.pk}/affecter", monde.echeance

    def affecter(montant, **plus):
        return api.post(chemin, {"parts": [{"echeance": e.pk, "montant": montant}]} | plus)

    assert problemes(affecter("1000.01")) == ["parts.0.montant"]
    assert affecter("300.01").status_code == 422
    assert affecter("100.10", deja_affecte="5.00").status_code == 422
    lu = affecter("100.10", deja_affecte="0.00").json()
    assert (lu["affecte"], lu["a_affecter"], lu["affectations"][0]["montant"]) == ("100.10", "199.90", "100.10")
    etrangere = EcheanceFactory(client=ClientFactory(societe=monde.societe))
    refus = api.post(chemin, {"parts": [{"echeance": etrangere.pk, "montant": "1.00"}]})
    assert problemes(refus) == ["parts.0"]
    assert api.post(chemin, {"parts": []}).status_code == 422


def test_une_facture_dit_ses_echeances_son_reste_et_son_litige(monde, api):
    e = EcheanceFactory(client=monde.client, echue_le=ECHUE_LE, montant=1000, en_litige=Decimal(200))
    ImputationFactory(echeance=e, montant=Decimal("300.25"))
    lu = api.get(f"factures/{e.facture_id}").json()
    assert (lu["reste_du"], lu["statut"]) == ("699.75", "ouverte")
    assert lu["echeances"][0]["litige"]["montant_conteste"] == "200.00"
    ouvertes = {f["id"] for f in api.get("factures", ouverte="true").json()["donnees"]}
    soldees = {f["id"] for f in api.get("factures", ouverte="false").json()["donnees"]}
    assert e.facture_id in ouvertes and not ouvertes & soldees


def test_pourquoi_dit_comme_l_ecran_et_refuse_l_avenir(monde, api):
    lu = api.get(f"echeances/{monde.echeance.pk}/pourquoi").json()
    liste = api.get(f"clients/{monde.client.pk}/pourquoi").json()["donnees"]
    assert liste == [lu] and lu["phrase"] and lu["rejugee"]
    assert problemes(api.get(f"clients/{monde.client.pk}/pourquoi", le="2027-01-01")) == ["le"]
    tot = api.get(f"clients/{monde.client.pk}/pourquoi", le="2020-01-01").json()
    assert tot["donnees"] == []


def test_un_import_se_depose_s_applique_ou_s_abandonne(monde, api):
    from django.core.files.uploadedfile import SimpleUploadedFile

    lot = api.deposer(SimpleUploadedFile("clients.csv", b"code;raison_sociale\nC1;Un\n"), cle="d1")
    assert (lot.status_code, lot.json()["statut"]) == (201, "depose")
    encore = api.deposer(SimpleUploadedFile("clients.csv", b"code;raison_sociale\nC1;Un\n"), cle="d1")
    assert encore.json()["id"] == lot.json()["id"]
    autre = api.deposer(SimpleUploadedFile("clients.csv", b"code;raison_sociale\nC2;Deux\n"), cle="d1")
    assert autre.status_code == 422
    chemin = f"imports/{monde.lot.pk}"
    Lot.objects.filter(pk=monde.lot.pk).update(compte_rendu={"rejets": [{"ligne": 2, "champ": "x", "motif": "faux"}]})
    assert problemes(api.post(f"{chemin}/appliquer")) == ["partiel"]
    assert api.post(f"{chemin}/appliquer", {"partiel": True}).json()["statut"] == "en_cours"
    assert api.post(f"{chemin}/appliquer", {"partiel": True}).status_code == 409
    assert api.post(f"{chemin}/abandonner").status_code == 409


# --- Protocole ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("methode", "chemin", "corps", "type", "statut"), [
    ("DELETE", "clients", None, "application/json", 405),
    ("OPTIONS", "clients", None, "application/json", 405),
    ("GET", "nulle-part", None, "application/json", 404),
    ("GET", "clients/x", None, "application/json", 404),
    ("GET", f"clients/{2**63}", None, "application/json", 404),
    ("POST", "clients", "<a/>", "application/xml", 415),
    ("POST", "clients", "{", "application/json", 400),
    ("POST", "clients", "[" * 20_000, "application/json", 400),
    ("POST", "clients", '{"code": "' + "x" * 1_100_000 + '"}', "application/json", 413),
    ("POST", "imports", "{}", "application/json", 415),
    ("POST", "clients", "[]", "application/json", 422),
    ("POST", "clients", '{"code": "\\ud800", "raison_sociale": "x"}', "application/json", 422),
])  # fmt: skip
def test_toute_erreur_est_un_probleme_documente(api, methode, chemin, corps, type, statut):
    reponse = api(methode, chemin, corps, type=type)
    assert (reponse.status_code, reponse.headers["Content-Type"]) == (statut, PROBLEME)
    lu = reponse.json()
    assert lu["status"] == statut and lu["title"] and lu["detail"]
    if statut == 405:
        assert reponse.headers["Allow"] == "GET, POST"


def test_les_erreurs_parlent_la_langue_demandee(monde):
    jeton = jeton_de(monde.equipe[Role.RESPONSABLE], monde.societe)
    francais = Programme(jeton, **{"Accept-Language": "de, fr;q=0.5"}).get("clients/0")
    anglais = Programme(jeton, **{"Accept-Language": "en-GB"}).get("clients/0")
    assert (francais.headers["Content-Language"], anglais.headers["Content-Language"]) == ("fr", "en")


def test_rien_d_interne_ne_sort_d_une_erreur_imprevue(monde, api, monkeypatch):
    from recouvrement.api.ressources import divers

    def casser(*_):
        raise RuntimeError("secret de la maison")

    monkeypatch.setattr(divers, "hors_du_role", casser)
    reponse = api.get("moi")
    assert (reponse.status_code, reponse.headers["Content-Type"]) == (500, PROBLEME)
    assert b"secret" not in reponse.content


def test_le_debit_se_compte_par_jeton(monde, api, settings):
    settings.API_DEMANDES_PAR_MINUTE = 2
    cache.clear()
    restes = [api.get("moi").headers["RateLimit-Remaining"] for _ in range(2)]
    trop = api.get("moi")
    assert restes == ["1", "0"]
    assert (trop.status_code, trop.headers["Retry-After"]) == (429, "60")
    assert trop.headers["RateLimit-Limit"] == "2"
    autre = Programme(jeton_de(monde.equipe[Role.ADMINISTRATEUR], monde.societe))
    assert autre.get("moi").status_code == 200


def test_head_lit_comme_get_et_aucune_origine_n_est_admise(api):
    reponse = api("HEAD", "clients", Origin="https://ailleurs.example")
    assert reponse.status_code == 200
    assert not [nom for nom in reponse.headers if nom.lower().startswith("access-control")]
    assert reponse.headers["Cache-Control"] == "no-store"


# --- Contrat publié -------------------------------------------------------------------------------------


def test_le_schema_est_public_et_chaque_exemple_y_repond(client, db):
    from jsonschema_rs import Draft202012Validator

    publie = client.get("/api/v1/openapi.json").json()
    assert publie == schema() or publie["paths"].keys() == schema()["paths"].keys()
    composants = {"components": publie["components"]}
    vus = 0
    for methodes in publie["paths"].values():
        for details in methodes.values():
            contenus = [r.get("content", {}) for r in details["responses"].values()]
            contenus.append(details.get("requestBody", {}).get("content", {}))
            for contenu in (c for lot in contenus for c in lot.values()):
                if "example" in contenu:
                    Draft202012Validator(contenu["schema"] | composants).validate(contenu["example"])
                    vus += 1
            assert details["description"] and details["summary"]
            assert {"401", "403", "405", "422", "429", "500"} <= {str(code) for code in details["responses"]}
    assert vus > 50


def test_aucun_montant_ni_aucune_date_ne_sort_en_nombre(monde, api):
    def nombres(valeur, chemin=""):
        if isinstance(valeur, float):
            yield chemin
        elif isinstance(valeur, dict):
            for cle, v in valeur.items():
                yield from nombres(v, f"{chemin}.{cle}")
        elif isinstance(valeur, list):
            for v in valeur:
                yield from nombres(v, chemin)

    pk = monde.client.pk
    for liste in (
        "clients",
        "factures",
        "encaissements",
        "relances",
        "balance",
        f"clients/{pk}/decompte",
        "mouvements",
    ):
        assert list(nombres(api.get(liste).json())) == []
