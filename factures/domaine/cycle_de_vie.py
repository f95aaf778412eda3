"""Ce qu'un statut reçu décide : lequel fait foi, quelle part il conteste, s'il contredit le compte. Pur.

Aucune matrice de transitions n'est publiée : seul compte le plus récent. Un code hors du cycle de vie (accusé d'une
plateforme, code inconnu) ne déplace jamais un statut du cycle : un accusé arrivé après un refus ne dégèle rien.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

ZERO, CENT = Decimal("0.00"), Decimal("0.01")
# 220, annulée et remplacée : hors socle, mais elle retire la facture d'origine (droit.md § 12).
CYCLE = frozenset({*(str(code) for code in range(200, 214)), "220"})
OUVRENT_UN_LITIGE = frozenset({"206", "207", "210", "220"})
DISENT_PAYEE = frozenset({"211", "212"})

# Motifs de XP Z12-012, par catégorie de litige ; tout autre motif, et tout refus, met en cause la facture elle-même.
CATEGORIES = {
    "PU_ERR": "prix", "REM_ERR": "prix", "CALCUL_ERR": "prix", "MONTANTTOTAL_ERR": "prix",
    "QTE_ERR": "quantite", "ART_ERR": "quantite", "LIVR_INCOMP": "quantite",
    "QUALITE_ERR": "qualite", "NON_CONFORME": "qualite",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Recu:
    """Un statut : `heure` en chiffres (HHMM ou HHMMSS), vide si le message n'en dit rien."""

    code: str
    le: date
    heure: str = ""


def _ordre(recu: Recu) -> tuple:
    return recu.le, recu.heure.ljust(6, "0") if recu.heure else "999999", recu.code


def decisif(actuel: Recu | None, nouveaux: Iterable[Recu]) -> Recu | None:
    """Celui des nouveaux qui devient le statut de la facture, ou None si l'actuel reste.

    Du même jour et sans heure, le dernier reçu l'emporte sur l'actuel (c'est aussi la façon de corriger) ; entre
    nouveaux, le code le plus avancé.
    """
    nouveaux = list(nouveaux)
    du_cycle = [r for r in nouveaux if r.code in CYCLE]
    if actuel is not None and actuel.code in CYCLE or du_cycle:
        nouveaux = du_cycle
    if not nouveaux:
        return None
    meilleur = max(nouveaux, key=_ordre)
    if actuel is None or not actuel.code or actuel.code not in CYCLE and meilleur.code in CYCLE:
        return meilleur
    if meilleur.le != actuel.le:
        return meilleur if meilleur.le > actuel.le else None
    if meilleur.heure and actuel.heure:
        return meilleur if meilleur.heure.ljust(6, "0") >= actuel.heure.ljust(6, "0") else None
    return meilleur


def categorie(code: str, motif_code: str) -> str:
    """Catégorie du litige qu'ouvre ce statut."""
    return "facture" if code in ("210", "220") else CATEGORIES.get(motif_code.upper(), "facture")


def part_contestee(code: str, montant: Decimal | None, nature: str, *, ttc: Decimal, reste: Decimal) -> Decimal | None:
    """Ce que le client ne paiera pas, au plus le reste dû ; None : ce statut n'ouvre aucun litige.

    210 et 220 : tout. 207 : le montant dit, sinon tout. 206 : la part non approuvée ; sans montant, une personne
    vérifie (le frein retient la pièce). `nature` : MDT-207, MAPTTC étant un montant approuvé. Montants en TTC.
    """
    if code not in OUVRENT_UN_LITIGE or reste <= 0:
        return None
    if code in ("210", "220"):
        return reste
    if montant is not None and nature == "MAPTTC":
        montant = ttc - montant
        return min(montant, reste) if montant > 0 else None
    if montant is None or montant <= 0:
        return reste if code == "207" else None
    return min(montant, reste)


def repartir(montant: Decimal, restes: Sequence[Decimal]) -> list[Decimal]:
    """La part contestée entre les échéances, au prorata de leur reste dû ; le centime de trop va à la dernière.

    La somme vaut exactement `montant` ; aucune part ne dépasse son reste dû. Lève ValueError si `montant` dépasse tout.
    """
    total = sum(restes, ZERO)
    if montant > total:
        raise ValueError(f"part contestée {montant} au-dessus du reste dû {total}")
    parts, donne, vu = [], ZERO, ZERO
    for reste in restes:
        vu += reste
        jusqu = (montant * vu / total).quantize(CENT, ROUND_HALF_UP) if total else ZERO
        part = min(jusqu - donne, reste)
        parts.append(part)
        donne += part
    for i in range(len(parts) - 1, -1, -1):  # ce que les plafonds ont laissé
        ajout = min(montant - donne, restes[i] - parts[i])
        parts[i] += ajout
        donne += ajout
    return parts


def contredit(dites: Sequence[Decimal | None], *, ttc: Decimal, paye: Decimal, reste: Decimal) -> Decimal | None:
    """Ce que la plateforme dit payé et que le compte n'a pas reçu ; None : rien à décider.

    dites : montants des statuts 211 et 212, None valant toute la facture. paye : encaissements posés.
    """
    if not dites or reste <= 0:
        return None
    annonce = ttc if any(m is None for m in dites) else sum(dites, ZERO)
    ecart = min(annonce - paye, reste)
    return ecart if ecart > 0 else None
