"""Les accords amiables : bornes d'une proposition, mensualités, et ce que chaque genre abandonne. Ni base ni horloge.

Sources : droit.md § 9 ; C. civ., art. 1305-4, 1329, 1330, 1343-1, 1347, 1350 ; CCP, art. L2192-14.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, ROUND_UP, Decimal
from enum import StrEnum
from typing import NamedTuple, Protocol

from .mensualites import Terme, proposer

ZERO = Decimal("0.00")
CENT = Decimal("0.01")
MENSUALITES_MIN, MENSUALITES_MAX = 2, 24  # au-delà, ce n'est plus un délai : c'est un prêt
DUREE_ABSOLUE = 730  # jours : le juge ne va pas plus loin (C. civ., art. 1343-5)
A_SIGNER_SOUS = 30  # jours : une offre ne reste pas ouverte sans fin
SOMMATION_JOURS = 8  # délai raisonnable d'une mise en demeure (C. civ., art. 1231, 1344)
PAIEMENT_IMMEDIAT = 90  # jours : une remise récompense un paiement proche


class Genre(StrEnum):
    ECHEANCIER = "echeancier"
    REMISE = "remise"
    ESCOMPTE = "escompte"
    COMPENSATION = "compensation"
    NOVATION = "novation"


ABANDON = (Genre.REMISE, Genre.ESCOMPTE)  # payé à temps, une part de la dette est abandonnée
ETALES = (Genre.ECHEANCIER, Genre.NOVATION)  # portent des termes datés


class Reglage(Protocol):
    """Bornes d'une société ; `factures.models.ReglageAccords` les porte."""

    mensualites_max: int
    mensualite_min: Decimal
    premiere_sous_jours: int
    duree_max_jours: int
    montant_max: Decimal | None
    clause_decheance: bool
    penalites: str
    remise_max: Decimal


class Proposition(NamedTuple):
    """Ce qui est offert. montant : principal restant dû (devise de l'accord) ; remise : part abandonnée si tenu.

    capacite : ce que le client dit pouvoir verser chaque mois, ou None. par_le_client : il n'y a personne pour décider.
    """

    genre: Genre
    montant: Decimal
    mensualites: tuple[Terme, ...] = ()
    remise: Decimal = ZERO
    payer_avant: date | None = None
    capacite: Decimal | None = None
    penalites: str = "courent"
    clause_decheance: bool | None = None
    devise: str = "EUR"


class Raison(NamedTuple):
    """Une borne franchie. dure : personne n'y peut rien ; sinon un responsable peut l'accepter."""

    code: str
    dure: bool
    valeurs: Mapping[str, object]


def repartir(montant: Decimal, n: int, premiere_le: date) -> list[Terme]:
    """`n` mensualités égales, au centime, de mois en mois ; la dernière porte les centimes.

    Lève ValueError : n hors de 2 à 24, ou moins d'un centime par mensualité.
    """
    if not MENSUALITES_MIN <= n <= MENSUALITES_MAX:
        raise ValueError(f"{n} mensualités : de {MENSUALITES_MIN} à {MENSUALITES_MAX}")
    return proposer(montant, n, premiere_le)


def mensualites_pour(montant: Decimal, capacite: Decimal) -> int:
    """Le plus petit nombre de mensualités qui tiennent dans la capacité dite ; 0 si elle est nulle."""
    if capacite <= 0:
        return 0
    return max(int((montant / capacite).to_integral_value(ROUND_UP)), 1)


def dans_les_bornes(proposition: Proposition, reglage: Reglage, *, au: date) -> list[Raison]:
    """Tout ce qui sort des bornes de la société au jour `au`, dans l'ordre de lecture ; vide : rien.

    Une raison dure se refuse toujours : somme fausse, dates passées ou en désordre, plan qui ne finit pas. Les autres
    se refusent au client seul, et demandent un responsable à l'équipe.
    """
    p, raisons = proposition, []

    def dire(code: str, dure: bool = False, **valeurs):
        raisons.append(Raison(code, dure, valeurs))

    if p.montant <= 0:
        dire("rien_du", True)
        return raisons
    if p.genre in ETALES:
        _les_mensualites(p, reglage, au, dire)
    if p.genre in ABANDON:
        _l_abandon(p, reglage, au, dire)
    if p.penalites == "abandonnees" and reglage.penalites != "abandonnees":
        dire("penalites")
    if p.genre == Genre.ECHEANCIER and p.clause_decheance is False and reglage.clause_decheance:
        dire("sans_clause")
    if p.genre == Genre.NOVATION:
        dire("novation")
    if reglage.montant_max is not None and p.montant > reglage.montant_max:
        dire("montant_max", montant=p.montant, maximum=reglage.montant_max)
    return raisons


