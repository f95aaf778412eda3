"""Quel palier ce soir, et pourquoi ou pourquoi pas : décision pure, sans base ni horloge.

L'essai à blanc, l'écran « Ce soir » et la vraie nuit appellent ces fonctions. Tous les montants sont des
Decimal dans la devise de la pièce ; toutes les dates sont des jours d'Europe/Paris.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import NamedTuple

from .natures import AMIABLES, Canal, ModePalier, Nature, Reference
from .verdicts import TEMPORELS, Motif

__all__ = [
    "TEMPORELS", "ClientFaits", "Decision", "EcheanceFaits", "Envoi", "Motif", "PalierRegle", "Plan", "Reglages",
    "Resultat", "credit_retient", "credits_libres", "decider", "freins_de_la_piece", "jour_du", "juger",
]  # fmt: skip

ZERO = Decimal("0.00")


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


@dataclass(frozen=True, slots=True)
class Plan:
    """Version publiée d'une échelle, paliers par rang croissant."""

    version: int
    paliers: tuple[PalierRegle, ...]
    regroupement: str = "niveau"
    seuil_piece: Decimal = ZERO
    seuil_envoi: Decimal = ZERO
    plafond_envoi: Decimal | None = None

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


@dataclass(frozen=True, slots=True)
class ClientFaits:
    id: int
    type: str
    echeances: tuple[EcheanceFaits, ...]
    suspendu_jusqu_au: date | None = None
    motif_suspension: str = ""
    jugement: date | None = None
    surendettement: bool = False
    credits: dict[str, Decimal] = field(default_factory=dict)
    # Échu de tout le compte, pièces non rejugées ce soir comprises ; None : celui des échéances ci-dessus.
    echu: dict[str, Decimal] | None = None
    # Crédits déjà déduits d'un courrier qui court encore : (devise, montant, pièces de ce courrier).
    reserves: tuple[tuple[str, Decimal, frozenset[int]], ...] = ()
    canaux: frozenset[Canal] = frozenset()
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
    # Une personne passe outre la formalisation et le nombre de relances amiables, avec un motif (exigences 10, 11).
    derogation: bool = False


class Decision(NamedTuple):
    echeance: EcheanceFaits
    motif: Motif
    detail: str = ""
    prochaine: date | None = None
    palier: PalierRegle | None = None
    reclame: Decimal = ZERO  # part non contestée


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


def jour_du(palier: PalierRegle, e: EcheanceFaits) -> date:
    """Premier jour où le palier est dû, avant tout frein."""
    if palier.reference is Reference.FACTURE:
        depart = e.date_facture
    elif palier.reference is Reference.PRECEDENT:
        depart = e.atteint_le or e.date_echeance
    else:
        depart = e.date_echeance
    return depart + timedelta(days=palier.delai)


