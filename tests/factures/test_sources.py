"""Dossier surveillé : rien hors de sa racine, rien à moitié, rien deux fois ; fraîcheur, pannes, ordre des fichiers."""

import os
import time
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from factures.imports import depots
from factures.models import Facture, Lot, SourceImport
from factures.services import sources as service
from factures.services.sources import en_attente_d_une_personne, essayer, relever, sources_en_retard
from factures.sources import dossier as lecteur
from factures.sources.lecture import ErreurSource, nom_sur, retenu
from recouvrement.comptes.models import Role
from relances.models import Passage
from relances.services import quotidien
from relances.services.faits import donnees_perimees
from tests.clients.factories import ClientFactory
from tests.comptes.factories import SocieteFactory, UtilisateurFactory

pytestmark = pytest.mark.django_db
AU = date(2026, 11, 20)
ENTETE = "numero;code_client;date_facture;date_echeance;montant_ttc\n"
FACTURES = ENTETE + "F1;C1;05/01/2026;04/02/2026;120,00\n"
CLIENTS = "code_client;raison_sociale;type\nC1;Menuiserie Duvernay;entreprise\n"


@pytest.fixture
def racine(settings, tmp_path):
    settings.DEPOT = tmp_path / "depot"
    settings.DOSSIER_SOURCES = str(tmp_path / "arrivages")
    settings.SOURCES_REPOS_SECONDES = 0
    (tmp_path / "arrivages" / "compta").mkdir(parents=True)
    return tmp_path / "arrivages"


@pytest.fixture
def societe():
    societe = SocieteFactory()
    UtilisateurFactory(societe=societe, role=Role.ADMINISTRATEUR)
    return societe


def source(societe, **champs) -> SourceImport:
    base = {"nom": "Compta", "genre": "dossier", "dossier": "compta"}
    return SourceImport.objects.create(societe=societe, **base | champs)


def lire(s: SourceImport, **options):
    return relever(s.pk, moment=timezone.now(), au=AU, forcer=True, **options)


def noms(dossier) -> list[str]:
    return sorted(p.name for p in dossier.iterdir()) if dossier.exists() else []


# --- Un fichier devient un lot --------------------------------------------------------------------------


def test_un_fichier_s_apercoit_et_attend_une_personne(racine, societe):
    ClientFactory(societe=societe, code="C1")
    (racine / "compta" / "factures.csv").write_text(FACTURES)
    s = source(societe)
    releve = lire(s)
    assert (releve.deposes, releve.en_attente, releve.appliques, releve.erreur) == (1, 1, 0, "")
    lot = Lot.objects.get()
    assert (lot.statut, lot.origine, lot.source_id, lot.fichier) == ("apercu", "dossier", s.pk, "factures.csv")
    assert noms(racine / "compta") == ["traites"]
    assert noms(racine / "compta" / "traites")[0].endswith("-factures.csv")
    assert en_attente_d_une_personne([societe]) == 1
    s.refresh_from_db()
    assert s.lue_le and s.recue_le is None
    depots.demander(lot, partiel=False)  # une personne l'applique à l'écran : la source a bien reçu
    depots.appliquer(lot.pk, moment=timezone.now(), au=AU)
    s.refresh_from_db()
    assert s.recue_le


def test_applique_seul_seulement_sans_rejet(racine, societe):
    ClientFactory(societe=societe, code="C1")
    (racine / "compta" / "a.csv").write_text(FACTURES)
    s = source(societe, appliquer_seul=True)
    assert lire(s).appliques == 1
    (racine / "compta" / "b.csv").write_text(ENTETE + "F2;C1;31/02/2026;;9\n")
    releve = lire(s)
    assert (releve.appliques, releve.en_attente) == (0, 1)
    assert Facture.objects.count() == 1


def test_un_fichier_illisible_est_refuse_sans_arreter_les_autres(racine, societe):
    ClientFactory(societe=societe, code="C1")
    (racine / "compta" / "a.csv").write_bytes(b"\x00\x01\x02" * 50)
    (racine / "compta" / "b.csv").write_text(FACTURES)
    releve = lire(source(societe, appliquer_seul=True))
    assert (releve.refuses, releve.appliques, releve.erreur) == (1, 1, "")


def test_les_clients_entrent_avant_leurs_factures(racine, societe):
    for nom, texte in (("a-factures.csv", FACTURES), ("b-clients.csv", CLIENTS)):
        (racine / "compta" / nom).write_text(texte)
    assert lire(source(societe, appliquer_seul=True)).appliques == 2


def test_deposer_de_nouveau_le_meme_export_ne_change_rien_mais_rafraichit(racine, societe):
    ClientFactory(societe=societe, code="C1")
    s = source(societe, appliquer_seul=True)
    for _ in range(2):
        (racine / "compta" / "factures.csv").write_text(FACTURES)
        assert lire(s).appliques == 1
    assert (Lot.objects.count(), Facture.objects.count()) == (2, 1)


