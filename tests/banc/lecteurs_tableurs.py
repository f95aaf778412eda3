"""Lecture des tableaux : lignes par seconde et mémoire de pointe, contre la lecture nue dans la même exécution.

    .venv/bin/python -m tests.banc.lecteurs_tableurs [--csv 1000000] [--classeur 100000]

Lecture nue : `csv.reader` sur le même fichier, calamine seul sur le même classeur. Chaque mesure a son processus :
la mémoire de pointe (ru_maxrss) est la sienne.
"""

import argparse
import csv
import json
import multiprocessing
import resource
import tempfile
import time
from pathlib import Path

ENTETE = ("Code client", "Nom client", "N° facture", "Date facture", "Échéance", "Montant TTC", "Reste dû", "Divers")


def _ligne(i: int) -> tuple:
    return (f"C{i % 5000:05d}", f"Client {i % 5000}", f"F{i:07d}", "25/01/2026", "24/02/2026", 120.5, 60.25, "x")


def ecrire_csv(chemin: Path, n: int) -> None:
    with open(chemin, "w", encoding="utf-8", newline="") as flux:
        ecrire = csv.writer(flux, delimiter=";").writerow
        ecrire(ENTETE)
        for i in range(n):
            ecrire([f"{x:.2f}".replace(".", ",") if isinstance(x, float) else x for x in _ligne(i)])


def ecrire_xlsx(chemin: Path, n: int) -> None:
    import xlsxwriter

    classeur = xlsxwriter.Workbook(str(chemin), {"constant_memory": True})
    feuille = classeur.add_worksheet()
    feuille.write_row(0, 0, ENTETE)
    for i in range(n):
        feuille.write_row(i + 1, 0, _ligne(i))
    classeur.close()


def lire_maison(chemin: Path) -> int:
    """Reconnaissance, profil de toute la colonne, puis chaque ligne en objets neutres."""
    from factures.imports.fichier import examiner_fichier
    from factures.imports.lecteurs import ContexteLecture
    from factures.imports.tableur import lire

    fichier = examiner_fichier(chemin)
    format = "xlsx" if chemin.suffix == ".xlsx" else "csv-factures"
    lot = lire(fichier, ContexteLecture(format, echeance_de=lambda code, emission: emission))
    for _ in lot.elements:
        pass
    assert not lot.rejets, lot.rejets[:3]
    return lot.lignes


def lire_csv_nu(chemin: Path) -> int:
    with open(chemin, encoding="utf-8", newline="") as flux:
        return sum(1 for _ in csv.reader(flux, delimiter=";")) - 1


def lire_calamine_nu(chemin: Path) -> int:
    from python_calamine import CalamineWorkbook

    return sum(1 for _ in CalamineWorkbook.from_path(str(chemin)).get_sheet_by_index(0).iter_rows()) - 1


def _mesurer(lecture, chemin: Path, sortie) -> None:
    import os

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "recouvrement.settings.test")
    import django

    django.setup()
    avant = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    debut = time.perf_counter()
    lignes = lecture(chemin)
    duree = time.perf_counter() - debut
    pointe = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    sortie.put({"lignes": lignes, "secondes": duree, "pointe_mo": pointe / 1024, "ajout_mo": (pointe - avant) / 1024})


def mesurer(nom: str, lecture, chemin: Path) -> dict:
    contexte = multiprocessing.get_context("spawn")
    sortie = contexte.Queue()
    processus = contexte.Process(target=_mesurer, args=(lecture, chemin, sortie))
    processus.start()
    lu = sortie.get(timeout=600)
    processus.join()
    return {
        "mesure": nom, "lignes": lu["lignes"], "lignes_par_s": round(lu["lignes"] / lu["secondes"]),
        "secondes": round(lu["secondes"], 2), "pointe_mo": round(lu["pointe_mo"]), "ajout_mo": round(lu["ajout_mo"]),
    }  # fmt: skip


def principal() -> None:
    lecteur = argparse.ArgumentParser(description=__doc__)
    lecteur.add_argument("--csv", type=int, default=1_000_000)
    lecteur.add_argument("--classeur", type=int, default=100_000)
    choix = lecteur.parse_args()
    with tempfile.TemporaryDirectory() as dossier:
        tableau, classeur = Path(dossier) / "t.csv", Path(dossier) / "t.xlsx"
        ecrire_csv(tableau, choix.csv)
        ecrire_xlsx(classeur, choix.classeur)
        for nom, lecture, chemin in (
            ("csv nu", lire_csv_nu, tableau),
            ("csv maison", lire_maison, tableau),
            ("calamine nu", lire_calamine_nu, classeur),
            ("xlsx maison", lire_maison, classeur),
        ):
            print(json.dumps(mesurer(nom, lecture, chemin), ensure_ascii=False), flush=True)


if __name__ == "__main__":
    principal()
