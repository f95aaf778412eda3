"""Tableaux des lettres : jusqu'à cinq factures par rangée, reports de page, numéros longs repliés.

Une rangée compose cinq factures en une fois (cellules à retours de ligne) : sur soixante factures, le
rendu passe de 268 à 126 ms. Les périodes d'une même facture restent ensemble.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from recouvrement.commun.domaine import ecriture

from .contexte import ZERO, LigneDue

PAR_RANGEE = 5
SEULE = 8  # jusque-là, le tableau tient en une seule rangée
REPORTS_DES = 15  # lignes à partir desquelles un tableau peut changer de page
LARGEUR_NUMERO = 18  # caractères d'un numéro de facture dans la première colonne


@dataclass(frozen=True)
class Ecriture:
    """Ce qui change d'une langue à l'autre dans un tableau."""

    colonne: Callable[[Decimal], str]  # montant sans symbole
    somme: Callable[[Decimal], str]  # montant avec sa devise
    taux: Callable[[Decimal], str]
    report: str
    a_reporter: str
    interets: str  # « pénalités », « intérêts », « interest »
    accessible: bool = False

    @property
    def par_rangee(self) -> int:
        return 1 if self.accessible else PAR_RANGEE

    @property
    def seule(self) -> int:
        return 1 if self.accessible else SEULE


def ecriture_de(langue: str, devise: str, interets: str, *, accessible: bool = False) -> Ecriture:
    """accessible : une facture par rangée, qu'un lecteur d'écran lit de gauche à droite ; plus lent à composer."""
    style = _ecriture(langue, devise, interets)
    return replace(style, accessible=accessible)


def _ecriture(langue: str, devise: str, interets: str) -> Ecriture:
    if langue == "en":
        return Ecriture(
            ecriture.amount,
            lambda x: ecriture.somme_en(x, devise),
            ecriture.pct_en,
            "Brought forward:\u00a0",
            "Carried forward:\u00a0",
            "interest",
        )
    return Ecriture(
        ecriture.montant,
        lambda x: ecriture.somme(x, devise),
        ecriture.pct,
        "Report\u00a0: ",
        "À reporter\u00a0: ",
        interets,
    )


def replier(texte: str, largeur: int = LARGEUR_NUMERO) -> list[str]:
    """Coupe un numéro trop long après un séparateur s'il y en a un, sinon à la largeur."""
    lignes = []
    while len(texte) > largeur:
        coupes = [m.end() for m in re.finditer(r"[-/_ .+]", texte[:largeur])]
        coupe = coupes[-1] if coupes and coupes[-1] > largeur // 3 else largeur
        lignes.append(texte[:coupe].rstrip())
        texte = texte[coupe:]
    return [*lignes, texte]


def rangees(groupes: Iterable[Sequence[tuple[dict, dict]]]) -> tuple[dict, ...]:
    """Groupes de (cellules, reports) → rangées dont chaque cellule est un texte à retours de ligne.

    La colonne `numeros` est une liste de lignes : les autres descendent d'autant.
    """
    sortie = []
    for groupe in groupes:
        colonnes: dict[str, list[str]] = {}
        for cellules, _ in groupe:
            numeros = cellules["numeros"]
            for nom, texte in cellules.items():
                lignes = numeros if nom == "numeros" else [texte] + [""] * (len(numeros) - 1)
                colonnes.setdefault(nom, []).extend(lignes)
        rangee = {nom: "\n".join(lignes) for nom, lignes in colonnes.items()}
        sortie.append(rangee | groupe[-1][1])
    return tuple(sortie)


def par_paquets(lignes: Sequence, style: Ecriture) -> list[Sequence]:
    pas = max(len(lignes), 1) if len(lignes) <= style.seule else style.par_rangee
    return [lignes[i : i + pas] for i in range(0, len(lignes), pas)]


def numero(ligne: LigneDue) -> str:
    return f"{ligne.numero} ({ligne.rang})" if ligne.rang else ligne.numero


def numero_reparti(ligne: LigneDue, nombre: int) -> list[list[str]]:
    """Le numéro replié, réparti sur `nombre` cellules : une ligne chacune, le reste à la dernière."""
    lignes = replier(numero(ligne))
    cellules = [[texte] for texte in lignes[:nombre]] + [[""]] * (nombre - len(lignes))
    if nombre:
        cellules[-1] = cellules[-1] + lignes[nombre:]
    return cellules


def _reports(style: Ecriture, texte: str) -> dict:
    return {"a_reporter": style.a_reporter + texte, "report": style.report + texte}


