"""Ce que changerait un brouillon de plan, sur le grand livre d'aujourd'hui, par le code de la nuit."""

from dataclasses import dataclass
from datetime import date

from clients.models import Client
from relances.domaine import echelle
from relances.domaine.echelle import Motif
from relances.models import VersionEchelle

from .faits import faits_par_client, ouvreur, reglages
from .plans import plan_de, plans_publies


@dataclass(frozen=True)
class Ecart:
    """Pièces traitées autrement ce soir si le brouillon était publié. `exemples` : (client, avant, après)."""

    au: date
    jugees: int
    changees: int
    relances_avant: int
    relances_apres: int
    exemples: list[tuple]


def comparer(brouillon: VersionEchelle, *, au: date, exemples: int = 8) -> Ecart:
    societe = brouillon.echelle.societe
    plans, ouvre, regles = plans_publies(societe), ouvreur(societe), reglages(societe)
    publie = plans.par_type.get(brouillon.echelle.type_debiteur)
    candidat = plan_de(brouillon)
    jugees = changees = avant_n = apres_n = 0
    montres: list[tuple] = []
    for lot in faits_par_client(societe, plans, au=au, ouvre=ouvre, toutes=True):
        for faits in lot:
            if plans.pour(faits.id, faits.type) is not publie or publie is None:
                continue
            avant = _par_piece(echelle.decider(faits, publie, au=au, reglages=regles, ouvre=ouvre))
            # Publier ne réinterprète pas ce qui est en cours : d'une version à l'autre, la nature fait foi.
            apres = _par_piece(echelle.decider(faits, candidat, au=au, reglages=regles, ouvre=ouvre))
            for pk, d in avant.items():
                jugees += 1
                avant_n += d[0] is Motif.RELANCEE
                apres_n += apres[pk][0] is Motif.RELANCEE
                if d != apres[pk]:
                    changees += 1
                    if len(montres) < exemples:
                        montres.append((faits.id, d, apres[pk]))
    noms = Client.objects.in_bulk([c for c, _a, _b in montres])
    return Ecart(au, jugees, changees, avant_n, apres_n, [(noms[c], a, b) for c, a, b in montres])


def _par_piece(resultat) -> dict:
    return {d.echeance.id: (d.motif, d.palier.nature if d.palier else None, d.prochaine) for d in resultat.decisions}
