"""Client par client : ce que la lecture d'un FEC a déduit, ce qu'elle a deviné, et ce qui reste dû. Pur."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from decimal import Decimal

from .fec_corrections import semble_un_mode
from .fec_lignes import ZERO, Nature, Poste, Reconstitution

MONTRES = 500


def resume(
    reconstitution: Reconstitution, noms: Mapping[str, str], ecartes: Mapping[str, object], montres: int = MONTRES
) -> list[dict]:
    """Une ligne par client, celles à regarder d'abord, puis les plus gros soldes ; types JSON, montants en texte.

    `ouvert` égale `solde` par construction (`Compte.clore` le prouve) : l'écran montre les deux.
    """
    postes: dict[str, list[Poste]] = defaultdict(list)
    for poste in reconstitution.postes:
        postes[poste.client].append(poste)
    signes: dict[str, Counter] = defaultdict(Counter)
    for x in reconstitution.inexpliques:
        signes[x.client][x.nature] += 1
    lignes = []
    for code, solde in reconstitution.soldes.items():
        siens = postes[code]
        ouverts = [p for p in siens if p.reste]
        debits = [p for p in siens if p.debit and not p.connu]
        lignes.append(
            {
                "code": code,
                "nom": noms.get(code) or code,
                "solde": f"{solde:.2f}",
                "ouvert": f"{sum((p.signe for p in ouverts), ZERO):.2f}",
                "dus": sum(p.debit for p in ouverts),
                "a_imputer": sum(not p.debit for p in ouverts),
                "factures": len(debits),
                "numeros": sum(p.numero_reel for p in debits),
                "echeances": sum(p.debit and p.nature is not Nature.TRESORERIE for p in ouverts if not p.connu),
                "lettrage": signes[code]["lettrage"],
                "a_nouveau": signes[code]["a_nouveau"],
                "collectif": bool(signes[code]["collectif"]),
                "reemplois": reconstitution.reemplois[code],
                "mode": semble_un_mode(code, noms.get(code, "")),
                "ecarte": False,
            }
        )
    for code, solde in ecartes.items():
        lignes.append(
            {
                "code": code, "nom": noms.get(code) or code, "solde": f"{solde:.2f}", "ouvert": "0.00", "dus": 0,
                "a_imputer": 0, "factures": 0, "numeros": 0, "echeances": 0, "lettrage": 0, "a_nouveau": 0,
                "collectif": False, "reemplois": 0, "mode": True, "ecarte": True,
            }
        )  # fmt: skip
    lignes.sort(key=lambda x: (not _a_regarder(x), -abs(Decimal(x["solde"])), x["code"]))
    return lignes[:montres]


def _a_regarder(ligne: dict) -> bool:
    return any(ligne[nom] for nom in ("ecarte", "mode", "collectif", "lettrage", "a_nouveau", "reemplois"))


def a_ventiler(reconstitution: Reconstitution, montres: int = 100) -> list[dict]:
    """Les postes ouverts des comptes collectifs, à donner chacun à son client."""
    collectifs = {x.client for x in reconstitution.inexpliques if x.nature == "collectif"}
    ouverts = [p for p in reconstitution.postes if p.client in collectifs and p.reste and not p.connu]
    return [
        {
            "cle": p.cle, "compte": p.client, "numero": p.numero, "libelle": p.libelle, "date": p.date.isoformat(),
            "montant": f"{p.signe:.2f}",
        }
        for p in sorted(ouverts, key=lambda p: (p.client, p.date, p.ligne))[:montres]
    ]  # fmt: skip
