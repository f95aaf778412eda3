"""Numéros de suivi d'un recommandé : lus, vérifiés, jamais devinés. Règles pures."""

import re
from dataclasses import dataclass
from enum import StrEnum

LONGUEUR_MAX = 30  # celle du champ
LIGNES_MAX = 500
LA_POSTE = re.compile(r"\d[A-Z]\d{11}")  # « 1A 123 456 7890 1 » : treize caractères
S10 = re.compile(r"[A-Z]{2}\d{9}[A-Z]{2}")  # Union postale universelle, norme S10
POIDS_S10 = (8, 6, 4, 2, 3, 5, 9, 7)
SUPERFLU = re.compile(r"[\s\u00a0\u202f.\-]+")
SEPARATEUR = re.compile(r"[;\t]")


class Forme(StrEnum):
    LA_POSTE = "la_poste"
    S10 = "s10"
    INCONNUE = "inconnue"  # un autre opérateur, un prestataire : refusé, sauf dérogation motivée


class Defaut(StrEnum):
    """Ce qui interdit un numéro."""

    VIDE = "vide"
    TROP_LONG = "trop_long"
    CARACTERE = "caractere"
    CLE_S10 = "cle_s10"
    FORME = "forme"  # ni La Poste ni S10 : une personne peut déroger, avec un motif


@dataclass(frozen=True)
class Suivi:
    """numero : majuscules, sans espaces. defaut : None s'il peut être enregistré."""

    numero: str
    forme: Forme = Forme.INCONNUE
    defaut: Defaut | None = None


def cle_s10(chiffres: str) -> int:
    """Chiffre de contrôle des huit chiffres d'un numéro S10 : 11 moins la somme pondérée modulo 11 ; 10 → 0, 11 → 5."""
    cle = 11 - sum(int(c) * p for c, p in zip(chiffres, POIDS_S10, strict=True)) % 11
    return {10: 0, 11: 5}.get(cle, cle)


def lire(texte: str) -> Suivi:
    """Numéro tapé, collé ou scanné → forme reconnue ; une clé S10 fausse trahit une faute de frappe."""
    numero = SUPERFLU.sub("", texte[: 10 * LONGUEUR_MAX]).upper()
    if not numero:
        return Suivi("", defaut=Defaut.VIDE)
    if len(numero) > LONGUEUR_MAX:
        return Suivi(numero[:LONGUEUR_MAX], defaut=Defaut.TROP_LONG)
    if not (numero.isascii() and numero.isalnum()):
        return Suivi(numero, defaut=Defaut.CARACTERE)
    if LA_POSTE.fullmatch(numero):
        return Suivi(numero, Forme.LA_POSTE)
    if S10.fullmatch(numero):
        juste = cle_s10(numero[2:10]) == int(numero[10])
        return Suivi(numero, Forme.S10, None if juste else Defaut.CLE_S10)
    return Suivi(numero)


def lire_poste(texte: str, *, derogation: str = "") -> Suivi:
    """Comme `lire`, en n'admettant qu'un numéro de La Poste ou S10 ; `derogation`, motivée, lève la seule forme."""
    lu = lire(texte)
    inconnu = lu.defaut is None and lu.forme is Forme.INCONNUE
    return Suivi(lu.numero, lu.forme, Defaut.FORME) if inconnu and not derogation.strip() else lu


def lisible(numero: str) -> str:
    """« 1A12345678901 » → « 1A 123 456 7890 1 » ; « RR123456785FR » → « RR 123 456 785 FR » ; autre : tel quel."""
    if LA_POSTE.fullmatch(numero):
        return " ".join((numero[:2], numero[2:5], numero[5:8], numero[8:12], numero[12:]))
    if S10.fullmatch(numero):
        return " ".join((numero[:2], numero[2:5], numero[5:8], numero[8:11], numero[11:]))
    return numero


def lignes_collees(texte: str) -> list[tuple[int, str, str]]:
    """[(n° de ligne, référence ou « », numéro)] d'un collage « référence ; numéro » ou de numéros seuls.

    Lève ValueError au-delà de LIGNES_MAX lignes non vides.
    """
    lues = []
    for rang, ligne in enumerate(texte.splitlines(), 1):
        if not ligne.strip():
            continue
        if len(lues) == LIGNES_MAX:
            raise ValueError(f"plus de {LIGNES_MAX} lignes")
        reference, separateur, numero = _couper(ligne)
        lues.append((rang, reference.strip() if separateur else "", (numero if separateur else ligne).strip()))
    return lues


def _couper(ligne: str) -> tuple[str, str, str]:
    trouve = SEPARATEUR.search(ligne)
    return (ligne[: trouve.start()], trouve[0], ligne[trouve.end() :]) if trouve else ("", "", ligne)
