"""Un décompte de cinq cents factures : calcul, écran, classeur, contre la même page d'une seule facture.

    .venv/bin/python -m tests.banc.decompte

Base SQLite jetable ; meilleur de cinq, temps de cœur. Imprime une ligne JSON par mesure, et le rapport au plancher.
"""

import json
import os
import tempfile
from datetime import date, timedelta
from pathlib import Path
from time import process_time

import django

AU = date(2026, 11, 20)


def meilleur(geste, fois: int = 5) -> float:
    durees = []
    for _ in range(fois):
        depart = process_time()
        geste()
        durees.append(process_time() - depart)
    return min(durees)


def mesurer(factures: int) -> dict[str, float]:
    """Secondes de chaque mesure pour un client de tant de factures, une sur trois payée en partie."""
    from django.test import Client as Navigateur
    from django.urls import reverse

    from recouvrement.comptes.models import Role
    from relances.services import decomptes
    from tests.clients.factories import ClientFactory
    from tests.comptes.factories import UtilisateurFactory
    from tests.factures.factories import EcheanceFactory, ImputationFactory

    debiteur = ClientFactory()
    for n in range(factures):
        echeance = EcheanceFactory(client=debiteur, echue_le=date(2025, 1, 1) + timedelta(days=n % 300))
        if n % 3 == 0:
            ImputationFactory(echeance=echeance, montant=200, date=date(2026, 2, 1))
    navigateur = Navigateur()
    navigateur.force_login(UtilisateurFactory(societe=debiteur.societe, role=Role.RESPONSABLE))
    adresse = reverse("factures:decompte", args=[debiteur.pk])

    def ouvrir(**filtres):
        assert navigateur.get(adresse, {"au": AU.isoformat(), **filtres}).status_code == 200

    return {
        "calcul": meilleur(lambda: decomptes.etablir(debiteur, au=AU)),
        "écran": meilleur(ouvrir),
    }


def main() -> None:
    with tempfile.TemporaryDirectory() as dossier:
        os.environ["DATABASE_URL"] = f"sqlite:///{Path(dossier) / 'banc.sqlite3'}"
        os.environ["RECOUVREMENT_VAR"] = dossier
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "recouvrement.settings.test")
        django.setup()
        from django.core.management import call_command

        call_command("migrate", verbosity=0)
        plancher, notre = mesurer(1), mesurer(500)
        for nom, secondes in notre.items():
            ligne = {"mesure": nom, "factures": 500, "s": round(secondes, 3), "une facture s": round(plancher[nom], 3)}
            print(json.dumps(ligne, ensure_ascii=False), flush=True)


if __name__ == "__main__":
    main()
