"""Factures électroniques par seconde et mémoire, contre l'analyse lxml nue des mêmes octets, dans la même exécution.

    .venv/bin/python -m tests.banc.lecteurs_efacture [N]

N documents de chaque syntaxe (1 000 ; cent fois moins de PDF). Imprime un tableau de rapports : une seconde seule ne
veut rien dire.
"""

import os
import sys
import time
import tracemalloc
from collections.abc import Callable
from io import BytesIO

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "recouvrement.settings.test")
import django

django.setup()

from lxml import etree  # noqa: E402
from pypdf import PdfReader  # noqa: E402

from factures.imports.fichier import examiner_fichier  # noqa: E402
from factures.imports.lecteurs import lire_seul  # noqa: E402
from tests.factures.efacture_essai import cii, facturx_pdf, ubl  # noqa: E402


def lire(octets: bytes, format: str) -> None:
    list(lire_seul(examiner_fichier(octets, "f"), format).elements)


def nu(octets: bytes, format: str) -> None:
    if format == "facturx":
        octets = next(p.content for p in PdfReader(BytesIO(octets)).attachment_list)
    etree.fromstring(octets, etree.XMLParser(resolve_entities=False, no_network=True))


def chronometrer(faire: Callable[[bytes, str], None], octets: bytes, format: str, fois: int) -> float:
    """Documents par seconde, le meilleur de trois passages."""
    mieux = 0.0
    for _ in range(3):
        debut = time.perf_counter()
        for _ in range(fois):
            faire(octets, format)
        mieux = max(mieux, fois / (time.perf_counter() - debut))
    return mieux


def pointe(faire: Callable[[bytes, str], None], octets: bytes, format: str) -> int:
    """Kio alloués par Python au plus haut d'une lecture."""
    tracemalloc.start()
    faire(octets, format)
    _courant, haut = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return haut // 1024


def main(n: int = 1_000) -> None:
    print("syntaxe | taille (Kio) | nu (doc/s) | nôtre (doc/s) | rapport | mémoire nue → nôtre (Kio)")
    for format, octets, fois in (
        ("cii", cii(), n), ("ubl", ubl(), n), ("facturx", facturx_pdf(), max(n // 100, 5)),
    ):  # fmt: skip
        lire(octets, format)
        temoin, notre = chronometrer(nu, octets, format, fois), chronometrer(lire, octets, format, fois)
        memoire = f"{pointe(nu, octets, format)} → {pointe(lire, octets, format)}"
        print(f"{format} | {len(octets) / 1024:.0f} | {temoin:.0f} | {notre:.0f} | {temoin / notre:.1f} | {memoire}")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
