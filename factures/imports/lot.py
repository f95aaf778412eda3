"""Ce qu'un fichier contient, dit sans base de données : des objets neutres, et des rejets nommés.

Un lecteur rend un `LotLu` dont `elements` est un flux (CSV) ou une liste (FEC). Clés source : texte
stable d'un export à l'autre ; deux éléments de même clé sont la même pièce (exigence 3).
Montants : Decimal à deux décimales, toujours positifs. `ligne` : numéro de ligne dans le fichier.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from .nombres import Illisible

REJETS_MAX = 10_000  # au-delà on compte sans détailler : le fichier est à refaire, pas à corriger ligne à ligne


@dataclass(slots=True, frozen=True)
class Rejet:
    """Une ligne refusée : où, quoi, pourquoi, et quoi faire."""

    ligne: int
    champ: str
    constat: str
    conseil: str = ""

    @property
    def motif(self) -> str:
        return f"{self.constat} {self.conseil}".strip()

    @classmethod
    def de(cls, ligne: int, champ: str, erreur: Illisible) -> "Rejet":
        return cls(ligne, champ, erreur.constat, erreur.conseil)

    def en_json(self) -> dict:
        return {"ligne": self.ligne, "champ": self.champ, "motif": self.motif}


@dataclass(slots=True)
class ClientLu:
    """`valeurs` ne contient que les champs présents et non vides du fichier : le reste n'est pas touché."""

    ligne: int
    code: str
    valeurs: dict[str, object]
    creer_seulement: bool = False  # le FEC abrège les noms : il n'écrase pas une fiche existante


@dataclass(slots=True)
class FactureLue:
    """Une échéance d'une facture. Deux éléments de même `cle_source` s'additionnent : une facture, deux échéances."""

    ligne: int
    cle_source: str
    code_client: str
    numero: str
    numero_reel: bool
    date_emission: date
    date_execution: date | None
    montant_ht: Decimal | None
    montant_tva: Decimal | None
    montant_ttc: Decimal
    devise: str
    commande: str
    cle_echeance: str
    date_echeance: date | None  # None : déduite des conditions du client
    # Ce qu'une facture électronique sait de plus ; `montant_ttc` reste le montant de cette échéance.
    electronique: "Electronique | None" = None
    # Postes ouverts : ce qui restait dû à l'arrêté ; `montant_ttc` est écrit dans le fichier, ou n'est que ce reste.
    reste: Decimal | None = None
    ttc_dit: bool = False


@dataclass(slots=True, frozen=True)
class Electronique:
    """L'en-tête d'une facture électronique : TTC du document, acompte et arrondi (net = TTC − acompte + arrondi)."""

    ttc: Decimal
    acompte: Decimal = Decimal("0.00")
    arrondi: Decimal = Decimal("0.00")
    ht: Decimal | None = None
    tva: Decimal | None = None
    type_document: str = ""
    tva_encaissements: bool = False
    affacturee: bool = False
    mentions_absentes: tuple[str, ...] | None = None  # None : non contrôlé
    remplace: tuple[str, ...] = ()  # numéros des factures qu'une rectificative annule
    pdf: "Pdf | None" = None  # gardé et joint aux lettres


@dataclass(slots=True, frozen=True)
class Pdf:
    """Un PDF à garder ; son contenu ne se lit qu'à l'écriture, une archive en porte deux mille."""

    nom: str
    pages: int
    lire: Callable[[], bytes]


@dataclass(slots=True)
class AvoirLu:
    ligne: int
    cle_source: str
    code_client: str
    numero: str
    date_emission: date
    montant: Decimal
    devise: str
    numero_origine: str = ""


@dataclass(slots=True)
class EncaissementLu:
    """Deux éléments de même `cle_source` s'additionnent : un règlement, plusieurs lignes."""

    ligne: int
    cle_source: str
    code_client: str
    reference: str
    date: date
    montant: Decimal
    devise: str
    mode: str
    libelle: str = ""
    numero_facture: str = ""  # vide : rien à imputer


@dataclass(slots=True)
class ImputationLue:
    """Part d'un encaissement ou d'un avoir posée sur une échéance, désignés par leurs clés source."""

    cle_source: str
    cle_echeance: str
    cle_encaissement: str
    cle_avoir: str
    date: date
    montant: Decimal


@dataclass(slots=True, frozen=True)
class Inexplique:
    """Une somme reprise telle quelle parce que le fichier ne dit pas d'où elle vient."""

    code_client: str
    nature: str
    detail: str
    montant: Decimal  # positif : dû par le client
    cle: str = ""
    ligne: int = 0

    def en_json(self) -> dict:
        return {
            "client": self.code_client,
            "nature": self.nature,
            "detail": self.detail,
            "montant": f"{self.montant:.2f}",
            "ligne": self.ligne,
        }


# --- Banque, statuts, registres : lus de même, écrits par leur famille -------------------------


