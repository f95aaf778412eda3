"""Jeu de démonstration : une société crédible, déterministe, aux dates relatives au jour où on le charge.

L'histoire des seize dernières semaines est rejouée par les vrais services, à des jours ouvrés passés : chaque
palier, chaque courrier, chaque maillon du journal est né d'un passage ou d'un geste. Aucune personne, société ou
adresse n'est réelle, et rien ne quitte la machine pendant le chargement.
"""

import random
from dataclasses import dataclass
from datetime import date, timedelta

from django.db import transaction

from clients.models import Client
from factures.models import Encaissement, Facture
from recouvrement.comptes.models import Societe

from . import banque, equipe, grand_livre, page_du_client, personnages, societes, volume
from .droit import scenes_de_droit
from .gestes import Gestes
from .grand_livre import GrandLivre
from .histoire import Histoire
from .personnages import Personnage
from .scenes import scenes
from .temps import Jours, horloge_rejouee

CLIENTS, FACTURES = 75, 450  # ce que l'histoire anime ; au-delà, un grand livre repris en bloc
SECONDE = (6, 24)  # clients et factures de la seconde société
HISTOIRE = timedelta(days=118)
PROFONDEUR = timedelta(days=425)  # quatorze mois


class DejaChargee(Exception):
    """La démonstration est déjà dans la base : rien n'est ajouté."""


class TropPetit(ValueError):
    """Moins de clients ou de factures que les scènes n'en demandent."""


@dataclass(frozen=True)
class Compte:
    clients: int
    factures: int
    encaissements: int


def compter() -> Compte:
    return Compte(Client.objects.count(), Facture.objects.count(), Encaissement.objects.count())


def charger(*, au: date, clients: int = CLIENTS, factures: int = FACTURES, graine: str = "demonstration") -> Compte:
    """Charge tout, ou rien. Lève DejaChargee ou TropPetit."""
    if Societe.objects.filter(code=societes.CODE).exists():
        raise DejaChargee("la démonstration est déjà chargée")
    jours, r = Jours(au), random.Random(graine)
    ecrites = [*scenes(jours), *scenes_de_droit(jours), *equipe.scenes_d_equipe(jours)]
    minimum = (len(ecrites) + SECONDE[0], sum(len(s.pieces) + s.histoire for s in ecrites) + SECONDE[1])
    if clients < minimum[0] or factures < minimum[1]:
        raise TropPetit(f"au moins {minimum[0]} clients et {minimum[1]} factures")
    debut = au - HISTOIRE
    with transaction.atomic(), horloge_rejouee() as horloge:
        horloge.poser(debut - timedelta(days=1), 9)
        principale, seconde = societes.creer_societes()
        personnes = societes.creer_personnes(principale, seconde)
        plans = societes.creer_plans(principale, par=personnes["ines.vauquelin"])
        societes.creer_plans(seconde, par=personnes["ines.vauquelin"])
        gestionnaires = [personnes["claire.bonnet"], personnes["karim.saidi"]]
        livre = GrandLivre(principale)
        gestes = Gestes(principale, personnes, livre, r)
        gestes.annoncer("Démonstration : données inventées", personnes["ines.vauquelin"])

        connus = [
            personnages.de_la_scene(principale, f"CL-{401 + 7 * i:05d}", scene, gestionnaires, r)
            for i, scene in enumerate(ecrites)
        ]
        pris = {s.nom for s in ecrites}
        connus += [
            personnages.ordinaire(principale, f"CL-{1001 + 3 * i:05d}", gestionnaires[i % 2], pris, r)
            for i in range(min(clients, CLIENTS) - len(ecrites) - SECONDE[0])
        ]
        personnages.enregistrer(connus, plans, r)
        histoire = Histoire(gestes, connus, jours, horloge, r)
        _ouvrir_les_comptes(histoire, connus, debut, min(factures, FACTURES) - SECONDE[1])
        histoire.raconter(debut)
        horloge.poser(jours.veille, 20)
        volume.seconde_societe(seconde, personnes, pris, jours, r, *SECONDE)
        volume.en_plus(livre, connus, gestionnaires, pris, jours, r, clients - CLIENTS, factures - FACTURES)
        banque.relever(principale, jours)
        page_du_client.ouvrir(principale, par=personnes["ines.vauquelin"], au=au)
        equipe.montrer(connus, personnes, jours, horloge)
    return compter()


def _ouvrir_les_comptes(histoire: Histoire, connus: list[Personnage], debut: date, total: int) -> None:
    """Écrit toutes les pièces ; les règlements d'avant `debut` sont faits, les autres attendent leur jour."""
    r, jours, livre = histoire.r, histoire.jours, histoire.gestes.livre
    anciennes, vivantes = [], []
    for p in connus:
        if p.scene:
            vivantes += [grand_livre.de_la_piece(p, piece) for piece in p.scene.pieces]
            recent = debut - timedelta(days=p.scene.conditions + 12)
            etendue = (recent - (jours.au - PROFONDEUR)).days
            for rang in range(p.scene.histoire):
                emission = recent - timedelta(days=r.randrange(etendue))
                anciennes.append(grand_livre.ordinaire(p, rang, emission, r))
    libres = [p for p in connus if not p.scene]
    reste = total - len(anciennes) - len(vivantes)
    poids = [1 + r.paretovariate(1.6) for _ in libres]
    ordinaires = [
        grand_livre.ordinaire(p, rang, jours.veille - timedelta(days=r.randrange(PROFONDEUR.days)), r)
        for rang, p in enumerate(r.choices(libres, poids, k=reste) if libres else [])
    ]
    soldes = list(grand_livre.reglements(anciennes, jours, r, avant=debut - timedelta(days=1)))
    courants = list(grand_livre.reglements(ordinaires, jours, r))
    regroupes = grand_livre.grouper(soldes, r) + grand_livre.grouper(courants, r)
    livre.facturer(anciennes + ordinaires + vivantes, [x for x in regroupes if x.jour < debut])
    for x in regroupes:
        if x.jour >= debut:
            histoire.recus[x.jour].append(x)
