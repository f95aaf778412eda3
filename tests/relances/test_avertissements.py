"""« Relancer » à la main : prévenir quand un délai court encore ou qu'un contact vient d'avoir lieu."""

from datetime import date, timedelta

import pytest
from django.urls import reverse

from recouvrement.comptes.models import Role
from relances.domaine.appels import Issue
from relances.domaine.natures import Nature
from relances.models import Courrier, Tache, Verdict
from relances.services import decisions, gestes
from relances.services.avertissements import avertir
from relances.services.taches import consigner_appel
from tests.clients.factories import ClientFactory
from tests.comptes.factories import UtilisateurFactory
from tests.contentieux.factories import CourrierEnvoyeFactory
from tests.factures.factories import EcheanceFactory

pytestmark = pytest.mark.django_db
MARDI = date(2026, 2, 10)


@pytest.fixture
def responsable(client, time_machine, settings, tmp_path):
    settings.DEPOT = tmp_path
    time_machine.move_to("2026-02-10 09:00 +0100", tick=False)
    user = UtilisateurFactory(role=Role.RESPONSABLE)
    client.force_login(user)
    return user


@pytest.fixture
def debiteur(responsable):
    return ClientFactory(societe=responsable.affectations.get().societe)


@pytest.fixture
def piece(debiteur):
    return EcheanceFactory(
        client=debiteur, echue_le=MARDI - timedelta(days=60), niveau=Nature.FORMALISATION, niveau_rang=4,
        niveau_le=MARDI - timedelta(days=20),
    )  # fmt: skip


def lettre(piece, *, limite, le=MARDI - timedelta(days=20), nature=Nature.RAPPEL_COURTOIS):
    return CourrierEnvoyeFactory([piece], nature=nature, le=le, date_limite=limite)


def url(debiteur, suite=""):
    return reverse("relances:manuel", args=[debiteur.pk]) + suite


@pytest.mark.parametrize(
    ("limite", "averti"), [(MARDI - timedelta(1), False), (MARDI, True), (MARDI + timedelta(5), True)]
)
def test_le_delai_d_une_lettre_partie_se_dit_tant_qu_il_court(debiteur, piece, limite, averti):
    lettre(piece, limite=limite)
    assert bool(avertir(debiteur, [piece.pk], au=MARDI)) is averti


def test_le_delai_d_une_autre_piece_ne_compte_pas(debiteur, piece):
    lettre(EcheanceFactory(client=debiteur, echue_le=MARDI - timedelta(9)), limite=MARDI + timedelta(5))
    assert avertir(debiteur, [piece.pk], au=MARDI) == []


@pytest.mark.parametrize(("jours", "averti"), [(4, True), (5, False)])
def test_un_contact_recent_se_dit_par_lettre(debiteur, piece, jours, averti):
    """Délai de la société : cinq jours."""
    lettre(piece, limite=None, le=MARDI - timedelta(days=jours))
    assert bool(avertir(debiteur, [piece.pk], au=MARDI)) is averti


def test_un_appel_du_jour_est_un_contact(debiteur, piece, responsable):
    consigner_appel(debiteur, issue=Issue.MESSAGE, au=MARDI, acteur=responsable)
    (phrase,) = avertir(debiteur, [piece.pk], au=MARDI)
    assert phrase.startswith("Appel le 10/02/2026")
    debiteur.delai_entre_contacts = 0
    assert avertir(debiteur, [piece.pk], au=MARDI) == []


def test_relancer_demande_une_confirmation_sans_interdire(client, debiteur):
    piece = EcheanceFactory(client=debiteur, echue_le=MARDI - timedelta(days=30), niveau=Nature.RAPPEL_COURTOIS)
    lettre(piece, limite=MARDI + timedelta(days=5))
    page = client.get(url(debiteur)).content.decode()
    assert "ce délai court encore" in page
    refus = client.post(url(debiteur))
    assert refus.status_code == 422
    avant = Courrier.objects.count()
    client.post(url(debiteur), {"confirme": "on"})
    assert Courrier.objects.count() == avant + 1


def test_sans_avertissement_un_clic_suffit(client, debiteur):
    EcheanceFactory(client=debiteur, echue_le=MARDI - timedelta(days=30))
    assert "Relancer quand même" not in client.get(url(debiteur)).content.decode()
    client.post(url(debiteur))
    assert Courrier.objects.count() == 1


def test_la_mise_en_demeure_attend_la_fin_du_delai_donne(client, debiteur, piece):
    formalisation = lettre(piece, limite=MARDI, nature=Nature.FORMALISATION)
    suite = "?palier=mise-en-demeure"
    page = client.post(url(debiteur, suite), {"motif": "Silence", "confirme": "on"}, follow=True)
    assert "Pas de mise en demeure avant le" in page.content.decode()
    assert not Courrier.objects.filter(nature=Nature.MISE_EN_DEMEURE).exists()

    Courrier.objects.filter(pk=formalisation.pk).update(date_limite=MARDI - timedelta(1))
    client.post(url(debiteur, suite), {"motif": "Silence"})
    assert Courrier.objects.filter(nature=Nature.MISE_EN_DEMEURE).exists()


def test_la_decision_n_offre_pas_de_mise_en_demeure_pendant_le_delai(client, debiteur, piece):
    lettre(piece, limite=MARDI + timedelta(3), nature=Nature.FORMALISATION)
    Verdict.objects.create(echeance=piece, du=MARDI, code="max_amiables")
    tache = Tache.objects.create(
        societe=debiteur.societe, client=debiteur, genre=Tache.Genre.DECISION, titre="x", due_le=MARDI, cle="d"
    )
    adresse = reverse("clients:decision", args=[debiteur.pk, tache.pk])
    assert "Préparer la mise en demeure" not in client.get(adresse).content.decode()
    assert client.post(adresse, {"choix": "demeure", "demeure-motif": "x"}).status_code == 422
    tache.refresh_from_db()
    assert not tache.faite_le


@pytest.mark.parametrize("porte", ["proposer", "relancer", "decision"])
def test_aucun_service_ne_met_en_demeure_pendant_le_delai_donne(debiteur, piece, responsable, porte):
    """L'écran, la commande, la décision : toutes les portes passent par le même refus."""
    lettre(piece, limite=MARDI, nature=Nature.FORMALISATION)
    Verdict.objects.create(echeance=piece, du=MARDI, code="max_amiables")
    tache = Tache.objects.create(
        societe=debiteur.societe, client=debiteur, genre=Tache.Genre.DECISION, titre="x", due_le=MARDI, cle="d"
    )
    portes = {
        "proposer": lambda: gestes.proposer_maintenant(debiteur, au=MARDI, derogation="silence"),
        "relancer": lambda: gestes.relancer_maintenant(debiteur, par=responsable, au=MARDI, derogation="silence"),
        "decision": lambda: decisions.lancer_mise_en_demeure(tache, motif="silence", par=responsable, au=MARDI),
    }
    with pytest.raises(gestes.Refus, match="Pas de mise en demeure avant le"):
        portes[porte]()
    assert not Courrier.objects.filter(nature=Nature.MISE_EN_DEMEURE).exists()
    tache.refresh_from_db()
    assert not tache.faite_le
