"""manage.py penalites : intérêts de retard et indemnité d'une échéance, avec les taux livrés. Aucune base."""

import json
from decimal import Decimal

from django.core.management.base import BaseCommand, CommandError

from factures.domaine.penalites import (
    BASE_EXACTE,
    BASE_FIXE,
    Calcul,
    Debiteur,
    RegleImputation,
    TauxManquant,
    calculer,
)
from factures.donnees import bareme_livre
from factures.management.arguments import decimal, jour, versement
from recouvrement.commun.domaine.ecriture import euros, jj, pct


class Command(BaseCommand):
    help = "Calcule les intérêts de retard et l'indemnité de 40 € d'une échéance, sans rien écrire."
    requires_system_checks = []

    def add_arguments(self, parser):
        ajouter = parser.add_argument
        ajouter("--montant", type=decimal, required=True, help="TTC dû à l'échéance, en euros")
        ajouter("--echeance", type=jour, required=True, help="date de règlement, AAAA-MM-JJ")
        ajouter("--au", type=jour, required=True, help="arrêté, jour inclus")
        ajouter("--debiteur", choices=list(map(str, Debiteur)), required=True)
        ajouter("--taux", type=decimal, help="taux stipulé, en pour cent par an (entreprise)")
        ajouter("--plancher", action="store_true", help="relève un taux stipulé à 3 × le taux légal où il est trop bas")
        ajouter("--mise-en-demeure", type=jour, help="jour de réception (particulier : départ des intérêts)")
        ajouter("--paiement", type=versement, action="append", default=[], metavar="JOUR=MONTANT", help="répétable")
        ajouter("--imputation", choices=list(map(str, RegleImputation)), default=str(RegleImputation.INTERETS))
        ajouter(
            "--base",
            type=int,
            choices=[BASE_FIXE, BASE_EXACTE],
            default=BASE_FIXE,
            help="366 : un jour d'année bissextile compte pour 1/366, les autres pour 1/365",
        )
        ajouter(
            "--apres-jugement",
            type=jour,
            help="fin des deux mois qui suivent la décision exécutoire : ensuite, taux légal majoré de 5 points",
        )
        ajouter(
            "--jugement-ouverture",
            type=jour,
            help="procédure collective : les intérêts s'arrêtent la veille",
        )
        ajouter("--json", action="store_true", help="imprime un seul objet JSON sur la sortie standard")

    def handle(self, *args, **options):
        try:
            calcul = calculer(
                options["montant"],
                options["echeance"],
                au=options["au"],
                debiteur=options["debiteur"],
                bareme=bareme_livre(),
                taux_stipule=options["taux"],
                plancher=options["plancher"],
                mise_en_demeure=options["mise_en_demeure"],
                paiements=options["paiement"],
                imputation=options["imputation"],
                base=options["base"],
                jugement_ouverture=options["jugement_ouverture"],
                majoration_depuis=options["apres_jugement"],
            )
        except TauxManquant as refus:
            if options["json"]:
                self.stdout.write(json.dumps({"refus": str(refus), "semestre": refus.semestre}, ensure_ascii=False))
            raise CommandError(str(refus), returncode=1) from refus
        except ValueError as erreur:
            raise CommandError(str(erreur), returncode=2) from erreur
        if options["json"]:
            self.stdout.write(json.dumps(en_json(calcul), ensure_ascii=False))
        else:
            self.stdout.write(en_clair(calcul))


def _deux(nombre: Decimal) -> str:
    return f"{nombre:.2f}"


def _taux(taux: Decimal) -> str:
    """Deux décimales, ou celles du contrat s'il en a plus : ce qui s'imprime est ce qui a servi."""
    return f"{taux:f}" if -taux.as_tuple().exponent > 2 else _deux(taux)


def en_json(calcul: Calcul) -> dict:
    """Objet du contrat : montants et taux en chaînes à deux décimales, dates ISO."""
    return {
        "segments": [
            {
                "du": s.du.isoformat(),
                "au": s.au.isoformat(),
                "jours": s.jours,
                "principal": _deux(s.principal),
                "taux": _taux(s.taux),
                "interets": _deux(s.interets),
            }
            for s in calcul.segments
        ],
        "interets": _deux(calcul.interets),
        "interets_restants": _deux(calcul.interets_restants),
        "indemnite": _deux(calcul.indemnite),
        "principal_restant": _deux(calcul.principal_restant),
        "total": _deux(calcul.total),
        "trop_percu": _deux(calcul.trop_percu),
        "avertissements": [a._asdict() for a in calcul.avertissements],
    }


def en_clair(calcul: Calcul) -> str:
    """Le même compte, à lire : un segment par ligne, puis les totaux."""
    lignes = [
        f"{jj(s.du)} – {jj(s.au)}  {s.jours:>4} j  {euros(s.principal):>18}  {pct(s.taux):>8}  {euros(s.interets):>14}"
        for s in calcul.segments
    ]
    lignes += [
        f"Intérêts courus : {euros(calcul.interets)} (restants : {euros(calcul.interets_restants)})",
        f"Indemnité forfaitaire : {euros(calcul.indemnite)}",
        f"Principal restant : {euros(calcul.principal_restant)}",
        f"Total restant dû : {euros(calcul.total)}",
    ]
    return "\n".join([*lignes, *(a.texte for a in calcul.avertissements)])
