"""Pièces et règlements de la démonstration : imaginés en mémoire, écrits en bloc."""

import math
import random
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal

from factures.domaine.calendrier import jour_ouvre_suivant
from factures.domaine.echeances import echeance
from factures.models import Echeance, Encaissement, Facture, Imputation

from .personnages import Personnage
from .scenes import Piece
from .temps import Jours

CENT = Decimal("0.01")
ZERO = Decimal("0.00")
TVA = Decimal("1.20")
MODES = (("virement", 74), ("cheque", 12), ("prelevement", 8), ("carte", 6))
LOT = 2000


@dataclass(slots=True)
class Tranche:
    """Une échéance à naître, puis née (`objet`)."""

    date: date
    montant: Decimal
    impute: Decimal = ZERO
    soldee_le: date | None = None
    objet: Echeance | None = None


@dataclass(slots=True)
class FactureVoulue:
    personnage: Personnage
    cle: str  # unique dans la démonstration
    emission: date
    ttc: Decimal
    tranches: list[Tranche]
    devise: str = "EUR"
    prelevement: bool = False
    commande: str = ""


@dataclass(slots=True)
class Reglement:
    personnage: Personnage
    jour: date
    parts: list[tuple[Tranche, Decimal]]
    mode: str = "virement"
    en_plus: Decimal = ZERO  # part non affectée : un acompte
    devise: str = "EUR"
    numero: int = field(default=0)

    @property
    def montant(self) -> Decimal:
        return sum((m for _t, m in self.parts), self.en_plus)


# --- Imaginer ------------------------------------------------------------------------------------


def montant(r: random.Random, median: float = 900.0) -> Decimal:
    """TTC plausible, répartition inégale comme un vrai portefeuille."""
    ht = Decimal(int(median * math.exp(r.gauss(0, 0.9)))) + 40
    return (ht * TVA).quantize(CENT)


def de_la_piece(p: Personnage, piece: Piece) -> FactureVoulue:
    jours = piece.suite or (piece.echeance,)
    part = (piece.ttc / len(jours)).quantize(CENT, ROUND_HALF_UP)
    parts = [part] * (len(jours) - 1) + [piece.ttc - part * (len(jours) - 1)]
    return FactureVoulue(
        p, f"{p.code}/{piece.cle}", piece.echeance - timedelta(days=p.scene.conditions), piece.ttc,
        [Tranche(jour, m) for jour, m in zip(jours, parts, strict=True)],
        piece.devise, piece.prelevement, piece.commande,
    )  # fmt: skip


def ordinaire(p: Personnage, rang: int, emission: date, r: random.Random) -> FactureVoulue:
    """Une facture aux conditions du client ; une sur vingt se paie en trois fois."""
    ttc = montant(r)
    premiere = echeance(emission, p.client.conditions, p.client.lecture_fdm).echeance
    if r.random() < 0.05:
        tiers = (ttc / 3).quantize(CENT, ROUND_HALF_UP)
        tranches = [Tranche(premiere + timedelta(days=30 * i), tiers) for i in range(2)]
        tranches.append(Tranche(premiere + timedelta(days=60), ttc - 2 * tiers))
    else:
        tranches = [Tranche(premiere, ttc)]
    return FactureVoulue(p, f"{p.code}/{rang}", emission, ttc, tranches)


def reglements(factures: Iterable[FactureVoulue], jours: Jours, r: random.Random, *, avant: date | None = None):
    """Règlements à l'habitude du client, reçus un jour ouvré ; ceux d'après la veille n'ont pas encore eu lieu.

    avant : les pièces d'autrefois, toutes soldées avant ce jour.
    """
    modes, poids = zip(*MODES, strict=True)
    for f in factures:
        for t in f.tranches:
            jour = max(jour_ouvre_suivant(t.date + timedelta(days=f.personnage.delai(r))), f.emission)
            if avant:
                jour = min(jour, avant)
            mode = r.choices(modes, poids)[0]
            if r.random() < 0.10 and t.montant > 200:  # réglée en deux fois
                acompte = (t.montant * Decimal(r.randrange(30, 70)) / 100).quantize(CENT)
                suite = min(jour_ouvre_suivant(jour + timedelta(days=r.randrange(8, 25))), avant or date.max)
                versements = [(jour, acompte), (suite, t.montant - acompte)]
            else:
                versements = [(jour, t.montant)]
            for quand, combien in versements:
                if quand <= jours.veille:
                    yield Reglement(f.personnage, quand, [(t, combien)], mode, devise=f.devise)


