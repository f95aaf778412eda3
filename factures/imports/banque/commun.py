"""Ce que tous les lecteurs de relevés partagent : compter, contrôler les soldes, dire les faits.

`faits` : releves, operations, credits, debits, sommes (par devise, jamais additionnées entre elles), comptes, devises,
soldes (un par relevé, les 200 premiers), et ce que chaque format ajoute. Montants en texte, point décimal.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from ..fichier import Fichier
from ..lecteurs import ContexteLecture
from ..lot import LotLu, MouvementLu, Rejet, ReleveLu
from ..nombres import ANNEES, MONTANT_MAX, euros
from ..texte import FichierRefuse, nettoyer

SOLDES_MONTRES = 200
RELEVES_MAX = 100_000
LIBELLE, REFERENCE, NOM, CODE = 500, 140, 140, 35  # largeurs des colonnes de MouvementBancaire
SANS_REFERENCE = {"NOTPROVIDED", "NONREF", "NON REF", "NOT PROVIDED", "NOPROVIDED", "NONE"}
ZERO = Decimal("0.00")


@dataclass(slots=True)
class LotBanque(LotLu):
    """Un lot de banque se souvient de ce qu'une personne a accepté à l'aperçu."""

    corrections: Mapping = field(default_factory=dict)


def lot_banque(format: str, contexte: ContexteLecture, encodage: str = "", separateur: str = "") -> LotBanque:
    return LotBanque(format, encodage, separateur, (), corrections=contexte.corrections or {})


def borne(texte: str | None, taille: int) -> str:
    """Blancs réduits, caractères de commande ôtés, coupé à la largeur de la colonne."""
    return nettoyer(texte)[:taille] if texte else ""


def reference(texte: str | None) -> str:
    propre = borne(texte, REFERENCE)
    return "" if propre.upper() in SANS_REFERENCE else propre


def libelle(*morceaux: str | None) -> str:
    """Morceaux joints, ceux qui répètent un précédent en moins."""
    retenus: list[str] = []
    for morceau in morceaux:
        propre = borne(morceau, LIBELLE)
        if propre and not any(propre in deja for deja in retenus):
            retenus.append(propre)
    return " ".join(retenus)[:LIBELLE]


def plausible(jour: date) -> bool:
    return ANNEES[0] <= jour.year <= ANNEES[1]


def montant_plausible(montant: Decimal) -> bool:
    return -MONTANT_MAX <= montant <= MONTANT_MAX


class Carnet:
    """Un relevé ouvert à la fois ; `fermer` le rend, contrôlé. `conclure` dit les faits, une fois tout lu."""

    def __init__(self, lot: LotBanque, *, exige_equilibre: bool):
        self.lot, self.exige = lot, exige_equilibre
        self.releve: ReleveLu | None = None
        self.ecart_permis = True
        self.n = self.nuls = 0
        self.sommes: dict[str, list[int]] = {}  # devise: [crédits, centimes, débits, centimes]
        self.comptes: dict[str, None] = {}
        self.soldes: list[dict] = []
        self._somme = 0
        self._bornes: list[date | None] = [None, None]

    def ouvrir(self, ligne: int, compte: str, devise: str, **champs) -> ReleveLu:
        self.n += 1
        if self.n > RELEVES_MAX:
            raise FichierRefuse(f"Plus de {RELEVES_MAX} relevés dans un fichier : découpez-le.")
        self._somme, self._bornes = 0, [None, None]
        self.releve = ReleveLu(ligne, str(self.n), compte[:60], devise, **champs)
        if len(self.comptes) < SOLDES_MONTRES:
            self.comptes[compte[:60]] = None
        return self.releve

    def noter(self, mouvement: MouvementLu, *, au_solde: bool = True) -> MouvementLu:
        centimes = int(mouvement.montant * 100)
        sommes = self.sommes.setdefault(mouvement.devise, [0, 0, 0, 0])
        rang = 0 if centimes > 0 else 2
        sommes[rang] += 1
        sommes[rang + 1] += centimes
        if au_solde:
            self._somme += centimes
        bornes = self._bornes
        if bornes[0] is None or mouvement.date < bornes[0]:
            bornes[0] = mouvement.date
        if bornes[1] is None or mouvement.date > bornes[1]:
            bornes[1] = mouvement.date
        return mouvement

    def refuser(self, ligne: int, champ: str, constat: str, conseil: str = "") -> None:
        """Rejette une ligne, et avec elle le relevé ouvert : ses mouvements ne s'écrivent pas."""
        self.lot.rejeter(Rejet(ligne, champ, constat, conseil))
        if self.releve:
            self.lot.cles_rejetees.add(self.releve.cle_source)

    def fermer(self, ligne: int, **champs) -> ReleveLu:
        releve, self.releve = self.releve, None
        for nom, valeur in champs.items():
            setattr(releve, nom, valeur)
        releve.du, releve.au = releve.du or self._bornes[0], releve.au or self._bornes[1]
        self._controler(releve, ligne)
        return releve

    def _controler(self, releve: ReleveLu, ligne: int) -> None:
        ouverture, cloture = releve.solde_ouverture, releve.solde_cloture
        somme = Decimal(self._somme).scaleb(-2)
        equilibre = None if ouverture is None or cloture is None else ouverture + somme == cloture
        if equilibre is False:
            constat = ecart_de_solde(releve.compte, ouverture, somme, cloture, releve.devise)
            if self.exige:
                self.lot.rejeter(Rejet(ligne, "solde", constat, "Demandez à la banque le relevé complet."))
                self.lot.cles_rejetees.add(releve.cle_source)
            else:
                self.avertir(f"{constat} Des opérations manquent sans doute au fichier : celles qui y sont entrent.")
        if len(self.soldes) < SOLDES_MONTRES:
            self.soldes.append(
                {
                    "compte": releve.compte,
                    "devise": releve.devise,
                    "numero": releve.numero,
                    "du": releve.du.isoformat() if releve.du else "",
                    "au": releve.au.isoformat() if releve.au else "",
                    "ouverture": "" if ouverture is None else f"{ouverture:.2f}",
                    "cloture": "" if cloture is None else f"{cloture:.2f}",
                    "equilibre": equilibre,
                }
            )

    def avertir(self, texte: str) -> None:
        if len(self.lot.avertissements) < SOLDES_MONTRES and texte not in self.lot.avertissements:
            self.lot.avertissements.append(texte)

    def conclure(self, **autres) -> None:
        if self.nuls:
            self.avertir(f"{self.nuls} opérations à zéro ignorées : elles n'ont rien à rapprocher.")
        self.lot.faits |= {
            "releves": self.n,
            "operations": sum(s[0] + s[2] for s in self.sommes.values()),
            "credits": sum(s[0] for s in self.sommes.values()),
            "debits": sum(s[2] for s in self.sommes.values()),
            "sommes": {
                devise: {
                    "credits": s[0],
                    "total_credits": f"{Decimal(s[1]).scaleb(-2):.2f}",
                    "debits": s[2],
                    "total_debits": f"{Decimal(s[3]).scaleb(-2):.2f}",
                }
                for devise, s in sorted(self.sommes.items())
            },
            "comptes": list(self.comptes),
            "devises": sorted(self.sommes),
            "soldes": self.soldes,
        } | autres


def ecart_de_solde(compte: str, ouverture: Decimal, somme: Decimal, cloture: Decimal, devise: str) -> str:
    ecart = cloture - ouverture - somme
    return (
        f"Le relevé du compte {compte} ne tombe pas : ouverture {euros(ouverture)}, mouvements {euros(somme)}, "
        f"clôture lue {euros(cloture)} {devise}, écart {euros(ecart)}."
    )


def debut(fichier: Fichier) -> str:
    """Les premiers caractères, pour se reconnaître, sans examiner tout le fichier."""
    return fichier.tete.decode("latin-1")
