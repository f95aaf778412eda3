"""À quelle facture appartient un fichier, d'après son nom : on reconnaît, on ne devine pas."""

import re
import unicodedata
from collections.abc import Iterable

COURT = 4  # un numéro plus court se trouve par hasard dans un nom : il doit être le nom entier


class Ambigu(ValueError):
    """Plusieurs factures répondent à ce nom ; `numeros` les dit."""

    def __init__(self, numeros: list[str]):
        super().__init__(", ".join(numeros))
        self.numeros = numeros


def _morceaux(texte: str) -> list[str]:
    plat = unicodedata.normalize("NFKD", texte).encode("ascii", "ignore").decode().lower()
    return re.findall(r"[a-z0-9]+", plat)


def reconnaitre(nom: str, numeros: Iterable[str]) -> str | None:
    """Le numéro que porte le nom de fichier, séparateurs et casse mis à part ; None si aucun.

    « Facture FA-2026-0012.pdf », « fa20260012.PDF » et « FA 2026 0012 - copie.pdf » portent FA-2026-0012. Le plus
    long l'emporte (« 2026-0012 » dans « FA-2026-0012 »). Lève Ambigu si deux numéros s'y lisent à égalité.
    """
    mots = _morceaux(nom.rpartition("/")[2].rpartition("\\")[2].removesuffix(".pdf").removesuffix(".PDF"))
    lisibles = {"".join(mots[i:j]) for i in range(len(mots)) for j in range(i + 1, len(mots) + 1)}
    entier = "".join(mots)
    candidats: dict[str, list[str]] = {}
    for numero in numeros:
        cle = "".join(_morceaux(numero))
        if cle and (cle == entier or (len(cle) >= COURT and cle in lisibles)):
            candidats.setdefault(cle, []).append(numero)
    if not candidats:
        return None
    longueur = max(map(len, candidats))
    meilleurs = [numero for cle, liste in candidats.items() if len(cle) == longueur for numero in liste]
    if len(meilleurs) > 1:
        raise Ambigu(sorted(meilleurs))
    return meilleurs[0]
