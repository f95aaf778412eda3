"""Grand livre en bloc : la seconde société, et le gros volume demandé pour essayer l'échelle."""

import random
from datetime import timedelta

from . import grand_livre, personnages
from .grand_livre import GrandLivre
from .personnages import Personnage
from .temps import Jours

PROFONDEUR = 425  # jours


def _ecrire(livre: GrandLivre, clients: list[Personnage], nombre: int, jours: Jours, r: random.Random, suffixe: str):
    """`nombre` factures réparties inégalement, réglées à l'habitude de chacun."""
    if not clients or nombre <= 0:
        return
    poids = [min(r.paretovariate(1.3), 60.0) for _ in clients]
    factures = [
        grand_livre.ordinaire(p, f"{suffixe}{rang}", jours.veille - timedelta(days=r.randrange(PROFONDEUR)), r)
        for rang, p in enumerate(r.choices(clients, poids, k=nombre))
    ]
    livre.facturer(factures, grand_livre.grouper(list(grand_livre.reglements(factures, jours, r)), r))


def seconde_societe(societe, personnes, pris: set[str], jours: Jours, r: random.Random, clients: int, factures: int):
    fiches = [
        personnages.ordinaire(societe, f"SV-{101 + i:04d}", personnes["karim.saidi"], pris, r) for i in range(clients)
    ]
    for p in fiches:
        p.retard = 60  # de quoi montrer ce qu'une société incomplète retient
    personnages.enregistrer(fiches, {}, r)
    _ecrire(GrandLivre(societe, "SV"), fiches, factures, jours, r, "v")


def en_plus(livre, connus, gestionnaires, pris, jours: Jours, r: random.Random, clients: int, factures: int) -> None:
    """Au-delà de l'histoire : des clients repris aujourd'hui, qu'aucune nuit n'a encore vus."""
    neufs = [
        personnages.ordinaire(livre.societe, f"CX-{i:06d}", gestionnaires[i % 2], pris, r)
        for i in range(1, clients + 1)
    ]
    personnages.enregistrer(neufs, {}, r)
    _ecrire(livre, neufs or [p for p in connus if not p.scene], factures, jours, r, "x")
