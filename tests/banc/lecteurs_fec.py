"""Le lecteur de FEC contre la lecture nue du même fichier, puis le chargement complet contre COPY.

    .venv/bin/python -m tests.banc.lecteurs_fec              10⁵ lignes, lecture seule
    .venv/bin/python -m tests.banc.lecteurs_fec --grand      et 10⁶
    .venv/bin/python -m tests.banc.lecteurs_fec --base       et le chargement, sur un PostgreSQL jetable

Lignes par seconde, rapport au plancher (csv de la bibliothèque standard) et mémoire de pointe, chaque mesure dans son
propre processus : la mémoire de l'un ne compte pas pour l'autre.
"""

import argparse
import csv
import json
import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter, process_time

RACINE = Path(__file__).resolve().parents[2]
TAILLES = (100_000, 1_000_000)
ENTETE = (
    "JournalCode JournalLib EcritureNum EcritureDate CompteNum CompteLib CompAuxNum CompAuxLib PieceRef PieceDate "
    "EcritureLib Debit Credit EcritureLet DateLet ValidDate Montantdevise Idevise"
).split()


def ecrire(chemin: Path, lignes: int) -> None:
    """Un exercice équilibré : ventes à trois lignes, règlements à deux, sept factures sur dix lettrées."""
    ecrites, n = 0, 0
    with chemin.open("w", encoding="iso8859-15", newline="") as flux:
        sortie = csv.writer(flux, delimiter="\t", lineterminator="\r\n", quoting=csv.QUOTE_NONE, quotechar=None)
        sortie.writerow(ENTETE)
        while ecrites < lignes:
            n += 1
            client, jour = f"C{n % 5_000:05}", f"2025{1 + n % 12:02}{1 + n % 28:02}"
            ttc = 120 + n % 900
            let = f"L{n}" if n % 10 < 7 else ""
            tete = ["VE", "Ventes", f"V{n}", jour]
            fin = [jour if let else "", jour, "", ""]
            aux = [client, f"Société {n % 5_000}"]
            piece = [f"F{n:07}", jour, f"Facture {n}"]
            sortie.writerow([*tete, "411000", "Clients", *aux, *piece, f"{ttc},00", "0,00", let, *fin])
            sortie.writerow([*tete, "706000", "Ventes", "", "", *piece, "0,00", f"{ttc - 20},00", "", "", jour, "", ""])
            sortie.writerow([*tete, "445710", "TVA", "", "", *piece, "0,00", "20,00", "", "", jour, "", ""])
            ecrites += 3
            if let:
                tete = ["BQ", "Banque", f"B{n}", jour]
                sortie.writerow([*tete, "512000", "Banque", "", "", *piece, f"{ttc},00", "0,00", "", "", jour, "", ""])
                sortie.writerow([*tete, "411000", "Clients", *aux, *piece, "0,00", f"{ttc},00", let, *fin])
                ecrites += 2


def nu(chemin: Path) -> int:
    with chemin.open(encoding="iso8859-15", newline="") as flux:
        return sum(1 for _ligne in csv.reader(flux, delimiter="\t", quoting=csv.QUOTE_NONE))


def lire(chemin: Path) -> int:
    from factures.imports.fichier import examiner_fichier
    from factures.imports.lecteurs import lire_seul

    lot = lire_seul(examiner_fichier(chemin))
    for _element in lot.elements:
        pass
    assert all(x["solde"] == x["ouvert"] for x in lot.faits["par_client"])
    return lot.lignes


def seul(quoi: str, chemin: Path) -> dict:
    """La mesure dans un processus neuf : {"lignes", "secondes", "mio"}."""
    sortie = subprocess.run(
        [sys.executable, "-m", "tests.banc.lecteurs_fec", "--mesure", quoi, "--fichier", str(chemin)],
        cwd=RACINE, check=True, capture_output=True, text=True, env=os.environ | {"DJANGO_SETTINGS_MODULE": REGLAGES},
    )  # fmt: skip
    return json.loads(sortie.stdout)


