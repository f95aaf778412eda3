"""Mesure l'application contre le plancher SQL nu, dans la même exécution, sur un PostgreSQL jetable.

    .venv/bin/python -m tests.banc.mesurer            tailles M et P
    .venv/bin/python -m tests.banc.mesurer --grand    et G : 200 000 factures

Imprime un tableau de rapports (docs/mesures.md) : les machines sont partagées, une seconde seule ne veut rien dire.
Le plancher se mesure avant et après l'application, et l'on garde le meilleur des deux : le plus sévère pour nous.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import psycopg

from tests.banc import generer, plancher
from tests.outils import moteurs

RACINE = Path(__file__).resolve().parents[2]
TAILLES = {"M": (200, 2_000), "P": (2_000, 20_000), "G": (20_000, 200_000)}
# Durables comme en production : fsync et synchronous_commit, au contraire des essais.
REGLAGES = {
    "shared_buffers": "1GB", "work_mem": "32MB", "jit": "off", "fsync": "on", "synchronous_commit": "on",
    "full_page_writes": "on",
}  # fmt: skip
NUIT_MAX, REPOS_MAX, BALANCE_MAX, LETTRE_MAX, MEMOIRE_MAX, CHARGEMENT_MIN = 20, 0.2, 1.5, 1.2, 1.6, 5_000


@dataclass
class Ligne:
    taille: str
    mesure: str
    plancher: str
    notre: str
    rapport: str
    but: str
    tenu: bool | None

    def en_texte(self) -> str:
        verdict = {True: "oui", False: "**non**", None: "–"}[self.tenu]
        cases = (self.taille, self.mesure, self.plancher, self.notre, self.rapport, self.but, verdict)
        return f"| {' | '.join(cases)} |"


def mesurer(serveur: str, taille: str, dossier: Path, lettres: int) -> tuple[list[Ligne], int]:
    """Lignes du tableau d'une taille, et mémoire de l'application après la balance (Mio)."""
    nombre_clients, nombre_factures = TAILLES[taille]
    generer.ecrire(
        generer.parser().parse_args(
            ["--clients", str(nombre_clients), "--factures", str(nombre_factures), "--sortie", str(dossier)]
        )
    )
    url_nue, url_notre = (creer_base(serveur, f"{nom}_{taille.lower()}") for nom in ("plancher", "notre"))
    avant = nu(url_nue, dossier)
    notres = application(url_notre, dossier, lettres)
    apres = nu(url_nue, dossier)
    bas = {mesure: min(avant[mesure], apres[mesure]) for mesure in avant}
    lignes = [_ligne(taille, notre, bas.get(notre["mesure"])) for notre in notres]
    if lettres:
        attendu = json.loads((dossier / "attendu.json").read_text())
        lignes += boucle_nue(taille, url_notre, attendu["reference"], lettres)
    memoire = next(m["rss_mio"] for m in notres if m["mesure"] == "balance âgée")
    return lignes, memoire


def _ligne(taille: str, notre: dict, bas: float | None) -> Ligne:
    """Une mesure et son but ; à M les frais fixes dominent, rien ne s'y juge."""
    mesure, secondes = notre["mesure"], notre["s"]
    rapport = secondes / bas if bas else None
    valeur, but, tenu = _s(secondes), "", None
    if mesure == "chargement complet":
        valeur += f" ({notre['par_s']} l/s)"
        but, tenu = f"≥ {CHARGEMENT_MIN} l/s", notre["par_s"] >= CHARGEMENT_MIN
    elif mesure == "relances nuit au repos":
        but, tenu = f"≤ {REPOS_MAX} s à P", secondes <= REPOS_MAX
    elif mesure.startswith("relances nuit") and notre["lignes"]:
        but, tenu = f"≤ {NUIT_MAX} ×", rapport <= NUIT_MAX
    elif mesure == "balance âgée":
        but, tenu = f"≤ {BALANCE_MAX} ×", rapport <= BALANCE_MAX
    if "par_s_et_coeur" in notre:
        valeur += f" ({notre['par_s_et_coeur']} par s et cœur)"
    if taille == "M":
        but, tenu = "", None
    return Ligne(taille, mesure, _s(bas), valeur, _fois(rapport), but, tenu)