@dataclass(slots=True)
class ReleveLu:
    """Un relevé. compte : IBAN ou identifiant de la banque ; soldes signés, None si le fichier ne les donne pas."""

    ligne: int
    cle_source: str
    compte: str
    devise: str
    iban: str = ""
    numero: str = ""
    du: date | None = None
    au: date | None = None
    solde_ouverture: Decimal | None = None
    solde_cloture: Decimal | None = None


@dataclass(slots=True)
class MouvementLu:
    """Une ligne de relevé. montant : signé, positif au crédit. releve : `ReleveLu.cle_source`, vide s'il n'y en a pas.

    cle_banque : identifiant donné par la banque (FITID, AcctSvcrRef…), stable d'un export à l'autre ; vide sinon, et
    la clé se forme alors de la date, du montant, du libellé et du rang parmi les semblables.
    """

    ligne: int
    releve: str
    compte: str
    date: date
    montant: Decimal
    devise: str
    libelle: str
    date_valeur: date | None = None
    reference: str = ""
    contrepartie: str = ""
    contrepartie_iban: str = ""
    nature: str = "autre"
    code: str = ""
    motif_rejet: str = ""
    cle_banque: str = ""
    remise: str = ""  # écriture groupée dont ce mouvement est une part


@dataclass(slots=True)
class StatutLu:
    """Un statut du cycle de vie d'une facture (droit.md § 12)."""

    ligne: int
    cle_source: str
    numero: str
    code: str
    le: date
    vendeur: str = ""  # SIREN
    acheteur: str = ""
    emise_le: date | None = None
    motif_code: str = ""
    motif: str = ""
    montant: Decimal | None = None
    devise: str = "EUR"
    nature_montant: str = ""  # MDT-207 : MEN encaissé, MPA payé, MAPTTC approuvé, MNATTC non approuvé…
    taux: Decimal | None = None  # TVA en pour cent, s'il n'y en a qu'un
    acheteur_nom: str = ""


@dataclass(slots=True)
class AnnonceLue:
    """Une annonce de registre sur un SIREN."""

    ligne: int
    identifiant: str
    siren: str
    famille: str
    nature: str
    nom: str = ""
    tribunal: str = ""
    jugement_le: date | None = None
    parution_le: date | None = None
    texte: dict = field(default_factory=dict)


@dataclass(slots=True)
class EntrepriseLue:
    """L'état d'une entreprise au registre : `valeurs` par champ de la fiche client, `fermee_le` si elle a cessé."""

    ligne: int
    siren: str
    siret: str = ""
    active: bool = True
    fermee_le: date | None = None
    valeurs: dict[str, str] = field(default_factory=dict)
    siege: bool = True  # faux : un autre établissement, qui ne vaut que pour les fiches de ce SIRET


@dataclass(slots=True)
class LitigeLu:
    """Un litige qu'un historique constate sur une facture, désignée par sa clé source."""

    ligne: int
    cle_facture: str
    ouvert_le: date
    montant: Decimal | None = None  # None : tout le reste dû
    description: str = ""
    clos_le: date | None = None


Element = (
    ClientLu | FactureLue | AvoirLu | EncaissementLu | ImputationLue
    | ReleveLu | MouvementLu | StatutLu | AnnonceLue | EntrepriseLue | LitigeLu
)  # fmt: skip


@dataclass(slots=True)
class Photo:
    """Un état des postes ouverts ou une balance âgée : ce qui restait dû un jour (`photographie`).

    arrete : jour écrit dans le fichier, None s'il ne le dit pas. complet : une personne affirme que rien n'y manque.
    codes : clients que le fichier cite, remplis au fil de la lecture.
    """

    arrete: date | None
    complet: bool = False
    balance: bool = False
    codes: set[str] = field(default_factory=set)


@dataclass(slots=True)
class LotLu:
    """`elements` se consomme une fois ; `rejets`, `lignes` et `avertissements` se remplissent au passage."""

    format: str
    encodage: str
    separateur: str
    elements: Iterable[Element]
    rejets: list[Rejet] = field(default_factory=list)
    rejets_non_detailles: int = 0
    avertissements: list[str] = field(default_factory=list)
    inexpliques: list[Inexplique] = field(default_factory=list)
    lignes: int = 0
    # Règlements et factures dont une ligne manque : à ne pas prendre à moitié.
    cles_rejetees: set[str] = field(default_factory=set)
    soldes: dict[str, Decimal] = field(default_factory=dict)  # FEC : solde comptable par client
    faits: dict[str, object] = field(default_factory=dict)  # ce que l'aperçu montre (période, comptes…)
    documents: dict[str, Electronique] = field(default_factory=dict)  # factures électroniques, par clé source
    photo: Photo | None = None

    def rejeter(self, rejet: Rejet) -> None:
        if len(self.rejets) < REJETS_MAX:
            self.rejets.append(rejet)
        else:
            self.rejets_non_detailles += 1
