"""Le registre des lecteurs : un module par format, chacun dit s'il se reconnaît et lit sans base de données.

Un module de lecture offre `reconnait(fichier) -> {format: note}` (100 : certain) et
`lire(fichier, contexte) -> LotLu` (lève `FichierRefuse`). Sa famille dit qui écrit ce qu'il a lu : voir `familles`.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from importlib import import_module

from factures.domaine.fec_lignes import Poste

from .fichier import Fichier
from .lot import LotLu
from .texte import FichierRefuse

# Dans l'ordre où plusieurs fichiers s'importent : fiches, pièces, statuts, règlements, banque, registres.
MODULES = {
    "csv-clients": "factures.imports.lecteur_csv",
    "xlsx": "factures.imports.tableur",
    "ods": "factures.imports.tableur",
    "csv-factures": "factures.imports.lecteur_csv",
    "fec": "factures.imports.lecteur_fec",
    "facturx": "factures.imports.efacture",
    "cii": "factures.imports.efacture",
    "ubl": "factures.imports.efacture",
    "efactures": "factures.imports.efacture",  # une archive de factures électroniques
    "csv-encaissements": "factures.imports.lecteur_csv",
    "statuts-fe": "factures.imports.cycle_de_vie",
    "cfonb120": "factures.imports.banque.cfonb",
    "cfonb240": "factures.imports.banque.cfonb",
    "camt053": "factures.imports.banque.camt",
    "ofx": "factures.imports.banque.ofx",
    "mt940": "factures.imports.banque.mt940",
    "csv-banque": "factures.imports.banque.csv_banque",
    "bodacc": "factures.imports.bodacc",
    "sirene": "factures.imports.sirene",
}
FORMATS = tuple(MODULES)
FAMILLES = {
    "grand-livre": {
        "csv-clients",
        "csv-factures",
        "csv-encaissements",
        "xlsx",
        "ods",
        "fec",
        "facturx",
        "cii",
        "ubl",
        "efactures",
    },
    "banque": {"cfonb120", "cfonb240", "camt053", "ofx", "mt940", "csv-banque"},
    "statuts": {"statuts-fe"},
    "registres": {"bodacc", "sirene"},
}


def famille(format: str) -> str:
    return next((nom for nom, formats in FAMILLES.items() if format in formats), "grand-livre")


@dataclass(frozen=True)
class ContexteLecture:
    """Ce qu'un lecteur peut savoir de la société, en arguments : il n'interroge jamais la base lui-même.

    echeance_de(code client, date de facture) : échéance selon les conditions du client.
    connus(premier jour) : postes FEC ouverts la veille. vendeur : identité de la société (siren, siret, tva, nom).
    comptes() : (code, nom, SIREN, SIRET, TVA) de chaque client.
    correspondance : {"genre", "colonnes", "options"} choisie ou reconnue pour ce tableau, sinon None.
    correspondances(signature) : la même, cherchée par empreinte d'en-tête. corrections : `Lot.corrections`.
    """

    format: str
    echeance_de: Callable[[str, date], date]
    connus: Callable[[date], Iterable[Poste]] = lambda premier_jour: ()
    comptes: Callable[[], Iterable[tuple[str, str, str, str, str]]] = lambda: ()
    vendeur: Mapping[str, str] = field(default_factory=dict)
    correspondance: Mapping | None = None
    correspondances: Callable[[str], Mapping | None] = lambda signature: None
    corrections: Mapping = field(default_factory=dict)
    au: date = date.min


class ColonnesInconnues(FichierRefuse):
    """Un tableau lisible dont les colonnes restent à dire : l'écran ouvre l'assistant, la commande le refuse.

    `apercu` : {"signature", "colonnes": [...], "lignes": [[...], …], "proposition": {"genre", "colonnes", "options"}}.
    """

    def __init__(self, message: str, apercu: dict):
        super().__init__(message)
        self.apercu = apercu


def module(format: str):
    if format not in MODULES:
        raise FichierRefuse(f"Format « {format} » inconnu. Lus : {', '.join(FORMATS)}.")
    return import_module(MODULES[format])


def reconnaitre(fichier: Fichier) -> str:
    """Le format qui se reconnaît le mieux. Lève FichierRefuse en disant ce qui a été lu et ce qui est attendu."""
    notes: dict[str, int] = {}
    raisons: list[str] = []
    for nom in dict.fromkeys(MODULES.values()):
        lecteur = import_module(nom)
        try:
            for format, note in lecteur.reconnait(fichier).items():
                notes[format] = max(note, notes.get(format, 0))
        except FichierRefuse as refus:  # un lecteur qui sait pourquoi ce fichier ne se lira pas
            raisons.append(str(refus))
    if any(notes.values()):
        return max(notes, key=notes.__getitem__)
    if raisons:
        raise FichierRefuse(raisons[0])
    raise FichierRefuse(
        "Format non reconnu. Attendu : un FEC, un tableau CSV, XLSX ou ODS, une facture électronique (Factur-X, CII, "
        "UBL) ou son statut, un relevé bancaire (CFONB, CAMT.053, OFX, MT940, CSV), une annonce BODACC ou un fichier "
        "SIRENE."
    )


def lire(fichier: Fichier, contexte: ContexteLecture) -> LotLu:
    return module(contexte.format).lire(fichier, contexte)


def lire_seul(fichier: Fichier, format: str = "", **savoir) -> LotLu:
    """Lit sans société ni base : format reconnu à défaut, le reste du contexte en arguments nommés."""
    savoir.setdefault("echeance_de", lambda code, emission: emission)
    return lire(fichier, ContexteLecture(format or reconnaitre(fichier), **savoir))
