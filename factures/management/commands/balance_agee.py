"""manage.py balance_agee : balance âgée à une date, sur la sortie standard."""

import json
import sys

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from clients.models import Client
from factures import exports
from factures.balance import REGROUPEMENTS
from factures.management.arguments import jour
from recouvrement.commun.horloge import aujourd_hui
from recouvrement.commun.pdf import PdfIndisponible
from recouvrement.comptes.models import Societe


class Command(BaseCommand):
    help = "Imprime la balance âgée à une date, passée ou présente ; une ligne par groupe et par devise."

    def add_arguments(self, parser):
        parser.add_argument("--au", type=jour, help="jour d'arrêté, AAAA-MM-JJ (défaut : aujourd'hui)")
        parser.add_argument("--societe", metavar="CODE", help="une seule société (défaut : toutes)")
        parser.add_argument("--par", choices=REGROUPEMENTS, default="client")
        parser.add_argument("--format", choices=["csv", "json", "xlsx", "pdf"], default="csv")
        parser.add_argument("--sortie", metavar="FICHIER", help="écrit là plutôt que sur la sortie standard")

    def handle(self, *args, au, societe, par, sortie, **options):
        clients, nom = Client.objects.all(), ""
        if societe:
            retenue = Societe.objects.filter(code=societe).first()
            if retenue is None:
                raise CommandError(f"société inconnue : {societe}", returncode=2)
            clients, nom = clients.filter(societe=retenue), retenue.raison_sociale
        imprime = options["format"] == "pdf"
        etat = exports.etablir(
            clients,
            au=au or aujourd_hui(),
            par=par,
            societe=nom,
            pieces_max=exports.PIECES_PDF_MAX if imprime else 0,
        )
        try:
            contenu = self._rendre(etat, options["format"])
        except (PdfIndisponible, exports.TropDeLignes) as refus:
            raise CommandError(str(refus), returncode=1) from refus
        if sortie:
            with open(sortie, "wb") as fichier:
                fichier.write(contenu)
        elif options["format"] in ("csv", "json"):
            self.stdout.write(contenu.decode(), ending="")
        elif sys.stdout.isatty():
            raise CommandError(
                "un fichier binaire ne s'affiche pas : --sortie FICHIER, ou une redirection", returncode=2
            )
        else:
            self.stdout.flush()
            sys.stdout.buffer.write(contenu)

    def _rendre(self, etat: exports.Etat, format: str) -> bytes:
        if format == "csv":
            return "".join(exports.csv_balance(etat.resultat)).encode()
        if format == "json":
            return f"{json.dumps(exports.json_balance(etat), ensure_ascii=False)}\n".encode()
        if format == "xlsx":
            return exports.xlsx_balance(etat)
        return exports.pdf_balance(etat, edite_le=timezone.localtime())
