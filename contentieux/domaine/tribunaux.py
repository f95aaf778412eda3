"""Juridiction à saisir en injonction de payer : une proposition, qu'une personne relit.

Compétence du lieu où demeure le débiteur, toute clause contraire réputée non écrite (CPC, art. 1406) :
tribunal de commerce entre commerçants ou artisans, ou des activités économiques dans douze ressorts (arrêté
du 05/07/2024), tribunal judiciaire pour une créance civile, chambre commerciale du tribunal judiciaire en
Alsace-Moselle (C. com., art. L731-1), aucune injonction contre une personne publique. Les ressorts se
suivent par commune : hors des villes de la table, le siège reste à compléter.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from factures.domaine.calendrier import ALSACE_MOSELLE, METROPOLE

from .procedure import Juge

DEPARTEMENTS_ALSACE_MOSELLE = frozenset({"57", "67", "68"})
# Ressorts d'un tribunal qui couvrent tout un département : connaissance, à relire comme le reste.
VILLE_DU_DEPARTEMENT = {"75": "Paris", "78": "Versailles", "92": "Nanterre"}
# Formes dont l'activité est civile : le juge est le tribunal judiciaire.
CIVILES = re.compile(
    r"\b(SCI|SCM|SCP|SCEA|GAEC|EARL|GFA|SEL\w*|ASSOCIATION|ASSO|SYNDICAT|FONDATION|MUTUELLE"
    r"|SOCIETE CIVILE|PROFESSION LIBERALE|EXPLOITANT AGRICOLE)\b"
)


class Genre(StrEnum):
    COMMERCE = "commerce"
    ACTIVITES_ECONOMIQUES = "tae"
    CHAMBRE_COMMERCIALE = "chambre_commerciale"
    JUDICIAIRE = "judiciaire"
    AUCUNE = "aucune"
    A_DETERMINER = "a_determiner"


JUGES = {
    Genre.COMMERCE: Juge.COMMERCE,
    Genre.ACTIVITES_ECONOMIQUES: Juge.COMMERCE,
    # En Alsace-Moselle, la chambre commerciale siège au tribunal judiciaire : ses règles sont celles de ce tribunal.
    Genre.CHAMBRE_COMMERCIALE: Juge.JUDICIAIRE,
    Genre.JUDICIAIRE: Juge.JUDICIAIRE,
}


@dataclass(frozen=True, slots=True)
class Ressort:
    """Tribunal des activités économiques et sa période d'expérimentation."""

    ville: str
    debut: date
    fin: date
    source: str


@dataclass(frozen=True, slots=True)
class Juridiction:
    """Proposition : `nom` est complet si `complete`, sinon le siège est à chercher par une personne."""

    genre: Genre
    nom: str
    texte: str
    formulaire: str = ""
    competence: str = ""  # phrase de la requête
    notes: tuple[str, ...] = ()
    complete: bool = False

    @property
    def injonction_possible(self) -> bool:
        return self.genre in JUGES


def lire_ressorts(lignes: Iterable[Mapping[str, str]]) -> tuple[Ressort, ...]:
    return tuple(
        Ressort(x["ville"], date.fromisoformat(x["debut"]), date.fromisoformat(x["fin_calculee"]), x["source"])
        for x in lignes
    )


