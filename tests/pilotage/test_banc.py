"""Le banc mesure le vrai travail et ne ment pas : il compare tout à l'oracle."""

import json
from io import StringIO
from types import SimpleNamespace

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from recouvrement.pilotage import banc
from tests.banc import generer
from tests.comptes.factories import SocieteFactory

pytestmark = pytest.mark.django_db
MESURES = [
    "chargement complet", "relances nuit 1", "relances nuit 2", "relances nuit 3", "relances nuit de clôture",
    "relances nuit au repos", "balance âgée", "conformité",
]  # fmt: skip


@pytest.fixture
def dossier(tmp_path):
    generer.ecrire(generer.parser().parse_args(["--clients", "20", "--factures", "200", "--sortie", str(tmp_path)]))
    return tmp_path


@pytest.fixture(autouse=True)
def dans_une_transaction(monkeypatch):
    """VACUUM refuse une transaction d'essai, et les lettres ont leurs propres essais."""
    monkeypatch.setattr(banc.Banc, "_entretenir", lambda self: None)
    monkeypatch.setattr(banc, "pdf", SimpleNamespace(disponible=lambda: True, fusionner=b"".join))
    monkeypatch.setattr(banc, "envoyables", lambda *a, **k: [])


def lancer(dossier) -> list[dict]:
    sortie = StringIO()
    try:
        call_command("banc", str(dossier), "--lettres", "0", stdout=sortie)
    finally:
        lignes = [json.loads(x) for x in sortie.getvalue().splitlines()]
    return lignes


def test_chaque_mesure_a_sa_ligne_et_tout_egale_l_oracle(dossier):
    mesures = lancer(dossier)
    assert [m["mesure"] for m in mesures] == MESURES
    assert all(m["pair"] == "notre" for m in mesures)
    assert all({"s", "lignes", "rss_mio"} <= set(m) for m in mesures[:-1])
    attendu = json.loads((dossier / "attendu.json").read_text())
    assert [m["lignes"] for m in mesures[1:6]] == [attendu[f"lignes_niveau_{i}"] for i in (1, 2, 3)] + [0, 0]
    assert mesures[-1] == {"pair": "notre", "mesure": "conformité", "conforme": True, "ecarts": []}


@pytest.mark.parametrize("cle", ["lignes_niveau_2", "balance_agee", "empreinte_balance"])
def test_un_oracle_contredit_sort_en_erreur(dossier, cle):
    attendu = json.loads((dossier / "attendu.json").read_text())
    attendu[cle] = {"balance_agee": ["0.00"] * 5}.get(cle, "autre")
    (dossier / "attendu.json").write_text(json.dumps(attendu))
    with pytest.raises(SystemExit) as sortie:
        lancer(dossier)
    assert sortie.value.code == 1


def test_une_base_habitee_ou_un_dossier_incomplet_sont_refuses(dossier):
    (dossier / "factures.csv").rename(dossier / "ailleurs")
    with pytest.raises(CommandError, match="factures"):
        lancer(dossier)
    (dossier / "ailleurs").rename(dossier / "factures.csv")
    SocieteFactory()
    with pytest.raises(CommandError, match="n'est pas vide"):
        lancer(dossier)


@pytest.mark.skipif(connection.vendor != "postgresql", reason="statistiques du planificateur")
def test_l_import_dit_ce_qu_il_a_ecrit_avant_d_imputer(dossier):
    """Sinon une colonne vide à la dernière analyse passe pour toujours vide : 142 000 lignes n'aboutissaient plus."""
    vues = []

    def noter(executer, sql, *suite):
        vues.append(" ".join(sql.split()).lower())
        return executer(sql, *suite)

    with connection.execute_wrapper(noter):
        lancer(dossier)
    ordre = [v for v in vues if v.startswith(("analyze imp_avoir, imp_enc", "insert into factures_imputation"))]
    assert ordre and ordre[0].startswith("analyze") and "imp_encaissement" in ordre[0]
