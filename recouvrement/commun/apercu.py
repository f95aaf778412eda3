"""La page d'un PDF telle qu'elle sortira, en image : l'aperçu d'une lettre ne ment pas."""

from io import BytesIO
from threading import Lock

import pypdfium2

ECHELLE = 1.6  # 115 points par pouce : lisible sur un volet de 404 px en double densité
_verrou = Lock()  # PDFium n'est pas sûr entre fils


def image_de_page(document: bytes, page: int) -> bytes | None:
    """PNG de la page `page` (première : 1), ou None si elle n'existe pas."""
    with _verrou:
        pdf = pypdfium2.PdfDocument(document)
        try:
            if not 1 <= page <= len(pdf):
                return None
            image = pdf[page - 1].render(scale=ECHELLE).to_pil().convert("P")
        finally:
            pdf.close()
    sortie = BytesIO()
    image.save(sortie, "PNG", optimize=True)
    return sortie.getvalue()
