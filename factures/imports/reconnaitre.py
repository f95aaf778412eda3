"""Le format d'un fichier, reconnu à son contenu ; le nom ne sert qu'à départager."""

from collections.abc import Callable, Iterable
from datetime import date

from factures.domaine.fec_lignes import Poste

from . import csv_grand_livre, fec, fec_lecture
from .lot import FORMATS, LotLu
from .texte import FichierRefuse, Texte


def reconnaitre(texte: Texte) -> str:
    """Un de FORMATS. Lève FichierRefuse en disant ce qui a été lu et ce qui était attendu."""
    debut = texte.debut()
    premiere = next((x for x in debut.split("\n") if x.strip()), "")
    if fec_lecture.lire_entete(premiere):
        return "fec"
    entete = csv_grand_livre.lire_entete(debut)
    if entete is None:
        raise FichierRefuse("Le fichier n'a pas de ligne d'en-tête lisible : reprenez un modèle téléchargeable.")
    notes = {}
    for format, schema in csv_grand_livre.SCHEMAS.items():
        place, _ = csv_grand_livre.reconnaitre_colonnes(entete, schema)
        if not csv_grand_livre.manquantes(place, schema):
            # À colonnes égales, le nom du fichier (« factures.csv ») tranche.
            notes[format] = (len(place), format.removeprefix("csv-")[:-1] in texte.nom.casefold())
    if notes:
        return max(notes, key=notes.__getitem__)
    lues = ", ".join(x.strip()[:40] for x in entete.colonnes[:20] if x.strip())
    raise FichierRefuse(
        f"Format non reconnu (colonnes lues : {lues or 'aucune'}). Attendu : un FEC, ou l'un des trois CSV "
        "clients, factures, encaissements ; des modèles sont téléchargeables."
    )


def lire(
    texte: Texte,
    format: str = "",
    *,
    echeance_de: Callable[[str, date], date],
    connus: Callable[[date], Iterable[Poste]] = lambda premier_jour: (),
) -> LotLu:
    """Lit un fichier examiné dans le format donné, ou reconnu."""
    format = format or reconnaitre(texte)
    if format == "fec":
        return fec.lire(texte, echeance_de=echeance_de, connus=connus)
    if format in FORMATS:
        return csv_grand_livre.lire(texte, format)
    raise FichierRefuse(f"Format « {format} » inconnu. Lus aujourd'hui : {', '.join(FORMATS)}.")
