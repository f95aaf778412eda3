"""Les trois CSV de la maison, reconnus à leurs colonnes (docs/formats.md)."""

from factures.domaine.banque_colonnes import reconnaitre as colonnes_de_banque
from factures.domaine.correspondance_noms import pistes

from . import csv_grand_livre
from .fichier import Fichier, Genre
from .lecteurs import ContexteLecture
from .lot import LotLu
from .texte import FichierRefuse

NOTE = 80  # colonnes de la maison, toutes là
DOUTEUX = 35  # une colonne ignorée changerait les sommes : l'assistant passe devant
AUTRES_SOMMES = {
    "csv-clients": {"montant", "reste", "montant_regle", "debit", "credit"},
    "csv-factures": {"reste", "montant_regle", "date_reglement", "litige", "debit", "credit", "sens"},
    "csv-encaissements": {"reste", "debit", "credit", "sens"},
}
NOMME = 5  # à colonnes égales, le nom du fichier (« factures.csv ») tranche


def reconnait(fichier: Fichier) -> dict[str, int]:
    if fichier.genre is not Genre.TEXTE:
        return {}
    entete = csv_grand_livre.lire_entete(fichier.texte.debut())
    if entete is None:
        raise FichierRefuse("Le fichier n'a pas de ligne d'en-tête lisible : reprenez un modèle téléchargeable.")
    notes = {}
    for format, schema in csv_grand_livre.SCHEMAS.items():
        place, ignorees = csv_grand_livre.reconnaitre_colonnes(entete, schema)
        if not csv_grand_livre.manquantes(place, schema):
            nomme = format.removeprefix("csv-")[:-1] in fichier.nom.casefold()
            # Une colonne propre à un seul schéma pèse plus que le nom.
            notes[format] = min(NOTE + 2 * len(place) + NOMME * nomme, 99)
            if any(_change_les_sommes(nom, AUTRES_SOMMES[format]) for nom in ignorees):
                notes[format] = DOUTEUX
    # Avec une date de valeur, « Compte » est celui de la banque, pas celui d'un client.
    if {"compte", "date_valeur"} <= colonnes_de_banque(entete.colonnes).keys() and "csv-encaissements" in notes:
        notes["csv-encaissements"] = DOUTEUX
    return notes


def _change_les_sommes(nom: str, champs: set[str]) -> bool:
    return any(piste.champ in champs and piste.note >= 80 for piste in pistes(nom)[:1])


def lire(fichier: Fichier, contexte: ContexteLecture) -> LotLu:
    """Par les colonnes de la maison ; à défaut, ou si une personne l'a voulu, par une correspondance."""
    from . import tableur  # qui lit aussi les CSV d'en-tête inconnu

    if contexte.correspondance or contexte.corrections.keys() & {"tableau", "revoir"}:
        return tableur.lire(fichier, contexte)
    notes = reconnait(fichier)
    if notes.get(contexte.format, 0) <= DOUTEUX and not (notes and max(notes.values()) > DOUTEUX):
        return tableur.lire(fichier, contexte)
    if _revue_par_une_personne(fichier, contexte):
        return tableur.lire(fichier, contexte)
    return csv_grand_livre.lire(fichier.texte, contexte.format)


def _revue_par_une_personne(fichier: Fichier, contexte: ContexteLecture) -> bool:
    """Une correspondance retenue pour ce même en-tête passe avant les colonnes de la maison."""
    from . import tableur_entete

    try:
        signature = tableur_entete.trouver(fichier).signature
    except FichierRefuse:
        return False
    return contexte.correspondances(signature) is not None
