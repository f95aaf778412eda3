"""manage.py relancer : décide le passage d'un jour, n'envoie rien."""

import json
from datetime import date

from django.core.management.base import BaseCommand, CommandError

from recouvrement.commun.horloge import aujourd_hui, maintenant
from recouvrement.comptes.models import Societe
from relances.models import Passage
from relances.services import nuit, quotidien


class Command(BaseCommand):
    help = "Décide les relances d'un jour (n'envoie rien). Un autre jour qu'aujourd'hui exige --essai ou --rejouer."

    def add_arguments(self, parser):
        parser.add_argument("--au", type=date.fromisoformat, help="jour décidé, AAAA-MM-JJ (défaut : aujourd'hui)")
        parser.add_argument("--societe", help="code de la société ; facultatif s'il n'y en a qu'une")
        parser.add_argument("--essai", action="store_true", help="essai à blanc : n'écrit rien")
        parser.add_argument("--rejouer", action="store_true", help="ouvre un passage numéroté de plus")
        parser.add_argument("--json", action="store_true", help="un seul objet JSON sur la sortie standard")

    def handle(self, *args, au, societe, essai, rejouer, **options):
        jour = au or aujourd_hui()
        if jour != aujourd_hui() and not (essai or rejouer):
            raise CommandError("un autre jour qu'aujourd'hui exige --essai ou --rejouer", returncode=2)
        if jour > aujourd_hui() and not essai:
            raise CommandError("un jour à venir ne se rejoue pas : --essai le montre sans rien écrire", returncode=2)
        societe = choisir_societe(societe)
        if essai:
            # Un jour passé se montre tel que --rejouer le jouerait ; le jour même, tel que la nuit.
            moment = maintenant() if jour >= aujourd_hui() else None
            self._dire(None, jour, nuit.essai(societe, au=jour, moment=moment), options["json"])
            return
        genre = Passage.Genre.REJOUE if rejouer else Passage.Genre.AUTOMATIQUE
        try:
            passage = nuit.ouvrir_passage(societe, au=jour, genre=genre)
        except nuit.LotDejaEnCours as raison:
            raise CommandError(str(raison), returncode=1) from raison
        raison = quotidien.raison_perimees(societe, maintenant()) if genre == Passage.Genre.AUTOMATIQUE else ""
        if raison:
            quotidien.suspendre(passage, societe, raison)
            bilan = nuit.Bilan(erreurs=["suspendu : données périmées"])
        else:
            bilan = quotidien.derouler(passage, societe, au=jour)
        self._dire(passage, jour, bilan, options["json"])
        if bilan.erreurs:
            raise SystemExit(1)

    def _dire(self, passage, jour, bilan, en_json):
        objet = {"passage": passage.numero if passage else None, "au": jour.isoformat()} | bilan.en_dict()
        if en_json:
            self.stdout.write(json.dumps(objet, ensure_ascii=False))
            return
        titre = f"Passage n° {passage.numero}" if passage else "Essai à blanc (rien n'est écrit)"
        self.stdout.write(f"{titre} au {jour:%d/%m/%Y} : {bilan.decidees} relances, {bilan.a_valider} à valider")
        for nom, nombre in [*bilan.courriers.items(), *bilan.retenues.items()]:
            self.stdout.write(f"  {nom} : {nombre}")
        for erreur in bilan.erreurs:
            self.stderr.write(erreur)


def choisir_societe(code: str | None) -> Societe:
    """La société nommée, ou la seule. Lève CommandError (code 2) sinon."""
    societes = Societe.objects.filter(code=code) if code else Societe.objects.all()[:2]
    trouvees = list(societes)
    if len(trouvees) == 1:
        return trouvees[0]
    if code:
        raise CommandError(f"société inconnue : {code}", returncode=2)
    raise CommandError(
        "aucune société" if not trouvees else "plusieurs sociétés : précisez --societe CODE", returncode=2
    )
