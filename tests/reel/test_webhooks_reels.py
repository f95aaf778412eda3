"""Vrais beat, worker et Redis devant un vrai récepteur qui vérifie les signatures, tombe, revient ; et sous kill -9."""

import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

import demarrer
from recouvrement.api.models import AbonnementWebhook, Livraison
from recouvrement.api.webhooks import gestes
from recouvrement.journal.services import consigner
from tests.comptes.factories import SocieteFactory, UtilisateurFactory
from tests.outils.recepteur import Recepteur

from .processus import attendre, beat, worker

pytestmark = [pytest.mark.reel, pytest.mark.timeout(300)]
S = Livraison.Statut
DOC = Path(__file__).resolve().parents[2] / "docs" / "webhooks.md"


@pytest.fixture
def env(environnement_reel, settings):
    settings.WEBHOOKS_SANS_TLS = settings.WEBHOOKS_ADRESSES_PRIVEES = True
    return environnement_reel | {
        "WEBHOOKS_SANS_TLS": "1",
        "WEBHOOKS_ADRESSES_PRIVEES": "1",
        "WEBHOOKS_SECONDES": "1",
        "WEBHOOKS_REPRISES": ",".join(["1"] * 30),
        "BAIL_WEBHOOK_SECONDES": "3",
    }


def exemple() -> str:
    """Le récepteur de la documentation, tel qu'il y est écrit."""
    return re.search(r"```python\n(.*?)```", DOC.read_text(encoding="utf-8"), flags=re.S)[1]


def abonner(url: str) -> tuple[AbonnementWebhook, str]:
    societe = SocieteFactory()
    abonnement = AbonnementWebhook(societe=societe, nom="ERP", url=url, evenements=["import.applique"])
    return abonnement, gestes.abonner(abonnement, acteur=UtilisateurFactory(societe=societe))


def annoncer(abonnement, n: int) -> None:
    for rang in range(n):
        consigner("import.applique", societe=abonnement.societe, donnees={"format": f"n{rang}"})


def livrees(abonnement) -> int:
    return abonnement.livraisons.filter(statut=S.LIVREE).count()


def test_le_recepteur_tombe_revient_et_recoit_chaque_reprise_une_fois(env, tmp_path):
    recepteur = Recepteur()
    abonnement, secret = abonner(recepteur.url)
    juste = {"CLE_WEBHOOK": secret}
    espace = {"__name__": "exemple"}
    os.environ |= juste
    try:
        exec(compile(exemple(), str(DOC), "exec"), espace)  # noqa: S102 - l'exemple de la documentation, exécuté
    finally:
        del os.environ["CLE_WEBHOOK"]
    recepteur.verifier = lambda entetes, corps: espace["juste"](entetes["Recouvrement-Signature"], corps)
    processus = [beat(env, tmp_path / "beat.log"), worker(env, tmp_path / "worker.log")]
    try:
        annoncer(abonnement, 5)  # personne n'écoute : connexion refusée
        attendre(
            lambda: abonnement.livraisons.filter(erreur="connexion refusée", tentatives__gte=2).exists(),
            secondes=60, quoi="deux tentatives devant une porte close",
        )  # fmt: skip
        recepteur.statut = 500
        recepteur.ouvrir()
        attendre(lambda: len(recepteur.recus) >= 2, secondes=60, quoi="des réponses 500")
        assert livrees(abonnement) == 0
        recepteur.statut = 204
        attendre(lambda: livrees(abonnement) == 5, secondes=60, quoi="cinq livraisons")
    finally:
        for p in processus:
            p.arreter()
        recepteur.fermer()
    attendus = [str(x) for x in abonnement.livraisons.order_by("pk").values_list("identifiant", flat=True)]
    recues = [r.entetes["Recouvrement-Identifiant"] for r in recepteur.recus]
    assert set(recues[: -len(attendus)]) == {attendus[0]}  # pendant la panne, la première seule insiste
    assert recues[-len(attendus) :] == attendus  # au retour, chacune une fois, dans l'ordre
    assert not abonnement.livraisons.exclude(reponse=204).exists()


def test_sous_kill_9_rien_ne_se_perd_et_l_exemple_de_la_documentation_dedoublonne(env, tmp_path):
    port = demarrer.port_libre()
    abonnement, secret = abonner(f"http://127.0.0.1:{port}/")
    (tmp_path / "recepteur.py").write_text(exemple(), encoding="utf-8")
    sortie = (tmp_path / "recu.txt").open("wb")
    exemple_lance = subprocess.Popen(
        [sys.executable, tmp_path / "recepteur.py"], env=os.environ | {"CLE_WEBHOOK": secret, "PORT": str(port)},
        stdout=sortie, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    horloge = beat(env, tmp_path / "beat.log")
    ouvrier = worker(env, tmp_path / "worker.log")
    try:
        annoncer(abonnement, 60)
        for _ in range(4):
            avant = livrees(abonnement)
            attendre(lambda avant=avant: livrees(abonnement) > avant, secondes=60, quoi="une livraison de plus")
            time.sleep(0.05)
            ouvrier.tuer()
            ouvrier = worker(env, tmp_path / "worker.log")
            annoncer(abonnement, 15)
        attendre(lambda: livrees(abonnement) == 120, secondes=120, quoi="toutes livrées")
    finally:
        for p in (horloge, ouvrier):
            p.arreter()
        exemple_lance.kill()
        exemple_lance.wait(10)
        sortie.close()
    lignes = (tmp_path / "recu.txt").read_text(encoding="utf-8").splitlines()
    assert len(lignes) == 120  # refaite ou non, chacune n'est traitée qu'une fois
    assert all(ligne.startswith("import.applique ") for ligne in lignes)
