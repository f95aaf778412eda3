"""Lever un frein pour une nuit : qui, lequel, à combien, et ce qui ne se lève jamais."""

from datetime import date, timedelta

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction

from factures.models import Echeance
from recouvrement.comptes.models import Role, Societe
from recouvrement.journal.models import Maillon
from relances.domaine.verdicts import LEVABLES, Motif
from relances.models import Courrier, LeveeDeFrein, Passage, Relance
from relances.services import nuit
from relances.services.levees import annuler, approuver, lever, pourquoi_jamais
from relances.services.relecture import relire
from tests.comptes.factories import UtilisateurFactory
from tests.factures.factories import EcheanceFactory, EncaissementFactory, PromesseFactory

pytestmark = pytest.mark.django_db
MARDI = date(2026, 2, 10)


@pytest.fixture
def echeance():
    return EcheanceFactory(echue_le=MARDI - timedelta(days=9))


@pytest.fixture
def responsable(echeance):
    return UtilisateurFactory(societe=echeance.societe, role=Role.RESPONSABLE)


@pytest.fixture
def demander(echeance, responsable):
    def _demander(**champs):
        champs = {"frein": "promesse", "motif": "accord du client", "pour_le": MARDI, "par": responsable} | champs
        return lever(echeance, au=MARDI, **champs)

    return _demander


def test_une_levee_joue_la_nuit_dite_et_laisse_un_maillon(demander):
    levee = demander()
    assert list(LeveeDeFrein.objects.effectives(MARDI)) == [levee]
    assert not LeveeDeFrein.objects.effectives(MARDI + timedelta(days=1))
    assert "accord du client" in Maillon.objects.get(action="levee.demandee").detail.texte


def test_redire_la_meme_levee_n_en_fait_pas_deux(demander):
    assert demander() == demander(motif="double clic")
    assert Maillon.objects.filter(action="levee.demandee").count() == 1


@pytest.mark.parametrize(
    ("champs", "champ"),
    [
        ({"motif": "  "}, "motif"),
        ({"motif": "x" * 201}, "motif"),
        ({"pour_le": MARDI - timedelta(days=1)}, "pour_le"),
        ({"pour_le": MARDI + timedelta(days=32)}, "pour_le"),
        ({"frein": "inconnu"}, "frein"),
        ({"frein": "procedure"}, "frein"),
        ({"frein": "relancee"}, "frein"),
    ],
)
def test_une_levee_refusee_nomme_son_champ(demander, champs, champ):
    with pytest.raises(ValidationError) as refus:
        demander(**champs)
    assert list(refus.value.message_dict) == [champ]
    assert not LeveeDeFrein.objects.exists()


@pytest.mark.parametrize("motif", [m for m in Motif if m not in LEVABLES])
def test_ce_que_la_loi_ou_un_manque_impose_ne_se_leve_pas_et_dit_pourquoi(demander, motif):
    with pytest.raises(ValidationError):
        demander(frein=motif.value)
    assert pourquoi_jamais(motif)


def test_ce_qui_se_leve_n_a_pas_de_raison_de_ne_pas_se_lever():
    assert not any(pourquoi_jamais(m) for m in LEVABLES)


@pytest.mark.parametrize("role", [Role.LECTEUR, Role.GESTIONNAIRE])
def test_lever_un_frein_est_un_droit(demander, echeance, role):
    with pytest.raises(PermissionDenied):
        demander(par=UtilisateurFactory(societe=echeance.societe, role=role))


def test_une_piece_soldee_n_a_plus_de_frein(responsable):
    soldee = EcheanceFactory(societe=responsable.affectations.get().societe, soldee=True)
    with pytest.raises(ValidationError):
        lever(soldee, frein="promesse", motif="x", pour_le=MARDI, par=responsable, au=MARDI)


