"""manage.py prescription : dates d'une créance selon sa nature et ses actes. Aucune base."""

import argparse
import json
from datetime import date

from django.core.management.base import BaseCommand, CommandError

from contentieux.domaine.prescription import Acte, Interruption, PrescriptionIndeterminee, calculer
from contentieux.donnees import natures
from factures.management.arguments import jour
from recouvrement.commun.domaine.ecriture import jj


def interruption(texte: str) -> Interruption:
    """« 2027-03-01=reconnaissance ». Lève ArgumentTypeError."""
    quand, egal, acte = texte.partition("=")
    if not egal or acte not in set(Acte):
        raise argparse.ArgumentTypeError(f"« {texte} » : attendu AAAA-MM-JJ=acte, acte parmi {', '.join(Acte)}")
    return Interruption(jour(quand), Acte(acte))


class Command(BaseCommand):
    help = "Calcule la prescription : date d'origine, date possible, effet de chaque acte."
    requires_system_checks = []

    def add_arguments(self, parser):
        parser.add_argument("--nature", required=True, choices=list(natures()), help="nature de la créance")
        parser.add_argument("--depart", type=jour, required=True, help="exécution, échéance ou titre, AAAA-MM-JJ")
        parser.add_argument(
            "--interruption", type=interruption, action="append", default=[], help="AAAA-MM-JJ=acte, répétable"
        )
        parser.add_argument("--json", action="store_true", help="imprime un seul objet JSON sur la sortie standard")

    def handle(self, *args, nature: str, depart: date, interruption: list[Interruption], **options):
        try:
            calcul = calculer(natures()[nature], depart, interruption)
        except PrescriptionIndeterminee as refus:
            if options["json"]:
                self.stdout.write(json.dumps({"refus": str(refus)}, ensure_ascii=False))
            raise CommandError(str(refus), returncode=1) from refus
        if options["json"]:
            etapes = [
                {
                    "jour": e.jour.isoformat(),
                    "acte": e.acte,
                    "interrompt": e.interrompt,
                    "limite": e.limite.isoformat(),
                    "texte": e.texte,
                }
                for e in calcul.etapes
            ]
            objet = {"origine": calcul.origine.isoformat(), "possible": calcul.possible.isoformat(), "etapes": etapes}
            self.stdout.write(json.dumps(objet, ensure_ascii=False))
            return
        table = calcul.nature
        self.stdout.write(f"{table.libelle} : {table.duree} ({table.texte})")
        self.stdout.write(f"Date d'origine : {jj(calcul.origine)} ; possible : {jj(calcul.possible)}")
        for e in calcul.etapes:
            effet = f"nouvelle date {jj(e.limite)}" if e.interrompt else "sans effet"
            if e.acte == "depart":
                effet = "le délai part"
            self.stdout.write(f"  {jj(e.jour)} {e.acte} : {effet} ({e.texte})")
