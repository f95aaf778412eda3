"""Découpage d'une période de retard en tranches à taux constant, selon la qualité du débiteur.

Le découpage ne dépend pas du montant : il est mémorisé, et la nuit le partage entre les échéances.
"""

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple

from .bareme import Bareme, fin_de_semestre, semestre

BASE_FIXE = 365  # jours ; l'usage, imprimé dans chaque décompte
BASE_EXACTE = 366  # les jours d'une année bissextile comptent pour 1/366, les autres pour 1/365
CENT = Decimal("0.01")
UN_JOUR = timedelta(1)


class Debiteur(StrEnum):
    ENTREPRISE = "entreprise"
    ADMINISTRATION = "administration"
    PARTICULIER = "particulier"


class DebiteurAQualifier(ValueError):
    """Le droit applicable dépend de la qualité du débiteur : sans elle, rien ne se calcule."""


class Tranche(NamedTuple):
    """Période à taux constant ; `poids` / `diviseur` = fraction d'année × 1/100, exacte."""

    du: date
    au: date
    jours: int
    taux: Decimal
    poids: int
    diviseur: int

    def interets(self, principal: Decimal) -> Decimal:
        """Intérêts de la tranche, au centime, demi supérieur."""
        return (principal * self.taux * self.poids / self.diviseur).quantize(CENT, ROUND_HALF_UP)


def qualifier(debiteur: str) -> Debiteur:
    """Qualité du débiteur ; lève DebiteurAQualifier si elle n'est pas connue."""
    try:
        return Debiteur(debiteur)
    except ValueError:
        raise DebiteurAQualifier(
            f"débiteur « {debiteur} » : dire s'il est entreprise, administration ou particulier avant tout calcul."
        ) from None


def depart_des_interets(
    debiteur: Debiteur, echeance: date, mise_en_demeure: date | None = None, majoration_depuis: date | None = None
) -> date | None:
    """Jour dont le lendemain porte le premier jour d'intérêts ; None si rien ne court.

    Professionnel : l'échéance, sans rappel (C. com., art. L441-10, II). Particulier : la mise en demeure,
    jamais avant l'échéance (C. civ., art. 1344-1) ; à défaut, la décision de justice s'il y en a une.
    """
    if debiteur is not Debiteur.PARTICULIER:
        return echeance
    connus = [jour for jour in (mise_en_demeure, majoration_depuis) if jour is not None]
    return max(echeance, min(connus)) if connus else None


@lru_cache(maxsize=1 << 14)
def tranches(
    bareme: Bareme,
    debiteur: Debiteur,
    depart: date,
    taux_stipule: Decimal | None,
    majoration_depuis: date | None,
    base: int,
    apres: date,
    au: date,
    plancher: bool = False,
    defaut: bool = False,
) -> tuple[Tranche, ...]:
    """Découpe la période du lendemain de `apres` à `au` inclus en périodes à taux constant.

    depart : celui de toute la créance, qui fige le taux public. plancher, defaut : un semestre où le taux stipulé
    est sous trois fois le taux légal passe au plancher, ou au taux à défaut de clause, et forme sa propre tranche.
    Lève TauxManquant au premier semestre inconnu.
    """
    resultat = []
    du = apres + UN_JOUR
    while du <= au:
        majore = majoration_depuis is not None and du > majoration_depuis
        limite = au if majore or majoration_depuis is None else min(au, majoration_depuis)
        fin, sem = min(limite, fin_de_semestre(du)), semestre(du)
        if majore:
            taux = bareme.taux_legal_majore(sem)
        elif debiteur is Debiteur.PARTICULIER:
            taux = bareme.taux_legal(sem)
        elif debiteur is Debiteur.ADMINISTRATION:
            fin, taux = limite, bareme.taux_public(semestre(depart + UN_JOUR))
        elif taux_stipule is None:
            taux = bareme.taux_defaut_entreprise(sem)
        elif not (plancher or defaut):
            fin, taux = limite, taux_stipule
        elif taux_stipule < bareme.plancher(sem):
            taux = bareme.plancher(sem) if plancher else bareme.taux_defaut_entreprise(sem)
        else:
            taux = taux_stipule
            while fin < limite and taux >= bareme.plancher(semestre(fin + UN_JOUR)):
                fin = min(limite, fin_de_semestre(fin + UN_JOUR))
        resultat.append(Tranche(du, fin, (fin - du).days + 1, taux, *_fraction(du, fin, base)))
        du = fin + UN_JOUR
    return tuple(resultat)


def _fraction(du: date, au: date, base: int) -> tuple[int, int]:
    """Jours de la période sur l'année, et le diviseur du pour cent, en entiers pour n'arrondir qu'une fois."""
    if base == BASE_FIXE:
        return (au - du).days + 1, 100 * BASE_FIXE
    poids, jour = 0, du
    while jour <= au:
        fin = min(au, date(jour.year, 12, 31))
        bissextile = date(jour.year, 12, 31).timetuple().tm_yday == 366
        poids += ((fin - jour).days + 1) * (365 if bissextile else 366)
        jour = fin + UN_JOUR
    return poids, 100 * 365 * 366


def semestres(apres: date, au: date) -> Iterator[str]:
    """Semestres touchés du lendemain de `apres` à `au` inclus."""
    jour = apres + UN_JOUR
    while jour <= au:
        yield semestre(jour)
        jour = fin_de_semestre(jour) + UN_JOUR