REGLAGES = "recouvrement.settings.dev"


def mesurer(quoi: str, chemin: Path) -> None:
    depart = perf_counter()
    lignes = {"nu": nu, "lecteur": lire}[quoi](chemin)
    secondes = perf_counter() - depart
    mio = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"lignes": lignes, "secondes": secondes, "mio": mio}))


def cpu(processus: int) -> float:
    """Secondes de processeur de ce programme et du processus PostgreSQL qui le sert : la charge de la machine n'y est
    pour rien."""
    champs = Path(f"/proc/{processus}/stat").read_text().rpartition(")")[2].split()
    return process_time() + (int(champs[11]) + int(champs[12])) / os.sysconf("SC_CLK_TCK")


def charger(lignes: int, dossier: Path) -> None:
    """Import complet contre COPY du même fichier dans une table nue de dix-huit colonnes, en temps processeur."""
    import django
    import psycopg

    from tests.outils import moteurs

    with moteurs.postgres_jetable(fsync="on", synchronous_commit="on") as moteur:
        serveur = moteur.url
        os.environ |= {"DATABASE_URL": serveur, "DJANGO_SETTINGS_MODULE": REGLAGES}
        django.setup()
        from datetime import date

        from django.core.management import call_command
        from django.db import connection
        from django.utils import timezone

        from factures.imports.appliquer import importer
        from tests.comptes.factories import SocieteFactory

        call_command("migrate", verbosity=0)
        chemin = dossier / "fec.txt"
        ecrire(chemin, lignes)
        with psycopg.connect(serveur, autocommit=True) as base, base.cursor() as curseur:
            colonnes = ", ".join(f"{nom} text" for nom in ENTETE)
            curseur.execute(f"create table nu ({colonnes})")
            depart = cpu(base.info.backend_pid)
            with curseur.copy("copy nu from stdin") as copie, chemin.open("rb") as flux:
                flux.readline()
                while bloc := flux.read(1 << 20):
                    copie.write(bloc.decode("iso8859-15").replace("\r\n", "\n").encode())
            plancher = cpu(base.info.backend_pid) - depart
        societe = SocieteFactory()
        servi = connection.connection.info.backend_pid
        depart = cpu(servi)
        rendu = importer(chemin, societe, moment=timezone.now(), au=date(2026, 1, 2))
        notre = cpu(servi) - depart
        assert rendu.ecrit, rendu.refus
        print(
            f"| chargement {lignes} | cpu : COPY {plancher:.2f} s | import {notre:.2f} s | {notre / plancher:.0f} × |"
        )


def principal() -> None:
    analyse = argparse.ArgumentParser(description=__doc__)
    analyse.add_argument("--grand", action="store_true")
    analyse.add_argument("--base", action="store_true")
    analyse.add_argument("--mesure", choices=["nu", "lecteur"])
    analyse.add_argument("--fichier", type=Path)
    options = analyse.parse_args()
    if options.mesure:
        mesurer(options.mesure, options.fichier)
        return
    with tempfile.TemporaryDirectory() as dossier:
        for lignes in TAILLES if options.grand else TAILLES[:1]:
            chemin = Path(dossier) / f"fec-{lignes}.txt"
            ecrire(chemin, lignes)
            plancher, notre = seul("nu", chemin), seul("lecteur", chemin)
            print(
                f"| {notre['lignes']} lignes | csv nu {plancher['lignes'] / plancher['secondes']:.0f} l/s, "
                f"{plancher['mio']:.0f} Mio | lecteur {notre['lignes'] / notre['secondes']:.0f} l/s, "
                f"{notre['mio']:.0f} Mio | {notre['secondes'] / plancher['secondes']:.1f} × |"
            )
        if options.base:
            charger(TAILLES[0], Path(dossier))


if __name__ == "__main__":
    principal()
