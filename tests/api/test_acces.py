"""Chaque opération × tous ceux qui frappent : sans jeton 401, sans portée 403, chez un autre 404, sinon elle répond."""

from datetime import timedelta

import pytest
from django.utils import timezone

from clients.models import Client
from recouvrement.api.application import operations
from recouvrement.api.models import JetonApi
from recouvrement.api.portees import Portee
from recouvrement.comptes.models import Affectation, Role

from .monde import AU, TOUTES, Programme, jeton_de

CREATION = {"code": "NEUF", "raison_sociale": "Neuf"}
# (méthode, chemin) → (objet de {id}, corps, statut attendu).
ESSAIS = {
    ("GET", "moi"): (None, None, 200),
    ("GET", "blocages"): (None, None, 200),
    ("GET", "mouvements"): (None, None, 200),
    ("GET", "clients"): (None, None, 200),
    ("POST", "clients"): (None, CREATION, 201),
    ("GET", "clients/{id}"): ("client", None, 200),
    ("PATCH", "clients/{id}"): ("client", {"version": 1, "ville": "Nantes"}, 200),
    ("GET", "clients/{id}/contacts"): ("client", None, 200),
    ("POST", "clients/{id}/contacts"): ("client", {"nom": "Agathe"}, 201),
    ("GET", "factures"): (None, None, 200),
    ("GET", "factures/{id}"): ("facture", None, 200),
    ("GET", "encaissements"): (None, None, 200),
    ("POST", "encaissements"): (None, {"client": "client", "montant": "5.00", "recu_le": "2026-11-19"}, 201),
    ("GET", "encaissements/{id}"): ("encaissement", None, 200),
    ("POST", "encaissements/{id}/affecter"): (
        "encaissement", {"parts": [{"echeance": "echeance", "montant": "5.00"}]}, 200,
    ),
    ("GET", "imports"): (None, None, 200),
    ("POST", "imports"): (None, "fichier", 201),
    ("GET", "imports/{id}"): ("lot", None, 200),
    ("POST", "imports/{id}/appliquer"): ("lot", {}, 202),
    ("POST", "imports/{id}/abandonner"): ("lot", None, 200),
    ("GET", "relances"): (None, None, 200),
    ("GET", "relances/{id}"): ("courrier", None, 200),
    ("GET", "relances/{id}/pdf"): ("courrier", None, 200),
    ("GET", "echeances/{id}/pourquoi"): ("echeance", None, 200),
    ("GET", "clients/{id}/pourquoi"): ("client", None, 200),
    ("GET", "balance"): (None, None, 200),
    ("GET", "clients/{id}/decompte"): ("client", None, 200),
}  # fmt: skip
OPERATIONS = {
    (op.methods[0], chemin): op.auth_callbacks[0].portee for chemin, ops in operations().items() for op in ops
}
CAS = sorted(ESSAIS)
PAR_SOCIETE = ("lot",)  # un import est à la société : le voisin de bureau le voit, comme à l'écran


def remplir(valeur, monde):
    if isinstance(valeur, dict):
        return {nom: remplir(v, monde) for nom, v in valeur.items()}
    if isinstance(valeur, list):
        return [remplir(v, monde) for v in valeur]
    objet = getattr(monde, valeur, None) if isinstance(valeur, str) else None
    return getattr(objet, "pk", valeur)


def frapper(programme: Programme, cas, monde, fichier):
    methode, chemin = cas
    objet, corps, _statut = ESSAIS[cas]
    if objet:
        chemin = chemin.replace("{id}", str(getattr(monde, objet).pk))
    if corps == "fichier":
        return programme.deposer(fichier())
    return programme(methode, chemin, remplir(corps, monde))


@pytest.fixture
def fichier():
    from django.core.files.uploadedfile import SimpleUploadedFile

    return lambda: SimpleUploadedFile("clients.csv", b"code;raison_sociale\nC1;Un\n", "text/csv")


def test_chaque_operation_a_son_essai():
    assert set(OPERATIONS) == set(ESSAIS)


def test_seule_moi_se_passe_de_portee():
    assert [cas for cas, portee in OPERATIONS.items() if portee is None] == [("GET", "moi")]
    assert {p for p in OPERATIONS.values() if p} == set(Portee)


@pytest.mark.parametrize("cas", CAS, ids=" ".join)
def test_sans_jeton_401_et_avec_tout_elle_repond(cas, monde, api, fichier):
    absent = frapper(Programme(), cas, monde, fichier)
    assert absent.status_code == 401
    assert absent.headers["WWW-Authenticate"].startswith("Bearer")
    reponse = frapper(api, cas, monde, fichier)
    assert reponse.status_code == ESSAIS[cas][2], reponse.content


@pytest.mark.parametrize("cas", [cas for cas in CAS if OPERATIONS[cas]], ids=" ".join)
def test_sans_la_portee_ou_sans_le_droit_403(cas, monde, fichier):
    portee = OPERATIONS[cas]
    autres = [p for p in TOUTES if p != portee]
    prive = Programme(jeton_de(monde.equipe[Role.RESPONSABLE], monde.societe, portees=autres))
    assert frapper(prive, cas, monde, fichier).json()["type"] == "/api/v1/#portee-absente"
    # La portée reste au jeton, la personne a changé de rôle : c'est le rôle qui décide.
    texte = jeton_de(monde.equipe[Role.ADMINISTRATEUR], monde.societe, portees=[portee])
    Affectation.objects.filter(utilisateur=monde.equipe[Role.ADMINISTRATEUR]).update(role=Role.LECTEUR)
    permis = Portee(portee).value.endswith(":lire") and not portee.startswith("imports")
    assert (frapper(Programme(texte), cas, monde, fichier).status_code == 403) is not permis


