"""Le rappel du semestre à relever et la commande `taux` : un courriel, un bandeau, des refus clairs."""

import json
from datetime import date
from decimal import Decimal
from io import StringIO

import pytest
from django.core import mail
from django.core.management import CommandError, call_command
from django.urls import reverse

from factures import services
from factures.models import SemestreConnu, TauxLegal
from factures.tasks import rappel_taux
from recouvrement.comptes.models import Role
from recouvrement.journal.models import Maillon
from tests.comptes.factories import UtilisateurFactory

pytestmark = pytest.mark.django_db
SOURCE = "Banque de France, 04/01/2027"


@pytest.fixture(autouse=True)
def le_4_janvier(monkeypatch):
    """Le semestre a commencé : son taux de la BCE existe."""
    monkeypatch.setattr("factures.management.commands.taux.aujourd_hui", lambda: date(2027, 1, 4))


def relever(semestre="2027-S1"):
    services.ajouter_semestre(
        semestre,
        source=SOURCE,
        acteur=None,
        au=date(2027, 1, 4),
        refi=Decimal("2.65"),
        autres=Decimal("2.80"),
        particuliers=Decimal("6.90"),
    )


@pytest.mark.parametrize(
    ("au", "attendu"),
    [
        (date(2026, 11, 20), ""),
        (date(2026, 12, 14), ""),
        (date(2026, 12, 15), "2027-S1"),
        (date(2026, 12, 31), "2027-S1"),
        (date(2027, 1, 1), "2027-S1"),
        (date(2027, 5, 4), "2027-S1"),
    ],
)
def test_le_semestre_suivant_se_rappelle_des_le_15_du_dernier_mois_le_courant_toujours(au, attendu):
    assert services.semestre_a_relever(services.bareme(), au) == attendu
    relever()
    assert services.semestre_a_relever(services.bareme(), au) == ""


def test_un_semestre_sans_taux_legal_reste_a_relever():
    """Le taux de la BCE seul ne suffit ni au plancher ni aux particuliers."""
    services.ajouter_semestre("2027-S1", source=SOURCE, acteur=None, au=date(2027, 1, 4), refi=Decimal("2.65"))
    assert services.semestre_a_relever(services.bareme(), date(2027, 1, 4)) == "2027-S1"


def test_un_seul_courriel_par_semestre_aux_administrateurs_actifs():
    chef = UtilisateurFactory(role=Role.ADMINISTRATEUR)
    UtilisateurFactory(role=Role.GESTIONNAIRE)
    UtilisateurFactory(role=Role.ADMINISTRATEUR, is_active=False)
    assert [services.rappeler(au=date(2026, 12, jour)) for jour in (14, 15, 16)] == [False, True, False]
    (message,) = mail.outbox
    assert message.bcc == [chef.courriel] and not message.to
    assert "2027-S1" in message.subject and "01/01/2027" in message.body
    assert Maillon.objects.filter(action="taux.rappel").count() == 1


def test_un_serveur_qui_refuse_n_ecrit_rien_et_le_lendemain_reessaie(monkeypatch):
    UtilisateurFactory(role=Role.ADMINISTRATEUR)

    def refuser(message):
        raise services.rappel_taux.EnvoiRefuse("serveur injoignable", passager=True)

    with monkeypatch.context() as panne:
        panne.setattr("factures.services.rappel_taux.remettre", refuser)
        assert services.rappeler(au=date(2026, 12, 15)) is False
    assert not Maillon.objects.filter(action="taux.rappel").exists()
    assert services.rappeler(au=date(2026, 12, 16)) is True


def test_sans_administrateur_rien_ne_part_ni_ne_s_ecrit():
    assert services.rappeler(au=date(2026, 12, 15)) is False
    assert not mail.outbox and not Maillon.objects.filter(action="taux.rappel").exists()


def test_la_tache_du_matin_rappelle(monkeypatch):
    UtilisateurFactory(role=Role.ADMINISTRATEUR)
    monkeypatch.setattr("factures.tasks.aujourd_hui", lambda: date(2027, 1, 4))
    rappel_taux()
    assert len(mail.outbox) == 1


@pytest.mark.parametrize("route", ["administration", "societes", "taux"])
def test_le_bandeau_d_administration_nomme_le_semestre_et_disparait_une_fois_releve(client, monkeypatch, route):
    client.force_login(UtilisateurFactory(role=Role.ADMINISTRATEUR))
    for module in ("societes", "administration"):
        monkeypatch.setattr(f"recouvrement.comptes.views.{module}.aujourd_hui", lambda: date(2026, 12, 20))
    url = reverse(f"comptes:{route}")
    assert "Taux du 2027-S1 à relever" in client.get(url).content.decode()
    relever()
    assert "à relever" not in client.get(url).content.decode()


