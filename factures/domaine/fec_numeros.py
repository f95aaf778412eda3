"""PieceRef est-il un numéro de facture ? Sinon, comment nommer la pièce sans mentir. Pur.

Des logiciels écrivent dans PieceRef le mois (« VE  0323 »), « sans » ou le numéro d'écriture. Annoncer un
tel « numéro de facture » à un débiteur serait faux : on montre alors l'écriture.
"""

import re
from collections import defaultdict
from collections.abc import Iterable

from .fec_lignes import Ligne, Nature

GENERIQUES = {"sans", "divers", "neant", "néant", "na", "n/a", "-", "0", "x", "an", "od", "ran"}
PART_PARTAGEE = 0.2  # au-delà, le PieceRef du journal n'identifie pas ses pièces
NUMERO_MAX = 60


def pieces_fiables(lignes: Iterable[Ligne], *, stricte: bool = True) -> set[str]:
    """Clés des lignes dont PieceRef est un numéro de pièce : propre à un client et à une date, pas une période.

    stricte : dans un journal où le partage est fréquent, aucune n'est fiable. Débits et crédits sont jugés à part : un
    avoir peut citer le numéro de sa facture.
    """
    fiables: set[str] = set()
    for sens in (1, -1):
        candidates = [
            x
            for x in lignes
            if x.solde * sens > 0
            and x.nature in (Nature.VENTE, Nature.A_NOUVEAU)
            and (sens > 0 or x.nature is Nature.VENTE)
            and _plausible(x)
        ]
        vendues = {(x.piece, x.client) for x in candidates if x.nature is Nature.VENTE}
        porteurs: dict[str, set] = defaultdict(set)
        for x in candidates:
            if (
                x.nature is Nature.VENTE or (x.piece, x.client) not in vendues
            ):  # l'à-nouveau d'une vente n'est pas une autre pièce
                porteurs[x.piece].add((x.client, x.piece_date or x.date))
        partagees: dict[str, list[int]] = defaultdict(lambda: [0, 0])
        for x in candidates:
            compte = partagees[x.journal]
            compte[0] += 1
            compte[1] += len({client for client, _ in porteurs[x.piece]}) > 1
        fiables |= {
            x.cle
            for x in candidates
            if len(porteurs[x.piece]) == 1
            and (not stricte or partagees[x.journal][1] <= partagees[x.journal][0] * PART_PARTAGEE)
        }
    return fiables


def _plausible(x: Ligne) -> bool:
    piece = x.piece
    if len(piece) < 2 or len(piece) > NUMERO_MAX or piece.casefold() in GENERIQUES:
        return False
    if not any(c.isdigit() for c in piece):
        return False
    return not _periode(x)


def _periode(x: Ligne) -> bool:
    """« VE 0323 », « 03/2023 », « 20230309 » : un mois ou un jour, seul ou derrière le code du journal."""
    brut = x.piece.casefold().removeprefix(x.journal.casefold())
    if re.search(r"[a-z]", brut):
        return False
    chiffres = re.sub(r"\D", "", brut)
    jours = {x.date, x.piece_date or x.date}
    return any(
        chiffres == jour.strftime(forme)
        for jour in jours
        for forme in ("%m%y", "%m%Y", "%y%m", "%Y%m", "%Y%m%d", "%d%m%Y", "%d%m%y", "%y%m%d", "%Y")
    )


def numero_affiche(x: Ligne, fiable: bool) -> str:
    """Numéro à montrer : celui de la pièce, sinon l'écriture qui la porte."""
    if fiable:
        return x.piece
    if x.nature is Nature.A_NOUVEAU:
        texte = f"à-nouveau du {x.date:%d/%m/%Y}" + (f" : {x.libelle}" if x.libelle else "")
    else:
        texte = f"écriture {x.journal} {x.numero}".rstrip()
    return texte[:NUMERO_MAX].rstrip()
