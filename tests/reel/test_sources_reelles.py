"""Vrais beat, worker et Redis : un dossier et une boîte relevés seuls, une panne dite, la nuit retenue puis rendue."""

import os
import time

import pytest

from factures.models import Facture, Lot, SourceImport
from recouvrement.comptes.models import Role
from tests.clients.factories import ClientFactory
from tests.comptes.factories import SocieteFactory, UtilisateurFactory
from tests.outils.imap import BoiteImap, courriel

from .processus import attendre, beat, worker

pytestmark = [pytest.mark.reel, pytest.mark.timeout(300)]
ENTETE = "numero;code_client;date_facture;date_echeance;montant_ttc\n"


def facture(n: int) -> str:
    return f"{ENTETE}F{n};C1;05/01/2026;04/02/2026;120,00\n"


@pytest.fixture
def racine(tmp_path):
    (tmp_path / "arrivages" / "compta").mkdir(parents=True)
    return tmp_path / "arrivages"


@pytest.fixture
def env(environnement_reel, racine, smtp_pair):
    return environnement_reel | {
        "DOSSIER_SOURCES": str(racine),
        "SOURCES_SECONDES": "2",
        "SOURCES_REPOS_SECONDES": "2",
        "EMAIL_URL": smtp_pair.url,
        "EMAIL_TIMEOUT": "10",
    }


def appliques() -> int:
    return Lot.objects.filter(statut=Lot.Statut.APPLIQUE).count()


def test_dossier_et_boite_se_relevent_seuls_meme_sous_kill_9(env, racine, smtp_pair, tmp_path):
    societe = SocieteFactory()
    UtilisateurFactory(societe=societe, role=Role.ADMINISTRATEUR)
    ClientFactory(societe=societe, code="C1")
    boite = BoiteImap()
    boite.ouvrir()
    SourceImport.objects.create(
        societe=societe, nom="Compta", genre="dossier", dossier="compta", appliquer_seul=True
    )  # fmt: skip
    par_courriel = SourceImport.objects.create(
        societe=societe, nom="Boîte", genre="imap", imap_hote="127.0.0.1", imap_port=boite.port, imap_tls=False,
        imap_utilisateur=boite.utilisateur, imap_secret=boite.mot_de_passe, appliquer_seul=True,
    )  # fmt: skip
    horloge = beat(env, tmp_path / "beat.log")
    ouvrier = worker(env, tmp_path / "worker.log")
    try:
        # Un fichier qui s'écrit par morceaux n'est pris qu'entier.
        lent = racine / "compta" / "lent.csv"
        with lent.open("w") as flux:
            for morceau in (ENTETE, *(f"L{n};C1;05/01/2026;04/02/2026;1,00\n" for n in range(6))):
                flux.write(morceau)
                flux.flush()
                os.fsync(flux.fileno())
                time.sleep(0.7)
        boite.deposer(courriel(("factures.csv", facture(1).encode())))
        attendre(lambda: appliques() == 2, secondes=60, quoi="les deux premiers fichiers appliqués")
        assert Facture.objects.filter(numero__startswith="L").count() == 6

        # Tué net pendant qu'il travaille : rien ne manque, rien ne double.
        for n in range(2, 12):
            (racine / "compta" / f"f{n}.csv").write_text(facture(n))
            boite.deposer(courriel((f"m{n}.csv", facture(100 + n).encode()), identifiant=f"<{n}@x>"))
        for _ in range(3):
            avant = Lot.objects.count()
            attendre(lambda avant=avant: Lot.objects.count() > avant or avant == 22, secondes=60, quoi="un lot de plus")
            ouvrier.tuer()
            ouvrier = worker(env, tmp_path / "worker.log")
        attendre(lambda: appliques() == 22, secondes=120, quoi="tous les fichiers appliqués")
        assert Facture.objects.count() == 6 + 21
        assert Lot.objects.count() == 22
        attendre(lambda: len(list((racine / "compta" / "traites").iterdir())) == 11, secondes=30, quoi="rangés")

        # La boîte tombe : un courriel, un seul ; elle revient : un autre.
        boite.fermer()
        attendre(lambda: len(smtp_pair.messages) == 1, secondes=60, quoi="l'avis de panne")
        time.sleep(5)
        boite.ouvrir()
        attendre(lambda: len(smtp_pair.messages) == 2, secondes=60, quoi="l'avis de retour")
    finally:
        for p in (horloge, ouvrier):
            p.arreter()
        boite.fermer()
    objets = [str(m["Subject"]) for m in smtp_pair.messages]
    assert "ne répond pas" in objets[0] and "rétablie" in objets[1]
    par_courriel.refresh_from_db()
    assert (par_courriel.erreur, par_courriel.alerte_le) == ("", None)