def _les_mensualites(p: Proposition, reglage: Reglage, au: date, dire) -> None:
    termes, n = p.mensualites, len(p.mensualites)
    minimum = 1 if p.genre == Genre.NOVATION else MENSUALITES_MIN  # une dette nouvelle peut n'avoir qu'un terme
    if not minimum <= n <= MENSUALITES_MAX:
        dire("nombre_impossible", True, nombre=n, minimum=minimum, maximum=MENSUALITES_MAX)
        if not n:
            return
    elif n > reglage.mensualites_max:
        dire("nombre", nombre=n, maximum=reglage.mensualites_max)
    if any(t.montant <= 0 for t in termes):
        dire("montant_nul", True)
    total = sum((t.montant for t in termes), ZERO)
    if total != p.montant:
        dire("somme", True, total=total, du=p.montant, ecart=total - p.montant)
    if any(apres.due_le <= avant.due_le for avant, apres in zip(termes, termes[1:], strict=False)):
        dire("desordre", True)
    if termes[0].due_le <= au:
        dire("premiere_passee", True)
    elif (termes[0].due_le - au).days > reglage.premiere_sous_jours:
        dire("premiere_tard", jours=reglage.premiere_sous_jours, le=au + timedelta(reglage.premiere_sous_jours))
    duree = (max(t.due_le for t in termes) - au).days
    if duree > DUREE_ABSOLUE:
        dire("sans_fin", True, jours=DUREE_ABSOLUE)
    elif duree > reglage.duree_max_jours:
        dire("duree", jours=duree, maximum=reglage.duree_max_jours)
    # La dernière porte les centimes : elle seule peut être un peu plus basse.
    if n > 1 and min(t.montant for t in termes[:-1]) < reglage.mensualite_min:
        dire("mensualite_min", minimum=reglage.mensualite_min)
    if p.capacite is not None and (plus := max(t.montant for t in termes)) > p.capacite:
        dire("capacite", mensualite=plus, capacite=p.capacite, nombre=mensualites_pour(p.montant, p.capacite))


def _l_abandon(p: Proposition, reglage: Reglage, au: date, dire) -> None:
    if not 0 < p.remise < p.montant:
        dire("remise_impossible", True, montant=p.montant)
    elif (taux := taux_de_remise(p.remise, p.montant)) > reglage.remise_max:
        dire("remise_max", taux=taux, maximum=reglage.remise_max)
    if p.payer_avant is None or p.payer_avant < au:
        dire("payer_passe", True)
    elif (p.payer_avant - au).days > PAIEMENT_IMMEDIAT:
        dire("payer_tard", True, jours=PAIEMENT_IMMEDIAT)


def taux_de_remise(remise: Decimal, montant: Decimal) -> Decimal:
    """Part abandonnée, en % du dû, à deux décimales."""
    return (remise * 100 / montant).quantize(CENT, ROUND_HALF_UP)


class Effet(NamedTuple):
    """Ce que l'accord tenu fait au compte. nature : celle de l'avoir (`NatureAvoir`) ; "" : aucun."""

    nature: str
    avoir: Decimal
    a_payer: Decimal  # ce que le client verse pour tenir


