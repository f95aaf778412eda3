"""manage.py verifier : re-prouve les invariants ; n'écrit rien."""

import json

from django.core.management.base import BaseCommand

from recouvrement.pilotage.verification import tout_verifier


class Command(BaseCommand):
    help = "Vérifie soldes, niveaux, verdicts, journal et fichiers. Code de sortie 1 si un contrôle échoue."

    def add_arguments(self, parser):
        parser.add_argument("--json", action="store_true", help="un seul objet JSON sur la sortie standard")

    def handle(self, *args, **options):
        controles = tout_verifier()
        if options["json"]:
            self.stdout.write(json.dumps({"controles": [c.en_dict() for c in controles]}, ensure_ascii=False))
        else:
            for c in controles:
                self.stdout.write(f"{'ok   ' if c.ok else 'ÉCHEC'} {c.nom} : {c.detail}")
        if not all(c.ok for c in controles):
            raise SystemExit(1)
