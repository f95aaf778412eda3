"""Retrouver le client d'une ligne par son code, à défaut par son nom ; sinon dire celui qui sera créé."""

import re
import unicodedata
from collections.abc import Mapping

from .nombres import Illisible

LONGUEUR = 40
DERIVE = 24  # longueur d'un code tiré du nom
DITS = 20


def nom_normalise(nom: str) -> str:
    """« Société  Générale » et « SOCIETE GENERALE » sont le même nom ; la forme juridique compte."""
    decompose = unicodedata.normalize("NFD", nom.casefold())
    return " ".join("".join(c if c.isalnum() else " " for c in decompose if not unicodedata.combining(c)).split())


def code_derive(nom: str) -> str:
    """« Entreprise Alpha » → ENTREPRISE-ALPHA ; jamais vide."""
    mots = re.sub(r"[^A-Z0-9]+", "-", nom_normalise(nom).upper()).strip("-")
    return mots[:DERIVE].strip("-") or "CLIENT"


class Clients:
    """connus : {code: raison sociale} de la société. `nouveaux` : {code: (nom, désigné par son nom)} à créer."""

    def __init__(self, connus: Mapping[str, str]):
        self.connus = connus
        self.par_nom: dict[str, list[str]] = {}
        for code, nom in connus.items():
            self.par_nom.setdefault(nom_normalise(nom), []).append(code)
        self.nouveaux: dict[str, tuple[str, bool]] = {}
        self.retrouves = 0
        self._vus: dict[tuple[str, str], str] = {}

    def trouver(self, code: str, nom: str) -> str:
        """Le code du client de la ligne. Lève Illisible : ni code ni nom, ou nom porté par plusieurs clients."""
        cle = (code, nom)
        if (deja := self._vus.get(cle)) is None:
            deja = self._vus[cle] = self._chercher(code, nom)
        return deja

    def _chercher(self, code: str, nom: str) -> str:
        if not code and not nom:
            raise Illisible("client absent.", "Remplissez le code ou le nom du client.")
        if code in self.connus:
            return code
        if code and nom:
            return self._neuf(code, nom, False)
        if trouve := self._par_nom(nom or code):
            return trouve
        if code and not _est_un_nom(code):
            return self._neuf(code, "", False)
        return self._neuf(self._libre(nom or code), nom or code, True)

    def _par_nom(self, nom: str) -> str:
        propre = nom_normalise(nom)
        codes = self.par_nom.get(propre, [])
        if len(codes) > 1:
            raise Illisible(
                f"« {nom[:60]} » est le nom de plusieurs clients ({', '.join(sorted(codes)[:5])}).",
                "Ajoutez une colonne avec le code du client.",
            )
        if codes and codes[0] in self.connus:
            self.retrouves += 1
        return codes[0] if codes else ""

    def _libre(self, nom: str) -> str:
        base = code = code_derive(nom)
        rang = 1
        while code in self.connus or code in self.nouveaux:
            rang += 1
            code = f"{base}-{rang}"
        self.par_nom.setdefault(nom_normalise(nom), []).append(code)
        return code

    def _neuf(self, code: str, nom: str, par_nom: bool) -> str:
        self.nouveaux.setdefault(code, (nom, par_nom))
        return code

    def annonces(self) -> list[str]:
        """Ce que l'aperçu dit des clients désignés par leur nom, et de ceux qui seront créés."""
        dits = []
        derives = [f"{nom} ({code})" for code, (nom, par_nom) in self.nouveaux.items() if par_nom]
        if derives:
            suite = "…" if len(derives) > DITS else ""
            dits.append(
                f"Clients désignés par leur nom et encore inconnus : {len(derives)}, créés avec un code tiré du nom : "
                f"{', '.join(derives[:DITS])}{suite}."
            )
        if self.retrouves:
            dits.append(f"Clients retrouvés par leur nom : {self.retrouves}.")
        sans_nom = sum(1 for nom, _ in self.nouveaux.values() if not nom)
        if sans_nom:
            dits.append(f"Clients créés sans autre nom que leur code : {sans_nom}. Complétez leurs fiches.")
        return dits


def _est_un_nom(texte: str) -> bool:
    return " " in texte.strip() and sum(c.isalpha() for c in texte) > len(texte) / 2
