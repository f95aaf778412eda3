"""`manage.py prescription` (calcul pur) et la veille du matin."""

import json
from datetime import date
from io import StringIO

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from contentieux import services, tasks
from contentieux.models import DossierContentieux
from relances.models import Tache
from tests.contentieux.factories import DossierFactory


def prescription(*args) -> dict:
    sortie = StringIO()
    call_command("prescription", *args, "--json", stdout=sortie)
    return json.loads(sortie.getvalue())


def test_la_commande_donne_origine_possible_et_etapes():
    lue = prescription(
        "--nature", "commerce", "--depart", "2026-02-18", "--interruption", "2026-11-20=mise_en_demeure",
        "--interruption", "2027-01-12=signification",
    )  # fmt: skip
    assert (lue["origine"], lue["possible"]) == ("2031-02-18", "2032-01-12")
    assert [(e["acte"], e["interrompt"]) for e in lue["etapes"]] == [
        ("depart", False), ("mise_en_demeure", False), ("signification", True),
    ]  # fmt: skip


def test_la_commande_s_ecrit_aussi_en_clair():
    sortie = StringIO()
    call_command("prescription", "--nature", "public", "--depart", "2026-02-18", stdout=sortie)
    assert "31/12/2030" in sortie.getvalue()


@pytest.mark.parametrize(
    "args",
    [
        ("--nature", "magie", "--depart", "2026-02-18"),
        ("--nature", "commerce", "--depart", "18/02/2026"),
        ("--nature", "commerce", "--depart", "2026-02-18", "--interruption", "2026-11-20"),
        ("--nature", "commerce", "--depart", "2026-02-18", "--interruption", "2026-11-20=lettre"),
    ],
)
def test_un_argument_faux_est_une_erreur_d_usage(args):
    with pytest.raises(CommandError):
        call_command("prescription", *args)


def test_une_nature_sans_duree_est_refusee():
    with pytest.raises(CommandError, match="durée à déterminer") as refus:
        call_command("prescription", "--nature", "butoir", "--depart", "2026-02-18")
    assert refus.value.returncode == 1


@pytest.mark.django_db
def test_la_veille_passe_chaque_matin_et_une_panne_n_arrete_pas_les_autres(monkeypatch):
    assert settings.CELERY_BEAT_SCHEDULE["veille-contentieux"]["task"] == tasks.veille.name
    malade, sain = DossierFactory(factures=1), DossierFactory(factures=1)
    for dossier in (malade, sain):
        DossierContentieux.objects.filter(pk=dossier.pk).update(requete_empreinte="0" * 64)
        for evenement, le in (("depot_requete", date(2026, 11, 23)), ("ordonnance", date(2026, 12, 14))):
            services.enregistrer_etape(dossier, evenement, le=le, par=dossier.ouvert_par, au=date(2027, 3, 1))
    monkeypatch.setattr(tasks, "aujourd_hui", lambda: date(2027, 3, 1))
    veritable = tasks.veiller

    def parfois(societe, *, au):
        if societe == malade.societe:
            raise RuntimeError("panne")
        return veritable(societe, au=au)

    monkeypatch.setattr(tasks, "veiller", parfois)
    tasks.veille()
    assert list(Tache.objects.values_list("client", flat=True)) == [sain.client_id]
