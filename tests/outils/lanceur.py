"""Suite entière : SQLite, PostgreSQL, puis processus réels. Appelé par `python3 demarrer.py tests`.

Installe par apt les moteurs qui manquent quand c'est permis ; ce qui manque encore est sauté et dit.
Les arguments reçus sont passés à pytest. Code de sortie : 0 si tout passe, 1 sinon.
"""

import contextlib
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import demarrer
from tests.outils import moteurs

BILAN = re.compile(r"(\d+) (passed|failed|error|skipped|xfailed|xpassed)")
COULEURS = re.compile(r"\x1b\[[0-9;]*m")
RIEN_A_FAIRE = 5  # code de pytest quand aucun essai ne répond au filtre


@dataclass
class Phase:
    """Un passage de pytest : titre, filtre de marqueur, environnement ajouté, options propres."""

    titre: str
    marqueur: str
    env: dict[str, str]
    options: list[str] = field(default_factory=list)


def installer_moteurs() -> None:
    """Demande à apt, en une fois, tout ce que la suite sait employer et ne trouve pas."""
    besoins = [
        (moteurs.binaires_postgres(), ["postgresql"]),
        (shutil.which("redis-server") or shutil.which("valkey-server"), ["redis-server"]),
        (moteurs.chromium(), ["chromium", "fonts-liberation"]),
        (shutil.which("pdftotext"), ["poppler-utils"]),
        (shutil.which("ps"), ["procps"]),
    ]
    manquants = [paquet for present, paquets in besoins if not present for paquet in paquets]
    if manquants:
        demarrer.installer_paquets(manquants)


def coeurs() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def lancer(phase: Phase, arguments: list[str]) -> tuple[bool, Counter]:
    """Exécute une phase en recopiant sa sortie ; renvoie (réussie, décompte des essais)."""
    demarrer.dire(f"\n===== {phase.titre} =====")
    debut, comptes = time.monotonic(), Counter()
    couleur = ["--color=yes"] if sys.stdout.isatty() else []
    commande = [sys.executable, "-m", "pytest", "-m", phase.marqueur, *phase.options, *couleur, *arguments]
    with moteurs.dossier_jetable("var") as var:
        env = os.environ | {"RECOUVREMENT_VAR": str(var)} | phase.env
        env.pop("PYTHONDONTWRITEBYTECODE", None)  # sans .pyc, chaque processus d'essai recompile tout
        with subprocess.Popen(commande, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as essais:
            for ligne in essais.stdout:
                sys.stdout.write(ligne)
                sys.stdout.flush()
                nue = COULEURS.sub("", ligne)
                if re.search(r" in [\d.]+s", nue) and (trouves := BILAN.findall(nue)):
                    comptes = Counter({mot: int(nombre) for nombre, mot in trouves})
    demarrer.dire(f"----- {phase.titre} : {time.monotonic() - debut:.0f} s")
    return essais.returncode in (0, RIEN_A_FAIRE), comptes


def phases(sqlite_url: str, postgres: moteurs.Moteur | None) -> list[Phase]:
    """Tout sur SQLite ; ce qui touche la base sur PostgreSQL ; puis les vrais processus, une fois.

    Un essai qui ne touche pas la base (marque `base` absente, tests/conftest.py) donnerait deux fois la même réponse.
    """
    paralleles = ["-n", str(coeurs())] if coeurs() > 1 else []
    liste = [Phase(f"SQLite {sqlite3.sqlite_version}", "not reel", {"DATABASE_URL": sqlite_url}, paralleles)]
    reelle = {"DATABASE_URL": sqlite_url}
    if postgres:
        reelle = {"DATABASE_URL": postgres.url}
        liste.append(Phase(postgres.version, "base and not reel", reelle, paralleles))
    nom = "PostgreSQL" if postgres else "SQLite"
    # Deux fichiers à la fois au plus : ces essais attendent beaucoup, mais chacun mène plusieurs processus.
    par_fichier = ["-n", "2", "--dist", "loadfile"] if paralleles else []
    return [*liste, Phase(f"Processus réels sur {nom}", "reel", reelle, par_fichier)]


def conclure(resultats: list[tuple[Phase, bool, Counter]], moteurs_servis: list[str], absents: list[str]) -> bool:
    """Imprime les moteurs, ce qui a manqué, et en dernière ligne le total ; vrai si tout est passé."""
    total = sum((comptes for _, _, comptes in resultats), Counter())
    demarrer.dire("\nMoteurs : " + " · ".join(moteurs_servis))
    if absents:
        demarrer.dire("Absents, donc non essayés : " + ", ".join(absents))
    for phase, reussie, comptes in resultats:
        detail = ", ".join(f"{nombre} {mot}" for mot, nombre in comptes.items()) or "aucun essai retenu"
        demarrer.dire(f"  {'réussi' if reussie else 'ÉCHEC '}  {phase.titre} : {detail}")
    reussi = all(reussie for _, reussie, _ in resultats) and total["passed"] > 0
    echecs = total["failed"] + total["error"]
    demarrer.dire(f"{total['passed']} passed, {echecs} failed, {total['skipped']} skipped")
    return reussi


def main(arguments: list[str]) -> int:
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # un arrêt demandé éteint aussi les moteurs
    installer_moteurs()
    navigateur = moteurs.chromium()
    with contextlib.ExitStack() as pile:
        postgres = pile.enter_context(moteurs.postgres_jetable())
        redis = pile.enter_context(moteurs.redis_jetable())
        base = pile.enter_context(moteurs.dossier_jetable("sqlite"))
        os.environ["REDIS_URL"] = redis.url
        servis = [f"SQLite {sqlite3.sqlite_version}", redis.version]
        absents = []
        presents = [
            ("PostgreSQL", postgres, postgres and postgres.version),
            ("Chromium", navigateur, navigateur and moteurs.version("Chromium", navigateur)),
            ("Pango", demarrer.pango_present(), "Pango"),
        ]
        for nom, present, texte in presents:
            (servis if present else absents).append(texte if present else nom)
        if navigateur:
            os.environ["CHROMIUM"] = navigateur
        resultats = []
        for phase in phases(f"sqlite:///{Path(base) / 'base.sqlite3'}", postgres):
            reussie, comptes = lancer(phase, arguments)
            resultats.append((phase, reussie, comptes))
    return 0 if conclure(resultats, servis, absents) else 1


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit("Essais interrompus.")
