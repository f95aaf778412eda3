"""manage.py envoyer : expédie ce qui attend, comme le tic."""

import json

from django.core.management.base import BaseCommand

from recouvrement.commun.horloge import aujourd_hui
from relances.services.envoi import envoyer_tout


class Command(BaseCommand):
    help = "Expédie les courriers à envoyer, dans ce processus. N'envoie rien un jour non ouvré."

    def add_arguments(self, parser):
        parser.add_argument("--json", action="store_true", help="un seul objet JSON sur la sortie standard")

    def handle(self, *args, **options):
        bilan = envoyer_tout(au=aujourd_hui())
        if options["json"]:
            objet = {"envoyes": bilan.envoyes, "incertains": bilan.incertains, "erreurs": bilan.erreurs}
            self.stdout.write(json.dumps(objet, ensure_ascii=False))
        else:
            self.stdout.write(f"{bilan.envoyes} envoyés, {bilan.incertains} incertains, {len(bilan.erreurs)} en erreur")
            for erreur in bilan.erreurs:
                self.stderr.write(erreur)
        if bilan.erreurs or bilan.incertains:
            raise SystemExit(1)
