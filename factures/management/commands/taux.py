"""manage.py taux : lister les taux relevés, ajouter un semestre avec sa source."""

import json
from argparse import ArgumentTypeError
from datetime import date
from decimal import Decimal

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from factures.domaine.bareme import bornes
from factures.management.arguments import decimal, jour
from factures.models import SemestreConnu, TauxLegal
from factures.services import ajouter_semestre, bareme, semestre_a_relever
from recouvrement.commun.horloge import aujourd_hui


def semestre(texte: str) -> str:
    """2027-S1. Lève ArgumentTypeError."""
    try:
        bornes(texte)
    except ValueError as erreur:
        raise ArgumentTypeError(str(erreur)) from erreur
    return texte


class Command(BaseCommand):
    help = "Liste les taux relevés par semestre, ou en ajoute un avec sa source."

    def add_arguments(self, parser):
        sous = parser.add_subparsers(dest="geste", required=True)
        lister = sous.add_parser("lister", help="un semestre par ligne, et ce qui manque")
        lister.add_argument("--json", action="store_true", help="imprime un seul objet JSON sur la sortie standard")
        ajouter = sous.add_parser("ajouter", help="les taux d'un semestre, tels que lus")
        ajouter.add_argument("semestre", type=semestre, help="AAAA-S1 ou AAAA-S2")
        ajouter.add_argument("--refi", type=decimal, help="taux refi de la BCE au premier jour, en pour cent")
        ajouter.add_argument("--effet", type=jour, help="date d'effet de la décision de la BCE, si elle est nouvelle")
        ajouter.add_argument("--autres", type=decimal, help="taux légal « autres cas », en pour cent")
        ajouter.add_argument("--particuliers", type=decimal, help="taux légal des créanciers particuliers (%%)")
        ajouter.add_argument("--source", required=True, help="où ce taux a été lu : arrêté, page et date")
        ajouter.add_argument("--confirmer", action="store_true", help="un écart de plus de deux points a été relu")
        ajouter.add_argument("--essai", action="store_true", help="n'écrit rien")
        ajouter.add_argument("--json", action="store_true", help="imprime un seul objet JSON sur la sortie standard")

    def handle(self, *args, geste: str, **options):
        if geste == "ajouter":
            self._ajouter(**options)
        else:
            self._lister(options["json"])

    def _ajouter(self, *, semestre, refi, effet, autres, particuliers, source, confirmer, essai, **options):
        try:
            with transaction.atomic():
                avant = _lignes(semestre)
                ajouter_semestre(
                    semestre, source=source, acteur=None, au=aujourd_hui(), refi=refi, effet_bce=effet, autres=autres,
                    particuliers=particuliers, confirme=confirmer,
                )  # fmt: skip
                apres = _lignes(semestre)
                if essai:
                    transaction.set_rollback(True)
        except ValidationError as refus:
            phrase = " ".join(refus.messages)
            if options["json"]:
                self.stdout.write(json.dumps({"semestre": semestre, "refus": phrase}, ensure_ascii=False))
            raise CommandError(phrase, returncode=1) from refus
        change = avant != apres
        if options["json"]:
            self.stdout.write(json.dumps({"change": change, **apres[0]}, ensure_ascii=False))
            return
        self.stdout.write(_en_clair(apres[0]))
        self.stdout.write("déjà relevé, rien ne change" if not change else "essai, rien écrit" if essai else "ajouté")

    def _lister(self, en_json: bool):
        lignes, manque = _lignes(), semestre_a_relever(bareme(), aujourd_hui())
        if en_json:
            self.stdout.write(json.dumps({"semestres": lignes, "a_relever": manque}, ensure_ascii=False))
            return
        for ligne in lignes:
            self.stdout.write(_en_clair(ligne))
        if manque:
            self.stdout.write(f"À relever : {manque}")


def _lignes(seul: str = "") -> list[dict]:
    """Un objet par semestre, le plus récent d'abord ; un taux absent est nul."""
    filtre = {"semestre": seul} if seul else {}
    connus = {x.semestre: x for x in SemestreConnu.objects.filter(**filtre)}
    legaux = {x.semestre: x for x in TauxLegal.objects.filter(**filtre)}
    calculs = bareme()
    lignes = []
    for sem in sorted(connus.keys() | legaux.keys(), reverse=True):
        bce, legal = connus.get(sem), legaux.get(sem)
        debut, fin = bornes(sem)
        lignes.append({
            "semestre": sem, "du": _texte(debut), "au": _texte(fin),
            "refi": _texte(bce and bce.refi),
            "entreprise": _texte(bce and calculs.taux_defaut_entreprise(sem)),
            "administration": _texte(bce and calculs.taux_public(sem)),
            "particuliers": _texte(legal and legal.particuliers), "autres": _texte(legal and legal.autres),
            "plancher": _texte(legal and calculs.plancher(sem)),
            "sources": [x.source for x in (bce, legal) if x],
        })  # fmt: skip
    return lignes


def _texte(valeur: Decimal | date | None) -> str | None:
    if valeur is None:
        return None
    return valeur.isoformat() if isinstance(valeur, date) else f"{valeur:.2f}"


def _en_clair(ligne: dict) -> str:
    taux = ("refi", "entreprise", "administration", "autres", "plancher")
    return f"{ligne['semestre']}  " + "  ".join(f"{nom} {ligne[nom] or '–'}" for nom in taux)
