"""Taux livrés avec le projet, chacun avec sa source ; les suivants s'ajoutent à l'écran."""

import csv
from decimal import Decimal
from pathlib import Path

from django.db import migrations

DONNEES = Path(__file__).resolve().parent.parent / "donnees"


def lignes(nom):
    with open(DONNEES / nom, encoding="utf-8", newline="") as f:
        yield from csv.DictReader(f, delimiter=";")


def charger(apps, editeur):
    TauxBCE = apps.get_model("factures", "TauxBCE")
    TauxLegal = apps.get_model("factures", "TauxLegal")
    SemestreConnu = apps.get_model("factures", "SemestreConnu")
    TauxBCE.objects.bulk_create(
        TauxBCE(date_effet=x["date_effet"], taux=Decimal(x["taux_refi_pct"]), source=x["source"][:250])
        for x in lignes("taux_bce.csv")
    )
    TauxLegal.objects.bulk_create(
        TauxLegal(
            semestre=x["semestre"],
            particuliers=Decimal(x["taux_creancier_particulier_pct"]),
            autres=Decimal(x["taux_autres_cas_pct"]),
            source=x["source"][:250],
        )
        for x in lignes("taux_interet_legal.csv")
    )
    SemestreConnu.objects.bulk_create(
        SemestreConnu(
            semestre=x["semestre"],
            refi=Decimal(x["refi_bce_1er_jour_pct"]),
            source="Banque de France, taux directeurs ; taux en vigueur au premier jour du semestre",
        )
        for x in lignes("taux_penalites_par_semestre.csv")
        if x["refi_bce_1er_jour_pct"]
    )


def vider(apps, editeur):
    for nom in ("TauxBCE", "TauxLegal", "SemestreConnu"):
        apps.get_model("factures", nom).objects.all().delete()


class Migration(migrations.Migration):
    dependencies = [("factures", "0001_initiale")]
    operations = [migrations.RunPython(charger, vider)]
