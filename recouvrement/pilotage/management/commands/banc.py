"""manage.py banc : mesure l'application sur un grand livre d'essai, et la compare à son oracle."""

import json
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError

from recouvrement.pilotage.banc import Banc, BancRefuse


class Command(BaseCommand):
    help = (
        "Sur une base vide : charge les trois CSV du dossier, cinq nuits au même arrêté, balance âgée, lettres. "
        "Une ligne JSON par mesure ; la dernière dit si tout égale attendu.json. Code 1 sinon."
    )

    def add_arguments(self, parser):
        parser.add_argument("dossier", type=Path, help="clients.csv, factures.csv, encaissements.csv, attendu.json")
        parser.add_argument("--lettres", type=int, default=50, metavar="N", help="taille du lot de lettres (0 : aucun)")

    def handle(self, *args, dossier, lettres, **options):
        def dire(mesure: dict) -> None:
            self.stdout.write(json.dumps({"pair": "notre"} | mesure, ensure_ascii=False))
            self.stdout.flush()

        try:
            conforme = Banc(dossier, dire).executer(lot=lettres)
        except BancRefuse as refus:
            raise CommandError(str(refus), returncode=1) from refus
        if not conforme:
            raise SystemExit(1)
