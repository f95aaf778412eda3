"""Redis ou PostgreSQL disparaît pendant la nuit, puis revient : rien de perdu, rien en double."""

import time

import pytest
from django.db import connection

from relances.models import Courrier
from tests.comptes.factories import SocieteFactory

from .processus import attendre, beat, jours_jusqu_au_prochain_ouvre, worker
from .relais import Relais
from .test_nuit_reelle import clients_a_relancer

pytestmark = [pytest.mark.reel, pytest.mark.timeout(300)]
S = Courrier.Statut
COURRIELS = 40
PANNE = 8  # secondes


@pytest.mark.parametrize("absent", ["DATABASE_URL", "REDIS_URL"])
def test_un_moteur_s_absente_pendant_la_nuit(environnement_reel, smtp_pair, tmp_path, absent):
    if absent == "DATABASE_URL" and connection.vendor != "postgresql":
        pytest.skip("SQLite est un fichier : il ne s'absente pas")
    relais = Relais(environnement_reel[absent])
    env = environnement_reel | {
        absent: relais.url,
        "EMAIL_URL": smtp_pair.url,
        "DECALAGE_JOURS": str(jours_jusqu_au_prochain_ouvre()),
        "TIC_SECONDES": "2",
        "BAIL_ENVOI_SECONDES": "15",
        "BAIL_PASSAGE_SECONDES": "5",
    }
    societe = SocieteFactory(relances_actives=True, heure_passage="00:00")
    clients_a_relancer(societe, COURRIELS)
    smtp_pair.lenteur = 0.15
    processus = [beat(env, tmp_path / "beat.log"), worker(env, tmp_path / "worker.log")]
    try:
        attendre(lambda: len(smtp_pair.messages) >= 5, secondes=60, quoi="la nuit commencée")
        relais.couper()
        time.sleep(PANNE)
        avant = len(smtp_pair.messages)
        relais.retablir()
        attendre(
            lambda: (
                Courrier.objects.count() == COURRIELS
                and not Courrier.objects.filter(statut__in=(S.A_ENVOYER, S.EN_COURS)).exists()
            ),
            secondes=150,
            quoi="la nuit finie après le retour",
        )
    finally:
        for p in processus:
            p.arreter()
        relais.couper()
    assert avant < COURRIELS, "la panne est arrivée trop tard pour prouver quelque chose"
    recus = smtp_pair.decompte()
    assert max(recus.values()) == 1
    for courrier in Courrier.objects.all():
        recu = any(courrier.jeton in identifiant for identifiant in recus)
        assert recu or courrier.statut == S.INCERTAIN, f"{courrier} : {courrier.statut}, ni reçu ni incertain"