def test_mort_avant_le_rangement_le_fichier_se_reconnait(racine, societe, monkeypatch):
    (racine / "compta" / "factures.csv").write_text(FACTURES)
    s = source(societe)
    monkeypatch.setattr(lecteur.Dossier, "_deplacer", lambda *a: None)
    for _ in range(2):
        lire(s)
    assert Lot.objects.count() == 1


def test_un_lot_laisse_en_plan_se_termine_a_la_lecture_suivante(racine, societe, monkeypatch):
    ClientFactory(societe=societe, code="C1")
    (racine / "compta" / "factures.csv").write_text(FACTURES)
    s = source(societe, appliquer_seul=True)
    with monkeypatch.context() as mort:
        mort.setattr(service, "_dans_l_ordre", lambda _s: [])
        lire(s)
    assert Lot.objects.get().statut == "depose"
    assert lire(s).appliques == 1


def test_un_dossier_sans_droit_d_ecrire_le_dit_et_ne_lit_pas_deux_fois(racine, societe, monkeypatch):
    def interdit(*_args, **_options):
        raise PermissionError(13, "Permission denied")

    (racine / "compta" / "factures.csv").write_text(FACTURES)
    monkeypatch.setattr(lecteur.os, "rename", interdit)
    s = source(societe)
    for _ in range(2):
        assert "ne se range pas" in lire(s).erreur
    assert Lot.objects.count() == 1


# --- Ce qui n'est pas pris -------------------------------------------------------------------------------


def test_un_fichier_qui_s_ecrit_attend(racine, societe, settings):
    settings.SOURCES_REPOS_SECONDES = 60
    (racine / "compta" / "factures.csv").write_text(FACTURES)
    os.utime(racine / "compta" / "factures.csv", (1, 1))  # une copie à l'identique garde l'ancienne date
    for nom in ("x.csv.part", ".cache.csv", "y.tmp"):
        (racine / "compta" / nom).write_text(FACTURES)
    s = source(societe)
    assert lire(s).deposes == 0
    assert {(c.nom, c.etat) for c in essayer(s).constats} >= {("factures.csv", "attend"), ("x.csv.part", "attend")}


@pytest.mark.parametrize("quand", ["avant", "pendant"])
def test_un_fichier_qui_change_pendant_la_lecture_n_est_pas_pris_a_moitie(racine, societe, monkeypatch, quand):
    chemin = racine / "compta" / "factures.csv"
    chemin.write_text(FACTURES)
    ouvrir, etat = os.open, os.fstat

    def ecrire():
        with chemin.open("a") as flux:
            flux.write("F2;C1;05/01/2026;04/02/2026;80,00\n")

    def ouverture(nom, *args, **options):
        if nom == "factures.csv" and quand == "avant":
            ecrire()
        return ouvrir(nom, *args, **options)

    vus = []

    def regard(fd):
        vus.append(fd)
        if len(vus) == 2 and quand == "pendant":
            ecrire()
        return etat(fd)

    s = source(societe)
    with monkeypatch.context() as retouche:
        retouche.setattr(lecteur.os, "open", ouverture)
        retouche.setattr(lecteur.os, "fstat", regard)
        assert lire(s).deposes == 0
    time.sleep(0.01)
    assert lire(s).deposes == 1
    assert Lot.objects.get().taille > len(FACTURES)


def test_le_motif_trie_et_les_dossiers_se_sautent(racine, societe):
    (racine / "compta" / "FEC.TXT").write_text("x")
    (racine / "compta" / "note.pdf").write_text("x")
    (racine / "compta" / "sous.txt").mkdir()
    assert [c.nom for c in essayer(source(societe, motif="*.csv;fec*.txt")).constats] == ["FEC.TXT"]


def test_un_fichier_trop_gros_va_aux_refuses(racine, societe, settings):
    settings.TAILLE_MAX_IMPORT = 10
    (racine / "compta" / "factures.csv").write_text(FACTURES)
    releve = lire(source(societe))
    assert (releve.refuses, Lot.objects.get().statut) == (1, "refuse")
    assert len(noms(racine / "compta" / "refuses")) == 1


@pytest.mark.parametrize("chemin", ["..", "compta/../..", "/etc", "\\\\serveur", "a\0b"])
def test_un_chemin_qui_sort_est_refuse(racine, societe, chemin):
    with pytest.raises(ErreurSource):
        lecteur.morceaux(chemin)


def test_aucun_lien_n_est_suivi(racine, societe, tmp_path):
    dehors = tmp_path / "dehors"
    dehors.mkdir()
    (dehors / "secret.csv").write_text(FACTURES)
    (racine / "lien").symlink_to(dehors)
    (racine / "compta" / "secret.csv").symlink_to(dehors / "secret.csv")
    assert "lien refusé" in lire(source(societe, nom="a", dossier="lien")).erreur
    assert lire(source(societe, nom="b")).deposes == 0
    (racine / "compta" / "traites").symlink_to(dehors)
    (racine / "compta" / "vrai.csv").write_text(FACTURES)
    assert "ne se range pas" in lire(source(societe, nom="c")).erreur
    assert noms(dehors) == ["secret.csv"]


