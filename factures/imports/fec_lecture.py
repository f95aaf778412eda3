"""Les lignes d'un FEC (A47 A-1 du LPF) : en-tête, montants, écritures, nature de chacune.

Toutes les lignes servent à prouver l'équilibre et à reconnaître la nature des écritures ; seules celles des
comptes 411 (clients) et 416 (douteux) sont gardées.
"""

import csv
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import lru_cache
from hashlib import sha256

from factures.domaine.fec_corrections import Corrections
from factures.domaine.fec_lignes import ZERO, Ligne, Nature

from .lot import LotLu, Rejet
from .nombres import Illisible, jour, montant
from .texte import FichierRefuse, Texte, nettoyer

COLONNES = (
    "journalcode journallib ecriturenum ecrituredate comptenum comptelib compauxnum compauxlib pieceref piecedate "
    "ecriturelib debit credit ecriturelet datelet validdate montantdevise idevise"
).split()
OBLIGATOIRES = "journalcode ecriturenum ecrituredate comptenum".split()
SUIVIS = ("413", "418", "419")  # voisins du 411, hors de notre solde mais à signaler

# Nature d'une écriture : un bit par famille de comptes mouvementés.
PRODUIT, TVA, FINANCE, CHARGE, BILAN = 1, 2, 4, 8, 16
_A_NOUVEAU = re.compile(r"nouveau|ouverture", re.IGNORECASE)
_CODES_A_NOUVEAU = {"AN", "RAN", "ANO", "ANV", "AAN", "OUV", "RAN1", "A.N", "A-N", "ANC"}
_SENS = {
    "d": 1, "debit": 1, "débit": 1, "+1": 1, "1": 1, "+": 1, "c": -1, "credit": -1, "crédit": -1, "-1": -1, "-": -1,
}  # fmt: skip
_MODES_ECRITS = {
    "chq": "cheque", "chè": "cheque", "che": "cheque", "vir": "virement", "cb": "carte", "car": "carte",
    "esp": "especes", "liq": "especes", "pr": "prelevement", "lcr": "effet", "tra": "effet", "eff": "effet",
}  # fmt: skip
_MODES = {"5112": "cheque", "5113": "effet", "5114": "effet", "53": "especes", "413": "effet"}


@lru_cache(maxsize=65_536)
def montant_fec(texte: str) -> Decimal:
    """Montant d'un FEC : virgule ou point décimal, zéros et blancs de cadrage, vide = zéro."""
    propre = texte.strip()
    if not propre:
        return ZERO
    if lu := re.fullmatch(r"([+-]?[0-9]*)[.,]([0-9]{3,})", propre):
        # Sans séparateur de milliers dans un FEC, « 12,500 » est douze et demi ; « 12,505 » n'est rien.
        if lu[2][2:].strip("0"):
            raise Illisible(f"« {propre} » a plus de deux décimales.", "Arrondissez au centime dans le logiciel.")
        propre = f"{lu[1] or '0'},{lu[2][:2]}"
    return montant(propre)


def _date_ou_rien(texte: str) -> date | None:
    """Date facultative ; blancs et zéros de cadrage valent vide."""
    propre = texte.strip()
    return jour(propre) if propre.strip("0") else None


# --- En-tête ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class EnteteFec:
    separateur: str
    places: dict[str, int]
    largeur: int  # colonnes nommées
    cellules: int  # avec les séparateurs finaux
    guillemets: bool


def lire_entete(ligne: str) -> EnteteFec | None:
    """Reconnaît l'en-tête d'un FEC, quels que soient la casse, le séparateur et le nombre de colonnes."""
    separateur = max("\t|;,", key=ligne.count)
    guillemets = ligne.lstrip("\ufeff").startswith('"')
    noms = [re.sub(r"[\W_]", "", nom).casefold() for nom in ligne.split(separateur)]
    places = {}
    for i, nom in enumerate(noms):
        if nom:
            places.setdefault(nom, i)
    if len(places.keys() & set(COLONNES)) < 6 or "comptenum" not in places:
        return None
    return EnteteFec(separateur, places, max(places.values()) + 1, len(noms), guillemets)


