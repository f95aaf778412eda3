"""Une vraie nuit : beat, worker, Redis et un pair SMTP ; puis la même sous kill -9."""

import os
import random
import time
from collections import Counter
from datetime import timedelta

import pytest
from django.urls import reverse

from recouvrement.comptes.models import Role, Societe
from relances.models import Courrier, Passage, Relance
from tests.clients.factories import ClientFactory
from tests.comptes.factories import SocieteFactory, UtilisateurFactory
from tests.factures.factories import EcheanceFactory

from .processus import attendre, beat, jour_simule, jours_jusqu_au_prochain_ouvre, worker

pytestmark = [pytest.mark.reel, pytest.mark.timeout(900)]
S = Courrier.Statut
MORTS = int(os.environ.get("MORTS", "50"))
COURRIELS = int(os.environ.get("COURRIELS", "200"))


@pytest.fixture
def env(environnement_reel, smtp_pair):
    return environnement_reel | {
        "EMAIL_URL": smtp_pair.url,
        "EMAIL_TIMEOUT": "10",
        "DECALAGE_JOURS": str(jours_jusqu_au_prochain_ouvre()),
        "TIC_SECONDES": "2",
        "BAIL_ENVOI_SECONDES": "15",
        "BAIL_PASSAGE_SECONDES": "3",
    }


def clients_a_relancer(societe: Societe, nombre: int) -> None:
    for _ in range(nombre):
        EcheanceFactory(client=ClientFactory(societe=societe), echue_le=jour_simule() - timedelta(days=9))


def test_la_nuit_passe_seule_a_l_heure_reglee_a_l_ecran(env, smtp_pair, client, tmp_path):
    """Beat réveille, le worker décide et envoie, sans autre geste que l'heure saisie à l'écran."""
    societe = SocieteFactory()
    clients_a_relancer(societe, 3)
    client.force_login(UtilisateurFactory(role=Role.ADMINISTRATEUR, societe=societe))
    processus = [beat(env, tmp_path / "beat.log"), worker(env, tmp_path / "worker.log")]
    try:
        time.sleep(6)
        assert not Passage.objects.exists(), "rien ne doit passer avant que l'heure soit réglée"
        regler_l_heure(client, societe)
        attendre(
            lambda: Passage.objects.filter(statut=Passage.Statut.TERMINE).first(), secondes=60, quoi="passage terminé"
        )
        attendre(lambda: len(smtp_pair.messages) == 3, secondes=60, quoi="trois courriels reçus")
        attendre(lambda: Courrier.objects.filter(statut=S.ENVOYE).count() == 3, secondes=20, quoi="trois envoyés")
    finally:
        for p in processus:
            p.arreter()
    assert Passage.objects.get().genre == Passage.Genre.AUTOMATIQUE
    assert set(smtp_pair.decompte().values()) == {1}


def regler_l_heure(client, societe: Societe) -> None:
    """Par l'écran d'administration : passage actif, à une heure déjà sonnée."""
    url = reverse("comptes:societe", args=[societe.pk])
    formulaire = client.get(url).context["formulaire"]
    donnees = {nom: formulaire[nom].value() for nom in formulaire.fields}
    donnees = {nom: v for nom, v in donnees.items() if v not in (None, False)}
    reponse = client.post(url, donnees | {"heure_passage": "00:00", "relances_actives": "on"})
    assert reponse.status_code in (200, 302, 303)
    societe.refresh_from_db()
    assert societe.relances_actives and societe.heure_passage.isoformat() == "00:00:00"


def test_kill_9_a_cinquante_moments_rien_en_double_rien_de_perdu(env, smtp_pair, tmp_path):
    """Exigence 20 : chaque message reçu une fois au plus ; reçu, ou montré incertain ; jamais perdu des deux."""
    hasard = random.Random(20261121)
    societe = SocieteFactory(relances_actives=True, heure_passage="00:00")
    clients_a_relancer(societe, COURRIELS)
    smtp_pair.lenteur = 0.25
    ordonnanceur = beat(env, tmp_path / "beat.log")
    try:
        for _ in range(MORTS):
            ouvrier = worker(env, tmp_path / "worker.log")
            time.sleep(1.2 + hasard.random() * 2.5)
            ouvrier.tuer()
        smtp_pair.lenteur = 0
        ouvrier = worker(env, tmp_path / "worker.log")
        try:
            attendre(
                lambda: (
                    Courrier.objects.count() == COURRIELS
                    and not Courrier.objects.filter(statut__in=(S.A_ENVOYER, S.EN_COURS)).exists()
                ),
                secondes=240,
                quoi="plus aucun courrier en vol",
            )
        finally:
            ouvrier.arreter()
    finally:
        ordonnanceur.arreter()

    recus = smtp_pair.decompte()
    statuts = Counter(Courrier.objects.values_list("statut", flat=True))
    print(f"{MORTS} morts : {sum(recus.values())} messages reçus, statuts {dict(statuts)}")
    assert max(recus.values()) == 1, "un message reçu deux fois"
    for courrier in Courrier.objects.all():
        recu = sum(1 for identifiant in recus if courrier.jeton in identifiant)
        assert courrier.statut in (S.ENVOYE, S.INCERTAIN), f"{courrier} : {courrier.statut} {courrier.erreur}"
        assert recu == 1 or courrier.statut == S.INCERTAIN, f"{courrier} ni reçu ni incertain"
    assert statuts[S.ENVOYE] > 0
    assert Relance.objects.filter(statut__in=Relance.VIVANTES).count() == COURRIELS
