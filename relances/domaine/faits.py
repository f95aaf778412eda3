"""Ce que l'échelle reçoit et ce qu'elle rend : valeurs pures, sans base ni horloge.

Tous les montants sont des Decimal dans la devise de la pièce ; toutes les dates sont des jours d'Europe/Paris.
"""

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from .natures import Canal, ModePalier, Nature, Reference
from .verdicts import Motif

ZERO = Decimal("0.00")
RIEN: frozenset = frozenset()


@dataclass(frozen=True, slots=True)
class PalierRegle:
    id: int
    rang: int
    nature: Nature
    reference: Reference
    delai: int
    canaux: tuple[Canal, ...]
    mode: ModePalier
    delai_reponse: int = 8
    version: int = 0  # version de plan à laquelle il appartient


@dataclass(frozen=True, slots=True)
class Plan:
    """Version publiée d'une échelle, paliers par rang croissant.

    anciens : {version antérieure du même plan: celle qui juge encore les pièces qu'elle a relancées}. Vide, ou
    version absente : la pièce passe à cette version-ci, sans perdre sa nature.
    """

    version: int
    paliers: tuple[PalierRegle, ...]
    regroupement: str = "niveau"
    seuil_piece: Decimal = ZERO
    seuil_envoi: Decimal = ZERO
    plafond_envoi: Decimal | None = None
    anciens: dict[int, "Plan"] = field(default_factory=dict, compare=False, repr=False)

    def pour(self, e: "EcheanceFaits") -> "Plan":
        """La version qui juge cette pièce : publier ne réinterprète pas ce qui est en cours."""
        if not self.anciens or e.version is None or e.version == self.version or not e.nature:
            return self
        return self.anciens.get(e.version, self)

    def suivant(self, nature: Nature, rang: int, version: int | None) -> PalierRegle | None:
        """Premier palier au-dessus de ce qui est atteint ; ne redescend jamais (exigence 8).

        Dans la même version le rang départage deux paliers de même nature ; d'une version ou d'un plan
        à l'autre, seule la nature se compare.
        """
        for palier in self.paliers:
            if version == self.version:
                if palier.rang > rang and palier.nature >= nature:
                    return palier
            elif palier.nature > nature:
                return palier
        return None


class EcheanceFaits(NamedTuple):
    id: int
    facture: int
    date_facture: date
    date_echeance: date
    reste_du: Decimal
    devise: str
    nature: Nature = Nature.AUCUNE
    rang: int = 0
    version: int | None = None
    atteint_le: date | None = None
    prelevement: bool = False
    en_contentieux: bool = False
    conteste: Decimal = ZERO
    promesse_jusqu_au: date | None = None
    envoi_en_attente: bool = False
    amiables: int = 0
    # Une formalisation a été décidée pour cette pièce, mais aucune n'est réellement partie.
    formalisation_manquante: bool = False
    exclue_jusqu_au: date | None = None
    motif_exclusion: str = ""
    # Échéancier tenu : dernier jour de tolérance de la première mensualité impayée.
    echeancier_jusqu_au: date | None = None
    # Échéancier rompu sans clause de déchéance : dernière mensualité, d'ici là le solde n'est pas exigible.
    terme_jusqu_au: date | None = None
    affacturee: bool = False  # la créance est cédée, le paiement revient à l'affactureur
    statut_fe: str = ""
    statut_fe_le: date | None = None
    paye: Decimal = ZERO  # déjà imputé sur la pièce
    posterieure: bool = False  # née le jour du jugement d'ouverture ou après ; lu si la procédure est close
    leves: frozenset[Motif] = RIEN  # freins levés par une personne pour cette nuit

    @property
    def depart(self) -> date:
        """Jour d'où court le retard : jamais avant la facture, même si l'échéance la précède."""
        return self.date_echeance if self.date_echeance >= self.date_facture else self.date_facture


@dataclass(frozen=True, slots=True)
class ClientFaits:
    id: int
    type: str
    echeances: tuple[EcheanceFaits, ...]
    suspendu_jusqu_au: date | None = None
    motif_suspension: str = ""
    # Le client a répondu, ou déclaré sur sa page, et personne ne l'a encore lu : dernier jour où cela retient.
    reponse_jusqu_au: date | None = None
    jugement: date | None = None
    procedure_close: date | None = None
    surendettement: bool = False
    sans_appel: bool = False  # le client ne veut pas d'appel : ce palier se saute
    credits: dict[str, Decimal] = field(default_factory=dict)
    # Sommes en banque que tout lui attribue et que personne n'a encore rapprochées : elles retiennent, sans se déduire.
    presumes: dict[str, Decimal] = field(default_factory=dict)
    # Échu de tout le compte, pièces non rejugées ce soir comprises ; None : celui des échéances ci-dessus.
    echu: dict[str, Decimal] | None = None
    # Crédits déjà déduits d'un courrier qui court encore : (devise, montant, pièces de ce courrier).
    reserves: tuple[tuple[str, Decimal, frozenset[int]], ...] = ()
    canaux: frozenset[Canal] = frozenset()
    # Canaux dont l'adresse est revenue en erreur, et depuis quand.
    canaux_en_erreur: tuple[tuple[Canal, date], ...] = ()
    dernier_contact: date | None = None
    delai_entre_contacts: int = 5
    regroupement: str = ""
    langue: str = "fr"


@dataclass(frozen=True, slots=True)
class Reglages:
    """Ce qui vaut pour tout le passage. freins=False : banc de mesure seulement."""

    seuil_credit: int = 50  # pour cent de l'échu
    max_amiables: int = 2
    freins: bool = True
    societe_complete: bool = True
    donnees_perimees: bool = False
    # Une personne passe outre la formalisation et le nombre de relances amiables, avec un motif (exigences 10, 11).
    derogation: bool = False


class Decision(NamedTuple):
    echeance: EcheanceFaits
    motif: Motif
    detail: str = ""
    prochaine: date | None = None
    palier: PalierRegle | None = None
    reclame: Decimal = ZERO  # part non contestée
    leves: tuple[Motif, ...] = ()  # freins qui l'auraient retenue, levés par une personne


class Envoi(NamedTuple):
    """Un courrier décidé : ce qui part pour un client, un palier et une devise."""

    client: int
    palier: PalierRegle
    devise: str
    canal: Canal
    mode: ModePalier
    motif: str  # pourquoi une personne doit valider ; vide si automatique
    decisions: tuple[Decision, ...]
    principal: Decimal
    credits: Decimal
    langue: str = "fr"

    @property
    def total(self) -> Decimal:
        return self.principal - self.credits


class Resultat(NamedTuple):
    decisions: list[Decision]
    envois: list[Envoi]