def test_un_tube_ne_fait_pas_attendre(racine, societe):
    os.mkfifo(racine / "compta" / "tube.csv")
    assert lire(source(societe)).deposes == 0


def test_sans_racine_reglee_la_panne_se_dit(racine, societe, settings):
    settings.DOSSIER_SOURCES = ""
    assert "DOSSIER_SOURCES" in lire(source(societe)).erreur


def test_noms_assainis():
    assert nom_sur("..\\..\\Éta\u0000t\u202e.csv") == "État.csv"
    assert nom_sur(".bashrc") == "bashrc" and nom_sur("///") == "sans-nom"
    assert len(nom_sur("x" * 900 + ".csv")) == 160 and nom_sur("x" * 900 + ".csv").endswith(".csv")
    assert retenu("A.CSV", " *.csv ; ") and not retenu("a.pdf", "*.csv") and retenu("n'importe", "")


# --- Bail, pannes, fraîcheur -----------------------------------------------------------------------------


def test_une_source_n_est_lue_que_par_un_a_la_fois(racine, societe):
    s = source(societe)
    moment = timezone.now()
    assert service.a_relever(moment) == [s.pk]
    assert relever(s.pk, moment=moment, au=AU) is not None
    assert service.a_relever(moment) == []
    assert relever(s.pk, moment=moment, au=AU) is None
    assert service.a_relever(moment + timedelta(minutes=10)) == [s.pk]
    SourceImport.objects.update(actif=False)
    assert relever(s.pk, moment=moment, au=AU, forcer=True) is None


def test_la_panne_se_dit_une_fois_et_le_retour_aussi(racine, societe, mailoutbox):
    s = source(societe, dossier="absent")
    for _ in range(3):
        lire(s)
    assert [m.subject for m in mailoutbox] == [f"{societe} : la source « Compta » ne répond pas"]
    (racine / "absent").mkdir()
    for _ in range(2):
        lire(s)
    assert len(mailoutbox) == 2 and "rétablie" in mailoutbox[1].subject


def test_un_avis_refuse_par_le_serveur_se_retente(racine, societe, mailoutbox, monkeypatch):
    from recouvrement.commun.courriel import EnvoiRefuse

    def refuse(_message):
        raise EnvoiRefuse("serveur injoignable", passager=True)

    s = source(societe, dossier="absent")
    with monkeypatch.context() as panne:
        panne.setattr(service, "remettre", refuse)
        lire(s)
    s.refresh_from_db()
    assert s.alerte_le is None
    lire(s)
    assert len(mailoutbox) == 1


SOIR = datetime(2026, 11, 20, 19, 30, tzinfo=ZoneInfo("Europe/Paris"))


def test_une_source_attendue_en_retard_retient_la_nuit_et_le_dit(racine, mailoutbox):
    societe = SocieteFactory(relances_actives=True, alimentee_par_import=True, dernier_import_le=SOIR)
    UtilisateurFactory(societe=societe, role=Role.ADMINISTRATEUR)
    s = source(societe, fraicheur_heures=24, recue_le=SOIR - timedelta(hours=25))
    assert donnees_perimees(societe, SOIR)
    assert quotidien.passer(societe, au=AU, moment=SOIR) is None
    passage = Passage.objects.get()
    assert passage.statut == Passage.Statut.SUSPENDU
    assert passage.motif == ("suspendu : données périmées (source « Compta » : rien d'appliqué depuis plus de 24 h)")
    assert len(mailoutbox) == 1
    assert quotidien.societes_dues(SOIR) == []
    SourceImport.objects.filter(pk=s.pk).update(recue_le=SOIR)
    assert quotidien.societes_dues(SOIR) == [societe]  # arrivée, la nuit reprend


@pytest.mark.parametrize("champs", [{"actif": False}, {"fraicheur_heures": None}])
def test_une_source_arretee_ou_non_attendue_ne_retient_rien(racine, champs):
    societe = SocieteFactory(alimentee_par_import=False)
    source(societe, **{"fraicheur_heures": 1, "recue_le": SOIR - timedelta(days=9)} | champs)
    source(SocieteFactory(), fraicheur_heures=1, recue_le=SOIR - timedelta(days=9))  # celle d'une autre
    assert not donnees_perimees(societe, SOIR)


def test_une_source_neuve_a_son_delai_pour_recevoir(racine, societe):
    s = source(societe, fraicheur_heures=24)
    assert sources_en_retard(societe, timezone.now()) == []
    assert sources_en_retard(societe, timezone.now() + timedelta(hours=25)) == [s]


def test_le_retard_se_surveille_meme_sans_lecture(racine, societe, mailoutbox):
    source(societe, fraicheur_heures=1, recue_le=timezone.now() - timedelta(hours=2))
    for _ in range(2):
        service.surveiller(timezone.now())
    assert len(mailoutbox) == 1 and "rien d'appliqué depuis plus de 1 h" in mailoutbox[0].body
