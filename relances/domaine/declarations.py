"""Ce qu'un débiteur déclare sur sa page : ce qui vaut sans relecture, et ce que cela retient. Pur.

Aucune de ces règles n'est légale : ce sont les bornes de la maison, écrites dans docs/regles.md et la décision 0036.
"""

import unicodedata
from collections.abc import Iterable
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum

from factures.domaine.calendrier import ajouter_jours_ouvres

PAR_JOUR = 10  # déclarations par client et par jour ; au-delà, le téléphone
# Jours ouvrés qu'un paiement met à se voir au relevé, depuis le jour dit.
ACHEMINEMENT = {"virement": 3, "carte": 5, "prelevement": 5, "cheque": 8, "especes": 5, "effet": 5, "autre": 5}
ACHEMINEMENT_MAX = 10  # jours ouvrés depuis la déclaration, quoi qu'elle dise
EXAMEN_MAX = 30  # jours : au-delà, ne pas répondre ne retient plus rien
PROMESSE_TOTALE = 30  # jours : tout ce qui est dû sur les pièces
PROMESSE_PARTIELLE = 15  # jours : une part
PART_MINIMALE = Decimal("0.50")  # de ce qui est dû sur les pièces
AVANT, APRES = 5, 45  # jours autour de la date dite où un encaissement répond à « j'ai payé »
# Écriture de droite à gauche forcée, largeur nulle : de quoi faire lire autre chose que ce qui est écrit.
TROMPEURS = frozenset(chr(x) for x in (*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x200B, 0xFEFF))


class Examen(StrEnum):
    """Pourquoi une promesse attend une personne ; vide : elle vaut tout de suite."""

    AUCUN = ""
    TROP_LOIN = "trop_loin"
    TROP_PEU = "trop_peu"
    DEJA_PROMIS = "deja_promis"
    DEJA_ROMPUE = "deja_rompue"


def propre(texte: str, *, longueur: int, lignes: bool = False) -> str:
    """Le texte d'un inconnu, tel qu'il se lit : ni caractère de commande, ni demi-codet, ni sens d'écriture forcé.

    Le HTML n'est pas retiré : il est du texte, et s'affiche comme du texte. lignes : garde les sauts de ligne.
    """
    texte = texte.replace("\r\n", "\n").replace("\r", "\n")
    gardes = (c for c in texte if (c == "\n" and lignes) or _se_lit(c))
    return "".join(gardes).strip()[:longueur]


def _se_lit(c: str) -> bool:
    return unicodedata.category(c) not in ("Cc", "Cs") and c not in TROMPEURS


def fin_d_attente_d_un_paiement(dit_le: date, *, le: date, moyen: str, region: str) -> date:
    """Dernier jour où l'échelle attend un paiement dit fait le `dit_le`, déclaré le `le`.

    Le temps que la banque le montre, jamais plus de dix jours ouvrés après la déclaration, jamais avant elle : déclarer
    chaque semaine le même paiement passé ne retient rien.
    """
    arrive = ajouter_jours_ouvres(min(dit_le, le), ACHEMINEMENT.get(moyen, ACHEMINEMENT["autre"]), region)
    lendemain = ajouter_jours_ouvres(le, 1, region)  # le temps qu'une personne regarde le relevé
    return min(max(arrive, lendemain), ajouter_jours_ouvres(le, ACHEMINEMENT_MAX, region))


def fin_d_examen(le: date, *, jours: int) -> date:
    """Dernier jour où une déclaration à examiner retient ce qu'elle vise ; jours : réglage de la société."""
    return le + timedelta(days=min(max(jours, 0), EXAMEN_MAX))


def examen_d_une_promesse(
    *, montant: Decimal, du: Decimal, pour_le: date, au: date, deja_promis: bool, rompue_recente: bool
) -> Examen:
    """Ce qui empêche une promesse du client de valoir sans relecture.

    du : reste dû des pièces choisies, sans ce qui y est contesté. Tout promis : trente jours ; la moitié au moins :
    quinze. Une promesse déjà en attente sur ces pièces, ou rompue depuis peu, demande une personne : une dette ne se
    repousse pas seule sans fin.
    """
    if deja_promis:
        return Examen.DEJA_PROMIS
    if rompue_recente:
        return Examen.DEJA_ROMPUE
    if montant < du * PART_MINIMALE:
        return Examen.TROP_PEU
    if pour_le > au + timedelta(days=PROMESSE_TOTALE if montant >= du else PROMESSE_PARTIELLE):
        return Examen.TROP_LOIN
    return Examen.AUCUN


def est_arrive(montant: Decimal, dit_le: date, recus: Iterable[tuple[date, Decimal]]) -> bool:
    """Un paiement déclaré est-il là ? recus : (jour, montant) des encaissements du client, même devise, non rejetés.

    Un encaissement d'au moins ce montant, ou plusieurs qui le font, de cinq jours avant à quarante-cinq après le jour
    dit : un chèque s'encaisse tard, un virement se date parfois de son ordre.
    """
    debut, fin = dit_le - timedelta(days=AVANT), dit_le + timedelta(days=APRES)
    return sum((m for jour, m in recus if debut <= jour <= fin), Decimal(0)) >= montant


def masquer(adresse: str) -> str:
    """« c…@entreprise.fr » : assez pour que la personne reconnaisse la sienne, trop peu pour l'apprendre."""
    boite, _, domaine = adresse.rpartition("@")
    return f"{boite[:1]}…@{domaine}" if boite else ""
