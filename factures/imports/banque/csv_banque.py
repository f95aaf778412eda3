"""CSV de banques : préambule sauté, colonnes reconnues à leurs noms ou données par une correspondance de genre banque.

Aucun CSV ne prouve qu'il est complet : quand sa colonne de solde suit ses mouvements, elle donne ouverture et clôture.
"""

import csv
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from factures.domaine.banque_codes import FRAIS, nature_libelle
from factures.domaine.banque_colonnes import note
from factures.domaine.banque_textes import compacter, iban_valide, normaliser

from ..fichier import Fichier, Genre
from ..lecteurs import ContexteLecture
from ..lot import LotLu, MouvementLu, ReleveLu
from ..nombres import Illisible, jour, montant
from ..texte import FichierRefuse
from .commun import CODE, NOM, Carnet, borne, libelle, lot_banque, montant_plausible, reference
from .csv_entete import Tableau, propre, selon, trouver

COMPTES_MAX = 1_000
CELLULES_MAX = 200
# Statuts d'une opération qui n'est pas au solde.
ECARTES = set("PENDING REVERTED DECLINED REFUSE REFUSEE ANNULE ANNULEE FAILED CANCELED CANCELLED".split()) | {
    "EN ATTENTE",
    "EN COURS",
    "A VENIR",
    "REJETE",
    "REJETEE",
}
TOTAUX = ("TOTAL", "SOLDE", "NOUVEAU SOLDE", "ANCIEN SOLDE", "REPORT")


def reconnait(fichier: Fichier) -> dict[str, int]:
    if fichier.genre is not Genre.TEXTE:
        return {}
    tableau = trouver(fichier)
    return {"csv-banque": note(tableau.places)} if tableau else {}


def lire(fichier: Fichier, contexte: ContexteLecture) -> LotLu:
    """Lève FichierRefuse si les colonnes d'un relevé n'y sont pas."""
    tableau = trouver(fichier)
    voulue = contexte.correspondance
    if voulue and voulue.get("genre") == "banque":
        tableau = selon(fichier, voulue)
    if tableau is None:
        raise FichierRefuse(
            "Ces colonnes ne sont pas celles d'un relevé : il y faut une date, un libellé, et un montant, ou un débit "
            "et un crédit."
        )
    lot = lot_banque("csv-banque", contexte, fichier.texte.encodage, tableau.separateur)
    options = (voulue or {}).get("options") or {}
    lot.elements = Lecture(lot, tableau, contexte, options).elements(_lignes(fichier, tableau))
    return lot


def _total(cellules: list[str]) -> bool:
    return normaliser(" ".join(cellules)).startswith(TOTAUX)


def _lignes(fichier: Fichier, tableau: Tableau) -> Iterator[tuple[int, list[str]]]:
    lecteur = csv.reader((f"{ligne}\n" for ligne in fichier.texte.lignes()), delimiter=tableau.separateur)
    try:
        for cellules in lecteur:
            if lecteur.line_num > tableau.saut:
                yield lecteur.line_num, [propre(c) for c in cellules[:CELLULES_MAX]]
    except csv.Error as erreur:
        raise FichierRefuse(
            f"Le CSV se perd à la ligne {lecteur.line_num} : un guillemet n'y est sans doute pas fermé."
        ) from erreur


@dataclass
class _Compte:
    releve: ReleveLu
    somme: int = 0
    du: date | None = None
    au: date | None = None
    soldes: list = field(default_factory=list)  # premier solde, premier montant, dernier solde, dernier montant
    montant_suit: bool = True  # l'ordre du fichier est celui des jours
    montant_precede: bool = True  # l'ordre est inverse


