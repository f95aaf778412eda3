"""Statuts, annonces et entreprises lus par seconde, et mémoire, contre l'analyse nue des mêmes octets.

    .venv/bin/python -m tests.banc.lecteurs_statuts [N]

N lignes (100 000). Imprime un tableau de rapports, en temps de calcul : une seconde seule ne veut rien dire.
"""

import csv
import json
import os
import sys
import time
import tracemalloc
from io import BytesIO, StringIO

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "recouvrement.settings.test")
import django

django.setup()

from lxml import etree  # noqa: E402

from factures.imports.fichier import examiner_fichier  # noqa: E402
from factures.imports.lecteurs import lire_seul  # noqa: E402
from tests.factures.test_bodacc import annonce  # noqa: E402
from tests.factures.test_cycle_de_vie import CDAR  # noqa: E402


def fichiers(n: int) -> dict[str, bytes]:
    """{format et forme: octets}, n lignes chacun."""
    debut, reste = CDAR.split("<a:ReferenceReferencedDocument>", 1)
    un, _suite = reste.split("</a:ReferenceReferencedDocument>", 1)
    un = f"<a:ReferenceReferencedDocument>{un}</a:ReferenceReferencedDocument>"
    fin = "</r:AcknowledgementDocument></r:CrossDomainAcknowledgementAndResponse>"
    lignes = "".join(f"F{i};207;2026-01-20 10:15;Prix;{i % 900}.50\n" for i in range(n))
    colonnes = "siren,dateDebut,etatAdministratifUniteLegale,denominationUniteLegale,nicSiegeUniteLegale\n"
    return {
        "statuts-fe xml": (debut + un * n + fin).encode(),
        "statuts-fe csv": ("numero;statut;date;motif;montant\n" + lignes).encode(),
        "bodacc json": json.dumps([annonce(i, siren=f"{100000000 + i}") for i in range(n // 10)]).encode(),
        "sirene csv": (colonnes + "".join(f"{100000000 + i},2020-01-01,A,NOM {i},00011\n" for i in range(n))).encode(),
    }


def nu(forme: str, octets: bytes) -> None:
    if forme.endswith("xml"):
        for _ in etree.iterparse(BytesIO(octets), resolve_entities=False, no_network=True):
            pass
    elif forme.endswith("json"):
        json.loads(octets)
    else:
        for _ in csv.reader(StringIO(octets.decode()), delimiter=";"):
            pass


def lire(forme: str, octets: bytes) -> int:
    return sum(1 for _ in lire_seul(examiner_fichier(octets, "f"), forme.split()[0]).elements)


def main(n: int) -> None:
    print("forme            lignes/s   nu/s      rapport  pointe Mio")
    for forme, octets in fichiers(n).items():
        debut = time.process_time()
        nu(forme, octets)
        base = time.process_time() - debut
        debut = time.process_time()
        lues = lire(forme, octets)
        notre = time.process_time() - debut
        tracemalloc.start()
        lire(forme, octets)
        pointe = tracemalloc.get_traced_memory()[1] / 1024 / 1024
        tracemalloc.stop()
        print(f"{forme:16} {lues / notre:9.0f} {lues / base:9.0f} {notre / base:8.1f} {pointe:8.1f}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
