"""Les écritures comptables que le recouvrement appelle, en partie double (droit.md § 10 ; PCG). Pur.

Passage en douteux (416 / 411, TTC), dépréciation (6817 / 491, sur le HT) et leurs reprises, pénalités et indemnités
perçues (numéro de compte à la main de la société : le règlement ANC 2022-06 a remanié les 77), escompte accordé (665 et
TVA), écarts de règlement et frais retenus. Chaque écriture s'équilibre au centime, et dit d'où elle vient.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum

ZERO = Decimal("0.00")
CENT = Decimal("0.01")


class Usage(StrEnum):
    """Ce à quoi un compte sert ; la société dit son numéro, la maison en propose un quand le PCG le fixe."""

    JOURNAL = "journal"
    CLIENT = "client"
    DOUTEUX = "douteux"
    DOTATION = "dotation"
    DEPRECIATION = "depreciation"
    REPRISE = "reprise"
    INTERETS = "interets"
    INDEMNITE = "indemnite"
    ESCOMPTE = "escompte"
    TVA = "tva"
    ECART = "ecart"
    FRAIS = "frais"
    PERTE = "perte"


# Interets et indemnites n'ont pas de numéro proposé : à la société de le donner (confiance V, droit.md § 10).
PROPOSES: Mapping[Usage, str] = {
    Usage.JOURNAL: "OD",
    Usage.CLIENT: "411000",
    Usage.DOUTEUX: "416000",
    Usage.DOTATION: "681740",
    Usage.DEPRECIATION: "491000",
    Usage.REPRISE: "781740",
    Usage.ESCOMPTE: "665000",
    Usage.TVA: "445710",
    Usage.ECART: "658000",
    Usage.FRAIS: "627000",
    Usage.PERTE: "654000",
}


# Intitulés des lignes exportées, en français quelle que soit la langue de l'écran.
INTITULES: Mapping[Usage, str] = {
    Usage.CLIENT: "Clients",
    Usage.DOUTEUX: "Clients douteux ou litigieux",
    Usage.DOTATION: "Dotations aux dépréciations des créances",
    Usage.DEPRECIATION: "Dépréciation des comptes clients",
    Usage.REPRISE: "Reprises sur dépréciations des créances",
    Usage.INTERETS: "Pénalités de retard perçues",
    Usage.INDEMNITE: "Indemnités de recouvrement perçues",
    Usage.ESCOMPTE: "Escomptes accordés",
    Usage.TVA: "TVA collectée",
    Usage.ECART: "Écarts de règlement",
    Usage.FRAIS: "Services bancaires",
    Usage.PERTE: "Pertes sur créances irrécouvrables",
}


class CompteAbsent(Exception):
    """Une écriture demande un compte que la société n'a pas donné : rien ne s'exporte, et on dit lequel."""

    def __init__(self, usages: Iterable[Usage]):
        self.usages = sorted(set(usages))
        super().__init__(", ".join(self.usages))


@dataclass(frozen=True)
class Tiers:
    """Le compte auxiliaire : code et nom du client."""

    code: str
    nom: str


@dataclass(frozen=True)
class Ligne:
    """Un seul des deux montants n'est pas nul. tiers : sur un compte collectif (411, 416)."""

    compte: str
    debit: Decimal
    credit: Decimal
    tiers: Tiers | None = None


@dataclass(frozen=True)
class Ecriture:
    """cle : stable d'un export à l'autre. piece, piece_le : le justificatif."""

    cle: str
    le: date
    journal: str
    libelle: str
    piece: str
    piece_le: date
    lignes: tuple[Ligne, ...]

    @property
    def debit(self) -> Decimal:
        return sum((x.debit for x in self.lignes), ZERO)

    @property
    def equilibree(self) -> bool:
        return self.debit == sum((x.credit for x in self.lignes), ZERO) and self.debit > 0


@dataclass(frozen=True)
class Comptes:
    """{usage: numéro} de la société, complété des numéros proposés."""

    numeros: Mapping[Usage, str]

    def __getitem__(self, usage: Usage) -> str:
        numero = self.numeros.get(usage) or PROPOSES.get(usage, "")
        if not numero:
            raise CompteAbsent([usage])
        return numero


def _debit(compte: str, montant: Decimal, tiers: Tiers | None = None) -> Ligne:
    return Ligne(compte, montant, ZERO, tiers)


def _credit(compte: str, montant: Decimal, tiers: Tiers | None = None) -> Ligne:
    return Ligne(compte, ZERO, montant, tiers)


