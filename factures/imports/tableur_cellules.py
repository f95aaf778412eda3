"""Les cellules d'une ligne, par champ de la maison, et le flux des lignes d'un tableau.

Une cellule illisible est un défaut qui nomme la colonne du fichier ; tous ceux d'une ligne se disent ensemble.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from factures.domaine import correspondance as domaine

from . import csv_grand_livre as maison
from .champs import devise as lire_devise
from .lot import Element, LotLu, Rejet
from .nombres import Illisible
from .tableur_clients import Clients
from .tableur_entete import est_entete_repete, est_total
from .tableur_valeurs import Cellule, en_code, en_date, en_montant, en_texte

ZERO = Decimal("0.00")
CHAMPS_FICHE = {("type_client" if c.nom == "type" else c.nom): c for c in maison.CLIENTS[2:]}
EXEMPLES = 5


def reference_reglement(numero: str) -> str:
    return f"Règlement {numero}"


class Fautives(Exception):
    """Les défauts d'une ligne : [(colonne du fichier, Illisible)]."""

    def __init__(self, defauts: list[tuple[str, Illisible]]):
        self.defauts = defauts
        super().__init__("; ".join(str(e) for _, e in defauts))


@dataclass
class Faits:
    """Ce que la lecture a compté ; les sommes par devise, jamais mêlées."""

    comptes: Counter = field(default_factory=Counter)
    sommes: dict[str, Decimal] = field(default_factory=dict)
    du: date | None = None
    au: date | None = None

    def piece(self, quoi: str, montant: Decimal, devise: str, jour: date) -> None:
        self.comptes[quoi] += 1
        cle = f"total_{quoi}" if devise == "EUR" else f"total_{quoi}_{devise}"
        self.sommes[cle] = self.sommes.get(cle, ZERO) + montant
        if quoi == "factures":
            self.du = jour if self.du is None or jour < self.du else self.du
            self.au = jour if self.au is None or jour > self.au else self.au


