"""Conditions de paiement : les lire, calculer l'échéance, la comparer au maximum légal. Pur.

Grammaire (majuscules ou minuscules, espaces libres) ; N en jours, JJ un jour du mois :

    NJ          N jours nets, de la date de facture                 30J
    NFDM        fin de mois, lecture A : + N jours puis fin de mois 45FDM, 45FDM-A
    NFDM-B      lecture B : fin de mois puis + N jours              45FDM-B, FDM45
    NFDMJJ      puis le JJ du mois suivant (lecture B : le premier JJ qui vient)  30FDM10, 0FDM15
    NFD, NFD-B  fin de décade (10, 20, dernier jour du mois), mêmes lectures      30FD
    FDN         fin de décade puis + N jours, comme NFD-B ; FDMN de même           FD30, FDM45
    FDM, FD     fin du mois, de la décade, de la facture ; 0J : comptant

Les formes en clair françaises et les plus courantes en anglais disent la même chose : « 30 jours net »,
« 45 jours fin de mois », « 30 jours fin de mois le 10 », « 45 jours après la fin du mois », « net 30 ».
Une lecture absente vaut A et se signale : le contrat doit dire laquelle (droit.md § 2).
Maximums par secteur et par acheteur : `maximums` (à défaut 60 jours nets ou 45 jours fin de mois, C. com., art.
L441-10, I).
"""

import re
import unicodedata
from calendar import monthrange
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache

from .decoupage import UN_JOUR
from .maximums import TABLE, Cas, fin_de_decade_de, fin_de_mois_de, maximum

DELAI_LISIBLE = 366  # au-delà, une faute de frappe

_JOURS = r"j(?:(?:ou)?rs?)?"
_MOIS = r"(?:fdm|fin (?:de|du) mois)"
_DECADE = r"(?:fdd?|fin de (?:la )?decade)"
_LECTURE = r"(?: ?(?:lecture )?(?P<lecture>[ab]))?"
_LE = r"(?: ?(?:le|au)? ?(?P<le>\d{1,2})(?:er)?)?"
_FACTURE = r"(?:(?:a compter )?(?:de )?(?:la )?date (?:de |d emission de )?(?:la )?facture|apres (?:la )?facture)"
_APRES = r"(?:apres|a compter de|de) (?:la )?"
_FORMES = tuple(
    (nature, lecture, re.compile(motif))
    for nature, lecture, motif in (
        ("net", None, rf"(?P<n>\d{{1,4}}) ?{_JOURS}(?: nets?)?(?: {_FACTURE})?"),
        ("net", None, r"(?:net )?(?P<n>\d{1,4}) days?(?: net)?|net (?P<n2>\d{1,4})"),
        ("net", None, r"(?:paiement |payable )?(?:au )?comptant|(?:paiement )?a reception(?: de (?:la )?facture)?"),
        ("mois", None, rf"(?P<n>\d{{1,4}}) ?(?:{_JOURS})? ?(?:nets? )?{_MOIS}{_LE}{_LECTURE}"),
        ("mois", None, rf"{_MOIS}(?: (?:le|au) (?P<le>\d{{1,2}})(?:er)?)?"),
        ("mois", None, r"(?P<n>\d{1,4}) ?(?:days? )?(?:eom|end of month)"),
        (
            "mois",
            "B",
            rf"(?P<n>\d{{1,4}}) ?{_JOURS} {_APRES}{_MOIS}|{_MOIS} ?(?:\+|plus|puis|et) ?(?P<n2>\d{{1,4}}) ?{_JOURS}",
        ),
        ("mois", "B", rf"fdm ?(?P<n>\d{{1,4}})|{_MOIS} (?P<n2>\d{{1,4}}) ?{_JOURS}"),
        ("decade", None, rf"(?:(?P<n>\d{{1,4}}) ?(?:{_JOURS})? ?)?{_DECADE}{_LECTURE}"),
        (
            "decade",
            "B",
            rf"(?P<n>\d{{1,4}}) ?{_JOURS} {_APRES}{_DECADE}"
            rf"|{_DECADE} ?(?:\+|plus|puis|et)? ?(?P<n2>\d{{1,4}}) ?(?:{_JOURS})?",
        ),
    )
)
# Un commentaire entre parenthèses est permis tant qu'il ne peut pas changer le calcul.
_COMMENTAIRE = re.compile(r"\((?![^)]*(?:\d|mois|decade|lecture|fdm|reception))[^()]*\)")


class ConditionsIllisibles(ValueError):
    """Conditions de paiement hors de la grammaire : rien n'est deviné."""


@dataclass(frozen=True, slots=True)
class Conditions:
    """Conditions lues. nature : `net`, `mois` ou `decade` ; lecture None : non dite ; le : jour du mois final."""

    nature: str
    jours: int
    lecture: str | None = None
    le: int | None = None

    @property
    def code(self) -> str:
        """Forme brève de la grammaire, au plus douze caractères : ce qui se range dans la fiche client."""
        if self.nature == "net":
            return f"{self.jours}J"
        suffixe = f"-{self.lecture}" if self.lecture and self.jours else ""
        jours = str(self.jours) if self.jours or self.le else ""
        return f"{jours}{'FDM' if self.nature == 'mois' else 'FD'}{self.le or ''}{suffixe}"


@dataclass(frozen=True, slots=True)
class EcheanceCalculee:
    """lecture : `A` ou `B`, vide quand elle n'a pas d'effet ; signalements : phrases à montrer."""

    echeance: date
    lecture: str
    maximum_legal: date
    conforme: bool
    signalements: tuple[str, ...]