def proposer(
    *,
    type_debiteur: str,
    forme: str,
    code_postal: str,
    ville: str,
    pays: str,
    ressorts: Iterable[Ressort],
    au: date,
) -> Juridiction:
    """Juridiction proposée pour un débiteur, par sa qualité et le lieu où il demeure."""
    if type_debiteur == "administration":
        return Juridiction(
            Genre.AUCUNE,
            "",
            "CJA, art. R541-1 ; CGCT, art. L1612-15 et L1612-16",
            notes=(
                "Aucune injonction de payer contre une personne publique : mandatement d'office ou référé-provision.",
            ),
        )
    departement = code_postal.strip()[:2]
    if (pays or "FR") != "FR" or departement in ("97", "98") or not ville.strip():
        note = (
            "Adresse du débiteur incomplète : le tribunal est celui du lieu où il demeure."
            if not ville.strip()
            else "Débiteur hors de la métropole : juridiction à déterminer par une personne."
        )
        return Juridiction(Genre.A_DETERMINER, "", "CPC, art. 1406", notes=(note,))
    lieu = ville.strip()
    forme_lue = _sans_accent(forme)
    civil = type_debiteur == "particulier" or bool(CIVILES.search(forme_lue))
    if civil:
        notes = () if type_debiteur == "particulier" else ("Forme civile : vérifiez l'activité du débiteur.",)
        return Juridiction(
            Genre.JUDICIAIRE,
            "tribunal judiciaire",
            "CPC, art. 1405 et 1406 ; COJ, art. L211-3",
            formulaire="cerfa 12948",
            competence="Créance civile ; le débiteur demeure dans le ressort du tribunal (article 1406 du code de "
            "procédure civile).",
            notes=(*notes, f"Siège à compléter : tribunal judiciaire du ressort de {lieu}.",
                   "Crédit à la consommation ou bail d'habitation : juge des contentieux de la protection."),
        )  # fmt: skip
    doute = () if forme_lue.strip() else ("Forme du débiteur inconnue : vérifiez qu'il est commerçant ou artisan.",)
    if departement in DEPARTEMENTS_ALSACE_MOSELLE:
        return Juridiction(
            Genre.CHAMBRE_COMMERCIALE,
            "chambre commerciale du tribunal judiciaire",
            "C. com., art. L731-1 ; CPC, art. 1406",
            formulaire="cerfa 12948",
            competence="Créance entre commerçants ; le débiteur demeure dans le ressort du tribunal, dont la chambre "
            "commerciale connaît de l’affaire (articles 1406 du code de procédure civile et L. 731-1 du code de "
            "commerce).",
            notes=(*doute, f"Siège à compléter : tribunal judiciaire du ressort de {lieu} (Alsace-Moselle)."),
        )
    ressort = _ressort(departement, lieu, ressorts, au)
    if ressort:
        return Juridiction(
            Genre.ACTIVITES_ECONOMIQUES,
            f"tribunal des activités économiques {_de(ressort.ville)}",
            f"CPC, art. 1406 ; {ressort.source.partition(' ;')[0]}",
            formulaire="cerfa 12946",
            notes=(*doute, "Contribution de 3 à 5 % au-delà de 50 000 € si le demandeur emploie 250 salariés ou plus."),
            complete=True,
        )
    return Juridiction(
        Genre.COMMERCE,
        "tribunal de commerce",
        "C. com., art. L721-3 ; CPC, art. 1406",
        formulaire="cerfa 12946",
        notes=(*doute, f"Siège à compléter : tribunal de commerce du ressort de {lieu}."),
    )


def region_feries(code_postal: str) -> str:
    """Région des jours fériés du lieu où se déroule la procédure."""
    return ALSACE_MOSELLE if code_postal.strip()[:2] in DEPARTEMENTS_ALSACE_MOSELLE else METROPOLE


def distance_mois(code_postal: str, pays: str) -> int:
    """Allongement des délais du débiteur : 2 mois à l'étranger, 1 outre-mer (CPC, art. 643, lecture)."""
    if (pays or "FR") != "FR":
        return 2
    return 1 if code_postal.strip()[:2] in ("97", "98") else 0


def _ressort(departement: str, ville: str, ressorts: Iterable[Ressort], au: date) -> Ressort | None:
    cherchee = _commune(VILLE_DU_DEPARTEMENT.get(departement, ville))
    return next((r for r in ressorts if _commune(r.ville) == cherchee and r.debut <= au <= r.fin), None)


def _sans_accent(texte: str) -> str:
    plat = unicodedata.normalize("NFKD", texte).encode("ascii", "ignore").decode()
    return re.sub(r"[^A-Z0-9]+", " ", plat.upper()).strip()


def _commune(ville: str) -> str:
    """« Lyon Cedex 03 », « ST-BRIEUC », « Paris 8e arrondissement » → LYON, SAINT BRIEUC, PARIS."""
    nom = re.sub(r"\bST\b", "SAINT", _sans_accent(ville))
    return re.sub(r" (CEDEX|\d).*$", "", nom)


def _de(ville: str) -> str:
    """Article devant un nom de ville : de Lyon, d'Avignon, du Havre, du Mans."""
    if ville.startswith("Le "):
        return f"du {ville[3:]}"
    return f"d’{ville}" if ville[0] in "AEIOUYÉ" else f"de {ville}"