class Lignes:
    """Les lignes d'un tableau, cellule par cellule. places : {champ: indice de colonne} ; options : docs/formats.md."""

    def __init__(
        self, genre: str, colonnes: Mapping[str, str], entete: Sequence[str], options: Mapping, clients: Clients, *,
        base_1904: bool = False, au: date = date.max,
    ):  # fmt: skip
        self.genre, self.colonnes, self.entete, self.clients = genre, dict(colonnes), list(entete), clients
        self.places = {champ: self.entete.index(nom) for champ, nom in colonnes.items()}
        self.dates = options.get("dates") or "jma"
        self.decimale = options.get("decimale") or "auto"
        self.devise = options.get("devise") or "EUR"
        self.inverser = bool(options.get("inverser"))
        self.creer = bool(options.get("creer_clients", True))
        self.defaut = date.fromisoformat(options["date_defaut"]) if options.get("date_defaut") else None
        self.base_1904, self.au = base_1904, au
        self.tranches = [(champ, *b) for champ in colonnes if (b := domaine.bornes(champ))]
        self.fiche = [(champ, CHAMPS_FICHE[champ]) for champ in self.places if champ in CHAMPS_FICHE]
        self.faits = Faits()
        self.ecartees: Counter = Counter()
        self.non_lus: dict[str, Counter] = {}
        self.emis: set[str] = set()
        self.rangs: Counter = Counter()
        self.ecartees_ht = 0

    def construire(self) -> list[Element | None]:
        raise NotImplementedError

    # --- Flux ---

    def elements(self, lignes: Iterator[tuple[int, list[Cellule]]], lot: LotLu) -> Iterator[Element]:
        for ligne, cellules in lignes:
            lot.lignes += 1
            if raison := self.a_ecarter(cellules):
                self.ecartees[raison] += 1
                continue
            try:
                lus = self.lire(ligne, cellules)
            except Fautives as fautes:
                self._noter_incomplet(lot, cellules)
                for colonne, erreur in fautes.defauts:
                    lot.rejeter(Rejet.de(ligne, colonne, erreur))
                continue
            yield from lus
        self._conclure(lot)

    def lire(self, ligne: int, cellules: Sequence[Cellule]) -> list[Element]:
        """Les éléments d'une ligne. Lève Fautives."""
        self.ligne, self.cellules, self.defauts, self.neuf = ligne, cellules, [], ""
        lus = self.construire()
        if self.defauts:
            self.emis.discard(self.neuf)  # une ligne refusée ne crée pas de client : une autre s'en chargera
            raise Fautives(self.defauts)
        return [e for e in lus if e is not None]

    def a_ecarter(self, cellules: Sequence[Cellule]) -> str:
        if est_total(cellules):
            return "total"
        if isinstance(cellules[0], str) and est_entete_repete(cellules, self.entete):
            return "en-tête répété"
        if self.genre in (domaine.CLIENTS, domaine.BALANCE):
            return ""
        dits = {champ for champ, i in self.places.items() if i < len(cellules) and cellules[i] != ""}
        if not dits & (domaine.MONTANTS | domaine.DATES | {"numero", "reference"}):
            return "titre"
        if not dits & (domaine.DATES | {"numero", "reference", "code_client"}) and (
            "nom_client" not in dits or en_texte(self._cellule("nom_client", cellules)).casefold().startswith("total")
        ):
            return "total"
        return ""

    def _noter_incomplet(self, lot: LotLu, cellules: Sequence[Cellule]) -> None:
        """Une pièce dont une ligne est refusée ne se prend pas à moitié."""
        for champ, prefixe in (("reference", "R"), ("numero", "F")):
            if texte := en_texte(self._cellule(champ, cellules)).strip():
                lot.cles_rejetees.add(f"CSV:{prefixe}:{texte}")
                if prefixe == "F" and self.genre == domaine.HISTORIQUE:
                    lot.cles_rejetees.add(f"CSV:R:{reference_reglement(texte)}")

    def _conclure(self, lot: LotLu) -> None:
        lot.avertissements += self.clients.annonces()
        for raison, n in self.ecartees.items():
            lot.avertissements.append(f"Lignes écartées ({raison}) : {n}.")
        for colonne, valeurs in self.non_lus.items():
            exemples = ", ".join(f"« {v} »" for v, _ in valeurs.most_common(EXEMPLES))
            lot.avertissements.append(
                f"Colonne « {colonne} » : {sum(valeurs.values())} valeurs non reconnues, laissées vides ({exemples})."
            )
        if self.ecartees_ht:
            lot.avertissements.append(
                f"HT et TVA laissés de côté sur {self.ecartees_ht} lignes : leur somme n'est pas le montant réclamé."
            )
        if self.genre == domaine.BALANCE:
            lot.avertissements.append(
                f"Balance âgée au {self.defaut:%d/%m/%Y} : un poste par client et tranche, sans numéro de facture ; "
                "son échéance est le milieu de sa tranche, estimée. Importez les postes ouverts dès que possible."
            )
        lot.faits |= {"clients": len(self.emis), **self.faits.comptes, **self.faits.sommes}
        if self.ecartees:
            lot.faits["lignes_ecartees"] = sum(self.ecartees.values())
        if self.faits.du:
            lot.faits |= {"du": self.faits.du, "au": self.faits.au}

    # --- Cellules ---

    def _cellule(self, champ: str, cellules: Sequence[Cellule] | None = None) -> Cellule:
        cellules = self.cellules if cellules is None else cellules
        i = self.places.get(champ, -1)
        return cellules[i] if 0 <= i < len(cellules) else ""

    def _faute(self, champ: str, erreur: Illisible) -> None:
        self.defauts.append((self.colonnes.get(champ, champ), erreur))

    def _date(self, champ: str) -> date | None:
        c = self._cellule(champ)
        if c == "" or c == 0:
            return None
        try:
            return en_date(c, self.dates, self.base_1904)
        except Illisible as erreur:
            self._faute(champ, erreur)
            return None

    def _montant(self, champ: str) -> Decimal | None:
        c = self._cellule(champ)
        if c == "" or c == "-":
            return None
        try:
            return en_montant(c, self.decimale)
        except Illisible as erreur:
            self._faute(champ, erreur)
            return None

    def _code(self, champ: str, maximum: int) -> str:
        c = self._cellule(champ)
        if c == "":
            return ""
        try:
            return en_code(c, maximum)
        except Illisible as erreur:
            self._faute(champ, erreur)
            return "?"

    def _texte(self, champ: str, maximum: int) -> str:
        return en_texte(self._cellule(champ))[:maximum] if champ in self.places else ""

    def _devise(self) -> str:
        texte = self._texte("devise", 20)
        try:
            return lire_devise(texte) if texte else self.devise
        except Illisible as erreur:
            self._faute("devise", erreur)
            return self.devise

    def _exiger(self, champ: str, valeur, quoi: str):
        if valeur is None or valeur == "":
            if not any(colonne == self.colonnes.get(champ, champ) for colonne, _ in self.defauts):
                self._faute(champ, Illisible(f"{quoi} absent.", "Remplissez la cellule."))
        return valeur
