"""Ce qui partirait au prochain passage : le même code que la nuit, rien d'écrit."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from clients.models import Client
from factures.models import Echeance
from recouvrement.comptes.models import Societe
from relances.domaine.echelle import Decision, Envoi, Motif
from relances.models import Courrier, Palier, Passage

from .faits import ouvreur
from .nuit import decider_societe


@dataclass
class Projet:
    """envois : du palier le plus grave au plus doux. retenues : motif → décisions."""

    au: date
    envois: list[Envoi] = field(default_factory=list)
    retenues: dict[Motif, list[tuple[int, Decision]]] = field(default_factory=lambda: defaultdict(list))


def prochain_passage(societe: Societe, moment: datetime) -> date:
    """Jour du prochain passage : aujourd'hui s'il est ouvré et pas encore fait, sinon le jour ouvré suivant."""
    ouvre = ouvreur(societe)
    au = moment.date()
    fait = Passage.objects.filter(
        societe=societe, au=au, genre=Passage.Genre.AUTOMATIQUE, statut=Passage.Statut.TERMINE
    ).exists()
    return ouvre(au + timedelta(days=1)) if fait else ouvre(au)


def projeter(societe: Societe, *, au: date, clients=None) -> Projet:
    """Essai à blanc du jour `au`. clients : identifiants visibles, ou None pour toute la société."""
    projet = Projet(au)
    for lot in decider_societe(societe, au=au, clients=clients, toutes=True):
        for faits, _plan, resultat in lot:
            projet.envois += resultat.envois
            for d in resultat.decisions:
                if d.motif not in (Motif.RELANCEE, Motif.ATTENTE, Motif.TERMINEE):
                    projet.retenues[d.motif].append((faits.id, d))
    projet.envois.sort(key=lambda v: (-v.palier.nature, -v.total, v.client))
    return projet


def courrier_projete(societe: Societe, envoi: Envoi, *, au: date) -> tuple[Courrier, list[Echeance]]:
    """Courrier non enregistré et ses pièces, pour l'aperçu."""
    client = Client.objects.select_related("societe", "gestionnaire").get(pk=envoi.client)
    courrier = Courrier(
        societe=societe, client=client, palier=Palier.objects.select_related("version").get(pk=envoi.palier.id),
        nature=envoi.palier.nature, devise=envoi.devise, canal=envoi.canal.value, langue=client.langue,
        statut=Courrier.Statut.A_VALIDER,
    )  # fmt: skip
    ids = [d.echeance.id for d in envoi.decisions]
    echeances = Echeance.objects.filter(pk__in=ids).select_related("facture").order_by("date_echeance", "pk")
    return courrier, list(echeances)
