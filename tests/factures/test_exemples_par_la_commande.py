"""La commande `penalites` rend au centime chaque ligne datée des exemples ; les autres passent par la fonction pure."""

import csv
import json
from datetime import date, timedelta
from decimal import Decimal
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command

from factures.domaine.bareme import Bareme
from factures.domaine.penalites import calculer

QUALITES = {"professionnel": "entreprise", "consommateur": "particulier", "personne publique": "administration"}
with open(Path(__file__).parent / "donnees/exemples_penalites.csv", encoding="utf-8", newline="") as fichier:
    EXEMPLES = {ligne["id"]: ligne for ligne in csv.DictReader(fichier, delimiter=";")}
INUTILISABLES = {
    "P13": "publié en mois et arrondi à l'euro : aucun nombre de jours ne donne 256,00 au centime",
    "P14": "publié faux de deux façons : 18,87 pour 18,88, au taux légal simple, illicite entre professionnels",
}
DATEES = [n for n, x in EXEMPLES.items() if x["date_echeance"] and n not in INUTILISABLES]
SANS_DATES = [n for n, x in EXEMPLES.items() if not x["date_echeance"] and n not in INUTILISABLES]
# Ce que la ligne dit en toutes lettres et que la commande demande en option.
OPTIONS = {
    "P04": ["--taux", "5", "--plancher"],
    "P05": ["--mise-en-demeure", "2026-05-31"],
    "C05": ["--base", "366"],
    "C08": ["--taux", "18"],
    "C11": ["--mise-en-demeure", "2026-05-20"],
    "C12": ["--apres-jugement", "2026-01-15"],
    "C14": ["--paiement", "2025-06-15=5000"],
    "C15": ["--paiement", "2025-06-15=5000", "--imputation", "principal"],
}


def qualite(x):
    return next(q for debut, q in QUALITES.items() if x["type_debiteur"].startswith(debut))


def test_toutes_les_lignes_sont_prises():
    assert len(DATEES) + len(SANS_DATES) + len(INUTILISABLES) == len(EXEMPLES) == 29


@pytest.mark.parametrize("numero", DATEES)
def test_chaque_ligne_datee_par_la_commande(numero):
    x, sortie = EXEMPLES[numero], StringIO()
    call_command(
        "penalites", "--montant", x["montant_ttc"], "--echeance", x["date_echeance"], "--au", x["date_paiement"],
        "--debiteur", qualite(x), *OPTIONS.get(numero, []), "--json", stdout=sortie,
    )  # fmt: skip
    rendu = json.loads(sortie.getvalue())
    assert rendu["interets"] == x["interets_attendus"]
    assert Decimal(rendu["indemnite"]) == Decimal(x["indemnite_40"])
    assert Decimal(rendu["interets"]) + Decimal(rendu["indemnite"]) == Decimal(x["total_hors_principal"])
    if rendu["segments"]:
        assert {Decimal(s["taux"]) for s in rendu["segments"]} == {Decimal(t) for t in x["taux_pct"].split("|")}
        assert sum(s["jours"] for s in rendu["segments"]) == int(x["jours"])


@pytest.mark.parametrize("numero", SANS_DATES)
def test_chaque_ligne_sans_dates_par_la_fonction_pure_avec_ses_jours_et_son_taux(numero):
    """Un barème vide et un taux stipulé : seuls les jours et le taux publiés servent."""
    x = EXEMPLES[numero]
    depart = date(2025, 12, 31)
    rendu = calculer(
        Decimal(x["montant_ttc"]),
        depart,
        au=depart + timedelta(int(x["jours"])),
        debiteur=qualite(x),
        bareme=Bareme([], [], []),
        taux_stipule=Decimal(x["taux_pct"]),
    )
    assert rendu.interets == Decimal(x["interets_attendus"])
    assert rendu.interets + rendu.indemnite == Decimal(x["total_hors_principal"])


@pytest.mark.parametrize("numero", INUTILISABLES)
def test_pourquoi_une_ligne_ne_sert_pas(numero):
    x = EXEMPLES[numero]
    montant, taux, publie = (Decimal(x[c]) for c in ("montant_ttc", "taux_pct", "interets_attendus"))
    if numero == "P13":
        rendus = {(montant * taux / 100 * n / 365).quantize(Decimal("0.01")) for n in range(80, 101)}
        assert publie not in rendus and not x["jours"].isdecimal()
    else:
        assert (montant * taux / 100 * int(x["jours"]) / 365).quantize(Decimal("0.01")) == Decimal("18.88") != publie
        assert "illégal entre professionnels" in x["note"]