def grouper(liste: list[Reglement], r: random.Random) -> list[Reglement]:
    """Virements groupés : deux règlements du même client à moins de six jours n'en font souvent qu'un."""
    derniers: dict[str, Reglement] = {}
    sortie = []
    for x in sorted(liste, key=lambda x: (x.jour, x.personnage.code, x.montant)):
        d = derniers.get(x.personnage.code)
        if d and d.devise == x.devise and (x.jour - d.jour).days < 6 and r.random() < 0.6:
            d.parts += x.parts
            d.jour, d.mode = x.jour, "virement"
            continue
        derniers[x.personnage.code] = x
        sortie.append(x)
    return sorted(sortie, key=lambda x: (x.jour, x.personnage.code))


# --- Écrire --------------------------------------------------------------------------------------


class GrandLivre:
    """Écrit en bloc les pièces et règlements d'une société ; numérote dans l'ordre des dates."""

    def __init__(self, societe, prefixe: str = "FA"):
        self.societe, self.prefixe = societe, prefixe
        self.rangs: dict[int, int] = {}
        self.encaisses = 0
        self.tranches: dict[str, list[Tranche]] = {}

    def _numero(self, f: FactureVoulue) -> str:
        rang = self.rangs[f.emission.year] = self.rangs.get(f.emission.year, 0) + 1
        return f"{self.prefixe}-{f.emission.year}-{rang:04d}"

    def facturer(self, factures: list[FactureVoulue], payees: list[Reglement] = ()) -> None:
        """Factures, échéances, et les règlements déjà reçus qui les soldent."""
        for x in payees:
            self._poser(x)
        factures = sorted(factures, key=lambda f: (f.emission, f.cle))
        creees = Facture.objects.bulk_create(
            [
                Facture(
                    societe=self.societe, client=f.personnage.client, cle_source=f"demo:{f.cle}", devise=f.devise,
                    numero=self._numero(f), date_emission=f.emission, date_execution=f.emission - timedelta(days=3),
                    montant_ht=(ht := (f.ttc / TVA).quantize(CENT)), montant_tva=f.ttc - ht, montant_ttc=f.ttc,
                    commande=f.commande,
                )
                for f in factures
            ],
            batch_size=LOT,
        )  # fmt: skip
        tranches = [
            (facture, f, i, t) for facture, f in zip(creees, factures, strict=True) for i, t in enumerate(f.tranches)
        ]
        echeances = Echeance.objects.bulk_create(
            [
                Echeance(
                    societe=self.societe, client=f.personnage.client, facture=facture,
                    cle_source=f"demo:{f.cle}:{i}", date_facture=f.emission, date_echeance=t.date, montant=t.montant,
                    impute=t.impute, soldee_le=t.soldee_le, devise=f.devise, prelevement=f.prelevement,
                )
                for facture, f, i, t in tranches
            ],
            batch_size=LOT,
        )  # fmt: skip
        for (_facture, f, _i, t), objet in zip(tranches, echeances, strict=True):
            t.objet = objet
            self.tranches.setdefault(f.cle, []).append(t)
        self._ecrire(payees)

    def encaisser(self, recus: list[Reglement]) -> None:
        """Règlements du jour, tels qu'un relevé de banque les apporte."""
        touchees = {id(t): t for x in recus for t, _m in x.parts}.values()
        for x in recus:
            self._poser(x)
        self._ecrire(recus)
        for t in touchees:
            t.objet.impute, t.objet.soldee_le = t.impute, t.soldee_le
        Echeance.objects.bulk_update([t.objet for t in touchees], ["impute", "soldee_le"], batch_size=500)

    def _poser(self, x: Reglement) -> None:
        for t, m in x.parts:
            t.impute += m
            if t.impute == t.montant:
                t.soldee_le = x.jour

    def _ecrire(self, recus: Iterable[Reglement]) -> None:
        recus = list(recus)
        for x in recus:
            self.encaisses += 1
            x.numero = self.encaisses
        encaissements = Encaissement.objects.bulk_create(
            [
                Encaissement(
                    societe=self.societe, client=x.personnage.client, cle_source=f"demo:{x.numero}", devise=x.devise,
                    reference=f"{x.mode[:3].upper()}{x.jour:%y%m%d}-{x.numero:04d}", date=x.jour, montant=x.montant,
                    impute=x.montant - x.en_plus, mode=x.mode, libelle=x.personnage.client.raison_sociale.upper()[:60],
                )
                for x in recus
            ],
            batch_size=LOT,
        )  # fmt: skip
        Imputation.objects.bulk_create(
            [
                Imputation(
                    societe=self.societe, echeance=t.objet, encaissement=e, date=x.jour, montant=m,
                    cle_source=f"demo:{x.numero}:{i}",
                )
                for e, x in zip(encaissements, recus, strict=True)
                for i, (t, m) in enumerate(x.parts)
            ],
            batch_size=LOT,
        )  # fmt: skip
