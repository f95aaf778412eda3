"""Classeurs d'essai, écrits à la volée."""

import io
import zipfile
from datetime import date, datetime
from xml.sax.saxutils import escape, quoteattr

import xlsxwriter


def xlsx(*lignes, base_1904: bool = False, feuilles: dict | None = None, nom: str = "Feuil1") -> bytes:
    """Une feuille par entrée de `feuilles` ({nom: lignes}) ; les dates s'écrivent au format date."""
    flux = io.BytesIO()
    classeur = xlsxwriter.Workbook(flux, {"date_1904": base_1904, "in_memory": True})
    format_date = classeur.add_format({"num_format": "dd/mm/yyyy"})
    for titre, contenu in (feuilles or {nom: lignes}).items():
        feuille = classeur.add_worksheet(titre)
        for i, ligne in enumerate(contenu):
            for j, valeur in enumerate(ligne):
                if isinstance(valeur, date):
                    jour = datetime(valeur.year, valeur.month, valeur.day)
                    feuille.write_datetime(i, j, jour, format_date)
                elif valeur is not None:
                    feuille.write(i, j, valeur)
    classeur.close()
    return flux.getvalue()


ODS = (
    '<?xml version="1.0" encoding="UTF-8"?><office:document-content '
    'xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" '
    'xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0" '
    'xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0" office:version="1.2">'
    "<office:body><office:spreadsheet>{}</office:spreadsheet></office:body></office:document-content>"
)


def ods(*lignes, brut: str = "") -> bytes:
    """`brut` remplace le contenu de la feuille."""
    corps = brut or "".join(
        f"<table:table-row>{''.join(map(_cellule_ods, ligne))}</table:table-row>" for ligne in lignes
    )
    feuille = f'<table:table table:name="Feuille1">{corps}</table:table>'
    return zipper(
        {
            "mimetype": b"application/vnd.oasis.opendocument.spreadsheet",
            "content.xml": ODS.format(feuille).encode(),
            "META-INF/manifest.xml": b'<?xml version="1.0"?><manifest:manifest '
            b'xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"/>',
        }
    )


def _cellule_ods(valeur) -> str:
    if valeur is None:
        return "<table:table-cell/>"
    if isinstance(valeur, date):
        return (
            f'<table:table-cell office:value-type="date" office:date-value="{valeur.isoformat()}"><text:p>x</text:p>'
            "</table:table-cell>"
        )
    if isinstance(valeur, (int, float)):
        return (
            f'<table:table-cell office:value-type="float" office:value={quoteattr(repr(valeur))}><text:p>x</text:p>'
            "</table:table-cell>"
        )
    return f'<table:table-cell office:value-type="string"><text:p>{escape(valeur)}</text:p></table:table-cell>'


def zipper(membres: dict[str, bytes]) -> bytes:
    flux = io.BytesIO()
    with zipfile.ZipFile(flux, "w", zipfile.ZIP_DEFLATED) as archive:
        for nom, contenu in membres.items():
            archive.writestr(nom, contenu)
    return flux.getvalue()