def juger(
    e: EcheanceFaits, client: ClientFaits, plan: Plan | None, *, au: date, reglages: Reglages, ouvre: Callable
) -> Decision:
    """Verdict d'une échéance seule ; les freins du compte viennent dans `decider`.

    ouvre(jour) -> jour ouvré égal ou suivant. L'ordre des tests est celui de la gravité : ce qui
    arrête pour toujours, puis le calendrier, puis ce qui retient pour un temps.
    """

    def non(motif, detail="", prochaine=None, palier=None):
        return Decision(e, motif, detail, prochaine, palier)

    if e.en_contentieux:
        return non(Motif.CONTENTIEUX)
    if client.jugement and reglages.freins:
        return non(Motif.PROCEDURE, f"jugement d'ouverture du {client.jugement:%d/%m/%Y}")
    if client.surendettement and reglages.freins:
        return non(Motif.SURENDETTEMENT)
    if plan is None:
        return non(Motif.SANS_PLAN)
    palier = plan.suivant(e.nature, e.rang, e.version)
    if palier is None:
        return non(Motif.TERMINEE)
    du = jour_du(palier, e)
    if palier.nature is Nature.AVANT_ECHEANCE and au > e.date_echeance:
        # Le rappel avant échéance n'a plus de sens : on passe au palier d'après, le même soir.
        suite = plan.suivant(palier.nature, palier.rang, plan.version)
        if suite is None:
            return non(Motif.TERMINEE)
        palier, du = suite, jour_du(suite, e)
    if palier.nature is not Nature.AVANT_ECHEANCE:
        du = max(du, e.date_echeance + timedelta(days=1))  # jamais de relance de ce qui n'est pas échu
    if au < du:
        return non(Motif.ATTENTE, "", ouvre(du) if reglages.freins else du, palier)
    if not reglages.freins:
        return Decision(e, Motif.RELANCEE, "", None, palier, e.reste_du)

    if e.atteint_le == au:
        return non(Motif.DEJA_CE_JOUR, "une étape par échéance et par nuit", ouvre(au + timedelta(days=1)), palier)
    if e.envoi_en_attente:
        return non(Motif.EN_ATTENTE_ENVOI, "le courrier du palier précédent n'est pas encore parti", None, palier)
    frein = freins_de_la_piece(e, client, palier, au=au, ouvre=ouvre)
    if frein:
        return frein
    reclame = e.reste_du - e.conteste
    if client.type == "a_qualifier" and palier.nature >= Nature.FORMALISATION:
        return non(Motif.A_QUALIFIER, "type de débiteur inconnu : aucune pénalité ne peut être réclamée", None, palier)
    absente = e.nature < Nature.FORMALISATION or e.formalisation_manquante
    if palier.nature is Nature.MISE_EN_DEMEURE and absente and not reglages.derogation:
        return non(Motif.FORMALISATION_ABSENTE, "la formalisation n'a pas été envoyée", None, palier)
    if palier.nature in AMIABLES and e.amiables >= reglages.max_amiables:
        return non(Motif.MAX_AMIABLES, f"{e.amiables} relances amiables déjà faites", None, palier)
    if reclame < plan.seuil_piece:
        return non(Motif.SEUIL_PIECE, f"moins de {plan.seuil_piece}", None, palier)
    return Decision(e, Motif.RELANCEE, "", None, palier, reclame)


def freins_de_la_piece(
    e: EcheanceFaits, client: ClientFaits, palier: PalierRegle, *, au: date, ouvre: Callable[[date], date]
) -> Decision | None:
    """Ce qui retient une pièce, à la décision comme juste avant l'envoi (exigence 19) ; None : rien."""

    def retenue(motif, detail="", prochaine=None):
        return Decision(e, motif, detail, prochaine, palier)

    if e.en_contentieux:
        return retenue(Motif.CONTENTIEUX)
    if client.jugement:
        return retenue(Motif.PROCEDURE, f"jugement d'ouverture du {client.jugement:%d/%m/%Y}")
    if client.surendettement:
        return retenue(Motif.SURENDETTEMENT)
    if client.suspendu_jusqu_au:
        fin = client.suspendu_jusqu_au
        detail = f"{client.motif_suspension}, jusqu'au {fin:%d/%m/%Y}"
        return retenue(Motif.SUSPENDUE, detail, ouvre(fin + timedelta(days=1)))
    if e.prelevement:
        return retenue(Motif.PRELEVEMENT)
    if e.promesse_jusqu_au and e.promesse_jusqu_au >= au:
        fin = e.promesse_jusqu_au
        return retenue(Motif.PROMESSE, f"promesse suivie jusqu'au {fin:%d/%m/%Y}", ouvre(fin + timedelta(days=1)))
    if e.conteste and (palier.nature >= Nature.MISE_EN_DEMEURE or e.reste_du <= e.conteste):
        # Exigence 10 : une échéance contestée, même en partie, sort tout entière d'une mise en demeure.
        return retenue(Motif.LITIGE, f"{e.conteste} contestés")
    return None


