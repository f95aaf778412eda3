"""Jours ouvrés et jours fériés français : purs, la région arrive en argument.

Onze fériés légaux (C. trav., art. L3133-1) ; en Alsace-Moselle, le vendredi saint et le 26 décembre
s'y ajoutent (C. trav., art. L3134-13). Le vendredi saint n'y chôme que dans certaines communes : il est
tenu pour férié, on ne relance pas un jour où le débiteur peut être fermé.
"""

from datetime import date, timedelta
from functools import lru_cache

METROPOLE = "metropole"
ALSACE_MOSELLE = "alsace"
REGIONS = (METROPOLE, ALSACE_MOSELLE)

_FIXES = ((1, 1), (5, 1), (5, 8), (7, 14), (8, 15), (11, 1), (11, 11), (12, 25))
_DEPUIS_PAQUES = (1, 39, 50)  # lundi de Pâques, Ascension, lundi de Pentecôte
_UN_JOUR = timedelta(1)
DERNIER_JOUR = date(9990, 12, 31)  # au-delà, compter quelques jours sortirait du calendrier


def paques(annee: int) -> date:
    """Dimanche de Pâques du calendrier grégorien (algorithme de Butcher et Meeus)."""
    a = annee % 19
    b, c = divmod(annee, 100)
    d, e = divmod(b, 4)
    g = (8 * b + 13) // 25
    h = (19 * a + b - d - g + 15) % 30
    i, k = divmod(c, 4)
    m = (32 + 2 * e + 2 * i - h - k) % 7
    n = (a + 11 * h + 22 * m) // 451
    mois, jour = divmod(h + m - 7 * n + 114, 31)
    return date(annee, mois, jour + 1)


@lru_cache(maxsize=256)
def feries(annee: int, region: str = METROPOLE) -> frozenset[date]:
    """Jours fériés d'une année. Lève ValueError pour une région inconnue."""
    if region not in REGIONS:
        raise ValueError(f"région de jours fériés inconnue : {region!r} ({', '.join(REGIONS)})")
    dimanche = paques(annee)
    jours = {date(annee, mois, jour) for mois, jour in _FIXES}
    jours.update(dimanche + timedelta(n) for n in _DEPUIS_PAQUES)
    if region == ALSACE_MOSELLE:
        jours.update((dimanche - timedelta(2), date(annee, 12, 26)))
    return frozenset(jours)


def est_ouvre(jour: date, region: str = METROPOLE) -> bool:
    """Ni samedi, ni dimanche, ni férié."""
    return jour.weekday() < 5 and jour not in feries(jour.year, region)


def jour_ouvre_suivant(jour: date, region: str = METROPOLE) -> date:
    """Le jour lui-même s'il est ouvré, sinon le premier jour ouvré qui suit."""
    while not est_ouvre(jour, region):
        jour += _UN_JOUR
    return jour


def ajouter_jours_ouvres(jour: date, nombre: int, region: str = METROPOLE) -> date:
    """Le n-ième jour ouvré après `jour` (non compté) ; avant, si `nombre` est négatif ; `jour` même si zéro."""
    pas = _UN_JOUR if nombre >= 0 else -_UN_JOUR
    restants = abs(nombre)
    while restants:
        jour += pas
        if est_ouvre(jour, region):
            restants -= 1
    return jour


def date_limite(depuis: date, delai_jours: int, region: str = METROPOLE) -> date:
    """Date calendaire donnée au débiteur : `depuis` + délai en jours calendaires, glissée au jour ouvré suivant.

    Lève ValueError pour un délai négatif : une date limite déjà passée ne se donne pas.
    """
    if delai_jours < 0:
        raise ValueError(f"délai négatif : {delai_jours}")
    return jour_ouvre_suivant(depuis + timedelta(delai_jours), region)
