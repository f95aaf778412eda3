"""Emporter un client ou une société : tout y est, rien d'un autre, aucun secret, et l'archive se relit."""

import csv
import io
import zipfile
from datetime import date

import pytest
from django.apps import apps
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from clients.documents import ajouter_document
from clients.models import Client
from factures.models import CopieFacture
from recouvrement.commun import depot
from recouvrement.journal.models import Maillon
from recouvrement.pilotage.archives import SECRETS, TABLES, Archive
from relances.models import Declaration, LienPortail, MessageRecu
from tests.clients.factories import ClientFactory
from tests.comptes.factories import SocieteFactory, UtilisateurFactory
from tests.contentieux.factories import CourrierEnvoyeFactory, DossierFactory, pdf
from tests.factures.factories import EcheanceFactory, EncaissementFactory


@pytest.fixture
def societe(db, settings, tmp_path):
    settings.DEPOT = tmp_path / "depot"
    return SocieteFactory()


def plein(societe, **champs):
    client = ClientFactory(societe=societe, **champs)
    echeance = EcheanceFactory(client=client, echue_le=date(2026, 9, 1))
    EncaissementFactory(client=client)
    DossierFactory(client=client)
    courrier = CourrierEnvoyeFactory([echeance], nature=4)
    contenu = f"%PDF-1.4 facture de {client.code}".encode()
    chemin, empreinte = depot.ranger(contenu, ".pdf")
    CopieFacture.objects.create(
        facture=echeance.facture, nom="F1.pdf", chemin=chemin, empreinte=empreinte, taille=len(contenu)
    )
    return client, echeance, courrier


def ouvrir(octets) -> zipfile.ZipFile:
    archive = zipfile.ZipFile(io.BytesIO(octets))
    assert archive.testzip() is None
    return archive


def table(archive, nom) -> list[dict]:
    texte = archive.read(f"{nom}.csv").decode()
    return list(csv.DictReader(io.StringIO(texte[1:]), delimiter=";"))


def test_un_client_s_emporte_entier_et_seul(client, societe):
    choisi, echeance, courrier = plein(societe, raison_sociale="Le mien")
    plein(societe, raison_sociale="Un autre")
    client.force_login(UtilisateurFactory(role="lecteur", societe=societe))
    reponse = client.get(reverse("pilotage:archive_client", args=[choisi.pk]))
    archive = ouvrir(b"".join(reponse.streaming_content))
    assert [ligne["raison_sociale"] for ligne in table(archive, "clients")] == ["Le mien"]
    assert {int(ligne["client_id"]) for ligne in table(archive, "echeances")} == {choisi.pk}
    (copie,) = [nom for nom in archive.namelist() if nom.startswith("factures/")]
    assert archive.read(copie) == f"%PDF-1.4 facture de {choisi.code}".encode()
    assert str(courrier.pk) in {ligne["id"] for ligne in table(archive, "courriers")}
    assert {int(ligne["client_id"]) for ligne in table(archive, "courriers")} == {choisi.pk}
    assert "jeton" not in archive.read("courriers.csv").decode().splitlines()[0]  # il ouvre le portail
    assert Maillon.objects.filter(action="client.exporte", client_id=choisi.pk).count() == 1


def test_ce_que_le_client_a_joint_ecrit_et_declare_s_emporte_sans_ce_qui_ouvre_sa_page(societe):
    choisi, _e, courrier = plein(societe)
    ajouter_document(choisi, octets=pdf(), nom="preuve.pdf")
    chemin, empreinte = depot.ranger(b"From: marie@client.example", ".eml")
    MessageRecu.objects.create(
        societe=societe, client=choisi, origine="imap", cle_source="m1", categorie="reponse", objet="Re: rappel",
        recu_le=timezone.now(), brut_chemin=chemin, brut_empreinte=empreinte,
    )  # fmt: skip
    lien = LienPortail.objects.create(
        client=choisi, courrier=courrier, code_court="ABCDEFGH", cree_le=date(2026, 9, 1), expire_le=date(2026, 12, 1)
    )
    Declaration.objects.create(client=choisi, lien=lien, genre="paye", faite_le=timezone.now(), cle="x")
    archive = ouvrir(b"".join(Archive(Client.objects.filter(pk=choisi.pk), "Titre").flux()))
    for nom in ("documents", "messages-recus", "liens", "declarations"):
        assert len(table(archive, nom)) == 1, nom
    assert {"cle", "code_court"}.isdisjoint(table(archive, "liens")[0])
    dossiers = {nom.partition("/")[0] for nom in archive.namelist() if "/" in nom}
    assert {"documents", "recus"} <= dossiers


def test_une_societe_s_emporte_pour_qui_l_administre(client, societe):
    plein(societe, raison_sociale="A")
    plein(societe, raison_sociale="B")
    plein(SocieteFactory(), raison_sociale="Ailleurs")
    url = reverse("pilotage:archive_societe", args=[societe.pk])
    client.force_login(UtilisateurFactory(role="responsable", societe=societe))
    assert client.get(url).status_code == 403
    client.force_login(UtilisateurFactory(role="administrateur", societe=societe))
    archive = ouvrir(b"".join(client.get(url).streaming_content))
    assert {ligne["raison_sociale"] for ligne in table(archive, "clients")} == {"A", "B"}


def test_un_document_altere_n_entre_pas_et_se_dit(societe, settings):
    choisi, _e, _c = plein(societe)
    copie = CopieFacture.objects.get()
    (settings.DEPOT / copie.chemin).chmod(0o644)
    (settings.DEPOT / copie.chemin).write_bytes(b"autre chose")
    archive = ouvrir(b"".join(Archive(Client.objects.filter(pk=choisi.pk), "Titre").flux()))
    assert not [nom for nom in archive.namelist() if nom.startswith("factures/")]
    assert "F1.pdf" in archive.read("manquants.txt").decode()


def test_l_archive_part_par_morceaux(societe):
    plein(societe)
    assert len(list(Archive(Client.objects.filter(societe=societe), "Titre").flux())) > 20


def test_le_nombre_de_requetes_ne_depend_pas_du_nombre_de_clients(societe):
    def compter():
        with CaptureQueriesContext(connection) as lues:
            b"".join(Archive(Client.objects.filter(societe=societe), "Titre").flux())
        return len(lues)

    plein(societe)
    un = compter()
    for _ in range(5):
        plein(societe)
    assert compter() == un


# Ce qui touche un client sans être un fait de son dossier : calculé, technique, ou repris par une autre table.
AILLEURS = {
    "clients.annoncebodacc",  # annonces-bodacc.csv, par SIREN
    "factures.mouvementbancaire",  # le client n'y est que présumé
    "factures.suggestionrapprochement",
    "factures.reglerapprochement",
    "relances.plidelot",  # le courrier dit son lot
}


def test_toute_table_d_un_client_est_dans_l_archive():
    dans = {modele for _nom, modele, _chemin in TABLES}
    liees = {
        relation.related_model
        for modele in dans
        for relation in modele._meta.related_objects
        if relation.related_model and not relation.many_to_many
    }
    oubliees = {m._meta.label_lower for m in liees - dans if not m._meta.auto_created} - AILLEURS
    assert oubliees == set()
    assert SECRETS <= {f.name for m in apps.get_models() for f in m._meta.concrete_fields}
