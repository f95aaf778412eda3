"""Les premières lignes d'un tableau, interprétées selon une correspondance, sans fichier ni base (l'assistant)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from .lot import AvoirLu, ClientLu, EncaissementLu, FactureLue, LitigeLu
from .tableur import decoder
from .tableur_cellules import Fautives
from .tableur_clients import Clients
from .tableur_lignes import Lecteur

LIGNES = 10


@dataclass
class LigneVue:
    """Une ligne du fichier, telle qu'elle entrerait. `ecartee` et `fautes` : pourquoi elle n'entre pas."""

    ligne: int
    client: str = ""
    piece: str = ""
    emise: date | None = None
    echeance: date | None = None
    montant: Decimal | None = None
    devise: str = "EUR"
    avoir: bool = False
    regle: tuple[date, Decimal] | None = None
    litige: bool = False
    autres: int = 0  # pièces de plus sur la même ligne (tranches)
    details: dict[str, object] = field(default_factory=dict)
    ecartee: str = ""
    fautes: list[tuple[str, str]] = field(default_factory=list)


def interpreter(apercu: Mapping, choix: Mapping, *, au: date) -> list[LigneVue]:
    """Dix lignes au plus. choix : {"genre", "colonnes", "options"}, sans champ manquant."""
    lecteur = Lecteur(
        choix["genre"], choix["colonnes"], apercu["colonnes"], choix["options"], Clients({}),
        base_1904=bool(apercu.get("base_1904")), au=au,
    )  # fmt: skip
    vues = []
    for numero, codees in apercu["lignes"][:LIGNES]:
        cellules = [decoder(c) for c in codees]
        vue = LigneVue(numero, ecartee=lecteur.a_ecarter(cellules))
        if not vue.ecartee:
            try:
                lus = lecteur.lire(numero, cellules)
                _remplir(vue, lus, lecteur)
                if not lus or (not vue.piece and not vue.regle and not vue.details):
                    vue.ecartee = "soldée ou à zéro"
            except Fautives as fautes:
                vue.fautes = [(colonne, str(erreur)) for colonne, erreur in fautes.defauts]
        vues.append(vue)
    return vues


def _remplir(vue: LigneVue, lus: list, lecteur: Lecteur) -> None:
    for e in lus:
        match e:
            case ClientLu():
                vue.client = vue.client or f"{e.code} {e.valeurs.get('raison_sociale', '')}".strip()
                if lecteur.genre == "clients":
                    vue.details = {k: v for k, v in e.valeurs.items() if k != "raison_sociale"} or {"code": e.code}
            case FactureLue() | AvoirLu():
                if vue.piece:
                    vue.autres += 1
                    continue
                vue.client = vue.client or e.code_client
                vue.piece, vue.emise, vue.devise = e.numero, e.date_emission, e.devise
                vue.avoir = isinstance(e, AvoirLu)
                vue.montant = -e.montant if isinstance(e, AvoirLu) else e.montant_ttc
                vue.echeance = None if isinstance(e, AvoirLu) else e.date_echeance
            case EncaissementLu():
                vue.client = vue.client or e.code_client
                vue.regle = (e.date, e.montant)
                if not vue.piece:
                    vue.piece, vue.emise, vue.montant, vue.devise = e.reference, e.date, e.montant, e.devise
            case LitigeLu():
                vue.litige = True
