"""Lecture d'une cellule : texte → valeur du métier, ou `Illisible` avec un motif et un conseil."""

import re
import unicodedata
from contextlib import suppress
from decimal import Decimal
from functools import lru_cache

from factures.domaine.echeances import ConditionsIllisibles, lire_conditions
from recouvrement.commun.domaine.identifiants import IdentifiantInvalide, verifier_siren, verifier_siret
from recouvrement.commun.domaine.pays import verifier_pays

from .nombres import Illisible, identifiant, jour, montant
from .texte import nettoyer

TYPES = {
    "entreprise": "entreprise societe professionnel pro b2b",
    "particulier": "particulier consommateur prive b2c",
    "administration": "administration public publique collectivite etat b2g",
    "a_qualifier": "a_qualifier aqualifier inconnu",
}
LANGUES = {"fr": "fr francais french fra", "en": "en anglais english eng gb"}
MODES = {
    "virement": "virement vir vrt sepa sct transfer",
    "cheque": "cheque chq ch chqs check",
    "prelevement": "prelevement prlv prel prv sdd",
    "carte": "carte cb tpe",
    "effet": "effet lcr lcn traite bor billet",
    "especes": "especes esp caisse cash liquide",
    "autre": "autre od divers compensation",
}
PAYS = {
    "fr": "france", "be": "belgique", "ch": "suisse", "lu": "luxembourg", "de": "allemagne", "es": "espagne",
    "it": "italie", "nl": "pays-bas", "pt": "portugal", "gb": "royaume-uni", "mc": "monaco", "ie": "irlande",
    "us": "etats-unis", "ca": "canada", "ma": "maroc", "tn": "tunisie", "dz": "algerie", "at": "autriche",
    "pl": "pologne",
}  # fmt: skip
_COURRIEL = re.compile(r"[^@\s,;<>\"]{1,64}@[^@\s,;<>\"]+\.[^@\s,;<>\".]{2,}")
OUI = {"oui", "o", "1", "vrai", "true", "x", "yes", "y"}
NON = {"non", "n", "0", "faux", "false", "no"}


def sans_accent(texte: str) -> str:
    """Minuscules, sans accents : pour reconnaître un mot, jamais pour l'afficher."""
    decompose = unicodedata.normalize("NFD", texte.casefold())
    return "".join(c for c in decompose if not unicodedata.combining(c))


def _par_mot(table: dict[str, str]) -> dict[str, str]:
    return {mot: valeur for valeur, mots in table.items() for mot in mots.split()}


def choix(table: dict[str, str], attendu: str, defaut: str | None = None):
    """Lecteur d'un mot parmi des synonymes ; `defaut` accepte l'inconnu."""
    mots = _par_mot(table)

    @lru_cache(maxsize=256)
    def lire(cellule: str) -> str:
        valeur = mots.get(re.sub(r"[\s_-]", "", sans_accent(cellule)), defaut)
        valeur = valeur or mots.get(re.sub(r"[\s-]", "_", sans_accent(cellule)))
        if valeur is None:
            raise Illisible(f"« {cellule[:30]} » n'est pas reconnu.", f"Attendu : {attendu}.")
        return valeur

    return lire


def texte(maximum: int):
    def lire(cellule: str) -> str:
        if len(cellule) > maximum or not (cellule.isascii() and cellule.isprintable()):
            cellule = nettoyer(cellule)
            if len(cellule) > maximum:
                raise Illisible(f"« {cellule[:30]}… » dépasse {maximum} caractères.", "Raccourcissez la valeur.")
        return cellule

    return lire


def code(maximum: int):
    def lire(cellule: str) -> str:
        return identifiant(cellule if cellule.isascii() and cellule.isprintable() else nettoyer(cellule), maximum)

    return lire


def siren(cellule: str) -> str:
    return _identifiant(verifier_siren, cellule)


def siret(cellule: str) -> str:
    return _identifiant(verifier_siret, cellule)


def _identifiant(verifier, cellule: str) -> str:
    try:
        return verifier(cellule[:30])
    except IdentifiantInvalide as erreur:
        raise Illisible(str(erreur), "Corrigez-le, ou videz la cellule.") from erreur


def courriel(cellule: str) -> str:
    if not _COURRIEL.fullmatch(cellule) or len(cellule) > 254 or ".." in cellule:
        raise Illisible(f"« {cellule[:60]} » n'est pas une adresse.", "Une seule adresse, de la forme nom@domaine.fr.")
    return cellule


@lru_cache(maxsize=256)
def pays(cellule: str) -> str:
    """Code ISO à deux lettres d'un pays qui existe, ou nom français d'un pays courant."""
    with suppress(IdentifiantInvalide):
        return verifier_pays(cellule)
    nom = re.sub(r"[\s']", "-", sans_accent(cellule))
    for iso, libelle in PAYS.items():
        if nom == libelle:
            return iso.upper()
    raise Illisible(f"« {cellule[:30]} » n'est pas un pays reconnu.", "Écrivez son code à deux lettres : FR, BE, DE.")


@lru_cache(maxsize=256)
def devise(cellule: str) -> str:
    valeur = {"€": "EUR", "$": "USD", "£": "GBP", "EURO": "EUR", "EUROS": "EUR"}.get(cellule.upper(), cellule.upper())
    if len(valeur) != 3 or not (valeur.isascii() and valeur.isalpha()):
        raise Illisible(f"« {cellule[:10]} » n'est pas une devise.", "Écrivez son code à trois lettres : EUR, USD.")
    return valeur


def booleen(cellule: str) -> bool:
    mot = sans_accent(cellule)
    if mot not in OUI | NON:
        raise Illisible(f"« {cellule[:10]} » n'est ni oui ni non.", "Écrivez oui ou non.")
    return mot in OUI


def montant_positif(cellule: str) -> Decimal:
    valeur = montant(cellule)
    if valeur < 0:
        raise Illisible(f"« {cellule} » est négatif.", "Écrivez un montant positif, ou videz la cellule.")
    return valeur


def taux(cellule: str) -> Decimal:
    """Pour cent, de 0 à 100 : « 12,40 % », « 12.4 »."""
    valeur = montant(cellule.replace("%", ""))
    if not 0 <= valeur <= 100:
        raise Illisible(f"« {cellule} » n'est pas un taux en pour cent.", "Écrivez par exemple 12,40.")
    return valeur


def entier(maximum: int):
    def lire(cellule: str) -> int:
        if not (cellule.isascii() and cellule.isdigit()) or int(cellule) > maximum:
            raise Illisible(f"« {cellule[:10]} » n'est pas un nombre de 0 à {maximum}.", "Corrigez la cellule.")
        return int(cellule)

    return lire


@lru_cache(maxsize=1024)
def conditions(cellule: str) -> str:
    """Conditions de paiement, rangées sous leur forme brève : « 45 jours fin de mois » → 45FDM."""
    try:
        return lire_conditions(cellule[:200]).code
    except ConditionsIllisibles as erreur:
        raise Illisible(
            f"« {cellule[:40]} » ne se lit pas.", "Écrivez par exemple 30J, 45FDM, 45FDM-B, 30FDM10 ou FD30."
        ) from erreur


__all__ = [
    "LANGUES", "MODES", "TYPES", "booleen", "choix", "code", "conditions", "courriel", "devise", "entier", "jour",
    "montant", "montant_positif", "pays", "sans_accent", "siren", "siret", "taux", "texte",
]  # fmt: skip
