"""Tables de droit livrées avec le projet : une ligne = une règle, son texte et son degré de confiance.

`prescription.csv` : durée et point de départ par nature de créance. `procedure_injonction.csv` : la
machine à états de l'injonction de payer. `procedure_mandatement.csv` : celle du mandatement d'office
contre une personne publique. `tribunaux_activites_economiques.csv` : les douze ressorts
de l'expérimentation (arrêté du 05/07/2024). `conventions.csv` : ce que les sources ne tranchent pas, et
où cela se règle.
"""

import csv
from functools import cache
from pathlib import Path

from contentieux.domaine.prescription import NatureCreance, lire_table
from contentieux.domaine.procedure import Procedure
from contentieux.domaine.tribunaux import Ressort, lire_ressorts

DOSSIER = Path(__file__).resolve().parent


def lire(nom: str) -> list[dict[str, str]]:
    """Lignes d'une table livrée, en texte, dans l'ordre du fichier."""
    with open(DOSSIER / nom, encoding="utf-8", newline="") as fichier:
        return list(csv.DictReader(fichier, delimiter=";"))


@cache
def natures() -> dict[str, NatureCreance]:
    return lire_table(lire("prescription.csv"))


@cache
def injonction() -> Procedure:
    return Procedure(lire("procedure_injonction.csv"))


@cache
def mandatement(mois: int = 1) -> Procedure:
    """Le mandatement d'office. mois : délai laissé à l'ordonnateur, un, ou deux pour une forte dépense."""
    lignes = lire("procedure_mandatement.csv")
    return Procedure(x | {"delai": f"{mois} mois"} if x["evenement"] == "mandatement_office" else x for x in lignes)


@cache
def ressorts_tae() -> tuple[Ressort, ...]:
    return lire_ressorts(lire("tribunaux_activites_economiques.csv"))
