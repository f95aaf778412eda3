"""Ce qu'un prestataire de recommandés doit savoir faire : déposer un pli, dire où il en est."""

from dataclasses import dataclass
from datetime import date
from typing import Protocol, runtime_checkable


class DepotRefuse(Exception):
    """Le prestataire a refusé, rien n'est parti ; le message dit pourquoi, en français."""


@dataclass(frozen=True)
class PliARemettre:
    """pdf : la lettre telle qu'archivée. electronique : à remettre par voie électronique qualifiée."""

    reference: str
    expediteur: str
    destinataire: str
    adresse: str
    courriel: str
    pdf: bytes
    electronique: bool = False


@dataclass(frozen=True)
class Suivi:
    """Où en est un pli. retour : valeur de `Courrier.Retour`, vide tant que l'avis n'est pas rentré."""

    numero: str
    depose_le: date | None = None
    presente_le: date | None = None
    retour: str = ""
    retour_le: date | None = None


@runtime_checkable
class Fournisseur(Protocol):
    """a_la_main : rien n'est remis par la machine. electronique : prestataire qualifié (CPCEpost, art. L100).

    `deposer` lève DepotRefuse si rien n'est parti ; toute autre erreur laisse le sort inconnu, et ne se rejoue pas.
    """

    code: str
    a_la_main: bool
    electronique: bool

    def deposer(self, pli: PliARemettre) -> Suivi: ...

    def statut(self, suivi: Suivi) -> Suivi: ...
