"""manage.py donnees_demo : charge la démonstration, une seule fois."""

import json
from dataclasses import asdict

from django.core.management.base import BaseCommand, CommandError

from recouvrement.commun.horloge import aujourd_hui
from recouvrement.pilotage import demo


class Command(BaseCommand):
    help = "Charge un jeu crédible et déterministe, aux dates relatives au jour. Déjà chargé : n'ajoute rien."

    def add_arguments(self, parser):
        for nom, defaut in (("clients", demo.CLIENTS), ("factures", demo.FACTURES)):
            parser.add_argument(f"--{nom}", type=int, default=defaut, help=f"nombre de {nom} (défaut : {defaut})")
        parser.add_argument("--graine", default="demonstration", help="même graine, même jour : mêmes données")
        parser.add_argument("--json", action="store_true", help="un seul objet JSON sur la sortie standard")

    def handle(self, *args, clients, factures, graine, **options):
        try:
            compte = demo.charger(au=aujourd_hui(), clients=clients, factures=factures, graine=graine)
        except demo.DejaChargee as raison:
            self.stderr.write(f"Rien d'ajouté : {raison}.")
            compte = demo.compter()
        except demo.TropPetit as raison:
            raise CommandError(str(raison), returncode=2) from raison
        if options["json"]:
            self.stdout.write(json.dumps(asdict(compte)))
        else:
            self.stdout.write(
                f"{compte.clients} clients, {compte.factures} factures, {compte.encaissements} encaissements"
            )