def lire_conditions(texte: str) -> Conditions:
    """Lit des conditions de paiement, code ou forme en clair. Lève ConditionsIllisibles."""
    clair = unicodedata.normalize("NFKD", texte or "").encode("ascii", "ignore").decode().lower()
    clair = _COMMENTAIRE.sub(" ", clair)
    clair = " ".join(re.sub(r"(?!-\d)[^a-z0-9+()]+", " ", clair).split())
    for nature, lecture, motif in _FORMES:
        if trouve := motif.fullmatch(clair):
            champs = trouve.groupdict()
            jours = int(champs.get("n") or champs.get("n2") or 0)
            le = int(champs["le"]) if champs.get("le") else None
            if jours > DELAI_LISIBLE:
                raise ConditionsIllisibles(f"conditions « {texte} » : délai de plus d'un an.")
            if le is not None and not 1 <= le <= 31:
                raise ConditionsIllisibles(f"conditions « {texte} » : le {le} n'est pas un jour du mois.")
            return Conditions(nature, jours, lecture or (champs.get("lecture") or "").upper() or None, le)
    raise ConditionsIllisibles(
        f"conditions « {texte} » illisibles : écrire par exemple 30J, 45FDM, 45FDM-B, 30FDM10 ou FD30."
    )


def echeance(
    date_facture: date,
    conditions: str | Conditions,
    lecture: str | None = None,
    *,
    cas: Cas = Cas.DROIT_COMMUN,
    execution: date | None = None,
    reception: date | None = None,
) -> EcheanceCalculee:
    """Échéance d'une facture, et ce que la loi permet au plus.

    lecture : celle de la fiche client (`A` ou `B`), si les conditions ne la disent pas ; None : A, signalée.
    cas : ce qui fixe le maximum légal (secteur, facture périodique, acheteur public), selon `maximums.TABLE`.
    execution, reception : livraison, et réception de la demande de paiement, quand le maximum en part.

    Une échéance un jour chômé n'est pas décalée : aucun texte ne le fait. Lève ConditionsIllisibles, ou
    ValueError pour une lecture autre que A ou B.
    """
    lues = conditions if isinstance(conditions, Conditions) else lire_conditions(conditions)
    if lecture not in (None, "A", "B"):
        raise ValueError(f"lecture inconnue : {lecture} (A ou B)")
    signalements = []
    retenue = lues.lecture or lecture or "A"
    if lues.nature == "net" or not lues.jours:
        retenue = ""  # fin de mois sans délai : les deux lectures donnent le même jour
    elif not (lues.lecture or lecture):
        signalements.append(
            "Lecture de « fin de mois » non précisée : A retenue (date de facture + N jours, puis fin)."
        )
    jour = _calculer(date_facture, lues, retenue)

    borne = maximum(cas, date_facture, execution=execution, reception=reception, fin_de_mois=lues.nature == "mois")
    signalements += borne.suppositions
    permis = TABLE[Cas.DROIT_COMMUN].ou_fin_de_mois
    if borne.regle.ou_fin_de_mois and lues.nature == "mois" and lues.jours > permis:
        signalements.append(f"{lues.jours} jours fin de mois : formule que la loi ne prévoit pas.")
    if jour > borne.jour:
        signalements.append(
            f"Échéance à {(jour - date_facture).days} jours, au-delà du maximum légal ({borne.regle.texte})."
        )
    return EcheanceCalculee(jour, retenue, borne.jour, jour <= borne.jour, tuple(signalements))


def _calculer(facture: date, c: Conditions, lecture: str) -> date:
    delai = timedelta(c.jours)
    if c.nature == "net":
        return facture + delai
    fin = fin_de_mois_de if c.nature == "mois" else fin_de_decade_de
    if lecture == "B":
        jour = fin(facture) + delai
        return jour if c.le is None else _prochain(jour, c.le)
    jour = fin(facture + delai)
    return jour if c.le is None else _le(jour + UN_JOUR, c.le)


def _le(mois: date, jour: int) -> date:
    """Le jour dit du mois, ou son dernier jour s'il est plus court."""
    return mois.replace(day=min(jour, monthrange(mois.year, mois.month)[1]))


def _prochain(depuis: date, jour: int) -> date:
    candidat = _le(depuis, jour)
    return candidat if candidat >= depuis else _le(fin_de_mois_de(depuis) + UN_JOUR, jour)


@lru_cache(maxsize=1024)
def conditions_excessives(conditions: str, lecture: str, annee: int, cas: Cas = Cas.DROIT_COMMUN) -> str:
    """Phrase si ces conditions dépassent le maximum légal de ce cas un jour de l'année ; vide sinon.

    Une condition conforme le 1er du mois peut ne pas l'être le 31 : « 30 jours fin de mois le 10 ». Des conditions
    illisibles ne disent rien ici : leur saisie les refuse.
    """
    try:
        lues = lire_conditions(conditions)
    except ConditionsIllisibles:
        return ""
    jour = date(annee, 1, 1)
    while jour.year == annee:
        calcul = echeance(jour, lues, lecture or None, cas=cas)
        if not calcul.conforme:
            limite = f"au plus tard le {calcul.maximum_legal:%d/%m/%Y}"
            return (
                f"« {conditions} » peut dépasser le maximum légal ({TABLE[cas].texte}) : une facture du "
                f"{jour:%d/%m/%Y} échoit le {calcul.echeance:%d/%m/%Y}, {limite}."
            )
        jour += UN_JOUR
    return ""
