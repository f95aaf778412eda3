"""Les trois CSV de la maison, reconnus à leurs colonnes (docs/formats.md)."""

from . import csv_grand_livre
from .fichier import Fichier, Genre
from .lecteurs import ContexteLecture
from .lot import LotLu
from .texte import FichierRefuse

NOTE = 80  # colonnes de la maison, toutes là
NOMME = 5  # à colonnes égales, le nom du fichier (« factures.csv ») tranche


def reconnait(fichier: Fichier) -> dict[str, int]:
    if fichier.genre is not Genre.TEXTE:
        return {}
    entete = csv_grand_livre.lire_entete(fichier.texte.debut())
    if entete is None:
        raise FichierRefuse("Le fichier n'a pas de ligne d'en-tête lisible : reprenez un modèle téléchargeable.")
    notes = {}
    for format, schema in csv_grand_livre.SCHEMAS.items():
        place, _ = csv_grand_livre.reconnaitre_colonnes(entete, schema)
        if not csv_grand_livre.manquantes(place, schema):
            nomme = format.removeprefix("csv-")[:-1] in fichier.nom.casefold()
            # Une colonne propre à un seul schéma pèse plus que le nom.
            notes[format] = min(NOTE + 2 * len(place) + NOMME * nomme, 99)
    return notes


def lire(fichier: Fichier, contexte: ContexteLecture) -> LotLu:
    return csv_grand_livre.lire(fichier.texte, contexte.format)
