"""Relecture d'un texte réécrit : ses sommes et ses dates sont-elles encore celles de la lettre ?

Entre la réécriture et l'envoi, un règlement arrive, un jour de pénalités court, la date limite glisse.
Le modèle, lui, se recalcule ; le texte d'une personne, non : il doit repasser sous ses yeux.
"""

import re

from recouvrement.commun.domaine import ecriture

from .contexte import Lettre
from .mots import DATE, normaliser

_SOMME = re.compile(r"\d{1,3}(?:[ ,.]\d{3})*[.,]\d{2}(?!\d)(?! ?%)")
_JOUR = re.compile(DATE)


def perimes(lettre: Lettre, modele: str, texte: str) -> list[str]:
    """Total et date limite que le modèle cite et que le texte remplace par d'autres, tels qu'ils devraient s'écrire.

    Un texte qui ne cite aucune somme, ou aucune date, n'est pas périmé : le reste de la lettre les dit.
    """
    modele, texte = normaliser(modele), normaliser(texte)
    attendus = [(_SOMME, _ecrire(lettre))]
    if lettre.date_limite:
        attendus.append((_JOUR, _dates(lettre)))
    trouves = []
    for motif, formes in attendus:
        cites = any(_contient(modele, forme) for forme in formes)
        if cites and motif.search(texte) and not any(_contient(texte, forme) for forme in formes):
            trouves.append(formes[0])
    return trouves


def _contient(texte: str, forme: str) -> bool:
    """La forme entière : « 1 234,56 » n'est pas dans « 21 234,56 »."""
    return re.search(rf"(?<!\d)(?<!\d[ ,.]){re.escape(normaliser(forme))}(?!\d)", texte) is not None


def _ecrire(lettre: Lettre) -> list[str]:
    t = lettre.totaux
    sommes = (t.a_payer, t.principal - t.credits)  # une administration paie d'abord le principal
    colonne = ecriture.amount if lettre.langue == "en" else ecriture.montant
    return [colonne(somme) for somme in sommes]


def _dates(lettre: Lettre) -> list[str]:
    jour = lettre.date_limite
    if lettre.langue == "en":
        return [ecriture.date_en(jour)]
    return [ecriture.date_longue(jour), ecriture.jj(jour)]