def etat(lignes: Sequence[LigneDue], style: Ecriture, *, chiffree: bool) -> dict:
    """État des factures : `rangs`, `reports` (peut changer de page), `total` (plus d'une ligne)."""
    reste = interets = ZERO
    ecrites = []
    for ligne in lignes:
        du = ligne.principal if chiffree else ligne.reste_du
        reste, interets = reste + du, interets + ligne.penalites
        cumul = style.somme(reste) + (f" – {style.interets} {style.somme(interets)}" if chiffree else "")
        cellules = {
            "numeros": replier(numero(ligne)),
            "emissions": ecriture.jj(ligne.date_emission),
            "receptions": ecriture.jj(ligne.date_reception) if ligne.date_reception else "",
            "echeances": ecriture.jj(ligne.date_echeance),
            "montants": style.colonne(ligne.montant_ttc),
            "restes": style.colonne(du),
            "jours": str(ligne.jours_retard),
            "taux": style.taux(ligne.segments[0].taux) if chiffree and ligne.segments else "",
            "interets": style.colonne(ligne.penalites) if chiffree else "",
        }
        ecrites.append((cellules, _reports(style, cumul)))
    return {
        "rangs": rangees(par_paquets(ecrites, style)),
        "reports": len(lignes) >= REPORTS_DES,
        "total": len(lignes) > 1,
    }


def decompte(lignes: Sequence[LigneDue], style: Ecriture) -> dict:
    """Décompte par période, et règlements reçus après l'échéance avec ce qu'ils ont éteint."""
    cumul = ZERO
    groupes: list[list[tuple[dict, dict]]] = [[]]
    nombre = sum(len(ligne.segments) for ligne in lignes)
    for ligne in lignes:
        if len(groupes[-1]) >= style.par_rangee and nombre > style.seule + 4:
            groupes.append([])
        numeros = numero_reparti(ligne, len(ligne.segments))
        for rang, segment in enumerate(ligne.segments):
            if style.accessible:  # chaque période est une rangée, qui nomme sa facture
                numeros[rang] = replier(numero(ligne))
                groupes.append([])
            cumul += segment.interets
            cellules = {
                "numeros": numeros[rang],
                "echeances": "" if rang and not style.accessible else ecriture.jj(ligne.date_echeance),
                "du": ecriture.jj(segment.du),
                "au": ecriture.jj(segment.au),
                "jours": str(segment.jours),
                "bases": style.colonne(segment.principal),
                "taux": style.taux(segment.taux),
                "interets": style.colonne(segment.interets),
            }
            groupes[-1].append((cellules, _reports(style, f"{style.interets} {style.somme(cumul)}")))
    return {
        "rangs": rangees(groupe for groupe in groupes if groupe),
        "reports": nombre >= REPORTS_DES,
        "reglements": rangees(par_paquets(_reglements(lignes, style), style)),
    }


GENRES = {"reglement": "règlement", "accessoires": "accessoires", "avoir": "avoir"}


def mouvements(lignes: Sequence[LigneDue], style: Ecriture) -> tuple[dict, ...]:
    """Tous les règlements et avoirs, d'avant l'échéance aussi, et leur affectation : le principal s'en refait."""
    ecrits = []
    for ligne in lignes:
        for numeros, m in zip(numero_reparti(ligne, len(ligne.mouvements)), ligne.mouvements, strict=True):
            cellules = {
                "numeros": numeros if not style.accessible else replier(numero(ligne)),
                "natures": GENRES[m.genre],
                "jours": ecriture.jj(m.jour),
                "affectes": ecriture.jj(m.affecte_le),
                "montants": style.colonne(m.montant),
                "sur_principal": style.colonne(m.sur_principal),
                "sur_interets": style.colonne(m.sur_interets),
                "sur_indemnite": style.colonne(m.sur_indemnite),
            }
            ecrits.append((cellules, {}))
    return rangees(par_paquets(ecrits, style))


def _reglements(lignes: Sequence[LigneDue], style: Ecriture) -> list[tuple[dict, dict]]:
    ecrits = []
    for ligne in lignes:
        tardifs = [r for r in ligne.reglements if r.jour > ligne.date_echeance]
        for numeros, reglement in zip(numero_reparti(ligne, len(tardifs)), tardifs, strict=True):
            cellules = {
                "numeros": numeros,
                "jours": ecriture.jj(reglement.jour),
                "montants": style.colonne(reglement.montant),
                "sur_interets": style.colonne(reglement.sur_interets),
                "sur_principal": style.colonne(reglement.sur_principal),
                "restants": style.colonne(reglement.principal_restant),
            }
            ecrits.append((cellules, {}))
    return ecrits
