"""Une liste d'écran en fichier : mêmes filtres, même tri, mêmes droits ; CSV en flux, classeur en mémoire bornée.

Le CSV est celui qu'un tableur français ouvre d'un double clic : « ; », virgule décimale, marque UTF-8. Le classeur
porte de vrais nombres et de vraies dates. Aucun texte venu d'un client ne devient une formule.
"""

import csv
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from io import StringIO

from django.http import FileResponse, HttpResponseBase, StreamingHttpResponse
from django.utils import timezone

FORMATS = ("csv", "xlsx")
LIGNES_XLSX = 1_048_575  # limite du format, en-tête déduit
PAQUET = 2_000  # lignes relues à la fois
FORMULE = ("=", "+", "-", "@", "\t", "\r", "\n")


class TropDeLignes(ValueError):
    """Un classeur ne tient pas autant de lignes : le CSV, si."""


@dataclass(frozen=True)
class Colonne:
    """titre : dans la langue de la personne. valeur(ligne) : texte, entier, Decimal, date, instant ou None."""

    titre: str
    valeur: Callable[[object], object]


def inoffensif(texte: str) -> str:
    """Texte d'une cellule : ce qui commencerait une formule est précédé d'une apostrophe."""
    return f"'{texte}" if texte.startswith(FORMULE) else texte


def _cellule(valeur) -> str:
    match valeur:
        case None:
            return ""
        case bool():
            return "1" if valeur else "0"
        case Decimal():
            return f"{valeur:.2f}".replace(".", ",")
        case datetime():
            return timezone.localtime(valeur).strftime("%d/%m/%Y %H:%M")
        case date():
            return f"{valeur:%d/%m/%Y}"
        case int():
            return str(valeur)
        case _:
            return inoffensif(str(valeur))


def lignes_csv(lignes: Iterable, colonnes: Sequence[Colonne]) -> Iterator[str]:
    """Marque et en-tête, puis les lignes, par paquets."""
    tampon = StringIO("\ufeff")
    tampon.seek(0, 2)
    ecrire = csv.writer(tampon, delimiter=";", lineterminator="\r\n").writerow
    ecrire([colonne.titre for colonne in colonnes])
    for rang, ligne in enumerate(lignes, 1):
        ecrire([_cellule(colonne.valeur(ligne)) for colonne in colonnes])
        if rang % 500 == 0:
            yield tampon.getvalue()
            tampon.seek(0)
            tampon.truncate()
    yield tampon.getvalue()


def ecrire_classeur(flux, lignes: Iterable, colonnes: Sequence[Colonne], feuille: str) -> None:
    """Lève TropDeLignes. Les cellules sont typées ; la première ligne est figée et filtrable."""
    import xlsxwriter

    classeur = xlsxwriter.Workbook(
        flux,
        {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False},
    )
    montant = classeur.add_format({"num_format": "#,##0.00;[Red]-#,##0.00"})
    jour = classeur.add_format({"num_format": "dd/mm/yyyy"})
    instant = classeur.add_format({"num_format": "dd/mm/yyyy hh:mm"})
    gras = classeur.add_format({"bold": True, "bottom": 1})
    page = classeur.add_worksheet("".join("-" if c in "[]:*?/\\'" else c for c in feuille)[:31])
    page.freeze_panes(1, 0)
    for i, colonne in enumerate(colonnes):
        page.set_column(i, i, max(12, min(len(colonne.titre) + 4, 40)))
        page.write_string(0, i, colonne.titre, gras)
    rang = 0
    for rang, ligne in enumerate(lignes, 1):
        if rang > LIGNES_XLSX:
            classeur.close()
            raise TropDeLignes(f"Plus de {LIGNES_XLSX} lignes : prenez le CSV.")
        for i, colonne in enumerate(colonnes):
            match colonne.valeur(ligne):
                case None:
                    pass
                case Decimal() as v:
                    page.write_number(rang, i, v, montant)
                case bool() as v:
                    page.write_boolean(rang, i, v)
                case int() as v:
                    page.write_number(rang, i, v)
                case datetime() as v:
                    page.write_datetime(rang, i, timezone.make_naive(v), instant)
                case date() as v:
                    page.write_datetime(rang, i, v, jour)
                case v:
                    page.write_string(rang, i, str(v)[:32_767])
    page.autofilter(0, 0, rang, len(colonnes) - 1)
    classeur.close()


def repondre(lignes: Iterable, colonnes: Sequence[Colonne], *, nom: str, format: str) -> HttpResponseBase:
    """Le fichier `nom-AAAA-MM-JJ.format` en pièce jointe. Lève TropDeLignes pour un classeur démesuré."""
    fichier = f"{nom}-{timezone.localdate().isoformat()}.{format}"
    if format == "csv":
        reponse = StreamingHttpResponse(lignes_csv(lignes, colonnes), content_type="text/csv; charset=utf-8")
        reponse["Content-Disposition"] = f'attachment; filename="{fichier}"'
        return reponse
    flux = tempfile.TemporaryFile()
    try:
        ecrire_classeur(flux, lignes, colonnes, nom)
    except Exception:
        flux.close()
        raise
    flux.seek(0)
    genre = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    return FileResponse(flux, as_attachment=True, filename=fichier, content_type=genre)


def parcourir(lignes, *, completer: Callable[[list], None] | None = None) -> Iterator:
    """Un queryset en flux, par paquets ; `completer` annote un paquet (ce que l'écran lit page par page)."""
    paquet = []
    for ligne in lignes.iterator(chunk_size=PAQUET):
        if completer is None:
            yield ligne
            continue
        paquet.append(ligne)
        if len(paquet) == PAQUET:
            completer(paquet)
            yield from paquet
            paquet = []
    if paquet:
        completer(paquet)
        yield from paquet
