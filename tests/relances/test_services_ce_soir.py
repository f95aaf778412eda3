"""L'essai à blanc gardé deux minutes : jamais périmé par une écriture, jamais d'une personne à l'autre."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.core.cache import cache

from clients.services import suspendre
from recouvrement.comptes.models import Role
from relances import motifs
from relances.domaine.verdicts import Motif
from relances.services import ce_soir, nuit
from tests.clients.factories import ClientFactory
from tests.comptes.factories import SocieteFactory, UtilisateurFactory
from tests.factures.factories import EcheanceFactory

pytestmark = pytest.mark.django_db
MARDI = date(2026, 2, 10)
MOMENT = datetime(2026, 2, 10, 9, tzinfo=ZoneInfo("Europe/Paris"))


@pytest.fixture(autouse=True)
def memoire_vide():
    """Les clés primaires se répètent d'un essai à l'autre."""
    cache.clear()


@pytest.fixture
def calculs(monkeypatch):
    """Compte les calculs, tous tenus pour longs."""
    faits = []
    origine = ce_soir.projeter
    monkeypatch.setattr(ce_soir, "LENT", -1)
    monkeypatch.setattr(ce_soir, "projeter", lambda *a, **k: faits.append(k) or origine(*a, **k))
    return faits


@pytest.fixture
def echeance():
    return EcheanceFactory(societe=SocieteFactory(), echue_le=MARDI - timedelta(days=9))


def test_un_calcul_long_se_garde_et_se_refait_a_la_demande(calculs, echeance):
    premier = ce_soir.soir(echeance.societe, moment=MOMENT)
    assert ce_soir.soir(echeance.societe, moment=MOMENT) == premier
    assert len(calculs) == 1
    ce_soir.soir(echeance.societe, moment=MOMENT, recalculer=True)
    assert len(calculs) == 2


def test_un_calcul_court_ne_se_garde_pas(monkeypatch, calculs, echeance):
    monkeypatch.setattr(ce_soir, "LENT", 60)
    for _ in range(2):
        ce_soir.soir(echeance.societe, moment=MOMENT)
    assert len(calculs) == 2


def test_une_ecriture_perime_ce_qui_est_garde(calculs, echeance):
    assert len(ce_soir.soir(echeance.societe, moment=MOMENT).envois) == 1
    par = UtilisateurFactory(role=Role.RESPONSABLE, societe=echeance.societe)
    suspendre(echeance.client, motif="accord commercial", du=MARDI, au=MARDI + timedelta(days=7), acteur=par)
    apres = ce_soir.soir(echeance.societe, moment=MOMENT)
    assert (apres.envois, [r.motif for r in apres.retenues]) == ([], ["suspendue"])


def test_ce_qui_est_garde_d_un_portefeuille_ne_sert_pas_a_un_autre(calculs, echeance):
    autre = EcheanceFactory(client=ClientFactory(societe=echeance.societe), echue_le=MARDI - timedelta(days=9))
    for e in (echeance, autre):
        vus = ce_soir.soir(echeance.societe, moment=MOMENT, clients=[e.client_id], perimetre=f"u{e.pk}")
        assert [v.client for v in vus.envois] == [e.client_id]


def test_un_gros_grand_livre_s_annonce_jusqu_au_calcul(monkeypatch, calculs, echeance):
    assert not ce_soir.est_long(echeance.societe, moment=MOMENT)
    monkeypatch.setattr(ce_soir, "LOURD", 0)
    assert ce_soir.est_long(echeance.societe, moment=MOMENT)
    ce_soir.soir(echeance.societe, moment=MOMENT)
    assert not ce_soir.est_long(echeance.societe, moment=MOMENT)


def test_les_retenues_comptent_tout_et_gardent_les_plus_grosses(monkeypatch, echeance):
    monkeypatch.setattr(ce_soir, "RETENUES_MAX", 2)
    client = ClientFactory(societe=echeance.societe)
    for montant in (300, 100, 200):
        EcheanceFactory(client=client, montant=montant, echue_le=MARDI - timedelta(days=9), en_litige=True)
    (litige,) = ce_soir.soir(echeance.societe, moment=MOMENT).retenues
    assert (litige.pieces, litige.totaux, len(litige.clients)) == (3, {"EUR": 600}, 1)
    assert [d.echeance.reste_du for _c, d in litige.lignes] == [300, 200]


def test_exigence_1_un_grand_livre_perime_retient_tout_a_l_ecran_comme_a_l_essai(echeance):
    """La nuit serait suspendue : ni « Ce soir » ni l'essai à blanc n'annoncent un départ."""
    societe = echeance.societe
    societe.alimentee_par_import, societe.dernier_import_le = True, MOMENT - timedelta(days=9)
    societe.save()
    calcule = ce_soir.soir(societe, moment=MOMENT, recalculer=True)
    assert (calcule.envois, [g.motif.value for g in calcule.retenues]) == ([], ["donnees_perimees"])
    bilan = nuit.essai(societe, au=MARDI, moment=MOMENT)
    assert (bilan.decidees, dict(bilan.retenues)) == (0, {"donnees_perimees": 1})


def test_un_motif_retenu_est_a_trancher_reprend_a_une_date_ou_est_arrete():
    """Onglet Retenu : trois groupes sans recouvrement ; contentieux et procédure n'attendent personne ce soir."""
    assert not motifs.A_TRANCHER & motifs.ARRETES
    assert {Motif.CONTENTIEUX, Motif.PROCEDURE, Motif.SURENDETTEMENT, Motif.EN_ATTENTE_ENVOI} <= motifs.ARRETES
    assert not {Motif.SUSPENDUE, Motif.PROMESSE, Motif.EXCLUE} & (motifs.A_TRANCHER | motifs.ARRETES)
