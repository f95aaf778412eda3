"""manage.py echeance : échéance d'une facture selon ses conditions, et son rapport au maximum légal. Aucune base."""

import json

from django.core.management.base import BaseCommand, CommandError

from factures.domaine.echeances import ConditionsIllisibles, echeance
from factures.domaine.maximums import TABLE, Cas
from factures.management.arguments import jour
from recouvrement.commun.domaine.ecriture import jj


class Command(BaseCommand):
    help = "Calcule une échéance : 30J, 45FDM, 45FDM-B, 30FDM10, FD30… ou « 45 jours fin de mois »."
    requires_system_checks = []

    def add_arguments(self, parser):
        parser.add_argument("--facture", type=jour, required=True, help="date de la facture, AAAA-MM-JJ")
        parser.add_argument(
            "--conditions", required=True, help="code de la grammaire (docs/regles.md) ou forme en clair"
        )
        parser.add_argument(
            "--cas", choices=list(map(str, Cas)), default=str(Cas.DROIT_COMMUN), help="ce qui fixe le maximum légal"
        )
        parser.add_argument("--execution", type=jour, help="livraison ou exécution, quand le maximum en part")
        parser.add_argument("--reception", type=jour, help="réception de la demande de paiement (acheteur public)")
        parser.add_argument("--json", action="store_true", help="imprime un seul objet JSON sur la sortie standard")

    def handle(self, *args, facture, conditions, cas, execution, reception, **options):
        try:
            calcul = echeance(facture, conditions, cas=Cas(cas), execution=execution, reception=reception)
        except ConditionsIllisibles as refus:
            if options["json"]:
                self.stdout.write(json.dumps({"refus": str(refus)}, ensure_ascii=False))
            raise CommandError(str(refus), returncode=1) from refus
        if options["json"]:
            objet = {
                "echeance": calcul.echeance.isoformat(),
                "lecture": calcul.lecture or None,
                "maximum_legal": calcul.maximum_legal.isoformat(),
                "conforme": calcul.conforme,
                "signalements": list(calcul.signalements),
            }
            self.stdout.write(json.dumps(objet, ensure_ascii=False))
            return
        lecture = f" (lecture {calcul.lecture})" if calcul.lecture else ""
        texte = TABLE[Cas(cas)].texte
        verdict = "conforme" if calcul.conforme else "non conforme"
        borne = f"maximum légal : {jj(calcul.maximum_legal)}, {verdict} ({texte})"
        self.stdout.write(f"Échéance : {jj(calcul.echeance)}{lecture} ; {borne}")
        for signalement in calcul.signalements:
            self.stdout.write(signalement)
