"""Le vocabulaire de la reconstruction d'un FEC : lignes lues, postes rendus. Pur."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import Enum

ZERO = Decimal("0.00")


class Nature(Enum):
    """Ce qu'est l'écriture d'une ligne, d'après ses autres comptes ou, à défaut, son journal."""

    VENTE = "vente"  # contrepartie de produits ou de TVA collectée
    TRESORERIE = "tresorerie"  # banque, caisse, effets
    A_NOUVEAU = "a_nouveau"
    CHARGE = "charge"  # perte, escompte, écart de règlement : la dette baisse sans argent
    AUTRE = "autre"


@dataclass(slots=True)
class Ligne:
    """Une ligne d'un compte 411 ou 416. `solde` = débit − crédit, en euros."""

    ligne: int
    journal: str
    numero: str  # EcritureNum
    date: date
    compte: str
    client: str
    piece: str
    piece_date: date | None
    libelle: str
    solde: Decimal
    lettrage: str
    date_lettrage: date | None
    nature: Nature
    ecriture: str  # identifie l'écriture dans le fichier
    cle: str  # clé source, stable d'un export à l'autre
    tva: Decimal | None = None  # TVA de l'écriture, si elle n'a qu'une ligne client
    mode: str = "autre"
    auxiliaire: bool = True  # faux : le compte n'a pas d'auxiliaire


@dataclass(slots=True)
class Poste:
    """Un débit (facture, rejet, à-nouveau) ou un crédit (règlement, avoir) et ce qu'il en reste à lettrer."""

    cle: str
    client: str
    debit: bool
    montant: Decimal  # positif
    reste: Decimal
    date: date  # émission de la pièce, ou jour du règlement
    nature: Nature
    ligne: int = 0
    journal: str = ""
    compte: str = "411"
    ecriture: str = ""
    piece: str = ""
    libelle: str = ""
    lettrage: str = ""
    date_lettrage: date | None = None
    numero: str = ""  # ce qu'on montre ; vrai numéro de facture seulement si `numero_reel`
    numero_reel: bool = False
    facture: str = ""  # clé commune aux lignes d'une même facture
    echeance: date | None = None
    tva: Decimal | None = None
    est_avoir: bool = False
    mode: str = "autre"
    connu: bool = False  # déjà en base : repris, pas recréé
    report: bool = False  # né avant l'exercice en cours de lecture, ou par l'à-nouveau

    @property
    def signe(self) -> Decimal:
        """Ce que le poste pèse encore dans le solde du client."""
        return self.reste if self.debit else -self.reste


@dataclass(slots=True, frozen=True)
class Imputation:
    debit: str
    credit: str
    est_avoir: bool
    date: date
    montant: Decimal


@dataclass(slots=True, frozen=True)
class Inexplique:
    """`montant` positif : dû par le client ; négatif : en sa faveur."""

    client: str
    nature: str  # lettrage, a_nouveau, collectif
    detail: str
    montant: Decimal
    cle: str = ""
    ligne: int = 0


@dataclass(slots=True)
class Reconstitution:
    postes: list[Poste] = field(default_factory=list)
    imputations: list[Imputation] = field(default_factory=list)
    inexpliques: list[Inexplique] = field(default_factory=list)
    soldes: dict[str, Decimal] = field(default_factory=dict)  # solde comptable à la fin du fichier, par client
    lettrages_partiels: int = 0
    reprises: int = 0  # lignes d'à-nouveau reconnues comme des postes déjà là
    avertissements: list[str] = field(default_factory=list)
    reemplois: Counter = field(default_factory=Counter)  # codes de lettrage réemployés, par client


def total(postes) -> Decimal:
    return sum((p.signe for p in postes), ZERO)