def entete_de(texte: Texte) -> EnteteFec:
    premiere = next((x for x in texte.debut().split("\n") if x.strip()), "")
    entete = lire_entete(premiere)
    if entete is None:
        raise FichierRefuse("La première ligne n'est pas l'en-tête d'un FEC (JournalCode, JournalLib, EcritureNum…).")
    absentes = [nom for nom in OBLIGATOIRES if nom not in entete.places]
    if not {"debit", "credit"} <= entete.places.keys() and not {"montant", "sens"} <= entete.places.keys():
        absentes.append("Debit et Credit (ou Montant et Sens)")
    if absentes:
        raise FichierRefuse(f"Colonnes du FEC absentes : {', '.join(absentes)}. Refaites l'export.")
    return entete


# --- Lecture ---------------------------------------------------------------------------------


class Lecture:
    """Accumule un FEC ligne à ligne : équilibre, natures, lignes client. Mémoire : celle des écritures."""

    def __init__(self, lot: LotLu, corrections: Corrections | None = None):
        self.lot = lot
        self.corrections = corrections or Corrections()
        self.ecartes: dict[str, Decimal] = {}  # comptes dits « pas un client », et leur solde
        self.retenues = 0  # lignes de retenue de garantie
        self.debit_client = self.credit_client = ZERO
        self.debit = self.credit = ZERO
        self.balances: dict[str, tuple[Decimal, int]] = {}  # écritures non équilibrées : solde, première ligne
        self.familles: dict[str, int] = {}
        self.tva: dict[str, Decimal] = {}
        self.tresorerie: dict[str, str] = {}  # écriture → compte de trésorerie mouvementé
        self.journaux: dict[str, Counter] = defaultdict(Counter)
        self.libelles_journaux: dict[str, str] = {}
        self.lignes: list[Ligne] = []
        self.noms: dict[str, str] = {}
        self.rangs: Counter = Counter()
        self.voisins: dict[str, Decimal] = defaultdict(lambda: ZERO)
        self.du = date.max
        self.au = date.min
        self.devises: Counter = Counter()

    def lire(self, enregistrements: Iterable[tuple[int, list[str]]], entete: EnteteFec) -> None:
        place = entete.places.get
        en_sens = "debit" not in entete.places or "credit" not in entete.places
        i_debit = place("montant") if en_sens else place("debit")
        i_credit = place("sens") if en_sens else place("credit")
        i_journal, i_num, i_date, i_compte = (place(nom) for nom in OBLIGATOIRES)
        suffisante = max(i_debit, i_credit, i_journal, i_num, i_date, i_compte) + 1
        lot = self.lot
        for numero, cellules in enregistrements:
            lot.lignes += 1
            lues = len(cellules)
            if lues < suffisante or lues > entete.largeur and any(x.strip() for x in cellules[entete.largeur :]):
                lot.rejeter(_mauvaise_largeur(numero, lues, entete, suffisante))
                continue
            champ = "Montant" if en_sens else "Debit"
            try:
                debit = montant_fec(cellules[i_debit])
                champ = "Sens" if en_sens else "Credit"
                if en_sens:
                    solde = debit * _sens(cellules[i_credit], debit)
                    debit, credit = (solde, ZERO) if solde > 0 else (ZERO, -solde)
                else:
                    credit = montant_fec(cellules[i_credit])
                    solde = debit - credit
                champ = "EcritureDate"
                quand = jour(cellules[i_date])
            except Illisible as erreur:
                decalee = lues > entete.cellules  # les colonnes ont glissé : la cause est ailleurs que dans la cellule
                lot.rejeter(
                    _mauvaise_largeur(numero, lues, entete, suffisante) if decalee else Rejet.de(numero, champ, erreur)
                )
                continue
            self.debit += debit
            self.credit += credit
            if quand < self.du:
                self.du = quand
            if quand > self.au:
                self.au = quand
            journal, num = cellules[i_journal].strip(), cellules[i_num].strip()
            if not num and (i_piece := place("pieceref")) is not None and i_piece < lues:
                num = cellules[i_piece].strip()
            ecriture = f"{quand:%Y%m%d}:{journal}:{num}"
            ancien, premiere = self.balances.get(ecriture, (ZERO, numero))
            if balance := ancien + solde:
                self.balances[ecriture] = (balance, premiere)
            else:
                self.balances.pop(ecriture, None)
            compte = cellules[i_compte].strip()
            self._famille(ecriture, journal, compte, solde)
            if compte.startswith(("411", "416")):
                try:
                    self._ligne_client(numero, cellules, entete, quand, journal, num, compte, ecriture, solde)
                except _ChampIllisible as erreur:
                    lot.rejeter(Rejet.de(numero, erreur.champ, erreur))
            elif compte.startswith(SUIVIS):
                self.voisins[compte[:3]] += solde
            if journal not in self.libelles_journaux:
                i = place("journallib")
                self.libelles_journaux[journal] = cellules[i].strip() if i is not None and i < lues else ""

    def _famille(self, ecriture: str, journal: str, compte: str, solde: Decimal) -> None:
        bit = 0
        if compte.startswith("7"):
            bit = 0 if compte.startswith(("76", "77", "78", "79")) else PRODUIT
        elif compte.startswith("4457"):
            bit = TVA
            self.tva[ecriture] = self.tva.get(ecriture, ZERO) - solde
        elif compte.startswith(("51", "52", "53", "54", "58")):
            bit = FINANCE
            self.tresorerie[ecriture] = compte
        elif compte.startswith("413"):
            bit = FINANCE
            self.tresorerie.setdefault(ecriture, compte)
        elif compte.startswith("6"):
            bit = CHARGE
        elif compte.startswith("89"):
            bit = BILAN
        if bit:
            self.familles[ecriture] = self.familles.get(ecriture, 0) | bit
            self.journaux[journal][bit] += 1

    def _ligne_client(self, numero, cellules, entete, quand, journal, num, compte, ecriture, solde) -> None:
        lues = len(cellules)

        def cellule(nom: str) -> str:
            i = entete.places.get(nom)
            return nettoyer(cellules[i]) if i is not None and i < lues else ""

        def quand_facultatif(nom: str, champ: str) -> date | None:
            try:
                return _date_ou_rien(cellule(nom))
            except Illisible as erreur:
                raise _ChampIllisible(champ, erreur) from erreur

        # BNC et BA : à défaut d'auxiliaire, le vingt-deuxième champ nomme le client.
        auxiliaire = cellule("compauxnum") or (cellule("idclient") if not cellule("compauxlib") else "")
        origine = _code_client(auxiliaire or compte)
        nom = (cellule("compauxlib") or cellule("idclient")) if auxiliaire else cellule("comptelib")
        base = _cle_ecriture(quand, journal, num)
        self.rangs[base] += 1  # la clé ne dépend pas des corrections
        client = _code_client(self.corrections.client(origine, f"{base}:{self.rangs[base]}"))
        if not self.noms.get(client):
            self.noms[client] = nom
        if origine in self.corrections.non_clients:
            self.ecartes[origine] = self.ecartes.get(origine, ZERO) + solde
            return
        self.retenues += compte.startswith("4117")
        if solde > 0:
            self.debit_client += solde
        else:
            self.credit_client -= solde
        if devise := cellule("idevise"):
            self.devises[devise] += 1
        self.lignes.append(
            Ligne(
                numero, journal, num, quand, compte, client, cellule("pieceref"),
                quand_facultatif("piecedate", "PieceDate"), cellule("ecriturelib"), solde, cellule("ecriturelet"),
                quand_facultatif("datelet", "DateLet"), Nature.AUTRE, ecriture, f"{base}:{self.rangs[base]}", None,
                _mode(cellule("moderglt")), bool(auxiliaire),
            )
        )  # fmt: skip

    def qualifier(self) -> None:
        """Donne sa nature à chaque ligne client : l'écriture d'abord, le journal à défaut."""
        par_ecriture = Counter(x.ecriture for x in self.lignes)
        a_nouveau = {
            journal
            for journal, libelle in self.libelles_journaux.items()
            if journal.upper() in _CODES_A_NOUVEAU or _A_NOUVEAU.search(libelle)
        }
        for x in self.lignes:
            bits = self.familles.get(x.ecriture, 0)
            if not bits and x.ecriture in self.balances and (compte := self.journaux.get(x.journal)):
                bits = compte.most_common(1)[0][0]  # numérotée ligne à ligne : le journal tranche
            if x.journal in a_nouveau or bits & BILAN:
                x.nature = Nature.A_NOUVEAU
            elif bits & FINANCE and not (x.solde > 0 and bits & PRODUIT):
                x.nature = Nature.TRESORERIE
                tresorerie = self.tresorerie.get(x.ecriture, "")
                if x.mode == "autre":
                    x.mode = next(
                        (mode for racine, mode in _MODES.items() if tresorerie.startswith(racine)), "virement"
                    )
            elif bits & (PRODUIT | TVA):
                x.nature = Nature.VENTE
                if par_ecriture[x.ecriture] == 1 and x.solde > 0:
                    x.tva = self.tva.get(x.ecriture, ZERO)
            elif bits & CHARGE:
                x.nature = Nature.CHARGE