class Lecture:
    """Lit des lignes déjà découpées : un tableur peut s'en servir avec ses propres cellules en texte."""

    def __init__(self, lot, tableau: Tableau, contexte: ContexteLecture, options: Mapping):
        self.lot, self.t, self.options = lot, tableau, options
        self.carnet = Carnet(lot, exige_equilibre=False)
        self.comptes: dict[tuple[str, str], _Compte] = {}
        self.societe = compacter(contexte.vendeur.get("iban", "") or "")
        self.ecartes = 0

    def elements(self, lignes: Iterable[tuple[int, list[str]]]) -> Iterator[ReleveLu | MouvementLu]:
        for numero, cellules in lignes:
            if not any(cellules):
                continue
            self.lot.lignes += 1
            yield from self._ligne(numero, cellules)
        if self.ecartes:
            self.carnet.avertir(f"{self.ecartes} opérations en attente ou refusées laissées de côté.")
        if not self.comptes and not self.lot.rejets:
            raise FichierRefuse("Le fichier ne contient aucune opération sous son en-tête.")
        for compte in self.comptes.values():
            yield self._fermer(compte)
        self.carnet.conclure()

    def _v(self, cellules: list[str], champ: str) -> str:
        rang = self.t.places.get(champ)
        return cellules[rang] if rang is not None and rang < len(cellules) else ""

    def _ligne(self, numero: int, cellules: list[str]) -> Iterator[MouvementLu]:
        texte_date = self._v(cellules, "date")
        try:
            valeur = self._montant(cellules)
        except Illisible as erreur:
            if _total(cellules):
                return
            self.carnet.refuser(numero, "montant", erreur.constat, erreur.conseil)
            return
        if valeur is None or normaliser(texte_date).startswith(TOTAUX) or (not texte_date and _total(cellules)):
            return  # total, solde ou suite de libellé : rien à compter
        if normaliser(self._v(cellules, "statut")) in ECARTES:
            self.ecartes += 1
            return
        try:
            le = jour(texte_date or self._v(cellules, "date_valeur"))
        except Illisible as erreur:
            self.carnet.refuser(numero, "date", erreur.constat, erreur.conseil)
            return
        if not self.t.entete and not self._v(cellules, "libelle").strip():
            self.t.cloture = valeur  # LCL finit par le compte et son solde, sans libellé
            return
        compte = self._compte(numero, cellules)
        if compte is None:
            return
        solde = self._solde(cellules)
        if not valeur:
            self.carnet.nuls += 1
        else:
            yield self._noter(compte, self._mouvement(numero, cellules, compte.releve, le, valeur))
        frais = self._frais(cellules)
        if frais:
            m = self._mouvement(numero, cellules, compte.releve, le, frais)
            m.nature, m.libelle, m.cle_banque = (
                FRAIS,
                libelle("Frais", m.libelle),
                m.cle_banque and f"{m.cle_banque}#frais",
            )
            yield self._noter(compte, m)
        if solde is not None:
            self._suivre(compte, solde, valeur + (frais or 0))

    def _montant(self, cellules: list[str]) -> Decimal | None:
        """Signé, positif au crédit ; None si la ligne ne porte aucun montant."""
        if "montant" in self.t.places:
            texte = self._v(cellules, "montant")
            if not texte.strip():
                return None
            valeur = montant(texte)
            sens = normaliser(self._v(cellules, "sens"))
            if sens in ("D", "DEBIT", "DB") and valeur > 0:
                valeur = -valeur
            if self.options.get("inverser"):
                valeur = -valeur
        else:
            debit, credit = self._v(cellules, "debit").strip(), self._v(cellules, "credit").strip()
            if not debit and not credit:
                return None
            d, c = montant(debit) if debit else Decimal(0), montant(credit) if credit else Decimal(0)
            if d and c:
                raise Illisible("un débit et un crédit sur la même ligne.", "Gardez-en un seul.")
            valeur = c - abs(d)
        if not montant_plausible(valeur):
            raise Illisible("montant invraisemblable.", "Vérifiez la colonne.")
        return valeur

    def _frais(self, cellules: list[str]) -> Decimal | None:
        try:
            return -abs(montant(self._v(cellules, "frais"))) or None
        except Illisible:
            return None

    def _solde(self, cellules: list[str]) -> Decimal | None:
        try:
            return montant(self._v(cellules, "solde")) if self._v(cellules, "solde") else None
        except Illisible:
            return None

    def _compte(self, numero: int, cellules: list[str]) -> _Compte | None:
        identifiant = compacter(self._v(cellules, "compte"))[:60] or compacter(str(self.options.get("compte", "")))[:60]
        identifiant = identifiant or self.t.compte or self.societe
        devise = (
            normaliser(self._v(cellules, "devise"))[:3] or self.t.devise or str(self.options.get("devise") or "EUR")[:3]
        )
        cle = (identifiant, devise)
        if cle not in self.comptes:
            if len(self.comptes) >= COMPTES_MAX:
                self.carnet.refuser(numero, "compte", f"Plus de {COMPTES_MAX} comptes dans un relevé.", "Découpez-le.")
                return None
            if not identifiant or identifiant == self.societe and not self.t.compte and "compte" not in self.t.places:
                ou = "celui de la société" if identifiant else "un compte sans numéro"
                self.carnet.avertir(f"Le fichier ne dit pas de quel compte il vient : il est rangé dans {ou}.")
            iban = identifiant if iban_valide(identifiant) else ""
            releve = self.carnet.ouvrir(numero, identifiant or "SANS-NUMERO", devise, iban=iban)
            self.comptes[cle] = _Compte(releve)
        return self.comptes[cle]

    def _mouvement(self, numero, cellules, releve: ReleveLu, le: date, valeur: Decimal) -> MouvementLu:
        try:
            le_valeur = jour(self._v(cellules, "date_valeur"))
        except Illisible:
            le_valeur = None
        contrepartie = borne(self._v(cellules, "contrepartie"), NOM)
        texte = libelle(self._v(cellules, "libelle"), self._v(cellules, "complement"), contrepartie)
        type_ = self._v(cellules, "type")
        iban = compacter(self._v(cellules, "iban"))
        return MouvementLu(
            numero, releve.cle_source, releve.compte, le, valeur, releve.devise, texte, le_valeur,
            reference=reference(self._v(cellules, "reference")), contrepartie=contrepartie,
            contrepartie_iban=iban if iban_valide(iban) else "",
            nature=nature_libelle(normaliser(f"{type_} {texte}") + " "), code=borne(type_, CODE),
            cle_banque=borne(self._v(cellules, "identifiant"), 140),
        )  # fmt: skip

    def _noter(self, compte: _Compte, m: MouvementLu) -> MouvementLu:
        compte.somme += int(m.montant * 100)
        compte.du = min(compte.du or m.date, m.date)
        compte.au = max(compte.au or m.date, m.date)
        return self.carnet.noter(m, au_solde=False)

    def _suivre(self, compte: _Compte, solde: Decimal, valeur: Decimal) -> None:
        if not compte.soldes:
            compte.soldes = [solde, valeur, solde, valeur]
            return
        precedent, montant_precedent = compte.soldes[2:]
        compte.montant_suit = compte.montant_suit and solde == precedent + valeur
        compte.montant_precede = compte.montant_precede and precedent == solde + montant_precedent
        compte.soldes[2:] = [solde, valeur]

    def _fermer(self, compte: _Compte) -> ReleveLu:
        ouverture = cloture = None
        if compte.soldes:
            premier, premier_montant, dernier, dernier_montant = compte.soldes
            if compte.montant_suit:
                ouverture, cloture = premier - premier_montant, dernier
            elif compte.montant_precede:
                ouverture, cloture = dernier - dernier_montant, premier
            elif premier != dernier:
                self.carnet.avertir(
                    f"Compte {compte.releve.compte} : le solde ne suit pas les mouvements, des lignes manquent ?"
                )
        if len(self.comptes) == 1:
            cloture = self.t.cloture if cloture is None else cloture
            ouverture = self.t.ouverture if ouverture is None else ouverture
        self.carnet.releve, self.carnet._somme, self.carnet._bornes = (
            compte.releve,
            compte.somme,
            [compte.du, compte.au],
        )
        return self.carnet.fermer(compte.releve.ligne, solde_ouverture=ouverture, solde_cloture=cloture)
