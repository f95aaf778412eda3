"""Ce qui partirait au prochain passage : le même code que la nuit, rien d'écrit."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from time import monotonic
from typing import NamedTuple

from django.core.cache import cache
from django.db.models import Max

from clients.models import Client
from factures.models import Echeance
from recouvrement.comptes.models import Societe
from recouvrement.journal.models import Maillon
from relances.domaine.echelle import Decision, Envoi, Motif, PalierRegle
from relances.domaine.natures import Canal, ModePalier
from relances.models import Courrier, Palier, Passage

from .faits import ouvreur
from .nuit import decider_societe

SILENCIEUX = (Motif.RELANCEE, Motif.ATTENTE, Motif.TERMINEE)  # rien n'est retenu : rien n'était dû
RETENUES_MAX = 1000  # pièces gardées par motif, les plus grosses ; les comptes portent sur toutes
LOURD = 5000  # échéances ouvertes : au-delà, l'essai à blanc prend plus d'une demi-seconde
LENT = 0.5  # secondes : un calcul plus court ne se garde pas, il se refait
GARDE = 120  # secondes


@dataclass
class Projet:
    """envois : du palier le plus grave au plus doux. retenues : motif → décisions."""

    au: date
    envois: list[Envoi] = field(default_factory=list)
    retenues: dict[Motif, list[tuple[int, Decision]]] = field(default_factory=lambda: defaultdict(list))


class Prevu(NamedTuple):
    """Un envoi, réduit à ce que l'écran montre."""

    client: int
    palier: PalierRegle
    devise: str
    canal: Canal
    mode: ModePalier
    motif: str
    pieces: int
    credits: Decimal
    total: Decimal


@dataclass(frozen=True)
class Retenues:
    """Un motif : comptes et sommes de toutes ses pièces, et les plus grosses d'entre elles."""

    motif: Motif
    pieces: int
    clients: frozenset[int]
    totaux: dict[str, Decimal]  # par devise, jamais additionnées
    lignes: list[tuple[int, Decision]]


@dataclass(frozen=True)
class Soir:
    """L'essai à blanc d'une société, prêt à montrer."""

    societe: int
    au: date
    calcule_le: datetime
    envois: list[Prevu]
    retenues: list[Retenues]


def prochain_passage(societe: Societe, moment: datetime) -> date:
    """Jour du prochain passage : aujourd'hui s'il est ouvré et pas encore fait, sinon le jour ouvré suivant."""
    ouvre = ouvreur(societe)
    au = moment.date()
    fait = Passage.objects.filter(
        societe=societe, au=au, genre=Passage.Genre.AUTOMATIQUE, statut=Passage.Statut.TERMINE
    ).exists()
    return ouvre(au + timedelta(days=1)) if fait else ouvre(au)


def projeter(societe: Societe, *, au: date, clients=None, moment: datetime | None = None) -> Projet:
    """Essai à blanc du jour `au`. clients : identifiants visibles, ou None pour toute la société. moment : heure où
    l'on regarde ; un grand livre périmé à cette heure retient tout, comme la nuit (exigence 1)."""
    projet = Projet(au)
    for lot in decider_societe(societe, au=au, clients=clients, toutes=True, moment=moment):
        for faits, _plan, resultat in lot:
            projet.envois += resultat.envois
            for d in resultat.decisions:
                if d.motif not in SILENCIEUX:
                    projet.retenues[d.motif].append((faits.id, d))
    projet.envois.sort(key=lambda v: (-v.palier.nature, -v.total, v.client))
    return projet


def soir(societe: Societe, *, moment: datetime, clients=None, perimetre: str = "", recalculer: bool = False) -> Soir:
    """Essai à blanc du prochain passage, gardé deux minutes s'il a été long à calculer.

    perimetre : ce qui distingue `clients` de toute la société dans la mémoire (la personne). Toute écriture
    du journal périme ce qui est gardé : une promesse notée à l'instant se voit à l'instant.
    """
    au = prochain_passage(societe, moment)
    cle = _cle(societe, au, perimetre)
    if not recalculer and (garde := cache.get(cle)):
        return garde
    debut = monotonic()
    projet = projeter(societe, au=au, clients=clients, moment=moment)
    calcule = Soir(
        societe=societe.pk,
        au=au,
        calcule_le=moment,
        envois=[
            Prevu(v.client, v.palier, v.devise, v.canal, v.mode, v.motif, len(v.decisions), v.credits, v.total)
            for v in projet.envois
        ],
        retenues=[_retenues(motif, lignes) for motif, lignes in projet.retenues.items()],
    )
    if monotonic() - debut > LENT:
        cache.set(cle, calcule, GARDE)
    return calcule


def est_long(societe: Societe, *, moment: datetime, perimetre: str = "") -> bool:
    """Vrai si l'écran doit s'afficher avant le calcul : gros grand livre, et rien de gardé."""
    if Echeance.objects.ouvertes().filter(societe=societe)[: LOURD + 1].count() <= LOURD:
        return False
    return cache.get(_cle(societe, prochain_passage(societe, moment), perimetre)) is None


def _cle(societe: Societe, au: date, perimetre: str) -> str:
    rang = Maillon.objects.aggregate(dernier=Max("rang"))["dernier"] or 0
    return f"ce_soir:{societe.pk}:{au}:{perimetre}:{rang}"


def _retenues(motif: Motif, lignes: list[tuple[int, Decision]]) -> Retenues:
    totaux: dict[str, Decimal] = {}
    for _client, d in lignes:
        totaux[d.echeance.devise] = totaux.get(d.echeance.devise, Decimal(0)) + d.echeance.reste_du
    plus_grosses = sorted(lignes, key=lambda x: (-x[1].echeance.reste_du, x[1].echeance.id))[:RETENUES_MAX]
    return Retenues(motif, len(lignes), frozenset(c for c, _d in lignes), totaux, plus_grosses)


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
