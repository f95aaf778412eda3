"""Ce qu'un plan ferait de travers, avant de le publier : pur, les phrases sont à l'écran."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from .echelle import PalierRegle
from .natures import AMIABLES, Canal, Nature, Reference

CONDITIONS = 30  # jours de la facture à l'échéance : sert à situer un palier compté depuis la facture
DELAI_COURT = 8  # jours : en deçà, le nouveau délai d'une mise en demeure se conteste


class Constat(NamedTuple):
    """ton : « mal » interdit de publier, « att » avertit, « info » et « bon » renseignent."""

    ton: str
    code: str
    nature: Nature = Nature.AUCUNE
    n: int = 0
    autre: int = 0


def jours(paliers: Sequence[PalierRegle]) -> list[int]:
    """Jour de chaque palier, compté depuis l'échéance, si rien ne retarde et si tout part le jour dû."""
    resultat, dernier = [], 0
    for p in paliers:
        if p.reference is Reference.PRECEDENT:
            dernier += p.delai
        else:
            dernier = p.delai - (CONDITIONS if p.reference is Reference.FACTURE else 0)
        resultat.append(dernier)
    return resultat


def controler(
    paliers: Sequence[PalierRegle], *, type_debiteur: str, max_amiables: int, delai_entre_contacts: int
) -> list[Constat]:
    """Constats d'un plan, paliers par rang croissant ; publiable si aucun n'est « mal »."""
    if not paliers:
        return [Constat("mal", "vide")]
    return [
        *_ordre(paliers),
        *_amiables(paliers, max_amiables),
        *_mise_en_demeure(paliers, type_debiteur),
        *_contacts(paliers, delai_entre_contacts),
        *(Constat("att", "sans_repli", p.nature) for p in paliers if p.canaux == (Canal.COURRIEL,)),
        *(Constat("mal", "sans_canal", p.nature) for p in paliers if not p.canaux),
    ]


def publiable(constats: Sequence[Constat]) -> bool:
    return not any(c.ton == "mal" for c in constats)


def _ordre(paliers) -> Iterator[Constat]:
    dates = jours(paliers)
    for i, (avant, apres) in enumerate(zip(paliers, paliers[1:], strict=False)):
        if apres.nature < avant.nature:
            yield Constat("mal", "ordre", apres.nature, autre=avant.nature)
        elif dates[i + 1] < dates[i]:
            yield Constat("mal", "calendrier", apres.nature, n=dates[i + 1], autre=dates[i])


def _amiables(paliers, maximum: int) -> Iterator[Constat]:
    n = sum(p.nature in AMIABLES for p in paliers)
    yield Constat("bon" if n <= maximum else "att", "amiables" if n <= maximum else "trop_amiables", n=n, autre=maximum)


def _mise_en_demeure(paliers, type_debiteur: str) -> Iterator[Constat]:
    vues: set[Nature] = set()
    for p in paliers:
        if p.nature is Nature.MISE_EN_DEMEURE:
            if type_debiteur == "administration":
                # Mandatement d'office : aucune mise en demeure de droit privé (droit.md § 3).
                yield Constat("mal", "administration", p.nature)
            if Nature.FORMALISATION not in vues:
                yield Constat("mal", "sans_formalisation", p.nature)
            if Canal.RECOMMANDE not in p.canaux:
                yield Constat("mal", "sans_recommande", p.nature)
            court = p.delai_reponse < DELAI_COURT
            yield Constat("att" if court else "info", "delai_court" if court else "delai", p.nature, n=p.delai_reponse)
        vues.add(p.nature)


def _contacts(paliers, minimum: int) -> Iterator[Constat]:
    """Deux paliers plus proches que le délai entre contacts : le second attendra, la frise mentirait."""
    dates = jours(paliers)
    for i, (avant, apres) in enumerate(zip(paliers, paliers[1:], strict=False)):
        ecart = dates[i + 1] - dates[i]
        if 0 <= ecart < minimum and avant.nature is not Nature.AVANT_ECHEANCE:
            yield Constat("att", "trop_pres", apres.nature, n=ecart, autre=minimum)
