"""PDF : moteur WeasyPrint gardé par processus, fusion et comptage de pages.

Aucune ressource du réseau n'est jamais lue : seules passent les adresses `data:` et nos polices.
WeasyPrint a besoin de Pango, absent de certaines machines ; il n'est donc importé qu'au premier
rendu, et son absence lève `PdfIndisponible` avec le geste à faire.
"""

import os
from collections.abc import Iterable
from functools import lru_cache
from importlib import resources
from io import BytesIO
from pathlib import Path
from threading import Lock
from urllib.parse import unquote, urlsplit

POLICES = Path(__file__).resolve().parent / "polices"
BASE = POLICES.as_uri() + "/"  # une feuille écrit `url(recouvrement-sans-400.woff2)`

# PDF/UA-1, et la description de son espace de noms que PDF/A exige de toute propriété hors de sa liste.
ACCESSIBLE = b"""<rdf:Description xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" rdf:about=""
  xmlns:pdfuaid="http://www.aiim.org/pdfua/ns/id/" pdfuaid:part="1"/>
<rdf:Description xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" rdf:about=""
  xmlns:pdfaExtension="http://www.aiim.org/pdfa/ns/extension/" xmlns:pdfaSchema="http://www.aiim.org/pdfa/ns/schema#"
  xmlns:pdfaProperty="http://www.aiim.org/pdfa/ns/property#"><pdfaExtension:schemas><rdf:Bag>
<rdf:li rdf:parseType="Resource"><pdfaSchema:schema>PDF/UA Universal Accessibility Schema</pdfaSchema:schema>
<pdfaSchema:namespaceURI>http://www.aiim.org/pdfua/ns/id/</pdfaSchema:namespaceURI>
<pdfaSchema:prefix>pdfuaid</pdfaSchema:prefix><pdfaSchema:property><rdf:Seq><rdf:li rdf:parseType="Resource">
<pdfaProperty:name>part</pdfaProperty:name><pdfaProperty:valueType>Integer</pdfaProperty:valueType>
<pdfaProperty:category>internal</pdfaProperty:category>
<pdfaProperty:description>Indicates, which part of ISO 14289 standard is followed</pdfaProperty:description>
</rdf:li></rdf:Seq></pdfaSchema:property></rdf:li></rdf:Bag></pdfaExtension:schemas></rdf:Description>"""

COULEURS = "srvb"

_verrou = Lock()  # Pango ne se partage pas entre fils : un rendu à la fois par processus
_ouvertes: list = []  # configurations de polices de ce processus


class PdfIndisponible(RuntimeError):
    """Le moteur PDF ne peut pas démarrer sur cette machine ; le message dit quoi installer."""


@lru_cache(maxsize=1)
def _weasyprint():
    """Le module, ou `PdfIndisponible` : WeasyPrint lève OSError à l'import quand Pango manque."""
    try:
        import weasyprint
    except (ImportError, OSError) as erreur:
        raise PdfIndisponible(
            "Le moteur PDF est indisponible : la bibliothèque Pango manque. Sous Debian : "
            "apt-get install libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 ; "
            f"sous macOS : brew install pango. ({erreur})"
        ) from erreur
    return weasyprint


@lru_cache(maxsize=1)
def _lecteur():
    """Le lecteur d'adresses remis à WeasyPrint : `data:` et les fichiers du dossier des polices."""
    from weasyprint.urls import URLFetcher, URLFetcherResponse

    class LecteurFerme(URLFetcher):
        def fetch(self, url, headers=None):
            if url.startswith("data:"):
                return super().fetch(url, headers)
            morceaux = urlsplit(url)
            chemin = Path(unquote(morceaux.path)).resolve()
            if morceaux.scheme != "file" or morceaux.netloc or chemin.parent != POLICES or chemin.suffix != ".woff2":
                raise ValueError(f"adresse refusée dans un document : {url[:200]}")
            return URLFetcherResponse(url, chemin.read_bytes(), {"Content-Type": "font/woff2"})

    return LecteurFerme(allowed_protocols={"data"}, allow_redirects=False)


