"""Lever un frein pour une nuit : qui, lequel, à combien, et ce qui ne se lève jamais."""

from datetime import date, timedelta

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction

from recouvrement.comptes.models import Role
from recouvrement.journal.models import Maillon
from relances.domaine.verdicts import LEVABLES, Motif
from relances.models import LeveeDeFrein
from relances.services.levees import annuler, approuver, lever, pourquoi_jamais
from tests.comptes.factories import UtilisateurFactory
from tests.factures.factories import EcheanceFactory

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
