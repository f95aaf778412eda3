"""Toutes les lettres livrées, dans les deux langues, pour 1, 6, 60 et 400 factures : à imprimer et à regarder.

    python -m tests.outils.lettres DOSSIER             # un PDF et un PNG par page
    python -m tests.outils.lettres DOSSIER demeure     # celles dont le nom contient ce mot

Parties inventées, sommes calculées par le domaine (tests/relances/exemples_rendu.py). Aucune base.
"""

import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "recouvrement.settings.test")

NOMBRES = (1, 6, 60)
LONGUE = 400  # « a letter with 400 lines »


def lettres_livrees() -> Iterator[tuple[str, Callable[[], bytes]]]:
    """(nom de fichier, fonction qui rend le PDF)."""
    from relances.domaine.natures import Nature
    from relances.rendu import lettres
    from tests.relances import exemples_rendu as ex

    natures = (Nature.RAPPEL_COURTOIS, Nature.FORMALISATION, Nature.MISE_EN_DEMEURE)
    anglais = {ex.HOTELIERE: ex.HALLAM}
    for client in (ex.HOTELIERE, ex.COMMUNE, ex.KERDRAON):
        for nature in natures:
            if client is ex.COMMUNE and nature == Nature.MISE_EN_DEMEURE:
                continue  # refusée : la voie est le mandatement d'office
            for langue in ("fr", "en"):
                qui = client if langue == "fr" else anglais.get(client, replace(client, langue="en"))
                for nombre in (*NOMBRES, LONGUE):
                    lettre = ex.lettre(nature, nombre=nombre, destinataire=qui, lignes=lignes(qui, nature, nombre))
                    nom = f"{client.type}-{nature.name.lower()}-{langue}-{nombre:03d}"
                    yield nom, lambda lettre=lettre: lettres.rendre_pdf(lettre)
    from relances.rendu import dernier_avis
    from tests.relances.test_dernier_avis import un_avis

    for nombre in NOMBRES:
        for langue, client in (("fr", ex.HOTELIERE), ("en", ex.HALLAM)):
            avis = un_avis(nombre=nombre, destinataire=client)
            yield f"entreprise-dernier_avis-{langue}-{nombre:03d}", lambda avis=avis: dernier_avis.rendre_pdf(avis)
    for nombre in (*NOMBRES, LONGUE):
        yield f"acte-requete-fr-{nombre:03d}", lambda n=nombre: lettres.rendre_requete_pdf(ex.requete(nombre=n))
        yield f"acte-decompte-fr-{nombre:03d}", lambda n=nombre: lettres.rendre_decompte_pdf(ex.decompte(nombre=n))
        yield f"acte-bordereau-fr-{nombre:03d}", lambda n=nombre: lettres.rendre_bordereau_pdf(ex.bordereau(nombre=n))


def lignes(client, nature, nombre: int) -> tuple:
    """Les factures du client, sans intérêts ni 40 € là où la lettre n'en réclame pas."""
    from relances.domaine.natures import Nature
    from tests.relances import exemples_rendu as ex

    dues = ex.lignes(nombre, debiteur="administration" if client.type == "administration" else "entreprise")
    if client.type == "particulier" or nature == Nature.RAPPEL_COURTOIS:
        dues = tuple(replace(due, segments=(), reglements=(), indemnite=Decimal("0.00")) for due in dues)
    return tuple(
        replace(due, objet="pose d’un placard sur mesure" if client.type == "particulier" else "") for due in dues
    )


def imprimer(dossier: Path, mot: str = "") -> Iterator[tuple[str, int]]:
    """Écrit chaque PDF et ses pages en PNG ; rend (nom, pages)."""
    import pypdfium2

    dossier.mkdir(parents=True, exist_ok=True)
    for nom, rendre in lettres_livrees():
        if mot not in nom:
            continue
        octets = rendre()
        (dossier / f"{nom}.pdf").write_bytes(octets)
        document = pypdfium2.PdfDocument(octets)
        for rang, page in enumerate(document, 1):
            page.render(scale=110 / 72).to_pil().save(dossier / f"{nom}-p{rang:02d}.png")
        yield nom, len(document)
        document.close()


def main(arguments: list[str]) -> int:
    import django

    django.setup()
    if not arguments:
        print(__doc__)
        return 2
    for nom, pages in imprimer(Path(arguments[0]), *arguments[1:2]):
        print(f"{nom:60} {pages:3d} pages")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
