"""Une étape demandée pour une pièce, une seule fois ; la version envoyée est celle qu'on a écrite (exigence 29)."""

from datetime import date, timedelta

import pytest
from django.utils import timezone

from relances.domaine.natures import Nature
from relances.models import Courrier, Relance
from relances.services import envoi, etapes_uniques, gestes, preparation
from relances.services.plans import installer_plans
from tests.clients.factories import ClientFactory
from tests.comptes.factories import UtilisateurFactory
from tests.factures.factories import EcheanceFactory, LitigeFactory, PromesseFactory

pytestmark = pytest.mark.django_db
MARDI = date(2026, 2, 10)
N = Nature


@pytest.fixture
def debiteur(time_machine):
    time_machine.move_to("2026-02-10 10:00 +0100", tick=False)
    client = ClientFactory()
    installer_plans(client.societe)
    return client


@pytest.fixture
def par(debiteur):
    return UtilisateurFactory(societe=debiteur.societe)


def test_l_etape_choisie_ne_porte_que_sa_piece_et_attend_une_personne(debiteur, par):
    piece, autre = [EcheanceFactory(client=debiteur, echue_le=MARDI - timedelta(days=j)) for j in (3, 40)]
    courrier = etapes_uniques.relancer_une_fois(debiteur, piece, N.FORMALISATION, par=par, au=MARDI)
    assert (courrier.nature, courrier.statut) == (N.FORMALISATION, Courrier.Statut.A_VALIDER)
    assert [r.echeance_id for r in courrier.relances.all()] == [piece.pk]
    autre.refresh_from_db()
    assert autre.niveau == 0
    for nature in (N.FORMALISATION, N.RAPPEL_COURTOIS):  # refaite ; une autre avant que la première parte
        with pytest.raises(gestes.Refus):
            etapes_uniques.relancer_une_fois(debiteur, piece, nature, par=par, au=MARDI)


def test_une_etape_plus_douce_ne_fait_pas_redescendre_le_niveau(debiteur, par):
    piece = EcheanceFactory(client=debiteur, echue_le=MARDI - timedelta(days=30))
    grave = etapes_uniques.relancer_une_fois(debiteur, piece, N.FORMALISATION, par=par, au=MARDI)
    Courrier.objects.filter(pk=grave.pk).update(statut="envoye", envoye_le=timezone.now())
    Relance.objects.filter(courrier=grave).update(statut=Relance.Statut.ENVOYEE)
    etapes_uniques.relancer_une_fois(debiteur, piece, N.RAPPEL_COURTOIS, par=par, au=MARDI + timedelta(days=7))
    piece.refresh_from_db()
    assert piece.niveau == N.FORMALISATION


def test_les_freins_tiennent(debiteur, par):
    contestee = EcheanceFactory(client=debiteur, echue_le=MARDI - timedelta(days=30))
    LitigeFactory(echeance=contestee)
    promise = EcheanceFactory(client=debiteur, echue_le=MARDI - timedelta(days=30))
    PromesseFactory(echeances=[promise], date_promise=MARDI + timedelta(days=3), faite_le=MARDI)
    for piece in (contestee, promise):
        with pytest.raises(gestes.Refus, match="Rien ne peut partir"):
            etapes_uniques.relancer_une_fois(debiteur, piece, N.RAPPEL_COURTOIS, par=par, au=MARDI)
    assert not Courrier.objects.exists()


def test_la_mise_en_demeure_ne_se_demande_pas_ainsi(debiteur, par):
    piece = EcheanceFactory(client=debiteur, echue_le=MARDI - timedelta(days=30))
    with pytest.raises(gestes.Refus):
        etapes_uniques.relancer_une_fois(debiteur, piece, N.MISE_EN_DEMEURE, par=par, au=MARDI)
    assert N.MISE_EN_DEMEURE not in dict(etapes_uniques.paliers_possibles(debiteur))


def test_exigence_29_la_version_envoyee_est_la_version_editee_et_elle_se_garde(
    debiteur, par, mailoutbox, settings, tmp_path
):
    """Exigence 29 : aperçu, texte modifié, puis ce texte part et reste, octet pour octet."""
    settings.DEPOT = tmp_path / "depot"
    piece = EcheanceFactory(client=debiteur, echue_le=MARDI - timedelta(days=9))
    courrier = etapes_uniques.relancer_une_fois(debiteur, piece, N.RAPPEL_COURTOIS, par=par, au=MARDI)
    apercu = preparation.preparer(courrier, au=MARDI)
    ecrit = apercu.texte.replace("Un oubli arrive à tout le monde", "Merci pour votre appel de ce matin")
    assert ecrit != apercu.texte
    gestes.modifier_texte(courrier, objet="Suite à notre appel", texte=ecrit, par=par, au=MARDI)
    gestes.valider(courrier, par=par, au=MARDI)
    envoi.envoyer(courrier.pk, au=MARDI)
    courrier.refresh_from_db()
    (parti,) = mailoutbox
    assert (courrier.statut, courrier.texte_modifie) == ("envoye", True)
    assert (parti.subject, parti.body.strip()) == (
        courrier.objet,
        courrier.texte.strip(),
    ) and "ce matin" in courrier.texte
    assert parti.subject == "Suite à notre appel"
