"""Moteur de gabarits des lettres et des courriels : à part de celui des écrans.

- une variable inconnue arrête le rendu en se nommant, même dans `{% if %}` ou `{% for %}` ;
- le contexte ne contient que des dictionnaires, des tuples et des valeurs : rien à modifier ni à appeler ;
- la typographie française (espaces insécables, apostrophes) est posée une fois, au chargement du
  gabarit, jamais sur les données du client.
"""

import re
from functools import lru_cache
from pathlib import Path

from django.template import Context, Engine
from django.template.loaders.filesystem import Loader

RACINE = Path(__file__).resolve().parents[2] / "templates"
LETTRES = RACINE / "relances" / "lettres"
COURRIELS = RACINE / "relances" / "courriels"
MESSAGES = RACINE / "relances" / "sms"
ACTES = RACINE / "contentieux" / "actes"
ACCORDS = RACINE / "relances" / "accords"
FEUILLE = LETTRES / "lettre.css"


class VariableInconnue(Exception):
    """Une variable d'un gabarit n'existe pas ; `nom` est son chemin complet."""

    def __init__(self, nom: str):
        self.nom = nom
        super().__init__(f"Variable inconnue dans le modèle : {nom}.")


class Objet(dict):
    """Dictionnaire d'un gabarit : une clé absente lève `VariableInconnue`, que Django n'avale pas."""

    def __init__(self, chemin: str, valeurs):
        super().__init__(valeurs)
        self.chemin = chemin

    def __missing__(self, cle):
        raise VariableInconnue(f"{self.chemin}.{cle}")


class ContexteFerme(Context):
    def __getitem__(self, cle):
        try:
            return super().__getitem__(cle)
        except KeyError:
            raise VariableInconnue(cle) from None


class _Invalide(str):
    """Valeur de `string_if_invalid` : Django y insère le nom de la variable, nous la refusons."""

    def __contains__(self, morceau):
        return True

    def __mod__(self, variable):
        raise VariableInconnue(str(variable))


NB, FINE = "\u00a0", "\u202f"
_HORS_TEXTE = re.compile(r"(<[^>]*>|\{%.*?%\}|\{\{.*?\}\}|\{#.*?#\})", re.S)
_APOSTROPHE = (re.compile("'"), "’")
_FRANCAIS = [
    (re.compile(motif), par)
    for motif, par in (
        (r" ([:»€%])", NB + r"\1"),
        (r" ([;!?])", FINE + r"\1"),
        (r"« ", "«" + NB),
        (r"n° ", "n°" + NB),
        (r"\b([LRDA])\. (?=\d)", r"\1." + NB),
        (r"\b(articles?|art\.) (?=[LRD\d])", r"\1" + NB),
        (r"(?<![ \n]) (?=– )", NB),
        (r" × ", NB + "×" + NB),
    )
] + [_APOSTROPHE]
_ANGLAIS = [
    (re.compile(r"\b(Articles?|No\.|VAT No\.) (?=[LRD\d])"), r"\1" + NB),
    (re.compile(r"\b([LRD])\. (?=\d)"), r"\1." + NB),
    (re.compile(r" × "), NB + "×" + NB),
    _APOSTROPHE,
]


def typographier(source: str, *, anglais: bool = False) -> str:
    """Espaces insécables et apostrophes courbes du texte d'un gabarit, hors balises et variables."""
    morceaux = _HORS_TEXTE.split(source)
    for i in range(0, len(morceaux), 2):
        for motif, par in _ANGLAIS if anglais else _FRANCAIS:
            morceaux[i] = motif.sub(par, morceaux[i])
    return "".join(morceaux)


class Typographe(Loader):
    def get_contents(self, origin):
        """Le dernier retour à la ligne d'un fichier n'est pas du texte : un fragment n'en ajoute pas."""
        anglais = "anglais" in Path(origin.name).parts
        return typographier(super().get_contents(origin).removesuffix("\n"), anglais=anglais)


def _moteur(*dossiers: Path, autoescape: bool) -> Engine:
    chemins = [str(d) for d in dossiers]
    return Engine(
        dirs=chemins,
        loaders=[("django.template.loaders.cached.Loader", [("relances.rendu.moteur.Typographe", chemins)])],
        builtins=["relances.rendu.filtres"],
        autoescape=autoescape,
        string_if_invalid=_Invalide("%s"),
    )


@lru_cache(maxsize=1)
def moteur_lettres() -> Engine:
    return _moteur(LETTRES, ACTES, autoescape=True)


@lru_cache(maxsize=1)
def moteur_accords() -> Engine:
    return _moteur(ACCORDS, LETTRES, autoescape=True)


@lru_cache(maxsize=1)
def moteur_courriels() -> Engine:
    """Texte brut : rien à échapper, « Hallam & Reeve » reste « Hallam & Reeve »."""
    return _moteur(COURRIELS, autoescape=False)


@lru_cache(maxsize=1)
def moteur_sms() -> Engine:
    return _moteur(MESSAGES, autoescape=False)


def appliquer(moteur: Engine, gabarit: str, variables: dict) -> str:
    """Rend un gabarit ; lève `VariableInconnue` pour une variable hors du schéma."""
    contexte = ContexteFerme(variables, autoescape=moteur.autoescape, use_l10n=False, use_tz=False)
    return moteur.get_template(gabarit).render(contexte)


_BALISE = re.compile(r"\{\{\s*([\w.]+)|\{%\s*(?:el)?if\s+(.*?)%\}|\{%\s*for\s+(\w+)\s+in\s+([\w.]+)", re.S)
_MOT = re.compile(r"(?<![\"'\w.|:])[a-z_][\w.]*")
_RESERVES = {"and", "or", "not", "in", "is", "True", "False", "None"}


def variables_employees(source: str) -> set[str]:
    """Chemins de variables d'un gabarit, boucles ramenées à leur liste (`ligne.x` → `lignes.x`).

    Lecture du texte seul : elle couvre les opérateurs de `{% if %}`, dont Django tait les erreurs.
    """
    boucles, chemins = {}, set()
    for affichee, condition, element, liste in _BALISE.findall(source):
        if element:
            boucles[element] = liste
            chemins.add(liste)
        for chemin in (
            [affichee] if affichee else _MOT.findall(re.sub(r"\"[^\"]*\"|'[^']*'|\|\w+(:\S+)?", "", condition))
        ):
            if chemin not in _RESERVES and not chemin.startswith("forloop"):
                tete, point, suite = chemin.partition(".")
                chemins.add(boucles[tete] + point + suite if tete in boucles else chemin)
    return chemins
