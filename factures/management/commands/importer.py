"""manage.py importer : des fichiers dans le grand livre d'une société."""

import json
from contextlib import nullcontext
from pathlib import Path

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError, transaction
from django.utils import timezone

from factures.imports.appliquer import CompteRendu, importer
from factures.imports.fichier import examiner_fichier
from factures.imports.lecteurs import FORMATS, reconnaitre
from factures.imports.texte import FichierRefuse
from factures.models import Correspondance
from recouvrement.commun.horloge import aujourd_hui
from recouvrement.comptes.models import Societe

USAGE = 2
REJETS_MONTRES = 50


class Command(BaseCommand):
    help = "Importe un FEC ou des CSV (docs/formats.md), tout ou rien par fichier. Rejouer ne change rien."

    def add_arguments(self, parser):
        parser.add_argument("fichiers", nargs="+", type=Path, metavar="FICHIER")
        parser.add_argument("--format", default="", choices=FORMATS, help="format (défaut : reconnu au contenu)")
        parser.add_argument("--correspondance", metavar="NOM", help="colonnes : correspondance retenue à l'écran")
        parser.add_argument("--societe", metavar="CODE", help="société ; créée si la base n'en a aucune")
        parser.add_argument("--essai", action="store_true", help="dit ce qui changerait, n'écrit rien")
        parser.add_argument("--partiel", action="store_true", help="écrit les lignes saines malgré les rejets (CSV)")
        parser.add_argument("--json", action="store_true", help="un seul objet JSON sur la sortie standard")

    def handle(self, *args, fichiers, societe, essai, partiel, format, correspondance, **options):
        if absents := [str(fichier) for fichier in fichiers if not fichier.is_file()]:
            raise CommandError(f"fichier introuvable : {', '.join(absents)}", returncode=USAGE)
        # Un essai s'écrit puis se défait en bloc : les factures y voient les clients du fichier précédent.
        try:
            with transaction.atomic() if essai else nullcontext():
                choisie = choisir_societe(societe)
                colonnes = choisir_correspondance(choisie, correspondance)
                rendus = self._importer(fichiers, choisie, partiel, format, colonnes)
                if essai:
                    transaction.set_rollback(True)
        except OperationalError as erreur:
            raise CommandError(
                f"la base ne répond pas ({erreur}) : le fichier en cours n'est pas écrit, relancez", returncode=1
            ) from erreur
        if options["json"]:
            self.stdout.write(json.dumps(en_objet(rendus), ensure_ascii=False))
        else:
            for rendu in rendus:
                self._dire(rendu, essai)
        if not all(rendu.accepte for rendu in rendus):
            raise SystemExit(1)

    def _importer(self, fichiers, societe, partiel, format, correspondance) -> list[CompteRendu]:
        return [
            importer(
                fichier, societe, moment=timezone.now(), au=aujourd_hui(), nom=fichier.name,
                format=format, partiel=partiel, correspondance=correspondance,
            )
            for fichier in dans_l_ordre(fichiers, format)
        ]  # fmt: skip

    def _dire(self, rendu: CompteRendu, essai: bool) -> None:
        etat = "refusé, rien n'est écrit" if not rendu.ecrit else "essai, rien n'est écrit" if essai else "importé"
        self.stdout.write(f"{rendu.fichier} ({rendu.format or 'format inconnu'}) : {etat}")
        if rendu.refus:
            self.stderr.write(f"  {rendu.refus}")
        if rendu.ecrit:
            for nom, nombre in rendu.crees.items():
                deja = rendu.inchanges.get(nom, 0)
                if nombre or deja:
                    self.stdout.write(f"  {nom} : {nombre} créés, {deja} inchangés")
        for rejet in rendu.rejets[:REJETS_MONTRES]:
            self.stderr.write(f"  ligne {rejet.ligne}, {rejet.champ} : {rejet.motif}")
        if (autres := len(rendu.rejets) - REJETS_MONTRES + rendu.rejets_non_detailles) > 0:
            self.stderr.write(f"  et {autres} autres lignes rejetées")
        for avertissement in rendu.avertissements:
            self.stdout.write(f"  attention : {avertissement}")
        for inexplique in rendu.inexpliques:
            self.stdout.write(
                f"  inexpliqué, {inexplique.code_client} : {inexplique.detail} ({inexplique.montant:.2f})"
            )
        for devise, total in rendu.encours.items():
            self.stdout.write(f"  encours : {total:.2f} {devise}")


def choisir_societe(code: str | None) -> Societe:
    """La société nommée, ou la seule ; créée, incomplète, si la base n'en a aucune. Lève CommandError (code 2)."""
    societes = list(Societe.objects.all()[:2])
    if not societes:
        if not code:
            raise CommandError("aucune société dans la base : précisez --societe CODE pour la créer", returncode=USAGE)
        societe = Societe(code=code, raison_sociale=code)
        try:
            societe.full_clean()
        except ValidationError as erreur:
            raise CommandError(f"code de société refusé : {'; '.join(erreur.messages)}", returncode=USAGE) from erreur
        societe.save()
        return societe
    if not code and len(societes) > 1:
        raise CommandError("plusieurs sociétés : précisez --societe CODE", returncode=USAGE)
    societe = Societe.objects.filter(code=code).first() if code else societes[0]
    if societe is None:
        raise CommandError(f"société inconnue : {code}", returncode=USAGE)
    return societe


def choisir_correspondance(societe: Societe, nom: str | None) -> Correspondance | None:
    """Celle de ce nom, ou None si rien n'est demandé. Lève CommandError (code 2) en nommant les autres."""
    if not nom:
        return None
    retenues = {c.nom: c for c in Correspondance.objects.filter(societe=societe)}
    if nom not in retenues:
        connues = ", ".join(f"« {x} »" for x in sorted(retenues)[:20]) or "aucune"
        raise CommandError(f"correspondance « {nom} » inconnue (retenues : {connues})", returncode=USAGE)
    return retenues[nom]


def dans_l_ordre(fichiers: list[Path], format: str) -> list[Path]:
    """Clients, factures, encaissements, FEC : chacun trouve ce dont il a besoin, quel que soit l'ordre donné."""
    if len(fichiers) < 2 or format:
        return fichiers
    return sorted(fichiers, key=_rang)


def _rang(fichier: Path) -> int:
    try:
        return FORMATS.index(reconnaitre(examiner_fichier(fichier)))
    except FichierRefuse:
        return len(FORMATS)


def en_objet(rendus: list[CompteRendu]) -> dict:
    """Un seul objet : celui du fichier, ou leur somme avec le détail dans `fichiers`."""
    objets = [rendu.en_json() for rendu in rendus]
    if len(objets) == 1:
        return objets[0]
    somme = {
        "fichier": ", ".join(x["fichier"] for x in objets),
        "format": ", ".join(x["format"] for x in objets),
    }
    for cle in ("crees", "inchanges"):
        somme[cle] = {nom: sum(x[cle][nom] for x in objets) for nom in objets[0][cle]}
    somme["rejets"] = [rejet | {"fichier": x["fichier"]} for x in objets for rejet in x["rejets"]]
    somme["encours"] = objets[-1]["encours"]
    somme["fichiers"] = objets
    return somme
