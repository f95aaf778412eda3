"""Une facture électronique, quelle que soit sa syntaxe (EN 16931), et ce qu'on en doit. Pur.

Les montants sont ceux du document, signés, en Decimal à deux décimales ; la créance est le net à payer (BT-115), non le
TTC : net = TTC − acompte + arrondi. Les codes de type viennent de la liste UNTDID 1001 restreinte par EN 16931 et
XP Z12-012.
"""

import re
import unicodedata
from dataclasses import dataclass, field
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

from .efacture_termes import Escompte, echeance_en_clair

ZERO = Decimal("0.00")
CENT = Decimal("0.01")

FACTURES = {
    "80": "note de débit", "82": "facture de services mesurés", "84": "note de débit financière",
    "130": "facture", "202": "situation de travaux", "203": "facture partielle de travaux",
    "204": "situation de travaux", "211": "demande d’acompte sur travaux", "295": "facture de variation de prix",
    "326": "facture partielle", "331": "facture et liste de colisage", "380": "facture", "382": "note de commission",
    "383": "note de débit", "384": "facture rectificative", "385": "facture récapitulative",
    "386": "facture d’acompte", "387": "facture de location", "388": "facture fiscale", "389": "autofacture",
    "390": "facture ducroire", "393": "facture affacturée", "394": "facture de crédit-bail",
    "395": "facture de consignation", "456": "avis de débit", "457": "extourne de débit",
    "471": "autofacture rectificative", "472": "facture rectificative affacturée",
    "473": "autofacture rectificative affacturée", "500": "autofacture d’acompte", "501": "autofacture affacturée",
    "527": "note de débit autofacturée", "553": "facture de transitaire", "575": "facture d’assureur",
    "623": "facture de transitaire", "633": "facture de frais de port", "751": "facture, données comptables",
    "780": "facture de fret", "817": "note de débit", "870": "facture consulaire",
    "875": "facture partielle de travaux", "876": "facture partielle définitive de travaux",
    "877": "facture définitive de travaux", "935": "facture de douane",
}  # fmt: skip
AVOIRS = {
    "81": "avoir", "83": "avoir financier", "261": "avoir autofacturé", "262": "avoir récapitulatif",
    "296": "avoir de variation de prix", "308": "avoir ducroire", "381": "avoir", "396": "avoir affacturé",
    "420": "avoir optique", "458": "extourne de crédit", "502": "avoir autofacturé affacturé",
    "503": "avoir de facture d’acompte", "532": "avoir de transitaire",
}  # fmt: skip
# Ni dus ni à relancer, quoi qu'ils annoncent.
SANS_CREANCE = {
    "325": "une facture pro forma",
    "310": "une offre",
    "220": "une commande",
    "351": "un avis d’expédition",
}
AFFACTURES = frozenset({"393", "396", "472", "473", "501", "502"})
RECTIFICATIVES = frozenset({"384", "471", "472", "473"})
SANS_LIGNES = ("minimum", "basicwl", "basic wl", "basic-wl")


class DocumentInexploitable(ValueError):
    """Un document lisible dont on ne peut pas faire une créance ; le message dit quoi, puis que faire."""


@dataclass(frozen=True, slots=True)
class Partie:
    """Vendeur ou acheteur. identifiant : légal, tel qu'écrit ; siren, siret et tva serrés, vides s'ils manquent."""

    nom: str = ""
    identifiant: str = ""
    siren: str = ""
    siret: str = ""
    tva: str = ""
    adresse: str = ""
    complement: str = ""
    code_postal: str = ""
    ville: str = ""
    pays: str = ""
    courriel: str = ""
    telephone: str = ""

    @property
    def cle(self) -> str:
        """Ce qui désigne la même personne d'une syntaxe à l'autre : SIREN, sinon identifiant légal, TVA ou nom."""
        return self.siren or serrer(self.identifiant) or self.tva or serrer(self.nom)