def decider(
    client: ClientFaits, plan: Plan | None, *, au: date, reglages: Reglages, ouvre: Callable[[date], date]
) -> Resultat:
    """Toutes les décisions d'un client au jour `au`, et les envois qui en découlent."""
    verdicts = [juger(e, client, plan, au=au, reglages=reglages, ouvre=ouvre) for e in client.echeances]
    if plan is None:
        return Resultat(verdicts, [])
    retenus = [d for d in verdicts if d.motif is not Motif.RELANCEE]
    partants = [d for d in verdicts if d.motif is Motif.RELANCEE]
    envois: list[Envoi] = []
    if partants and reglages.freins:
        partants, freines = _freins_du_compte(client, plan, partants, au=au, reglages=reglages, ouvre=ouvre)
        retenus += freines
    groupes = _regrouper(partants, client.regroupement or plan.regroupement)
    disponible = credits_libres(client, {d.echeance.id for d in partants}) if reglages.freins else {}
    # Un crédit ne se déduit qu'une fois : d'abord de l'envoi le plus grave.
    for groupe in sorted(groupes, key=lambda g: -g[0].palier.rang):
        envoi, refuses = _envoi(client, plan, groupe, disponible, reglages=reglages)
        retenus += refuses
        if envoi:
            envois.append(envoi)
    if reglages.freins and (client.regroupement or plan.regroupement) != "piece":
        envois, reportes = _un_seul_contact(client, envois, au=au, ouvre=ouvre)
        retenus += reportes
    return Resultat([*retenus, *(d for v in envois for d in v.decisions)], envois)


def credits_libres(client: ClientFaits, reprises: set[int]) -> dict[str, Decimal]:
    """Crédits encore déductibles, par devise, d'un courrier qui reprend ces pièces.

    Ce qu'un autre courrier toujours en vigueur a déduit ne se déduit pas deux fois ; un courrier dont toutes les
    pièces sont reprises ici est remplacé, son crédit redevient libre.
    """
    libres = dict(client.credits)
    for devise, montant, pieces in client.reserves:
        if not pieces <= reprises:
            libres[devise] = max(libres.get(devise, ZERO) - montant, ZERO)
    return libres


def credit_retient(client: ClientFaits, devise: str, *, au: date, seuil: int) -> Decimal:
    """Crédit non affecté qui retient le compte (exigence 2), ou zéro."""
    credit = client.credits.get(devise, ZERO)
    if client.echu is not None:
        echu = client.echu.get(devise, ZERO)
    else:
        echu = sum((e.reste_du for e in client.echeances if e.devise == devise and e.date_echeance < au), ZERO)
    return credit if credit and echu and credit * 100 >= echu * seuil else ZERO


def _retenir(decisions: Iterable[Decision], motif: Motif, detail="", prochaine=None) -> list[Decision]:
    return [d._replace(motif=motif, detail=detail, prochaine=prochaine, reclame=ZERO) for d in decisions]


def _freins_du_compte(client, plan, partants, *, au, reglages, ouvre):
    """Ce qui retient tout le compte : jour chômé, contact trop proche, crédit non affecté, société incomplète."""
    if ouvre(au) != au:
        return [], _retenir(partants, Motif.JOUR_NON_OUVRE, "", ouvre(au))
    if not reglages.societe_complete:
        return [], _retenir(partants, Motif.SOCIETE_INCOMPLETE, "mentions légales de la société à compléter")
    if client.dernier_contact:
        libre = client.dernier_contact + timedelta(days=client.delai_entre_contacts)
        if au < libre:
            detail = f"dernier contact le {client.dernier_contact:%d/%m/%Y}"
            return [], _retenir(partants, Motif.DELAI_CONTACT, detail, ouvre(libre))
    restants, freines = [], []
    for devise in {d.echeance.devise for d in partants}:
        groupe = [d for d in partants if d.echeance.devise == devise]
        credit = credit_retient(client, devise, au=au, seuil=reglages.seuil_credit)
        if credit:
            freines += _retenir(groupe, Motif.CREDIT_NON_AFFECTE, f"{credit} {devise} reçus et non affectés")
        else:
            restants += groupe
    return restants, freines


