"""Comment s'écrivent les dates et les montants d'un fichier, d'après toutes les valeurs de ses colonnes.

Ce que rien ne départage n'est pas deviné : `ambigu` le dit, une personne choisit.
"""

import re
from dataclasses import dataclass, field
from datetime import date

JMA, MJA, SERIAL = "jma", "mja", "serial"
ANNEES = (1950, 2100)
MOIS = {
    mot: rang
    for rang, mots in enumerate(
        (
            "jan janv janvier january", "feb fev fevr fevrier february", "mar mars march", "apr avr avril april",
            "may mai", "jun juin june", "jul juil juillet july", "aug aou aout august", "sep sept septembre september",
            "oct octobre october", "nov novembre november", "dec decembre december",
        ),
        1,
    )
    for mot in mots.split()
}  # fmt: skip
HEURE = r"(?:[T ]+[0-9]{1,2}:[0-9]{2}(?::[0-9]{2}(?:[.,][0-9]+)?)?(?: ?[AaPp][Mm])?(?:Z|[+-][0-9]{2}:?[0-9]{2})?)?"
ISO = re.compile(r"([0-9]{4})[-/.]([0-9]{1,2})[-/.]([0-9]{1,2})" + HEURE)
COMPACTE = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})(?:\.0)?")
TROIS = re.compile(r"([0-9]{1,2})([/.\- ])([0-9]{1,2})\2([0-9]{4}|[0-9]{2})" + HEURE)
LETTRES = re.compile(r"([0-9]{1,2})(?:er)?[ .\-/]*([a-zéûô]{3,9})\.?[ .\-/,]*([0-9]{4}|[0-9]{2})" + HEURE, re.I)
SERIE = re.compile(r"([0-9]{5})(?:[.,][0-9]+)?")
SERIE_BORNES = (18264, 73415)  # 1950 à 2100


@dataclass
class ProfilDates:
    """Ce qu'une ou plusieurs colonnes de dates montrent, valeur après valeur."""

    lues: int = 0
    jour_en_tete: int = 0  # valeurs qui ne se lisent que jour d'abord
    mois_en_tete: int = 0
    indecises: int = 0  # « 03/04/2026 »
    series: int = 0
    autres: int = 0  # ISO, compactes, en lettres, déjà typées
    illisibles: int = 0
    points: int = 0  # « 03.04.2026 » : jamais l'usage américain
    _vues: dict[str, str] = field(default_factory=dict, repr=False)

    def voir(self, valeur: object) -> None:
        if valeur is None or valeur == "":
            return
        self.lues += 1
        if isinstance(valeur, date):
            self.autres += 1
            return
        texte = str(valeur).strip()
        sorte = self._vues.get(texte)
        if sorte is None:
            sorte = _sorte(texte)
            if len(self._vues) < 20_000:
                self._vues[texte] = sorte
        setattr(self, sorte, getattr(self, sorte) + 1)
        if sorte == "indecises" and "." in texte:
            self.points += 1

    @property
    def format(self) -> str:
        """Le format qui lit le plus de valeurs ; jour d'abord à défaut de preuve."""
        if self.series and self.series >= self.lues - self.illisibles - self.autres:
            return SERIAL
        return MJA if self.mois_en_tete > self.jour_en_tete else JMA

    @property
    def ambigu(self) -> bool:
        """Rien ne dit si le jour ou le mois vient d'abord, ou les deux se rencontrent."""
        if self.jour_en_tete and self.mois_en_tete:
            return min(self.jour_en_tete, self.mois_en_tete) * 50 > max(self.jour_en_tete, self.mois_en_tete)
        return bool(self.indecises > self.points and not self.jour_en_tete and not self.mois_en_tete)

    @property
    def plausible(self) -> bool:
        return bool(self.lues) and self.illisibles * 5 <= self.lues


def _sorte(texte: str) -> str:
    if ISO.fullmatch(texte):
        return "autres"
    if lu := COMPACTE.fullmatch(texte):
        return "autres" if ANNEES[0] <= int(lu[1]) <= ANNEES[1] else "illisibles"
    if lu := TROIS.fullmatch(texte):
        premier, second = int(lu[1]), int(lu[3])
        if premier > 12 >= second:
            return "jour_en_tete"
        if second > 12 >= premier:
            return "mois_en_tete"
        return "autres" if premier == second else "indecises" if premier <= 12 else "illisibles"
    if lu := LETTRES.fullmatch(texte):
        return "autres" if mois_en_lettres(lu[2]) else "illisibles"
    if lu := SERIE.fullmatch(texte):
        return "series" if SERIE_BORNES[0] <= int(lu[1]) <= SERIE_BORNES[1] else "illisibles"
    return "illisibles"


def mois_en_lettres(mot: str) -> int | None:
    return MOIS.get(mot.casefold().replace("é", "e").replace("û", "u").replace("ô", "o"))


_DECIMALE = re.compile(r"[0-9]([.,])[0-9]{1,2}(?![0-9])[^0-9.,]*$")
_MILLIERS = re.compile(r"^[^0-9.,]*[0-9]{1,3}([.,])[0-9]{3}[^0-9.,]*$")


@dataclass
class ProfilMontants:
    """Virgule ou point décimal, d'après toutes les valeurs."""

    lues: int = 0
    virgules: int = 0  # « 12,50 »
    points: int = 0  # « 12.50 »
    milliers_virgule: int = 0  # « 1,234 » : mille, ou trois décimales
    milliers_point: int = 0
    negatifs: int = 0
    chiffres: int = 0

    def voir(self, valeur: object) -> None:
        if valeur is None or valeur == "":
            return
        self.lues += 1
        if not isinstance(valeur, str):
            self.chiffres += 1
            self.negatifs += valeur < 0 if not isinstance(valeur, date) else 0
            return
        texte = valeur.strip()
        if any("0" <= c <= "9" for c in texte[:20]):
            self.chiffres += 1
        if texte[:1] in "-−(" or texte[-1:] == "-":
            self.negatifs += 1
        if lu := _DECIMALE.search(texte):
            if lu[1] == ",":
                self.virgules += 1
            else:
                self.points += 1
        elif lu := _MILLIERS.match(texte):
            if lu[1] == ",":
                self.milliers_virgule += 1
            else:
                self.milliers_point += 1

    @property
    def decimale(self) -> str:
        """« , », « . » ou « auto » (chaque valeur se lit seule)."""
        if self.virgules and not self.points:
            return ","
        if self.points and not self.virgules:
            return "."
        return "auto"

    @property
    def ambigu(self) -> bool:
        return self.decimale == "auto" and bool(self.milliers_point or self.milliers_virgule)

    @property
    def plausible(self) -> bool:
        return bool(self.chiffres) and self.chiffres * 5 >= self.lues * 4
