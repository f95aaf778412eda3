"""Un CSV dont on ne sait rien : séparateur et lignes, en flux."""

import csv
from collections.abc import Iterator

from .fichier import Fichier
from .lot import LotLu, Rejet
from .texte import SEPARATEURS, FichierRefuse

DEBUT = 64 * 1024
COLONNES_MAX = 500


def separateur(fichier: Fichier) -> str:
    """Le séparateur qui découpe le plus régulièrement les premières lignes ; « sep=; » l'emporte."""
    lignes = [x for x in fichier.texte.debut(DEBUT).splitlines()[:40] if x.strip()]
    if lignes and lignes[0].lower().startswith("sep=") and len(lignes[0].strip("\r\n")) == 5:
        return lignes[0][4]

    def note(sep: str) -> tuple[int, int]:
        largeurs = []
        for ligne in lignes:
            try:
                largeurs += [len(x) for x in csv.reader([ligne], delimiter=sep)]
            except csv.Error:
                continue
        coupees = [x for x in largeurs if x > 1]
        frequente = max(set(coupees), key=coupees.count) if coupees else 0
        return coupees.count(frequente), frequente

    return max(SEPARATEURS, key=note)


def lignes(fichier: Fichier, sep: str, lot: LotLu | None = None) -> Iterator[tuple[int, list[str]]]:
    """(numéro de la première ligne physique, cellules) ; un guillemet mal fermé est un rejet, pas une fin."""
    texte = fichier.texte
    with texte.ouvrir() as flux:
        lecteur = csv.reader(flux, delimiter=sep, strict=True)
        fini = object()
        while True:
            ligne = lecteur.line_num + 1
            try:
                cellules = next(lecteur, fini)
            except csv.Error:
                if lot is not None:
                    lot.lignes += 1
                    lot.rejeter(
                        Rejet(
                            ligne, "ligne", "guillemet mal fermé.", "Doublez les guillemets à l'intérieur d'un champ."
                        )
                    )
                continue
            except UnicodeError as erreur:
                raise FichierRefuse(f"Le fichier n'est pas du {texte.encodage} : exportez-le en UTF-8.") from erreur
            if cellules is fini:
                return
            if len(cellules) > COLONNES_MAX:
                raise FichierRefuse(
                    f"La ligne {ligne} a {len(cellules)} colonnes : ce n'est pas un tableau de gestion."
                )
            if cellules and cellules != ["\x1a"] and not (ligne == 1 and cellules[0].lower().startswith("sep=")):
                yield ligne, [x.strip() for x in cellules]