def _arrondi(valeur: Decimal) -> Decimal:
    return valeur.quantize(CENT, rounding=ROUND_HALF_UP)


@dataclass(frozen=True)
class FaitDouteux:
    """Une facture passée en douteux. reste, reste_a_la_reprise : TTC dus ces jours-là. part_ht : HT / TTC de la pièce.

    taux : dépréciation en pour cent du HT restant.
    """

    cle: str
    tiers: Tiers
    piece: str
    piece_le: date
    passe_le: date
    reste: Decimal
    part_ht: Decimal
    taux: Decimal
    repris_le: date | None = None
    reste_a_la_reprise: Decimal = ZERO

    @property
    def depreciation(self) -> Decimal:
        return _arrondi(_arrondi(self.reste * self.part_ht) * self.taux / 100)


def douteux(fait: FaitDouteux, comptes: Comptes) -> list[Ecriture]:
    """416 / 411 pour le TTC dû, 6817 / 491 sur le HT ; à la reprise, l'inverse de ce qui reste et toute la provision.

    Ce qui a été payé entre-temps a soldé le 416 par l'encaissement : seul le reste revient en 411.
    """
    journal, client, collectif = comptes[Usage.JOURNAL], comptes[Usage.CLIENT], comptes[Usage.DOUTEUX]
    commun = {"journal": journal, "piece": fait.piece, "piece_le": fait.piece_le}
    ecritures = []
    if fait.reste > 0:
        lignes = (_debit(collectif, fait.reste, fait.tiers), _credit(client, fait.reste, fait.tiers))
        libelle = f"Passage en douteux {fait.tiers.nom}"
        ecritures.append(Ecriture(f"{fait.cle}:416", fait.passe_le, libelle=libelle, lignes=lignes, **commun))
    if provision := fait.depreciation:
        lignes = (_debit(comptes[Usage.DOTATION], provision), _credit(comptes[Usage.DEPRECIATION], provision))
        libelle = f"Dépréciation {fait.taux:.0f} % {fait.tiers.nom}"
        ecritures.append(Ecriture(f"{fait.cle}:491", fait.passe_le, libelle=libelle, lignes=lignes, **commun))
    if fait.repris_le is None:
        return ecritures
    if provision:
        lignes = (_debit(comptes[Usage.DEPRECIATION], provision), _credit(comptes[Usage.REPRISE], provision))
        libelle = f"Reprise de dépréciation {fait.tiers.nom}"
        ecritures.append(Ecriture(f"{fait.cle}:R491", fait.repris_le, libelle=libelle, lignes=lignes, **commun))
    if fait.reste_a_la_reprise > 0:
        reste = fait.reste_a_la_reprise
        lignes = (_debit(client, reste, fait.tiers), _credit(collectif, reste, fait.tiers))
        libelle = f"Retour de douteux {fait.tiers.nom}"
        ecritures.append(Ecriture(f"{fait.cle}:R416", fait.repris_le, libelle=libelle, lignes=lignes, **commun))
    return ecritures


@dataclass(frozen=True)
class FaitAccessoires:
    """Intérêts et indemnité payés par un règlement déjà comptabilisé au crédit du 411 (hors TVA)."""

    cle: str
    tiers: Tiers
    piece: str
    le: date
    interets: Decimal
    indemnite: Decimal


def accessoires(fait: FaitAccessoires, comptes: Comptes) -> Ecriture | None:
    """Le client doit (411) ce qu'il a payé de pénalités et d'indemnité : produits, hors du champ de la TVA."""
    total = fait.interets + fait.indemnite
    if total <= 0:
        return None
    lignes = [_debit(comptes[Usage.CLIENT], total, fait.tiers)]
    if fait.interets:
        lignes.append(_credit(comptes[Usage.INTERETS], fait.interets))
    if fait.indemnite:
        lignes.append(_credit(comptes[Usage.INDEMNITE], fait.indemnite))
    libelle = f"Pénalités de retard {fait.tiers.nom}"
    return Ecriture(fait.cle, fait.le, comptes[Usage.JOURNAL], libelle, fait.piece, fait.le, tuple(lignes))


@dataclass(frozen=True)
class FaitReduction:
    """Escompte, écart ou frais laissés sur une facture. part_ht : HT / TTC de la pièce réduite (escompte seul)."""

    cle: str
    nature: str  # « escompte », « ecart », « frais »
    tiers: Tiers
    piece: str
    le: date
    montant: Decimal
    part_ht: Decimal = Decimal(1)


