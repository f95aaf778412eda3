"""Grand livre en bloc : la seconde société, par un vrai import, et le gros volume demandé pour essayer l'échelle."""

import random
from datetime import timedelta
from decimal import Decimal

from django.utils import timezone

from factures.imports.appliquer import importer

from . import grand_livre, personnages
from .grand_livre import FactureVoulue
from .personnages import Personnage
from .temps import Jours

PROFONDEUR = 425  # jours
EN_RETARD = 60  # jours : de quoi montrer ce qu'une société incomplète retient


def _imaginer(clients: list[Personnage], nombre: int, jours: Jours, r: random.Random, suffixe: str):
    """(factures, règlements) : `nombre` pièces réparties inégalement, réglées à l'habitude de chacun."""
    poids = [min(r.paretovariate(1.3), 60.0) for _ in clients]
    factures: list[FactureVoulue] = [
        grand_livre.ordinaire(p, f"{suffixe}{rang}", jours.veille - timedelta(days=r.randrange(PROFONDEUR)), r)
        for rang, p in enumerate(r.choices(clients, poids, k=nombre))
    ]
    return factures, grand_livre.grouper(list(grand_livre.reglements(factures, jours, r)), r)


def _par_facture(parts, numeros: dict[int, str]):
    """(numéro, montant) : un virement qui paie deux échéances d'une facture ne la cite qu'une fois."""
    sommes: dict[str, Decimal] = {}
    for tranche, montant in parts:
        numero = numeros[id(tranche)]
        sommes[numero] = sommes.get(numero, Decimal(0)) + montant
    return sommes.items()


def seconde_societe(societe, personnes, pris: set[str], jours: Jours, r: random.Random, clients: int, factures: int):
    """Ses trois fichiers, importés comme le ferait une personne : clients, factures, encaissements."""
    karim = personnes["karim.saidi"]
    fiches = [personnages.ordinaire(societe, f"SV-{101 + i:04d}", karim, pris, r) for i in range(clients)]
    for p in fiches:
        p.retard = EN_RETARD
    pieces, recus = _imaginer(fiches, factures - 1, jours, r, "v")
    # Une pièce échue que personne ne paie : ce que la société incomplète retient, quel que soit le jour.
    pieces.append(grand_livre.ordinaire(fiches[0], 0, jours.veille - timedelta(days=130), r))
    pieces.sort(key=lambda f: (f.emission, f.cle))
    numeros = {id(t): f"SV-{rang:05d}" for rang, f in enumerate(pieces, 1) for t in f.tranches}
    fichiers = {
        "clients": [
            "code_client;raison_sociale;siren;siret;adresse;code_postal;ville;courriel;telephone;conditions;gestionnaire",
            *(
                ";".join((c.code, c.raison_sociale, c.siren, c.siret, c.adresse, c.code_postal, c.ville, c.courriel,
                          c.telephone, c.conditions, karim.courriel))
                for c in (p.client for p in fiches)
            ),
        ],
        "factures": [
            "numero;code_client;date_facture;date_echeance;montant_ttc",
            *(
                f"{numeros[id(t)]};{f.personnage.code};{f.emission};{t.date};{t.montant}"
                for f in pieces for t in f.tranches
            ),
        ],
        "encaissements": [
            "reference;code_client;date;montant;mode;facture",
            *(
                f"VIR-{rang:05d};{x.personnage.code};{x.jour};{m};{x.mode};{numero}"
                for rang, x in enumerate(recus, 1) for numero, m in _par_facture(x.parts, numeros)
            ),
        ],
    }  # fmt: skip
    for nom, lignes in fichiers.items():
        rendu = importer(
            "\n".join(lignes).encode(), societe, moment=timezone.now(), au=jours.veille, nom=f"{nom}.csv", auteur=karim
        )
        if not rendu.accepte:
            raise ValueError(f"{nom}.csv de la démonstration refusé : {rendu.refus or rendu.rejets}")


def en_plus(livre, connus, gestionnaires, pris, jours: Jours, r: random.Random, clients: int, factures: int) -> None:
    """Au-delà de l'histoire : des clients repris aujourd'hui, qu'aucune nuit n'a encore vus."""
    neufs = [
        personnages.ordinaire(livre.societe, f"CX-{i:06d}", gestionnaires[i % 2], pris, r)
        for i in range(1, clients + 1)
    ]
    personnages.enregistrer(neufs, {}, r)
    porteurs = neufs or [p for p in connus if not p.scene]
    if porteurs and factures > 0:
        pieces, recus = _imaginer(porteurs, factures, jours, r, "x")
        livre.facturer(pieces, recus)