def _regrouper(partants: list[Decision], mode: str) -> list[list[Decision]]:
    """Un groupe = un courrier. Jamais deux devises ensemble (exigence 6) ; quatre modes (exigence 9)."""
    if mode in ("plus_haut", "plus_ancienne") and partants:
        partants = _aligner(partants, mode)
    groupes: dict[tuple, list[Decision]] = {}
    for d in partants:
        cle = (d.echeance.devise, d.palier.rang) + ((d.echeance.id,) if mode == "piece" else ())
        groupes.setdefault(cle, []).append(d)
    return list(groupes.values())


def _aligner(partants: list[Decision], mode: str) -> list[Decision]:
    """Porte les pièces du compte au palier du plus haut, ou à celui de la plus ancienne.

    Une pièce ne redescend jamais, et n'entre dans une mise en demeure (ou au-delà) que par son propre
    rang : la formalisation doit lui avoir été envoyée (exigence 10).
    """
    if mode == "plus_haut":
        cible = max((d.palier for d in partants), key=lambda p: p.rang)
    else:
        cible = min(partants, key=lambda d: (d.echeance.date_echeance, d.echeance.id)).palier

    def porter(d):
        if cible.rang <= d.palier.rang or cible.nature >= Nature.MISE_EN_DEMEURE:
            return d
        return d._replace(palier=cible)

    return [porter(d) for d in partants]


def _envoi(client: ClientFaits, plan: Plan, groupe: list[Decision], disponible: dict, *, reglages: Reglages):
    """Compose l'envoi d'un groupe, ou dit pourquoi il ne part pas ; consomme le crédit `disponible`."""
    palier, devise = groupe[0].palier, groupe[0].echeance.devise
    principal = sum((d.reclame for d in groupe), ZERO)
    credits = disponible.get(devise, ZERO)
    if credits:
        disponible[devise] = max(credits - principal, ZERO)
    if reglages.freins:
        if principal - credits <= 0:
            return None, _retenir(groupe, Motif.COUVERTE, f"{credits} {devise} de crédits couvrent le dû")
        if principal - credits < plan.seuil_envoi:
            return None, _retenir(groupe, Motif.SEUIL_ENVOI, f"moins de {plan.seuil_envoi}")
    canal = next((c for c in palier.canaux if c in client.canaux or c is Canal.TACHE), None)
    if canal is None:
        if reglages.freins:
            return None, _retenir(groupe, Motif.SANS_ADRESSE, "ni adresse ni numéro utilisable pour ce palier")
        canal = palier.canaux[0]
    mode, motif = palier.mode, ""
    if palier.mode is ModePalier.A_VALIDER:
        motif = "ce palier se valide"
    if plan.plafond_envoi is not None and principal - credits > plan.plafond_envoi:
        mode, motif = ModePalier.A_VALIDER, f"au-dessus du plafond de {plan.plafond_envoi} : un responsable valide"
    if canal in (Canal.APPEL, Canal.TACHE):
        mode, motif = ModePalier.TACHE, ""
    return Envoi(client.id, palier, devise, canal, mode, motif, tuple(groupe), principal, credits, client.langue), []


def _un_seul_contact(client: ClientFaits, envois: list[Envoi], *, au: date, ouvre):
    """Le délai minimal vaut aussi dans la nuit : le palier le plus grave part, les autres sont reportés."""
    if len({v.palier.rang for v in envois}) < 2 or not client.delai_entre_contacts:
        return envois, []
    premier = max(v.palier.rang for v in envois)
    prochaine = ouvre(au + timedelta(days=client.delai_entre_contacts))
    reportes = [d for v in envois if v.palier.rang != premier for d in v.decisions]
    return (
        [v for v in envois if v.palier.rang == premier],
        _retenir(reportes, Motif.DELAI_CONTACT, "un palier plus élevé part le même soir", prochaine),
    )