def effet(genre: Genre, *, montant: Decimal, remise: Decimal = ZERO, opposee: Decimal = ZERO) -> Effet:
    """L'effet d'un accord signé et tenu, par genre. Lève ValueError si l'abandon dépasse la dette.

    Échéancier : rien n'est abandonné. Remise, escompte : l'avoir vient quand le reste est payé. Compensation : à
    concurrence de la plus faible des deux dettes (C. civ., art. 1347). Novation : l'ancienne s'éteint (art. 1329).
    """
    if genre == Genre.ECHEANCIER:
        return Effet("", ZERO, montant)
    if genre in ABANDON:
        if not 0 < remise < montant:
            raise ValueError(f"abandon de {remise} sur {montant}")
        return Effet(str(genre), remise, montant - remise)
    if genre == Genre.COMPENSATION:
        part = min(opposee, montant)
        if part <= 0:
            raise ValueError(f"créance opposée de {opposee}")
        return Effet("compensa", part, montant - part)
    return Effet("novation", montant, ZERO)


def poser(avoir: Decimal, restes: Sequence[tuple[int, Decimal]]) -> list[tuple[int, Decimal]]:
    """Parts d'un avoir sur les pièces, dans l'ordre donné (la plus ancienne d'abord), jamais au-delà d'un reste.

    Lève ValueError si les restes ne suffisent pas : rien ne se perd.
    """
    parts, libre = [], avoir
    for pk, reste in restes:
        if part := min(libre, reste):
            parts.append((pk, part))
            libre -= part
    if libre:
        raise ValueError(f"{libre} de trop sur {avoir}")
    return parts


def expire_le(genre: Genre, *, au: date, mensualites: Sequence[Terme] = (), payer_avant: date | None = None) -> date:
    """Dernier jour pour signer : trente jours, jamais après la veille du premier paiement dû."""
    fin = au + timedelta(A_SIGNER_SOUS)
    if genre in ETALES and mensualites:
        fin = min(fin, mensualites[0].due_le - timedelta(1))
    if genre in ABANDON and payer_avant:
        fin = min(fin, payer_avant)
    return max(fin, au)


@dataclass(frozen=True)
class Situation:
    """Ce qu'il faut savoir du client et des pièces pour dire ce que le genre permet. Montants dans la devise."""

    type_debiteur: str
    genre: Genre
    conteste: Decimal = ZERO
    a_echoir: bool = False
    procedure: bool = False  # collective, et une créance d'avant le jugement
    surendettement: bool = False
    connexite: bool = False
    promesse: bool = False
    abandonne_les_penalites: bool = False
    intention: bool = False  # novation : elle ne se présume pas
    certaine: bool = False  # créance opposée : certaine, liquide, exigible, de l'aveu des deux


class Avis(NamedTuple):
    code: str
    refus: bool


def avis(s: Situation) -> list[Avis]:
    """Ce que le droit refuse, puis ce dont il faut avertir, pour ce genre et ce débiteur (docs/regles.md)."""
    refus, avertis = [], []
    public, particulier = s.type_debiteur == "administration", s.type_debiteur == "particulier"
    if s.type_debiteur == "a_qualifier":  # l'écrit dirait un droit qui n'est peut-être pas le sien
        refus.append("a_qualifier")
    if s.surendettement:
        refus.append("surendettement")
    if s.procedure and not (s.genre == Genre.COMPENSATION and s.connexite):
        refus.append("procedure_compensation" if s.genre == Genre.COMPENSATION else "procedure")
    if s.genre == Genre.COMPENSATION:
        if public:
            refus.append("compensation_publique")
        if s.conteste:
            refus.append("compensation_contestee")
        if s.a_echoir:
            refus.append("compensation_a_echoir")
        if not s.certaine:
            refus.append("compensation_incertaine")
    if s.genre == Genre.NOVATION:
        if not s.intention:
            refus.append("novation_presumee")
        avertis.append("novation_suretes")
    if public and s.abandonne_les_penalites:
        refus.append("interets_publics")  # CCP, art. L2192-14 : réputée non écrite
    if public and s.genre in (*ABANDON, Genre.ECHEANCIER, Genre.NOVATION):
        avertis.append("comptable_public")
    if particulier and s.genre in (Genre.ECHEANCIER, Genre.NOVATION):
        avertis.append("particulier_sans_frais")
    if s.type_debiteur == "entreprise" and s.genre in ABANDON:
        avertis.append("vente_a_perte")
    if s.conteste and s.genre != Genre.COMPENSATION:
        avertis.append("conteste")
    if s.promesse:
        avertis.append("promesse")
    return [Avis(code, True) for code in refus] + [Avis(code, False) for code in avertis]