def reduction(fait: FaitReduction, comptes: Comptes) -> Ecriture:
    """665 et TVA pour un escompte (la base taxable baisse d'autant, CGI 267 II) ; 658 pour un écart ; 627 pour frais.

    Lève ValueError : nature inconnue, montant nul ou négatif.
    """
    if fait.montant <= 0:
        raise ValueError(f"montant nul ou négatif : {fait.montant}")
    client = _credit(comptes[Usage.CLIENT], fait.montant, fait.tiers)
    if fait.nature == "escompte":
        ht = _arrondi(fait.montant * fait.part_ht)
        debits = [_debit(comptes[Usage.ESCOMPTE], ht)] if ht else []
        if tva := fait.montant - ht:
            debits.append(_debit(comptes[Usage.TVA], tva))
        libelle = f"Escompte accordé {fait.tiers.nom}"
    elif fait.nature in ("ecart", "frais"):
        debits = [_debit(comptes[Usage(fait.nature)], fait.montant)]
        nom = "Écart de règlement" if fait.nature == "ecart" else "Frais bancaires retenus"
        libelle = f"{nom} {fait.tiers.nom}"
    else:
        raise ValueError(f"nature inconnue : {fait.nature}")
    return Ecriture(fait.cle, fait.le, comptes[Usage.JOURNAL], libelle, fait.piece, fait.le, (*debits, client))


@dataclass(frozen=True)
class FaitPerte:
    """Une somme TTC passée en perte. part_ht : HT / TTC de la pièce. tva : la taxe se récupère (CGI, art. 272)."""

    cle: str
    tiers: Tiers
    piece: str
    le: date
    montant: Decimal
    part_ht: Decimal
    tva: bool
    douteuse: bool  # en 416 ce jour-là, sinon en 411


def perte(fait: FaitPerte, comptes: Comptes) -> Ecriture:
    """654 (HT) et 44571 contre 416 ou 411 (droit.md § 10) ; sans récupération, toute la somme est en 654.

    La taxe ne se récupère que sur une créance définitivement irrécouvrable, après facture rectificative (CGI,
    art. 272-1) : c'est une personne qui le dit. Lève ValueError : montant nul ou négatif.
    """
    if fait.montant <= 0:
        raise ValueError(f"montant nul ou négatif : {fait.montant}")
    ht = _arrondi(fait.montant * fait.part_ht) if fait.tva else fait.montant
    debits = [_debit(comptes[Usage.PERTE], ht)] if ht else []
    if tva := fait.montant - ht:
        debits.append(_debit(comptes[Usage.TVA], tva))
    collectif = Usage.DOUTEUX if fait.douteuse else Usage.CLIENT
    lignes = (*debits, _credit(comptes[collectif], fait.montant, fait.tiers))
    libelle = f"Créance irrécouvrable {fait.tiers.nom}"
    return Ecriture(fait.cle, fait.le, comptes[Usage.JOURNAL], libelle, fait.piece, fait.le, lignes)


# --- Lignes à la forme du FEC (A47 A-1 du LPF) -----------------------------------------------------

COLONNES_FEC = (
    "JournalCode", "JournalLib", "EcritureNum", "EcritureDate", "CompteNum", "CompteLib", "CompAuxNum", "CompAuxLib",
    "PieceRef", "PieceDate", "EcritureLib", "Debit", "Credit", "EcritureLet", "DateLet", "ValidDate",
    "Montantdevise", "Idevise",
)  # fmt: skip


def rangees_fec(ecritures: Iterable[Ecriture], libelles: Mapping[str, str]) -> Iterable[tuple[str, ...]]:
    """Une rangée par ligne : dates AAAAMMJJ, virgule décimale. libelles : {numéro de compte: intitulé}.

    ValidDate reste vide : c'est le logiciel comptable qui valide. EcritureNum : rang dans cet export.
    """
    for rang, e in enumerate(ecritures, 1):
        for x in e.lignes:
            yield (
                e.journal, "Recouvrement", str(rang), f"{e.le:%Y%m%d}", x.compte, libelles.get(x.compte, ""),
                x.tiers.code if x.tiers else "", x.tiers.nom if x.tiers else "", e.piece, f"{e.piece_le:%Y%m%d}",
                e.libelle, f"{x.debit:.2f}".replace(".", ","), f"{x.credit:.2f}".replace(".", ","), "", "", "", "", "",
            )  # fmt: skip
