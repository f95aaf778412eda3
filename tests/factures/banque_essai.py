"""Fabriques de banque pour les essais."""

from datetime import date
from decimal import Decimal
from itertools import count

from factures.models import CompteBancaire, MouvementBancaire, ReleveBancaire

_rang = count(1)


def CompteFactory(*, societe, **champs) -> CompteBancaire:
    n = next(_rang)
    return CompteBancaire.objects.create(societe=societe, **{"identifiant": f"FR76{n:010d}", "libelle": "BNP"} | champs)


def MouvementFactory(*, societe, montant=Decimal(1000), compte=None, date=date(2026, 11, 19), **champs):
    """Mouvement au crédit, à rapprocher."""
    n = next(_rang)
    compte = compte or CompteBancaire.objects.filter(societe=societe).first() or CompteFactory(societe=societe)
    base = {"cle_source": f"mvt:{n}", "libelle": "VIREMENT RECU", "nature": "virement"}
    return MouvementBancaire.objects.create(
        societe=societe, compte=compte, date=date, montant=Decimal(montant), **base | champs
    )


def ReleveFactory(*, compte, **champs) -> ReleveBancaire:
    n = next(_rang)
    return ReleveBancaire.objects.create(societe=compte.societe, compte=compte, **{"cle_source": f"rel:{n}"} | champs)