@dataclass(frozen=True, slots=True)
class Terme:
    """Un terme de paiement. montant : part due à cette date, None si le document ne la dit pas."""

    texte: str = ""
    jour: date | None = None
    montant: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Tva:
    """Une ligne de la ventilation. taux en pour cent, None pour une opération hors champ."""

    categorie: str
    taux: Decimal | None
    base: Decimal
    montant: Decimal

    def __str__(self) -> str:
        taux = f"{self.taux:f}" if self.taux is not None else "—"
        return f"{self.categorie} {taux}% base {self.base:.2f} taxe {self.montant:.2f}"


@dataclass(frozen=True, slots=True)
class Document:
    """Ce que le document dit, avant tout jugement."""

    syntaxe: str  # « CII », « UBL Invoice », « UBL CreditNote »
    profil: str
    type: str
    numero: str
    emission: date
    devise: str
    ttc: Decimal
    net: Decimal
    vendeur: Partie
    acheteur: Partie
    ht: Decimal | None = None
    tva: Decimal | None = None
    tva_comptable: tuple[Decimal, str] | None = None  # la même TVA dans la devise de comptabilité
    acompte: Decimal | None = None
    arrondi: Decimal = ZERO
    ventilation: tuple[Tva, ...] = ()
    termes: tuple[Terme, ...] = ()
    echeance: date | None = None
    escompte: Escompte | None = None
    anterieures: tuple[str, ...] = ()
    commande: str = ""
    execution: date | None = None
    lignes: int = 0
    notes: tuple[tuple[str, str], ...] = ()  # (code de sujet, texte)
    ibans: tuple[str, ...] = ()
    exigibilite: str = ""  # code de la date d'exigibilité (BT-8)
    cadre: str = ""  # cadre de facturation (BT-23) : B biens, S services, M mixte
    livraison: bool = False  # une adresse de livraison est écrite
    jointes: tuple[str, ...] = ()

    @property
    def texte_des_termes(self) -> str:
        return " ; ".join(dict.fromkeys(t.texte for t in self.termes if t.texte))

    @property
    def tva_encaissements(self) -> bool:
        """BT-8 : 72 en CII, 432 en UBL, la taxe est exigible au paiement."""
        return self.exigibilite in ("72", "432")

    @property
    def avoir(self) -> bool:
        """Un avoir : son type le dit, ou son montant est négatif. Un avoir négatif réclame, lui."""
        return (self.net < 0) != (self.type in AVOIRS) if self.net else self.type in AVOIRS

    @property
    def sans_lignes(self) -> bool:
        """Profil qui ne porte, par construction, ni lignes ni, pour MINIMUM, échéance."""
        return any(nom in self.profil.lower() for nom in SANS_LIGNES)


@dataclass(frozen=True, slots=True)
class Due:
    """Une part de la créance. jour None : selon les conditions du client."""

    montant: Decimal
    jour: date | None


@dataclass(slots=True)
class Creance:
    """Ce que la maison inscrira : montants positifs. `dit` : ce qu'il a fallu comprendre, à montrer à l'aperçu."""

    avoir: bool
    montant: Decimal
    ttc: Decimal
    acompte: Decimal
    arrondi: Decimal
    ht: Decimal | None
    tva: Decimal | None
    parts: tuple[Due, ...]
    dit: list[str] = field(default_factory=list)


def serrer(texte: str) -> str:
    """Capitales et chiffres seuls, sans accents : de quoi comparer deux écritures d'un même nom."""
    plat = unicodedata.normalize("NFKD", texte or "").encode("ascii", "ignore").decode()
    return re.sub(r"[^A-Z0-9]+", "", plat.upper())