class _ChampIllisible(Illisible):
    def __init__(self, champ: str, erreur: Illisible):
        super().__init__(erreur.constat, erreur.conseil)
        self.champ = champ


def _mauvaise_largeur(ligne: int, lues: int, entete: EnteteFec, suffisante: int) -> Rejet:
    conseil = (
        "La ligne est tronquée : refaites l'export."
        if lues < suffisante
        else "Un séparateur se trouve dans un libellé : refaites l'export avec un autre séparateur."
    )
    return Rejet(ligne, "ligne", f"{lues} colonnes au lieu de {entete.largeur}.", conseil)


def _mode(texte: str) -> str:
    """Mode de règlement d'un FEC de BNC ou BA (« CHQ 1234 », « Virement »), vers celui de la maison."""
    propre = texte.casefold()
    return next((mode for debut, mode in _MODES_ECRITS.items() if propre.startswith(debut)), "autre")


def _sens(texte: str, valeur: Decimal) -> int:
    sens = _SENS.get(texte.strip().casefold())
    if sens is None:
        if not valeur and not texte.strip():
            return 1
        raise Illisible(f"« {texte.strip()[:10]} » n'est pas un sens.", "Attendu : D ou C, +1 ou -1.")
    return sens


def _code_client(compte: str) -> str:
    """Tel quel jusqu'à 40 caractères ; au-delà, abrégé sans confondre deux comptes."""
    return compte if len(compte) <= 40 else f"{compte[:31]}~{sha256(compte.encode()).hexdigest()[:8]}"


def _cle_ecriture(quand: date, journal: str, num: str) -> str:
    cle = f"FEC:{quand:%Y%m%d}:{journal}:{num}"
    return cle if len(cle) <= 60 else f"FEC:{quand:%Y%m%d}:{sha256(cle.encode()).hexdigest()[:40]}"


def enregistrements(texte: Texte, entete: EnteteFec) -> Iterator[tuple[int, list[str]]]:
    """(numéro de ligne, cellules) ; la norme n'a pas de guillemets, quelques logiciels en mettent."""
    commence = False
    for numero, ligne in enumerate(texte.lignes(), 1):
        if not ligne or ligne == "\x1a" or ligne.isspace():
            continue
        if not commence:
            commence = True
            continue
        if entete.guillemets:
            yield numero, next(csv.reader([ligne], delimiter=entete.separateur), [])
        else:
            yield numero, ligne.split(entete.separateur)
