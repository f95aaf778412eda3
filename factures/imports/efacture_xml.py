"""Le XML d'un inconnu : analysé sans entités, sans DTD, sans réseau, et borné ; puis parcouru par noms locaux."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from itertools import islice

from lxml import etree

from factures.domaine.efacture import ZERO, au_centime

from .nombres import ANNEES, MONTANT_MAX
from .texte import FichierRefuse

TAILLE_MAX = 20 * 1024 * 1024  # octets
NOEUDS_MAX = 400_000  # une facture de dix mille lignes en a moins
PROFONDEUR_MAX = 60
TEXTE_MAX = 4_000
REPETES_MAX = 200  # termes, taux, références, comptes : ce qu'on retient d'un bloc répété

CII = "urn:un:unece:uncefact:data:standard:CrossIndustryInvoice:100"
ZUGFERD_1 = "urn:ferd:CrossIndustryDocument:invoice:1p0"
UBL_FACTURE = "urn:oasis:names:specification:ubl:schema:xsd:Invoice-2"
UBL_AVOIR = "urn:oasis:names:specification:ubl:schema:xsd:CreditNote-2"
RACINES = {
    (CII, "CrossIndustryInvoice"): "cii",
    (ZUGFERD_1, "CrossIndustryDocument"): "cii",
    (UBL_FACTURE, "Invoice"): "ubl",
    (UBL_AVOIR, "CreditNote"): "ubl",
}
STATUTS = ("CrossDomainAcknowledgementAndResponse",)


class Racine:
    """L'arbre d'un document reconnu : sa syntaxe, et ses éléments désignés par leurs noms locaux."""

    __slots__ = ("nom", "espace", "arbre")

    def __init__(self, espace: str, nom: str, arbre):
        self.espace, self.nom, self.arbre = espace, nom, arbre

    @property
    def syntaxe(self) -> str:
        return RACINES.get((self.espace, self.nom), "")


def analyser(octets: bytes, nom: str = "") -> Racine:
    """Analyse durcie ; les espaces de noms tombent, la racine garde le sien. Lève FichierRefuse."""
    if len(octets) > TAILLE_MAX:
        raise FichierRefuse(f"Le document dépasse {TAILLE_MAX // 1024 // 1024} Mo : une facture n'en fait pas tant.")
    if not octets.strip():
        raise FichierRefuse("Le document est vide : demandez-le de nouveau.")
    analyseur = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, dtd_validation=False, huge_tree=False,
        remove_comments=True, remove_pis=True,
    )  # fmt: skip
    try:
        arbre = etree.fromstring(octets, analyseur)
    except (etree.XMLSyntaxError, ValueError, LookupError) as erreur:
        ligne = getattr(erreur, "lineno", None)
        ou = f" à la ligne {ligne}" if ligne else ""
        raise FichierRefuse(f"Le XML est mal formé{ou} : fichier tronqué ou abîmé, demandez-le de nouveau.") from erreur
    except MemoryError as erreur:
        raise FichierRefuse("Le XML est trop complexe pour être une facture.") from erreur
    if arbre.getroottree().docinfo.internalDTD is not None:
        raise FichierRefuse(
            "Le XML déclare un type de document (DTD) : une facture électronique n'en a pas, et il peut cacher une "
            "attaque. Demandez un fichier sans DTD."
        )
    espace, nom_racine = _nom(arbre.tag)
    _denommer(arbre)
    return Racine(espace, nom_racine, arbre)


def _nom(tag: str) -> tuple[str, str]:
    espace, _, local = tag.rpartition("}")
    return espace.lstrip("{"), local


def _denommer(racine) -> None:
    """Garde les noms locaux, en comptant nœuds et profondeur. Lève FichierRefuse au-delà des bornes."""
    compte, niveau = 0, [racine]
    profondeur = 0
    while niveau:
        profondeur += 1
        if profondeur > PROFONDEUR_MAX:
            raise FichierRefuse(f"Le XML dépasse {PROFONDEUR_MAX} niveaux : ce n'est pas une facture.")
        suivant = []
        for element in niveau:
            if not isinstance(element.tag, str):
                raise FichierRefuse("Le XML contient une entité : une facture électronique n'en a pas.")
            compte += 1
            element.tag = element.tag.rpartition("}")[2]
            suivant += element
        if compte > NOEUDS_MAX:
            raise FichierRefuse("Le XML a trop d'éléments pour être une facture : découpez-la.")
        niveau = suivant


# --- Lire un nœud ----------------------------------------------------------------------------


def texte(noeud, chemin: str = "", maximum: int = TEXTE_MAX) -> str:
    """Texte du premier élément du chemin, blancs réduits ; vide s'il manque."""
    if noeud is None:
        return ""
    element = noeud.find(chemin) if chemin else noeud
    if element is None or element.text is None:
        return ""
    return " ".join(element.text[: maximum * 2].replace("\x00", "").split())[:maximum]


def textes(noeud, chemin: str) -> Iterator[str]:
    for element in islice(noeud.iterfind(chemin), REPETES_MAX) if noeud is not None else ():
        if lu := texte(element):
            yield lu


class Champ(FichierRefuse):
    """Un champ illisible, nommé."""

    def __init__(self, champ: str, constat: str):
        super().__init__(f"{champ} : {constat} Faites corriger le document par qui l'a émis.")


def montant(noeud, chemin: str, champ: str) -> Decimal | None:
    """Décimal XML arrondi au centime ; None s'il manque. Lève Champ : illisible, démesuré."""
    brut = texte(noeud, chemin)
    if not brut:
        return None
    valeur = decimal(brut)
    if valeur is None:
        raise Champ(champ, f"« {brut[:30]} » n'est pas un montant.")
    if abs(valeur) > MONTANT_MAX:
        raise Champ(champ, f"« {brut[:30]} » dépasse toute facture plausible.")
    return au_centime(valeur) or ZERO


def decimal(brut: str) -> Decimal | None:
    """xs:decimal : signe, chiffres, point ; ni exposant, ni infini, ni virgule."""
    signe, corps = (brut[0], brut[1:]) if brut.startswith(("+", "-")) else ("", brut)
    entier, _point, decimales = corps.partition(".")
    chiffres = entier + decimales
    if not chiffres.isascii() or not chiffres.isdigit() or len(chiffres) > 30:
        return None
    return Decimal(f"{signe}{entier or '0'}.{decimales}" if decimales else f"{signe}{entier}")


def jour(brut: str, champ: str, forme: str = "") -> date | None:
    """AAAA-MM-JJ (un fuseau ou une heure peut suivre) ou AAAAMMJJ (forme 102) ; None si vide. Lève Champ."""
    if not brut:
        return None
    chiffres = brut[:10].replace("-", "")[:8] if "-" in brut[:10] else brut[:8]
    if len(chiffres) == 8 and chiffres.isascii() and chiffres.isdigit() and forme in ("", "102", "203", "204"):
        try:
            lu = date(int(chiffres[:4]), int(chiffres[4:6]), int(chiffres[6:]))
        except ValueError:
            raise Champ(champ, f"« {brut[:20]} » n'existe pas au calendrier.") from None
        if ANNEES[0] <= lu.year <= ANNEES[1]:
            return lu
    raise Champ(champ, f"« {brut[:20]} » n'est pas une date.")