def creance(document: Document) -> Creance:
    """Du document à ce qui est dû. Lève DocumentInexploitable : type inconnu, ou net sans rapport avec le document."""
    if document.type in SANS_CREANCE:
        raise DocumentInexploitable(
            f"Le document {document.numero} est {SANS_CREANCE[document.type]} (type {document.type}), pas une "
            "facture : rien n'en est dû. Importez la facture définitive."
        )
    if document.type not in FACTURES and document.type not in AVOIRS:
        raise DocumentInexploitable(
            f"Le document {document.numero} est de type « {document.type or 'absent'} », que la maison ne connaît "
            "pas. Attendu : 380 (facture), 381 (avoir), 384, 386, 389, 393… Faites-le émettre sous un type courant."
        )
    signe = -1 if document.net < 0 else 1
    lue = Creance(
        avoir=document.avoir,
        montant=abs(document.net),
        ttc=abs(document.ttc),
        acompte=signe * (document.acompte or ZERO) or ZERO,
        arrondi=signe * document.arrondi or ZERO,
        ht=None if document.ht is None else abs(document.ht),
        tva=None if document.tva is None else abs(document.tva),
        parts=(),
    )
    if document.avoir and document.type not in AVOIRS:
        if document.ttc > 0:
            lue.dit.append(
                f"L'acompte dépasse le total : {-document.net:.2f} {document.devise} de trop-perçu, "
                "repris comme un avoir."
            )
        else:
            lue.dit.append("Facture à montant négatif : reprise comme un avoir.")
    elif not document.avoir and document.type in AVOIRS:
        lue.dit.append("Avoir à montant négatif : ce document réclame, il est repris comme une facture.")
    if lue.avoir:
        return lue
    _equilibrer(lue, document)
    if lue.ht is not None and lue.tva is not None and lue.ht + lue.tva != lue.ttc:
        lue.dit.append(
            f"HT et TVA ne font pas le TTC ({lue.ht:.2f} + {lue.tva:.2f} ≠ {lue.ttc:.2f}) : "
            "seuls le TTC et le net sont repris."
        )
        lue.ht = lue.tva = None
    lue.parts = _parts(lue, document)
    return lue


def _equilibrer(lue: Creance, document: Document) -> None:
    """TTC − acompte + arrondi doit faire le net, qui fait foi ; un écart se porte en acompte, ou en arrondi."""
    if not lue.ttc:
        lue.ttc = lue.montant
    ecart = lue.ttc - lue.acompte + lue.arrondi - lue.montant
    if not ecart:
        return
    if document.acompte is None and ecart > 0 and abs(ecart) >= 1:
        lue.acompte = ecart
        lue.dit.append(
            f"Le net à payer est inférieur au TTC de {ecart:.2f} sans acompte écrit : repris comme déjà versé."
        )
    else:
        lue.arrondi -= ecart
        lue.dit.append(
            f"TTC, acompte et net à payer ne se recoupent pas ({ecart:.2f} d'écart) : le net à payer fait foi."
        )


# --- Échéances -------------------------------------------------------------------------------


def _parts(lue: Creance, document: Document) -> tuple[Due, ...]:
    dates = [t for t in document.termes if t.jour]
    partiels = [t for t in dates if t.montant]
    if len(partiels) > 1 and len(partiels) == len(dates):
        total = sum((t.montant for t in partiels), ZERO)
        if total == lue.montant and all(t.montant > 0 for t in partiels):
            return _fondre(partiels)
        lue.dit.append(
            f"Les termes annoncés font {total:.2f} et non {lue.montant:.2f} : une seule échéance, la plus tardive."
        )
    jours = sorted({t.jour for t in dates} | ({document.echeance} if document.echeance else set()))
    if len(jours) > 1 and len(partiels) <= 1:
        lue.dit.append(
            f"Plusieurs dates d'échéance sans montants par date : la plus tardive est retenue, {jours[-1]:%d/%m/%Y}."
        )
    if jours:
        return (Due(lue.montant, jours[-1]),)
    texte = document.texte_des_termes
    if jour := echeance_en_clair(texte, document.emission):
        lue.dit.append(f"Échéance lue dans les conditions « {texte[:80]} » : {jour:%d/%m/%Y}.")
        return (Due(lue.montant, jour),)
    suite = f" (« {texte[:80]} » ne se lit pas sans doute possible)" if texte else ""
    lue.dit.append(f"Aucune échéance écrite{suite} : celle des conditions du client.")
    return (Due(lue.montant, None),)


def _fondre(termes: list[Terme]) -> tuple[Due, ...]:
    """Une part par date, dans l'ordre."""
    parts: dict[date, Decimal] = {}
    for t in sorted(termes, key=lambda t: t.jour):
        parts[t.jour] = parts.get(t.jour, ZERO) + t.montant
    return tuple(Due(montant, jour) for jour, montant in parts.items())


def au_centime(valeur: Decimal) -> Decimal:
    return valeur.quantize(CENT, rounding=ROUND_HALF_UP)