@pytest.mark.parametrize(("seuil", "a_deux"), [(None, False), (1000, False), (999, True)])
def test_au_dela_du_seuil_de_la_societe_il_faut_deux_personnes(demander, echeance, seuil, a_deux):
    """Mille euros restent dus : le seuil se dépasse, il ne s'atteint pas ; sans seuil, jamais deux."""
    echeance.societe.seuil_deux_personnes = seuil
    echeance.societe.save()
    assert demander().a_deux is a_deux
    assert LeveeDeFrein.objects.effectives(MARDI).exists() is not a_deux


def test_la_seconde_personne_n_est_pas_la_premiere_et_approuve_une_fois(demander, echeance, responsable):
    echeance.societe.seuil_deux_personnes = 1
    echeance.societe.save()
    levee = demander()
    with pytest.raises(ValidationError):
        approuver(levee, par=responsable, au=MARDI)
    with pytest.raises(IntegrityError), transaction.atomic():
        LeveeDeFrein.objects.filter(pk=levee.pk).update(approuvee_par=responsable)
    with pytest.raises(PermissionDenied):
        approuver(levee, par=UtilisateurFactory(societe=echeance.societe, role=Role.GESTIONNAIRE), au=MARDI)
    autre = UtilisateurFactory(societe=echeance.societe, role=Role.ADMINISTRATEUR)
    assert approuver(levee, par=autre, au=MARDI)
    assert not approuver(levee, par=autre, au=MARDI)
    assert LeveeDeFrein.objects.effectives(MARDI).get().approuvee_par == autre


def rend_impaye(echeance, reste):
    Echeance.objects.filter(pk=echeance.pk).update(impute=echeance.montant - reste)
    echeance.refresh_from_db()


def test_une_levee_seule_ne_couvre_pas_un_reste_passe_au_dessus_du_seuil(demander, echeance):
    """Levée seul à 400, le règlement revient impayé : 1 000 dus ne partent pas sans seconde personne."""
    Societe.objects.update(seuil_deux_personnes=500)
    rend_impaye(echeance, 400)
    levee = demander()
    assert list(LeveeDeFrein.objects.effectives(MARDI)) == [levee]
    rend_impaye(echeance, 1000)
    assert not LeveeDeFrein.objects.effectives(MARDI)
    neuve = demander()
    assert neuve != levee and neuve.a_deux and neuve.montant == 1000
    levee.refresh_from_db()
    assert levee.annulee_le


def test_une_levee_approuvee_vaut_pour_le_montant_approuve(demander, echeance):
    Societe.objects.update(seuil_deux_personnes=500)
    rend_impaye(echeance, 600)
    autre = UtilisateurFactory(societe=echeance.societe, role=Role.ADMINISTRATEUR)
    assert approuver(demander(), par=autre, au=MARDI)
    assert LeveeDeFrein.objects.effectives(MARDI)
    rend_impaye(echeance, 1000)
    assert not LeveeDeFrein.objects.effectives(MARDI)
    assert demander().approuvee_le is None


def test_le_seuil_se_juge_sur_toutes_les_levees_du_client_pour_la_meme_nuit(demander, echeance, responsable):
    """Dix pièces de 1 000, seuil 1 000 : la première seule se lève sans seconde personne."""
    Societe.objects.update(seuil_deux_personnes=1000)
    autres = [EcheanceFactory(client=echeance.client, echue_le=echeance.date_echeance) for _ in range(2)]
    ailleurs = EcheanceFactory(societe=echeance.societe)
    assert not demander().a_deux
    assert not demander(frein="exclue").a_deux  # un autre frein de la même pièce n'ajoute rien
    pour = {"frein": "promesse", "motif": "m", "par": responsable, "au": MARDI}
    assert all(lever(e, pour_le=MARDI, **pour).a_deux for e in autres)
    assert not lever(autres[0], pour_le=MARDI + timedelta(days=1), **pour).a_deux
    assert not lever(ailleurs, pour_le=MARDI, **pour).a_deux