@lru_cache(maxsize=8)
def _moteur(feuille: Path):
    """Polices et feuille de style compilées une fois : moitié du temps d'une lettre, sinon."""
    weasyprint = _weasyprint()
    from weasyprint.text.fonts import FontConfiguration

    polices = FontConfiguration()
    style = weasyprint.CSS(
        string=feuille.read_text(encoding="utf-8"), base_url=BASE, font_config=polices, url_fetcher=_lecteur()
    )
    _ouvertes.append(polices)
    return polices, style


@lru_cache(maxsize=1)
def _couleurs():
    """Profil sRVB d'un PDF/A, lu une fois ; le moteur rouvrirait le fichier à chaque document, sans le fermer."""
    from weasyprint.css import ColorProfile

    contenu = (resources.files("weasyprint.pdf") / "sRGB2014.icc").read_bytes()
    return ColorProfile(BytesIO(contenu), "sRGB2014.icc", "relative-colorimetric", (["r"], ["g"], ["b"]))


def _apres_fork():
    """Un processus né d'un `fork` refait ses polices : celles du père sont dans un dossier que le
    père efface en partant, et que le fils n'a pas le droit d'effacer avant lui."""
    global _verrou
    _verrou = Lock()
    for polices in _ouvertes:
        polices._folder = None
    _ouvertes.clear()
    _moteur.cache_clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_apres_fork)


def disponible() -> bool:
    """Vrai si un PDF peut être produit ici (pour `/sante` et les écrans qui proposent un PDF)."""
    try:
        _weasyprint()
    except PdfIndisponible:
        return False
    return True


def rendre(html: str, feuille: Path, *, archivable: bool = False) -> bytes:
    """Un document HTML complet → PDF, mis en forme par la feuille `feuille` (chemin d'un fichier CSS).

    Le titre et la langue du PDF sont ceux du document (`<title>`, `<html lang>`).
    archivable : PDF/A-2a (archivage, ISO 19005-2) et PDF/UA-1 (accessibilité, ISO 14289-1) à la fois, balisé.
    Mêmes octets à chaque rendu. Lève `PdfIndisponible` sans Pango.
    """
    weasyprint = _weasyprint()
    with _verrou:
        polices, style = _moteur(feuille)
        document = weasyprint.HTML(string=html, base_url=BASE, url_fetcher=_lecteur())
        if not archivable:
            return document.write_pdf(stylesheets=[style], font_config=polices)
        options = {"pdf_variant": "pdf/a-2a", "pdf_tags": True, "output_intent": COULEURS}
        compose = document.render(stylesheets=[style], font_config=polices, **options)
        compose.color_profiles[COULEURS] = _couleurs()
        metadonnees = compose.metadata
        en_rdf = metadonnees.generate_rdf_metadata
        # Le moteur n'annonce qu'une norme à la fois ; la seconde se déclare dans le même bloc RDF.
        metadonnees.generate_rdf_metadata = lambda *norme: en_rdf(*norme).replace(
            b"</rdf:RDF>", ACCESSIBLE + b"</rdf:RDF>"
        )
        return compose.write_pdf(**options)


def compter_pages(document: bytes) -> int:
    """Pages d'un PDF."""
    from pypdf import PdfReader

    return len(PdfReader(BytesIO(document)).pages)


def fusionner(documents: Iterable[bytes], *, recto_verso: bool = False) -> bytes:
    """Les PDF à la suite, en un seul, dans l'ordre donné ; c'est le lot que l'on envoie à l'imprimante.

    `recto_verso` ajoute une page blanche aux documents de longueur impaire : sans elle, la lettre
    suivante commencerait au verso de la précédente. Lève ValueError s'il n'y a aucun document.
    """
    from pypdf import PdfReader, PdfWriter

    lot = PdfWriter()
    for octets in documents:
        lecteur = PdfReader(BytesIO(octets))
        lot.append(lecteur, import_outline=False)
        if recto_verso and len(lecteur.pages) % 2:
            lot.add_blank_page()
    if not lot.pages:
        raise ValueError("aucun document à fusionner")
    sortie = BytesIO()
    lot.write(sortie)
    return sortie.getvalue()
