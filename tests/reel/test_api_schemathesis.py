"""Le contrat publié contre un vrai serveur : schemathesis frappe à chaque opération, rien ne casse ni ne surprend."""

import os
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from contextlib import contextmanager
from datetime import date

import pytest

from recouvrement.api.application import operations
from recouvrement.comptes.models import Role
from tests.api.monde import jeton_de, monde_complet

from .processus import attendre

pytestmark = [pytest.mark.reel, pytest.mark.timeout(300)]
GRAINE, EXEMPLES = "20261120", "8"
CONTROLES = ",".join([
    "not_a_server_error", "status_code_conformance", "content_type_conformance", "response_headers_conformance",
    "response_schema_conformance", "ignored_auth", "unsupported_method", "negative_data_rejection",
    "missing_required_header", "use_after_free",
])  # fmt: skip


# 413 et 414 refusent aussi ; un 5xx n'est jamais un refus.
REGLAGES = "[checks]\nnegative_data_rejection.expected-statuses = [400, 401, 403, 404, 405, 409, 413, 414, 415, 422]\n"


def _port() -> int:
    with socket.socket() as prise:
        prise.bind(("127.0.0.1", 0))
        return prise.getsockname()[1]


@contextmanager
def gunicorn(env: dict, journal):
    """Le serveur de production, un seul processus à quatre fils, sur un port libre."""
    port = _port()
    commande = [sys.executable, "-m", "gunicorn", "recouvrement.wsgi", "-b", f"127.0.0.1:{port}", "--threads", "4"]
    with open(journal, "ab") as sortie:
        serveur = subprocess.Popen(commande, env=env, stdout=sortie, stderr=sortie, start_new_session=True)
        try:
            url = f"http://127.0.0.1:{port}"
            attendre(lambda: _repond(url), secondes=60, quoi="le serveur répond")
            yield url
        finally:
            os.killpg(serveur.pid, signal.SIGKILL)
            serveur.wait(10)


def _repond(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/sante", timeout=5) as reponse:
            return reponse.status == 200
    except OSError:
        return False


def test_le_contrat_tient_devant_schemathesis(environnement_reel, settings, tmp_path):
    settings.DEPOT = tmp_path / "var" / "depot"
    env = environnement_reel | {"API_DEMANDES_PAR_MINUTE": "1000000", "LOG_LEVEL": "ERROR"}
    monde = monde_complet()
    jeton = jeton_de(monde.equipe[Role.ADMINISTRATEUR], monde.societe, au=date.today())
    (tmp_path / "schemathesis.toml").write_text(REGLAGES)
    with gunicorn(env, tmp_path / "gunicorn.log") as url:
        rendu = subprocess.run(
            [
                sys.executable, "-m", "schemathesis.cli", "run", f"{url}/api/v1/openapi.json", "--no-color",
                "--header", f"Authorization: Bearer {jeton}", "--seed", GRAINE, "--max-examples", EXEMPLES,
                "--checks", CONTROLES, "--phases", "examples,coverage,fuzzing,stateful", "--max-time", "30",
                "--request-timeout", "20", "--suppress-health-check", "all",
            ],
            env=env, capture_output=True, text=True, cwd=tmp_path, timeout=240,
        )  # fmt: skip
    (tmp_path / "schemathesis.txt").write_text(rendu.stdout + rendu.stderr)
    bilan = rendu.stdout[-6000:]
    assert rendu.returncode == 0, bilan
    assert re.search(r"Tested: (\d+)", rendu.stdout).group(1) == str(sum(map(len, operations().values()))), bilan
    print("\nschemathesis :", re.search(r"(\d+) generated", rendu.stdout).group())
    assert "Traceback" not in (tmp_path / "gunicorn.log").read_text()
