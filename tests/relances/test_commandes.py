"""Contrat des commandes relancer et envoyer (produit.md § 7), et le passage quotidien."""

import json
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.core.management import CommandError, call_command

from recouvrement.comptes.models import Role
from relances.models import Courrier, Passage
from relances.services import quotidien
from tests.comptes.factories import SocieteFactory, UtilisateurFactory
from tests.factures.factories import EcheanceFactory

pytestmark = pytest.mark.django_db
MARDI = date(2026, 2, 10)
PARIS = ZoneInfo("Europe/Paris")
SOIR = datetime(2026, 2, 10, 19, 30, tzinfo=PARIS)


@pytest.fixture(autouse=True)
def un_mardi(time_machine, settings, tmp_path):
    settings.DEPOT = tmp_path / "depot"
    time_machine.move_to("2026-02-10 19:30 +0100", tick=False)


def lancer(capsys, *arguments) -> dict:
    call_command(*arguments, "--json")
    return json.loads(capsys.readouterr().out)


def test_relancer_essai_puis_vrai_puis_envoyer(capsys, mailoutbox):
    EcheanceFactory(echue_le=MARDI - timedelta(days=9))
    essai = lancer(capsys, "relancer", "--essai")
    assert set(essai) == {"passage", "au", "decidees", "retenues", "courriers", "a_valider", "erreurs"}
    assert (essai["passage"], essai["decidees"], Passage.objects.count()) == (None, 1, 0)
    vrai = lancer(capsys, "relancer")
    assert vrai == essai | {"passage": 1}
    assert vrai["courriers"] == {"courriel": 1, "lettre": 0, "recommande": 0, "sms": 0, "appel": 0}
    assert lancer(capsys, "envoyer") == {"envoyes": 1, "incertains": 0, "erreurs": []}
    assert lancer(capsys, "envoyer") == {"envoyes": 0, "incertains": 0, "erreurs": []}
    assert len(mailoutbox) == 1


def test_le_passage_du_jour_ne_se_fait_qu_une_fois_mais_se_rejoue(capsys):
    SocieteFactory()
    lancer(capsys, "relancer")
    with pytest.raises(CommandError) as refus:
        call_command("relancer")
    assert refus.value.returncode == 1
    assert lancer(capsys, "relancer", "--rejouer")["passage"] == 2


@pytest.mark.parametrize(
    "arguments", [["--au", "2026-02-09"], ["--societe", "inconnue"], []], ids=["autre jour", "inconnue", "plusieurs"]
)
def test_usage_refuse_par_le_code_2(arguments):
    SocieteFactory(), SocieteFactory()
    with pytest.raises(CommandError) as refus:
        call_command("relancer", *(arguments or []))
    assert refus.value.returncode == 2


def test_donnees_perimees_suspendent_puis_le_passage_reprend(mailoutbox):
    """Exigence 1."""
    societe = SocieteFactory(
        relances_actives=True, alimentee_par_import=True, dernier_import_le=SOIR - timedelta(days=2)
    )
    UtilisateurFactory(role=Role.ADMINISTRATEUR, societe=societe)
    EcheanceFactory(societe=societe, echue_le=MARDI - timedelta(days=9))
    assert quotidien.passer(societe, au=MARDI, moment=SOIR) is None
    passage = Passage.objects.get()
    assert passage.statut == Passage.Statut.SUSPENDU and "données périmées" in passage.motif
    assert len(mailoutbox) == 1 and not Courrier.objects.exists()
    assert quotidien.societes_dues(SOIR) == []

    societe.dernier_import_le = SOIR - timedelta(hours=1)
    societe.save()
    assert quotidien.societes_dues(SOIR) == [societe]
    assert quotidien.passer(societe, au=MARDI, moment=SOIR).decidees == 1
    assert Passage.objects.get().statut == Passage.Statut.TERMINE
    assert quotidien.societes_dues(SOIR) == []


@pytest.mark.parametrize(
    ("moment", "due"),
    [
        (datetime(2026, 2, 10, 18, 59, tzinfo=PARIS), False),
        (datetime(2026, 2, 10, 19, 0, tzinfo=PARIS), True),
        (datetime(2026, 2, 14, 20, 0, tzinfo=PARIS), False),  # samedi
    ],
)
def test_l_heure_et_le_jour_du_passage(moment, due):
    SocieteFactory(relances_actives=True, heure_passage="19:00")
    assert bool(quotidien.societes_dues(moment)) is due


def test_une_societe_coupee_ne_passe_pas_seule():
    SocieteFactory(relances_actives=False)
    assert quotidien.societes_dues(SOIR) == []