# --- manage.py taux ---------------------------------------------------------------------------------
def commande(*mots):
    sortie = StringIO()
    call_command("taux", *mots, "--json", stdout=sortie)
    return json.loads(sortie.getvalue())


AJOUT = ["ajouter", "2027-S1", "--refi", "2.65", "--autres", "2.80", "--particuliers", "6.90", "--source", SOURCE]


def test_lister_imprime_chaque_semestre_sa_source_et_ce_qui_manque(monkeypatch):
    monkeypatch.setattr("factures.management.commands.taux.aujourd_hui", lambda: date(2027, 1, 4))
    objet = commande("lister")
    assert objet["a_relever"] == "2027-S1"
    dernier = objet["semestres"][0]
    assert dernier.pop("sources")
    assert dernier == {
        "semestre": "2026-S2", "du": "2026-07-01", "au": "2026-12-31", "refi": "2.40", "entreprise": "12.40",
        "administration": "10.40", "particuliers": "6.84", "autres": "2.75", "plancher": "8.25",
    }  # fmt: skip


def test_ajouter_un_semestre_le_rend_calculable_et_le_redire_ne_change_rien():
    objet = commande(*AJOUT)
    assert (objet["change"], objet["entreprise"], objet["plancher"]) == (True, "12.65", "8.40")
    assert commande(*AJOUT)["change"] is False
    assert SemestreConnu.objects.get(semestre="2027-S1").source == SOURCE


def test_l_essai_n_ecrit_rien():
    assert commande(*AJOUT, "--essai")["change"] is True
    assert not SemestreConnu.objects.filter(semestre="2027-S1").exists()


@pytest.mark.parametrize(
    ("mots", "phrase"),
    [
        (["2027-S1", "--refi", "1240", "--source", SOURCE], "0 à 20"),
        (["2027-S1", "--refi", "12.40", "--source", SOURCE], "deux points"),
        (["2026-S2", "--refi", "2.65", "--source", SOURCE], "déjà relevé"),  # en double : un semestre n'a qu'un taux
        (["2027-S1", "--refi", "2.65", "--source", "  "], "où ce taux a été lu"),
        (["2027-S1", "--autres", "2.80", "--source", SOURCE], "ensemble"),
        (["2027-S1", "--source", SOURCE], "Indiquez"),
        (["2027-S1", "--refi", "2.90", "--source", SOURCE], "date d'effet"),
        (["2027-S1", "--refi", "2.90", "--effet", "2027-02-01", "--source", SOURCE], "après le premier jour"),
    ],
)
def test_un_taux_faux_en_double_ou_sans_source_est_refuse_et_rien_ne_s_ecrit(mots, phrase):
    sortie = StringIO()
    avant = SemestreConnu.objects.count(), TauxLegal.objects.count()
    with pytest.raises(CommandError) as refus:
        call_command("taux", "ajouter", *mots, "--json", stdout=sortie)
    assert refus.value.returncode == 1
    assert phrase in json.loads(sortie.getvalue())["refus"].replace("\u00a0", " ")
    assert (SemestreConnu.objects.count(), TauxLegal.objects.count()) == avant


@pytest.mark.parametrize("mots", [["2027-S3"], ["2027"], ["2027-S1", "--refi", "-1"], ["2027-S1", "--refi", "2.65"]])
def test_une_erreur_d_usage_de_taux_est_refusee_avant_tout(mots):
    fin = [] if mots[-1] == "2.65" else ["--source", SOURCE]  # sans source : usage
    with pytest.raises(CommandError):
        call_command("taux", "ajouter", *mots, *fin)


def test_taux_se_lit_aussi_sans_json(capsys):
    call_command("taux", "lister")
    assert "2026-S2  refi 2.40  entreprise 12.40" in capsys.readouterr().out
    call_command("taux", *AJOUT)
    assert capsys.readouterr().out.endswith("ajouté\n")


def test_la_commande_refuse_un_taux_de_la_bce_d_un_semestre_qui_n_a_pas_commence(monkeypatch):
    monkeypatch.setattr("factures.management.commands.taux.aujourd_hui", lambda: date(2026, 12, 20))
    with pytest.raises(CommandError, match="n'existe pas encore"):
        call_command("taux", "ajouter", "2027-S1", "--refi", "2.65", "--source", SOURCE)