def boucle_nue(taille: str, url: str, au: str, nombre: int) -> list[Ligne]:
    """La lettre contre `write_pdf` nu sur le même HTML : rendue, puis entière (faits, décompte, contrôles)."""
    commande = [sys.executable, "-m", "tests.banc.lettres", "--nombre", str(nombre), "--au", au]
    vu = json.loads(lancer(commande, url))
    rendue, entiere = (vu[f"ms_{cle}"] / vu["ms_nue"] for cle in ("rendue", "entiere"))
    nue = f"{vu['ms_nue']} ms"
    return [
        Ligne(taille, "lettre rendue, par cœur", nue, f"{vu['ms_rendue']} ms", _fois(rendue), f"≤ {LETTRE_MAX} ×",
              rendue <= LETTRE_MAX),
        Ligne(taille, "lettre entière, par cœur", nue, f"{vu['ms_entiere']} ms", _fois(entiere), "", None),
    ]  # fmt: skip


# --- Les deux pairs ------------------------------------------------------------------------------


def creer_base(serveur: str, nom: str) -> str:
    with psycopg.connect(serveur, autocommit=True) as connexion:
        connexion.execute(f"drop database if exists {nom}")
        connexion.execute(f"create database {nom}")
    return serveur.rpartition("/")[0] + f"/{nom}"


def nu(url: str, dossier: Path) -> dict[str, float]:
    with psycopg.connect(url) as connexion:
        return plancher.executer(connexion, dossier)


def application(url: str, dossier: Path, lettres: int) -> list[dict]:
    """Mesures de `manage.py banc`, dans son propre processus. Lève SystemExit s'il contredit l'oracle."""
    lancer([sys.executable, "manage.py", "migrate", "-v0"], url)
    sortie = lancer([sys.executable, "manage.py", "banc", str(dossier), "--lettres", str(lettres)], url)
    mesures = [json.loads(ligne) for ligne in sortie.splitlines()]
    if not mesures[-1].get("conforme"):
        raise SystemExit(f"l'application contredit l'oracle : {mesures[-1]}")
    return mesures[:-1]


def lancer(commande: list[str], url: str) -> str:
    with tempfile.TemporaryDirectory(prefix="recouvrement-banc-var-") as var:
        environnement = os.environ | {
            "DATABASE_URL": url, "RECOUVREMENT_VAR": var, "DJANGO_SETTINGS_MODULE": "recouvrement.settings.dev",
        }  # fmt: skip
        fini = subprocess.run(commande, cwd=RACINE, env=environnement, capture_output=True, text=True)
    if fini.returncode:
        raise SystemExit(f"{' '.join(commande[1:4])} a échoué :\n{fini.stdout[-2000:]}{fini.stderr[-3000:]}")
    return fini.stdout


def _s(secondes: float | None) -> str:
    return "–" if secondes is None else f"{secondes:.3f} s" if secondes < 1 else f"{secondes:.2f} s"


def _fois(rapport: float | None) -> str:
    return "–" if rapport is None else f"{rapport:.1f} ×" if rapport >= 2 else f"{rapport:.2f} ×"


def main() -> int:
    analyse = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    analyse.add_argument("--tailles", default="M,P", help="parmi M, P, G ; séparées par des virgules")
    analyse.add_argument("--grand", action="store_true", help="ajoute G")
    analyse.add_argument("--lettres", type=int, default=50, help="taille du lot de lettres (0 : aucune)")
    options = analyse.parse_args()
    tailles = [*options.tailles.split(","), *(["G"] if options.grand else [])]
    tableau, memoires = [], {}
    with moteurs.postgres_jetable(**REGLAGES) as postgres, tempfile.TemporaryDirectory() as racine:
        if postgres is None:
            raise SystemExit("PostgreSQL n'est pas installé : le banc ne se mesure que sur lui")
        charge = os.getloadavg()[0]
        print(f"{postgres.version}, {os.cpu_count()} cœurs, charge {charge:.1f} au départ\n")
        print("| taille | mesure | plancher | application | rapport | but | tenu |\n|---|---|---|---|---|---|---|")
        for taille in tailles:
            # Une seule taille rend des lettres : leur coût ne dépend pas du grand livre.
            lettres = options.lettres if taille == tailles[min(1, len(tailles) - 1)] else 0
            lignes, memoires[taille] = mesurer(postgres.url, taille, Path(racine) / taille, lettres)
            for ligne in lignes:
                print(ligne.en_texte(), flush=True)
            tableau += lignes
    if {"P", "G"} <= set(memoires):
        rapport = memoires["G"] / memoires["P"]
        ligne = Ligne(
            "P → G", "mémoire", "–", f"{memoires['P']} → {memoires['G']} Mio", _fois(rapport), f"≤ {MEMOIRE_MAX} ×",
            rapport <= MEMOIRE_MAX,
        )  # fmt: skip
        print(ligne.en_texte())
        tableau.append(ligne)
    return 1 if any(ligne.tenu is False for ligne in tableau) else 0


if __name__ == "__main__":
    sys.exit(main())