def test_des_levees_seules_qui_ensemble_depassent_le_seuil_ne_jouent_plus(demander, echeance, responsable):
    Societe.objects.update(seuil_deux_personnes=1000)
    autre = EcheanceFactory(client=echeance.client, echue_le=echeance.date_echeance)
    rend_impaye(echeance, 400)
    rend_impaye(autre, 400)
    demander()
    lever(autre, frein="promesse", motif="m", pour_le=MARDI, par=responsable, au=MARDI)
    assert LeveeDeFrein.objects.effectives(MARDI).count() == 2
    rend_impaye(echeance, 700)
    assert not LeveeDeFrein.objects.effectives(MARDI)


def test_une_nuit_passee_ne_s_approuve_plus(demander, echeance):
    echeance.societe.seuil_deux_personnes = 1
    echeance.societe.save()
    levee = demander()
    autre = UtilisateurFactory(societe=echeance.societe, role=Role.ADMINISTRATEUR)
    with pytest.raises(ValidationError):
        approuver(levee, par=autre, au=MARDI + timedelta(days=1))


def test_une_levee_annulee_ne_joue_plus_et_peut_se_redemander(demander, responsable):
    levee = demander()
    assert annuler(levee, par=responsable)
    assert not annuler(levee, par=responsable)
    assert not LeveeDeFrein.objects.effectives(MARDI).exists()
    assert demander() != levee


# --- Ce qu'une levée change à la nuit et au courrier ----------------------------------------------


def passer(societe, au=MARDI):
    passage = nuit.ouvrir_passage(societe, au=au, genre=Passage.Genre.AUTOMATIQUE)
    return nuit.relancer(societe, au=au, passage=passage)


@pytest.fixture
def promise(echeance):
    PromesseFactory(echeances=[echeance], date_promise=MARDI + timedelta(days=3), faite_le=MARDI)
    return echeance


def test_la_levee_ne_vaut_que_sa_nuit_et_sa_piece(promise, demander):
    autre = EcheanceFactory(client=promise.client, echue_le=promise.date_echeance)
    PromesseFactory(echeances=[autre], date_promise=MARDI + timedelta(days=3), faite_le=MARDI)
    demander(pour_le=MARDI + timedelta(days=1))
    assert passer(promise.societe).retenues == {"promesse": 2}
    assert passer(promise.societe, MARDI + timedelta(days=1)).retenues == {"promesse": 1}
    relance = Relance.objects.get()
    assert (relance.echeance, relance.courrier.statut) == (promise, Courrier.Statut.A_VALIDER)
    assert "promesse" in relance.raison


def test_tant_que_la_seconde_personne_n_a_rien_dit_le_frein_tient(promise, demander):
    promise.societe.seuil_deux_personnes = 1
    promise.societe.save()
    demander()
    assert passer(promise.societe).retenues == {"promesse": 1}


def test_le_courrier_ne_d_une_levee_se_valide_les_jours_suivants(promise, demander, responsable):
    """La promesse court encore le lendemain : la levée suit le courrier jusqu'à son départ (exigence 19)."""
    demander()
    passer(promise.societe)
    courrier = Courrier.objects.get()
    with transaction.atomic():
        assert relire(courrier, au=MARDI + timedelta(days=1)).garde


def test_une_levee_annulee_retire_la_piece_du_courrier_avant_son_depart(promise, demander, responsable):
    levee = demander()
    passer(promise.societe)
    annuler(levee, par=responsable)
    with transaction.atomic():
        lue = relire(Courrier.objects.get(), au=MARDI + timedelta(days=1))
    assert (lue.garde, "promesse" in lue.raison.lower()) == (False, True)


@pytest.mark.parametrize(("leve", "garde"), [(True, True), (False, False)])
def test_un_credit_arrive_depuis_retient_sauf_frein_leve(echeance, demander, leve, garde):
    passer(echeance.societe)
    EncaissementFactory(client=echeance.client, montant=600)
    if leve:
        demander(frein="credit_non_affecte")
    with transaction.atomic():
        assert relire(Courrier.objects.get(), au=MARDI).garde is garde
