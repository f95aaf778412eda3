"""Un lot postal en un seul PDF : page de garde, puis pour chaque pli son séparateur et sa lettre, puis le bordereau.

Chaque pièce commence au recto d'une feuille : on imprime recto-verso d'un trait, on plie, on dépose.
"""

from dataclasses import asdict, dataclass
from datetime import date
from io import BytesIO

from recouvrement.commun import pdf

from . import moteur, parties
from .contexte import Bordereau, Emetteur
from .lettres import FEUILLE, rendre_bordereau_pdf
from .moteur import Objet


@dataclass(frozen=True, kw_only=True)
class PliImprime:
    """Une lettre du lot. recommande : faux pour une lettre simple, qui n'est pas au bordereau."""

    rang: int
    destinataire: str
    adresse: str
    localite: str
    reference: str
    canal: str
    recommande: bool
    pages: int

    @property
    def feuilles(self) -> int:
        return feuilles(self.pages)


@dataclass(frozen=True, kw_only=True)
class Lot:
    """retires : (destinataire, raison) des lettres sorties avant l'impression."""

    emetteur: Emetteur
    numero: int
    date: date
    prepare_par: str
    plis: tuple[PliImprime, ...]
    retires: tuple[tuple[str, str], ...] = ()


def feuilles(pages: int) -> int:
    """Feuilles d'un document imprimé recto-verso."""
    return (pages + 1) // 2


def rendre_garde_html(lot: Lot) -> str:
    """Page de garde (sur plusieurs pages s'il le faut) suivie d'une page par séparateur."""
    return moteur.appliquer(moteur.moteur_lettres(), "lot.html", contexte(lot))


def contexte(lot: Lot) -> dict:
    total = len(lot.plis)
    plis = tuple(Objet("pli", asdict(p) | {"feuilles": p.feuilles, "total": total}) for p in lot.plis)
    return {
        "societe": parties.societe(lot.emetteur),
        "lot": Objet(
            "lot",
            {
                "numero": lot.numero,
                "date": lot.date,
                "prepare_par": lot.prepare_par,
                "plis": plis,
                "recommandes": sum(p.recommande for p in lot.plis),
                "simples": sum(not p.recommande for p in lot.plis),
                "feuilles": sum(p.feuilles for p in lot.plis),
                "retires": tuple(Objet("retire", {"destinataire": d, "raison": r}) for d, r in lot.retires),
            },
        ),
    }


def rendre_lot_pdf(lot: Lot, lettres: list[bytes], bordereau: Bordereau | None) -> tuple[bytes, int]:
    """(PDF, pages). lettres : les PDF archivés, dans l'ordre des plis ; bordereau : None sans recommandé.

    Lève PdfIndisponible sans Pango, ValueError si les lettres ne répondent pas aux plis.
    """
    from pypdf import PdfReader, PdfWriter

    if len(lettres) != len(lot.plis) or not lettres:
        raise ValueError(f"{len(lettres)} lettres pour {len(lot.plis)} plis")
    tete = PdfReader(BytesIO(pdf.rendre(rendre_garde_html(lot), FEUILLE)))
    garde = len(tete.pages) - len(lettres)
    sortie = PdfWriter()

    def ajouter(lecteur, pages=None):
        sortie.append(lecteur, pages=pages, import_outline=False)
        if len(sortie.pages) % 2:
            sortie.add_blank_page()

    ajouter(tete, (0, garde))
    for rang, octets in enumerate(lettres):
        ajouter(tete, (garde + rang, garde + rang + 1))
        ajouter(PdfReader(BytesIO(octets)))
    if bordereau is not None:
        ajouter(PdfReader(BytesIO(rendre_bordereau_pdf(bordereau))))
    sortie.add_metadata({"/Title": f"Lot postal n° {lot.numero}", "/Author": lot.emetteur.raison_sociale})
    flux = BytesIO()
    sortie.write(flux)
    return flux.getvalue(), len(sortie.pages)
