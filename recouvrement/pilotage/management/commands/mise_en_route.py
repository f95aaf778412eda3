"""Prépare la base et les fichiers de l'application en un seul processus ; rejouable sans dommage."""

import json
from pathlib import Path

from django.conf import settings
from django.core.management import call_command, get_commands
from django.core.management.base import BaseCommand

from recouvrement.commun import catalogues
from recouvrement.commun.horloge import aujourd_hui
from recouvrement.comptes import demo
from recouvrement.comptes.models import Societe
from recouvrement.pilotage.demo.page_du_client import lien_montre


class Command(BaseCommand):
    help = "Migrations, cache, catalogues de langue, et démonstration si DEMO=1 et que la base est vide."
    requires_system_checks = []

    def add_arguments(self, parser):
        parser.add_argument("--json", action="store_true", help="imprime un compte rendu JSON sur la sortie standard")

    def handle(self, *args, **options):
        catalogues.compiler(*map(Path, settings.LOCALE_PATHS))
        call_command("migrate", verbosity=0, interactive=False)
        call_command("createcachetable", verbosity=0)
        chargee = settings.DEMO and not Societe.objects.exists() and "donnees_demo" in get_commands()
        if chargee:
            self.stderr.write("Base vide : chargement de la démonstration…")
            call_command("donnees_demo", stdout=self.stderr)
        if options["json"]:
            comptes = demo.comptes() if settings.DEMO else []
            rendu = [{**compte, "role": str(compte["role"]), "mot_de_passe": demo.MOT_DE_PASSE} for compte in comptes]
            page = lien_montre(au=aujourd_hui()) if settings.DEMO else ""
            self.stdout.write(json.dumps({"demonstration": bool(chargee), "comptes": rendu, "page_client": page}))
