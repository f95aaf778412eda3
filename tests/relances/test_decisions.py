"""Exigence 14 : après le maximum d'amiables, mettre en demeure ou abandonner ; une personne, un motif."""

from datetime import date, timedelta

import pytest

from factures.models import Echeance, Exclusion
from recouvrement.comptes.models import Role
from recouvrement.journal.models import Maillon
from relances.domaine.natures import Nature
from relances.models import Courrier, Passage, Relance, Tache, Verdict
from relances.services import nuit
from relances.services.decisions import abandonner, lancer_mise_en_demeure, ouvrir_decision, pieces_a_trancher
from relances.services.gestes import Refus, relancer_maintenant
from tests.comptes.factories import SocieteFactory, UtilisateurFactory
from tests.factures.factories import EcheanceFactory, LitigeFactory

pytestmark = pytest.mark.django_db
MARDI, JOUR = date(2026, 2, 10), timedelta(days=1)
MERCREDI = MARDI + JOUR


def passer(societe, au):
    passage = nuit.ouvrir_passage(societe, au=au, genre=Passage.Genre.AUTOMATIQUE)
    return nuit.relancer(societe, au=au, passage=passage)


@pytest.fixture
def epuisee():
    """Aucune relance amiable permise : la première nuit demande une décision."""
    echeance = EcheanceFactory(societe=SocieteFactory(max_amiables=0), echue_le=MARDI - 40 * JOUR)
    passer(echeance.societe, MARDI)
    return echeance


@pytest.fixture
def tache(epuisee):
    return Tache.objects.get(genre=Tache.Genre.DECISION)


@pytest.fixture
def personne(epuisee):
    return UtilisateurFactory(societe=epuisee.societe, role=Role.RESPONSABLE)


def test_la_nuit_demande_une_decision_et_nomme_ses_pieces(epuisee, tache):
    assert pieces_a_trancher(tache.client, au=MERCREDI) == [epuisee]


def test_la_mise_en_demeure_se_prepare_a_valider_avec_son_motif(epuisee, tache, personne):
    """Elle est le premier acte (exigence 11) : sa relance dit que la formalisation manque (exigence 10)."""
    EcheanceFactory(client=epuisee.client, echue_le=MARDI - 2 * JOUR)  # pas à trancher : hors de la lettre
    (courrier,) = lancer_mise_en_demeure(tache, motif="silence du client", par=personne, au=MERCREDI)
    assert (courrier.nature, courrier.statut) == (Nature.MISE_EN_DEMEURE, Courrier.Statut.A_VALIDER)
    assert courrier.derogation == "silence du client"
    relance = courrier.relances.get()
    assert (relance.echeance, "dérogation" in relance.raison) == (epuisee, True)
    tache.refresh_from_db()
    assert tache.faite_le and "silence du client" in tache.issue
    assert Maillon.objects.filter(action="decision.tranchee").count() == 1


def test_un_double_clic_ne_prepare_qu_une_lettre(tache, personne):
    assert lancer_mise_en_demeure(tache, motif="silence", par=personne, au=MERCREDI)
    assert lancer_mise_en_demeure(tache, motif="silence", par=personne, au=MERCREDI) == []
    assert abandonner(tache, motif="silence", jusqu_au=None, par=personne, au=MERCREDI) == []
    assert Courrier.objects.count() == 1


def test_un_litige_ouvert_depuis_refuse_la_mise_en_demeure_et_laisse_la_tache(epuisee, tache, personne):
    LitigeFactory(echeance=epuisee)
    with pytest.raises(Refus, match="contestés"):
        lancer_mise_en_demeure(tache, motif="silence", par=personne, au=MERCREDI)
    tache.refresh_from_db()
    assert tache.faite_le is None


def test_abandonner_jusqu_a_une_date_exclut_puis_la_piece_rentre_seule(epuisee, tache, personne):
    """Exigence 17."""
    abandonner(tache, motif="petit solde", jusqu_au=MARDI + 6 * JOUR, par=personne, au=MERCREDI)
    assert passer(epuisee.societe, MERCREDI).retenues == {"exclue": 1}
    assert Verdict.objects.get(echeance=epuisee, au=None).prochaine == MARDI + 7 * JOUR
    assert passer(epuisee.societe, MARDI + 7 * JOUR).retenues == {"max_amiables": 1}


def test_abandonner_pour_toujours_demande_la_perte_sans_ecriture(epuisee, tache, personne):
    abandonner(tache, motif="entreprise radiée", jusqu_au=None, par=personne, au=MERCREDI)
    epuisee.refresh_from_db()
    assert (epuisee.reste_du, Exclusion.objects.count()) == (1000, 1)
    perte = Tache.objects.get(cle="perte")
    assert "1 pièce en perte" in perte.titre and "1 000,00" in perte.raison.replace("\u202f", " ").replace("\xa0", " ")


@pytest.mark.parametrize("geste", ["demeure", "abandon"])
def test_sans_motif_ou_sans_rien_a_trancher_le_geste_est_refuse(epuisee, tache, personne, geste):
    def faire(motif):
        if geste == "demeure":
            return lancer_mise_en_demeure(tache, motif=motif, par=personne, au=MERCREDI)
        return abandonner(tache, motif=motif, jusqu_au=None, par=personne, au=MERCREDI)

    with pytest.raises(Refus, match="motif"):
        faire("  ")
    Echeance.objects.filter(pk=epuisee.pk).update(impute=epuisee.montant, soldee_le=MARDI)
    with pytest.raises(Refus, match="Plus aucune"):
        faire("silence")
    assert not Relance.objects.exists() and not Exclusion.objects.exists()


def test_une_autre_tache_ne_se_tranche_pas_ainsi(tache, personne):
    Tache.objects.filter(pk=tache.pk).update(genre=Tache.Genre.APPEL)
    with pytest.raises(Refus):
        abandonner(Tache.objects.get(pk=tache.pk), motif="x", jusqu_au=None, par=personne, au=MERCREDI)


def test_une_personne_tranche_sans_attendre_que_la_nuit_cree_la_tache():
    echeance = EcheanceFactory(societe=SocieteFactory(max_amiables=0), echue_le=MARDI - 40 * JOUR)
    assert pieces_a_trancher(echeance.client, au=MARDI) == [echeance]
    tache = ouvrir_decision(echeance.client, au=MARDI)
    assert (tache.genre, ouvrir_decision(echeance.client, au=MARDI)) == (Tache.Genre.DECISION, tache)
    passer(echeance.societe, MARDI)  # la nuit trouve la tâche ouverte et n'en crée pas d'autre
    assert Tache.objects.count() == 1


def test_sans_piece_a_trancher_aucune_decision_ne_s_ouvre():
    echeance = EcheanceFactory(societe=SocieteFactory(), echue_le=MARDI - 9 * JOUR)
    with pytest.raises(Refus, match="Plus aucune"):
        ouvrir_decision(echeance.client, au=MARDI)
    assert not Tache.objects.exists()


def test_la_formalisation_qui_manque_a_une_mise_en_demeure_s_envoie():
    """« Pas de mise en demeure sans formalisation » a son geste : la formalisation, à relire et valider."""
    echeance = EcheanceFactory(societe=SocieteFactory(), echue_le=MARDI - 9 * JOUR, niveau=Nature.RAPPEL_COURTOIS)
    par = UtilisateurFactory(societe=echeance.societe, role=Role.RESPONSABLE)
    courriers = relancer_maintenant(echeance.client, par=par, au=MARDI, formaliser=True)
    assert [(c.nature, c.statut) for c in courriers] == [(Nature.FORMALISATION, Courrier.Statut.A_VALIDER)]
