"""La frise d'un plan : chaque palier à son jour, sa place dans la version publiée en pointillé."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from recouvrement.commun.formats import MOINS
from relances.domaine.controle import jours
from relances.domaine.echelle import PalierRegle
from relances.models import NatureChoix

DEBUT, FIN = -7, 60  # jours montrés au moins
GAUCHE, DROITE = 30, 746
RAYON = 11


def nom_du_jour(n: int) -> str:
    """« J+35 », « J−7 », « J+0 » ; en anglais « D+35 »."""
    return _("J%(signe)s%(n)s") % {"signe": MOINS if n < 0 else "+", "n": abs(n)}


@dataclass(frozen=True)
class Point:
    id: int
    rang: int
    nature: int
    jour: str
    x: str
    haut: int  # ordonnée de son étiquette : deux voisines ne se chevauchent pas
    fantome: str = ""  # abscisse publiée, si elle a changé
    fleche: str = ""


@dataclass(frozen=True)
class Frise:
    points: list[Point]
    traits: list[tuple[str, str]]  # (abscisse, étiquette ou "")
    libelle: str


def frise(paliers: Sequence[PalierRegle], publies: Sequence[PalierRegle] = ()) -> Frise:
    """Abscisses en texte, à point décimal : un gabarit localisé écrirait une virgule dans le SVG."""
    places = jours(paliers)
    publiees = _par_nature(publies)
    tous = [DEBUT, FIN, *places, *publiees.values()]
    debut, fin = min(tous), max(tous)

    def x(jour: int) -> float:
        return GAUCHE + (jour - debut) * (DROITE - GAUCHE) / (fin - debut)

    points, dernier = [], (-100.0, 22)
    for (cle, jour), p in zip(_par_nature(paliers).items(), paliers, strict=True):
        haut = 8 if x(jour) - dernier[0] < 44 and dernier[1] == 22 else 22
        dernier = (x(jour), haut)
        publie = publiees.get(cle)
        change = publie is not None and publie != jour
        fleche = ""
        if change:
            a, b = x(publie), x(jour)
            bord = b + (RAYON if a > b else -RAYON)
            fleche = f"M{a:.1f} 48 Q {(a + b) / 2:.1f} 32 {bord:.1f} 50"
        points.append(
            Point(
                p.id,
                p.rang,
                p.nature.value,
                nom_du_jour(jour),
                f"{x(jour):.1f}",
                haut,
                f"{x(publie):.1f}" if change else "",
                fleche,
            )  # fmt: skip
        )
    pas = 15 if fin - debut <= 120 else 30
    traits = [(f"{x(j):.1f}", _("Échéance") if j == 0 else nom_du_jour(j)) for j in range(0, fin + 1, pas)]
    noms = ", ".join(f"{NatureChoix(p.nature).label} {point.jour}" for p, point in zip(paliers, points, strict=True))
    return Frise(points, traits, _("Échelle de %(debut)s à %(fin)s : %(noms)s") % {
        "debut": nom_du_jour(debut), "fin": nom_du_jour(fin), "noms": noms,
    })  # fmt: skip


def _par_nature(paliers: Sequence[PalierRegle]) -> dict[tuple[int, int], int]:
    """(nature, quantième de cette nature) → jour : ce qui se compare d'une version à l'autre."""
    vus: dict[int, int] = {}
    resultat = {}
    for p, jour in zip(paliers, jours(paliers), strict=True):
        vus[p.nature] = vus.get(p.nature, 0) + 1
        resultat[(p.nature, vus[p.nature])] = jour
    return resultat