@pytest.mark.parametrize("cas", [cas for cas in CAS if ESSAIS[cas][0]], ids=" ".join)
def test_l_objet_d_un_autre_portefeuille_ou_d_une_autre_societe_404(cas, monde, fichier):
    etranger = Programme(jeton_de(monde.etranger, monde.ailleurs))
    reponse = frapper(etranger, cas, monde, fichier)
    assert (reponse.status_code, reponse.json()["type"]) == (404, "/api/v1/#introuvable")
    if ESSAIS[cas][0] not in PAR_SOCIETE:
        assert frapper(Programme(jeton_de(monde.voisin, monde.societe)), cas, monde, fichier).status_code == 404


def test_un_jeton_n_ouvre_que_sa_societe(monde):
    """La personne a deux sociétés ; le jeton, une seule."""
    responsable = monde.equipe[Role.RESPONSABLE]
    Affectation.objects.create(utilisateur=responsable, societe=monde.ailleurs, role=Role.ADMINISTRATEUR)
    ailleurs = Programme(jeton_de(responsable, monde.ailleurs))
    assert Client.objects.visibles_pour(responsable).filter(pk=monde.client.pk).exists()
    assert ailleurs.get(f"clients/{monde.client.pk}").status_code == 404
    assert ailleurs.get("clients").json()["donnees"] == []
    assert ailleurs.post("encaissements", {
        "client": monde.client.pk, "montant": "5.00", "recu_le": "2026-11-19"
    }).status_code == 422  # fmt: skip


# --- Le jeton lui-même ----------------------------------------------------------------------------------


def test_le_jeton_revoque_expire_ou_ferme_ne_vaut_plus_rien(monde, time_machine):
    responsable = monde.equipe[Role.RESPONSABLE]
    programme = Programme(jeton_de(responsable, monde.societe))
    jeton = JetonApi.objects.latest("pk")
    assert programme.get("moi").status_code == 200
    responsable.is_active = False
    responsable.save()
    assert "n’a plus accès" in programme.get("moi").json()["detail"]
    responsable.is_active = True
    responsable.save()
    Affectation.objects.filter(utilisateur=responsable).delete()
    assert programme.get("moi").status_code == 401
    Affectation.objects.create(utilisateur=responsable, societe=monde.societe, role=Role.RESPONSABLE)
    time_machine.move_to(f"{AU + timedelta(90)} 23:30 +0100", tick=False)
    assert programme.get("moi").status_code == 200  # le dernier jour vaut encore
    time_machine.move_to(f"{AU + timedelta(91)} 00:30 +0100", tick=False)
    assert programme.get("moi").json()["detail"] == "Ce jeton a expiré."
    JetonApi.objects.filter(pk=jeton.pk).update(revoque_le=timezone.now())
    assert programme.get("moi").json()["detail"] == "Ce jeton est révoqué."


@pytest.mark.parametrize("entete", [
    "", "Bearer", "Bearer rcv", "Bearer rcv_", "Bearer rcv__", "Basic dXNlcjpw", "Bearer rcv_abc_def",
    "Bearer rcv_" + "é" * 9 + "_x", "Bearer rcv_a_" + "x" * 400, "Bearer rcv_%_%", "rcv_abc_def", "Bearer xyz_a_b",
])  # fmt: skip
def test_un_jeton_mal_forme_est_refuse(monde, entete):
    reponse = Programme(Authorization=entete).get("moi")
    assert (reponse.status_code, reponse.headers["Content-Type"]) == (401, "application/problem+json")


def test_un_autre_secret_sous_le_meme_prefixe_est_refuse(monde):
    texte = jeton_de(monde.equipe[Role.RESPONSABLE], monde.societe)
    faux = texte[:-1] + ("0" if texte[-1] != "0" else "1")
    assert Programme(faux).get("moi").status_code == 401


def test_la_base_ne_garde_que_l_empreinte(monde):
    texte = jeton_de(monde.equipe[Role.RESPONSABLE], monde.societe)
    jeton = JetonApi.objects.latest("pk")
    secret = texte.split("_")[2]
    assert len(bytes.fromhex(secret)) == 32
    assert secret not in str(vars(jeton)) and len(jeton.empreinte) == 64


def test_le_dernier_usage_s_ecrit_une_fois_par_minute(monde, api, time_machine, django_assert_num_queries):
    def lu():
        return JetonApi.objects.latest("pk").dernier_usage_le

    api.get("moi")
    premier = lu()
    time_machine.shift(30)
    api.get("moi")
    assert lu() == premier
    time_machine.shift(31)
    api.get("moi")
    assert lu() == premier + timedelta(seconds=61)


def test_moi_dit_ce_que_le_role_laisse(monde):
    texte = jeton_de(monde.equipe[Role.ADMINISTRATEUR], monde.societe, portees=["clients:ecrire", "clients:lire"])
    Affectation.objects.filter(utilisateur=monde.equipe[Role.ADMINISTRATEUR]).update(role=Role.LECTEUR)
    lu = Programme(texte).get("moi").json()
    assert lu["portees"] == ["clients:lire"]
    assert lu["societe"]["code"] == monde.societe.code
