"""Ce qu'un client paierait par cette somme : pièces citées, somme exacte, avoirs, écart, escompte, à-compte. Pur."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import accumulate, combinations

from .rapprochement_sommes import combiner

AVOIRS_MAX = 6
# Part des hypothèses de chaque classe qui sont les bonnes, le payeur étant connu ; calé sur le banc.
FIABILITE = {
    "citees": 0.995, "citees_avoirs": 0.97, "citees_escompte": 0.97, "citees_ecart": 0.96, "citees_frais": 0.93,
    "citees_partie": 0.90, "citees_plus": 0.85, "citees_trop": 0.85,
    "une": 0.985, "toutes": 0.97, "anciennes": 0.90, "plusieurs": 0.75, "avoirs": 0.85, "escompte": 0.93,
    "ecart": 0.80, "frais": 0.65, "partie": 0.12, "trop": 0.30, "avance": 0.50,
}  # fmt: skip


@dataclass(slots=True)
class Hypothese:
    """exacte : la somme tombe juste ; seule : sur une seule pièce ; hasard : coïncidences attendues."""

    classe: str
    fiabilite: float
    echeances: dict[int, int] = field(default_factory=dict)
    avoirs: dict[int, int] = field(default_factory=dict)
    ecart: int = 0
    nature_ecart: str = ""
    reste: int = 0
    exacte: bool = False
    seule: bool = False
    hasard: float = 1.0
    raisons: list[dict] = field(default_factory=list)


def _numeros(postes) -> list[str]:
    return list(dict.fromkeys(p.numero for p in postes))


def _exacte(classe: str, postes, *, hasard: float, fiabilite: float = 1.0, avoirs=(), **plus) -> Hypothese:
    raison = {"code": classe, "pieces": _numeros(postes)[:6], "n": len(postes)}
    if avoirs:
        raison["avoirs"] = [a.numero for a in avoirs]
    if plus.get("ecart"):
        raison["ecart"] = plus["ecart"]
    return Hypothese(
        classe, FIABILITE[classe] * fiabilite, {p.id: p.centimes for p in postes}, {a.id: a.centimes for a in avoirs},
        exacte=True, hasard=hasard, raisons=[raison], **plus,
    )  # fmt: skip


def hypotheses(recu, postes, cites, fins, avoirs, escompte, tolerances, *, approfondir: bool) -> list[Hypothese]:
    """Façons dont ce client aurait payé `recu`, la plus probable d'abord ; trois au plus.

    postes : ses échéances ouvertes émises au jour du mouvement, dans sa devise, les plus anciennes d'abord ; cites :
    celles que le libellé nomme ; fins : celles dont il porte les derniers chiffres ; escompte : (dix-millièmes, jours).
    approfondir : chercher aussi les sommes de plusieurs pièces.
    """
    cites = sorted(cites, key=lambda p: (p.echeance, p.id))
    if cites and (trouvees := _sur(recu, cites, avoirs, escompte, tolerances, prefixe="citees")):
        return trouvees
    if cites:
        return _citees_inegales(recu, postes, cites)
    justes = [p for p in fins if p.centimes == recu.centimes]
    if len(justes) == 1:  # les derniers chiffres et la somme : presque une référence
        h = _exacte("une", justes, hasard=1e-4, seule=True)
        h.raisons.insert(0, {"code": "fin", "pieces": _numeros(justes)})
        return [h]
    if not postes:
        return [Hypothese("avance", FIABILITE["avance"], reste=recu.centimes, raisons=[{"code": "avance"}])]
    trouvees = _seules(recu, postes)
    if approfondir and not trouvees:
        trouvees = _sommes(recu, postes)
        trouvees += _sur(recu, postes, avoirs, escompte, tolerances, prefixe="")
    if approfondir:
        trouvees.append(_a_defaut(recu, postes))
    return sorted(trouvees, key=lambda h: -h.fiabilite)[:3]


def _seules(recu, postes) -> list[Hypothese]:
    egales = [p for p in postes if p.centimes == recu.centimes]
    hasard = 2.0 * len(postes) / max(recu.centimes, 1)
    return [
        _exacte(
            "une", [p], hasard=hasard, fiabilite=(0.75 if rang == 0 else 0.25) if len(egales) > 1 else 1.0, seule=True
        )
        for rang, p in enumerate(egales[:2])
    ]


def _sommes(recu, postes) -> list[Hypothese]:
    """Plusieurs pièces entières : toutes, les plus anciennes, puis un groupe."""
    etendue = max(recu.centimes, 1)
    cumuls = list(accumulate(p.centimes for p in postes))
    if len(postes) > 1 and cumuls[-1] == recu.centimes:
        return [_exacte("toutes", postes, hasard=2.0 / etendue)]
    if recu.centimes in cumuls[1:]:
        retenues = postes[: cumuls.index(recu.centimes) + 1]
        return [_exacte("anciennes", retenues, hasard=2.0 * len(postes) / etendue)]
    groupe = combiner([p.centimes for p in postes], recu.centimes)
    if groupe is None:
        return []
    fiabilite = (1.0 if groupe.unique else 0.45) / (1 + 6 * groupe.hasard)
    retenues = [postes[r] for r in groupe.rangs]
    return [_exacte("plusieurs", retenues, hasard=min(2 * groupe.hasard, 1.0), fiabilite=fiabilite)]


def _sur(recu, postes: Sequence, avoirs, escompte, tolerances, *, prefixe: str) -> list[Hypothese]:
    """La somme, à des avoirs, un escompte ou un écart près : sur les pièces citées, ou sur une seule, ou sur toutes."""
    trouvees: list[Hypothese] = []
    groupes = [list(postes)] if prefixe else [[p] for p in postes] + ([list(postes)] if len(postes) > 1 else [])
    hasard = 2.0 * len(groupes) / max(recu.centimes, 1)

    def nom(suffixe: str) -> str:
        return (f"{prefixe}_{suffixe}" if suffixe else prefixe) if prefixe else suffixe

    for groupe in groupes:
        total = sum(p.centimes for p in groupe)
        if prefixe and total == recu.centimes:
            return [_exacte("citees", groupe, hasard=1e-6)]
        manque = total - recu.centimes
        if manque <= 0:
            continue
        if pris := _avoirs_de(avoirs, manque):
            part = 1.0 if prefixe else 1 / (1 + len(groupes) * len(avoirs) / max(recu.centimes, 1))
            trouvees.append(_exacte(nom("avoirs"), groupe, hasard=hasard, avoirs=pris, fiabilite=part))
        elif _est_escompte(recu, groupe, escompte, manque):
            trouvees.append(_exacte(nom("escompte"), groupe, hasard=hasard, ecart=manque, nature_ecart="escompte"))
        elif manque <= tolerances.ecart:
            h = hasard * tolerances.ecart
            trouvees.append(_exacte(nom("ecart"), groupe, hasard=h, ecart=manque, nature_ecart="ecart"))
        elif manque <= tolerances.frais:
            h = min(hasard * tolerances.frais, 1.0)
            trouvees.append(_exacte(nom("frais"), groupe, hasard=h, ecart=manque, nature_ecart="frais"))
    if not prefixe and len(trouvees) > 1:
        for h in trouvees:
            h.fiabilite /= len(trouvees)
    return trouvees[:2]


def _avoirs_de(avoirs, manque: int) -> list:
    """Avoirs entiers (un à trois) dont la somme est ce qui manque."""
    for n in (1, 2, 3):
        for choix in combinations(list(avoirs)[:AVOIRS_MAX], n):
            if sum(a.centimes for a in choix) == manque:
                return list(choix)
    return []


def _est_escompte(recu, groupe, escompte, manque: int) -> bool:
    """Payé dans le délai, moins le taux convenu du TTC, au centime près par pièce ; jamais sur une pièce entamée."""
    taux, jours = escompte
    if not taux or any(p.centimes != p.origine for p in groupe):
        return False
    if any(recu.date > p.emission + timedelta(days=jours) for p in groupe):
        return False
    attendu = sum((p.origine * taux + 5_000) // 10_000 for p in groupe)
    return abs(manque - attendu) <= len(groupe)


def _citees_inegales(recu, postes, cites) -> list[Hypothese]:
    """Des pièces sont citées et la somme ne tombe pas juste : certaines d'entre elles, davantage, une partie, trop."""
    total = sum(p.centimes for p in cites)
    if recu.centimes < total:
        if justes := [p for p in cites if p.centimes == recu.centimes]:
            return [_exacte("citees", justes[:1], hasard=1e-5, fiabilite=0.97)]
        groupe = combiner([p.centimes for p in cites], recu.centimes)
        if groupe and groupe.unique:
            return [_exacte("citees", [cites[r] for r in groupe.rangs], hasard=1e-5, fiabilite=0.95)]
        return [_repartie("citees_partie", recu.centimes, cites)]
    connus = {p.id for p in cites}
    autres = [p for p in postes if p.id not in connus]
    plus = recu.centimes - total
    juste = [p for p in autres if p.centimes == plus]
    if len(juste) == 1:
        return [_exacte("citees_plus", [*cites, *juste], hasard=1e-4)]
    groupe = None if juste else combiner([p.centimes for p in autres], plus)
    if groupe and groupe.unique:
        retenus = [*cites, *(autres[r] for r in groupe.rangs)]
        return [_exacte("citees_plus", retenus, hasard=1e-3, fiabilite=0.9 / (1 + 2 * groupe.hasard))]
    h = _repartie("citees_trop", recu.centimes, cites)
    return [h]


def _repartie(classe: str, centimes: int, postes) -> Hypothese:
    """Les plus anciennes d'abord (C. civ., art. 1342-10), jusqu'à épuisement."""
    reste, parts, touchees = centimes, {}, []
    for p in postes:
        if not reste:
            break
        parts[p.id] = min(reste, p.centimes)
        touchees.append(p)
        reste -= parts[p.id]
    raison = {"code": classe, "pieces": _numeros(touchees)[:6], "n": len(touchees)}
    if reste:
        raison["reste"] = reste
    return Hypothese(classe, FIABILITE[classe], parts, reste=reste, raisons=[raison])


def _a_defaut(recu, postes) -> Hypothese:
    total = sum(p.centimes for p in postes)
    return _repartie("partie" if recu.centimes < total else "trop", recu.centimes, postes)
