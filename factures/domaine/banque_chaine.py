"""L'enchaînement des relevés d'un compte : l'ouverture est la clôture du précédent, sinon on le dit."""

from collections import defaultdict, deque
from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from itertools import groupby
from typing import NamedTuple

PREFIXE = "Enchaînement : "


class Maillon(NamedTuple):
    """Un relevé ; soldes signés dans la devise du compte, None s'ils ne sont pas donnés."""

    cle: int
    du: date | None
    au: date | None
    ouverture: Decimal | None
    cloture: Decimal | None
    devise: str


def _montant(valeur: Decimal, devise: str) -> str:
    return f"{valeur:,.2f}".replace(",", " ").replace(".", ",") + " " + ("€" if devise == "EUR" else devise)


def chainer(maillons: Iterable[Maillon]) -> dict[int, str]:
    """{clé: phrase} pour chaque relevé qui ne s'enchaîne pas au précédent de son compte.

    Un relevé sans soldes ou sans date ne dit rien et ne coupe pas la chaîne. Même jour de fin : l'ordre se trouve aux
    soldes, sinon à l'arrivée.
    """
    connus = [m for m in maillons if m.au and m.ouverture is not None and m.cloture is not None]
    connus.sort(key=lambda m: (m.au, m.cle))
    phrases: dict[int, str] = {}
    precedent: Maillon | None = None
    for _au, du_jour in groupby(connus, key=lambda m: m.au):
        # Plusieurs relevés finissent le même jour : celui dont l'ouverture prolonge le précédent passe d'abord.
        restants = {m.cle: m for m in du_jour}
        par_ouverture = defaultdict(deque)
        for m in restants.values():
            par_ouverture[m.ouverture].append(m)
        while restants:
            file = par_ouverture[precedent.cloture] if precedent else None
            while file and file[0].cle not in restants:
                file.popleft()
            suivant = file.popleft() if file else next(iter(restants.values()))
            del restants[suivant.cle]
            if precedent and suivant.ouverture != precedent.cloture:
                phrases[suivant.cle] = _phrase(precedent, suivant)
            precedent = suivant
    return phrases


def _phrase(precedent: Maillon, suivant: Maillon) -> str:
    ecart = _montant(suivant.ouverture - precedent.cloture, suivant.devise)
    fin = f"{precedent.au:%d/%m/%Y}"
    soldes = (
        f"il ouvre à {_montant(suivant.ouverture, suivant.devise)}, le précédent ferme le {fin} "
        f"à {_montant(precedent.cloture, precedent.devise)}"
    )
    if suivant.du and suivant.du < precedent.au:
        return f"{PREFIXE}ce relevé recouvre le précédent ({soldes}) : les mouvements connus n'y comptent qu'une fois."
    return f"{PREFIXE}il manque un relevé entre les deux ({soldes}), écart {ecart}."
