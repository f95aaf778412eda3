"""Délais de procédure, articles 640 à 642 du code de procédure civile : pur, dates en arguments.

Le jour de l'acte ne compte pas ; un délai en mois expire le même quantième, à défaut le dernier jour
du mois ; il expire à vingt-quatre heures. Asymétrie prudente de la maison (docs/regles.md) : un délai que l'on
doit tenir n'est jamais reporté au jour ouvrable, une attente l'est toujours.
"""

import calendar
import re
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from factures.domaine.calendrier import METROPOLE, jour_ouvre_suivant

MOIS_PAR_AN = 12


class Unite(StrEnum):
    JOURS = "jours"
    MOIS = "mois"
    ANNEES = "années"


def ajouter_mois(jour: date, mois: int) -> date:
    """Même quantième, ou dernier jour du mois s'il n'existe pas ; `mois` peut être négatif (CPC, art. 641)."""
    rang = jour.year * MOIS_PAR_AN + jour.month - 1 + mois
    annee, mois_cible = divmod(rang, MOIS_PAR_AN)
    dernier = calendar.monthrange(annee, mois_cible + 1)[1]
    return date(annee, mois_cible + 1, min(jour.day, dernier))


@dataclass(frozen=True, slots=True)
class Duree:
    nombre: int
    unite: Unite

    @classmethod
    def lire(cls, texte: str) -> "Duree":
        """« 15 jours », « 1 mois », « 10 ans ». Lève ValueError si le texte n'est pas une durée."""
        lu = re.fullmatch(r"\s*(\d{1,3})\s+(jours?|mois|ans?|années?)\s*", texte)
        if not lu:
            raise ValueError(f"durée illisible : {texte!r}")
        initiale = lu[2][0]
        unite = {"j": Unite.JOURS, "m": Unite.MOIS, "a": Unite.ANNEES}[initiale]
        return cls(int(lu[1]), unite)

    def __str__(self):
        mot = {Unite.JOURS: "jour", Unite.MOIS: "mois", Unite.ANNEES: "an"}[self.unite]
        return f"{self.nombre} {mot}{'s' if self.nombre > 1 and self.unite is not Unite.MOIS else ''}"

    def apres(self, depart: date) -> date:
        """Dernier jour du délai, sans report : c'est celui qu'il faut tenir (CPC, art. 640 et 641)."""
        if self.unite is Unite.JOURS:
            return depart + timedelta(self.nombre)
        return ajouter_mois(depart, self.nombre * (MOIS_PAR_AN if self.unite is Unite.ANNEES else 1))

    def attente_apres(self, depart: date, *, region: str = METROPOLE, distance_mois: int = 0) -> date:
        """Dernier jour d'une attente, reporté au premier jour ouvrable (CPC, art. 642) ; agir le lendemain.

        distance_mois : 1 outre-mer, 2 à l'étranger (CPC, art. 643) ; ils s'ajoutent aux mois du délai avant d'en
        chercher le quantième : deux mois et un depuis le 31 décembre vont au 31 mars.
        """
        if self.unite is Unite.JOURS:
            terme = ajouter_mois(self.apres(depart), distance_mois)
        else:
            mois = self.nombre * (MOIS_PAR_AN if self.unite is Unite.ANNEES else 1)
            terme = ajouter_mois(depart, mois + distance_mois)
        return jour_ouvre_suivant(terme, region)
