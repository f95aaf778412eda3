"""Tables livrées avec le projet : une ligne = un fait, sa source et son degré de confiance.

`taux_bce.csv` : toutes les décisions de la BCE. `taux_interet_legal.csv` : un arrêté par semestre.
`taux_penalites_par_semestre.csv` : le taux BCE relevé au premier jour de chaque semestre ; une case
vide dit que le semestre n'est pas connu. Les autres colonnes se recalculent, et un test le prouve.
`statuts_facture_electronique.csv` : les codes du cycle de vie, par les spécifications externes de la DGFiP.
"""

import csv
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path

from factures.domaine.bareme import Bareme

DOSSIER = Path(__file__).resolve().parent


def lire(nom: str) -> list[dict[str, str]]:
    """Lignes d'une table livrée, en texte, dans l'ordre du fichier."""
    with open(DOSSIER / nom, encoding="utf-8", newline="") as fichier:
        return list(csv.DictReader(fichier, delimiter=";"))


@cache
def bareme_livre() -> Bareme:
    """Barème des fichiers livrés, toujours le même objet (il sert de clé de mémoire aux calculs)."""
    return Bareme(
        refi=((date.fromisoformat(x["date_effet"]), Decimal(x["taux_refi_pct"])) for x in lire("taux_bce.csv")),
        legal=((x["semestre"], Decimal(x["taux_autres_cas_pct"])) for x in lire("taux_interet_legal.csv")),
        semestres=(
            (x["semestre"], Decimal(x["refi_bce_1er_jour_pct"]))
            for x in lire("taux_penalites_par_semestre.csv")
            if x["refi_bce_1er_jour_pct"]
        ),
    )


@cache
def statuts_fe() -> dict[str, str]:
    """{code: libellé} des statuts connus de la facture électronique, dans l'ordre des codes."""
    return {x["code"]: x["libelle"] for x in lire("statuts_facture_electronique.csv")}
