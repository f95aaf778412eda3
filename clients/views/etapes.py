"""La prochaine étape d'un client, par le code même de la nuit ; et ce qu'un geste y changerait."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal

from django.utils.translation import gettext as _

from clients.models import Client
from factures.models import Echeance, Echeancier, Promesse
from recouvrement.commun import formats
from relances import motifs
from relances.domaine import echelle
from relances.domaine.echelle import ClientFaits, Decision, EcheanceFaits, Motif, PalierRegle
from relances.domaine.natures import Canal, ModePalier, Nature
from relances.services.faits import faits_par_client, fin_de_promesse, ouvreur, reglages
from relances.services.plans import plans_publies
from relances.services.retenues_reponses import fin_de_retenue

ZERO = Decimal("0.00")
UN_JOUR = timedelta(days=1)
# Freins qui s'en vont seuls à une date connue : l'étape est prévue, au plus tôt à cette date.
DATES = (Motif.SUSPENDUE, Motif.EXCLUE, Motif.PROMESSE, Motif.REPONSE)
PLANIFIES = (Motif.RELANCEE, Motif.ATTENTE, Motif.JOUR_NON_OUVRE, Motif.DELAI_CONTACT, Motif.DEJA_CE_JOUR, *DATES)
SIGNES = {
    Motif.RELANCEE: ("circle-check", "bon"),
    Motif.ATTENTE: ("clock", "doux"),
    Motif.JOUR_NON_OUVRE: ("clock", "doux"),
    Motif.DELAI_CONTACT: ("clock", "doux"),
    Motif.DEJA_CE_JOUR: ("circle-check", "bon"),
    Motif.PROCEDURE: ("gavel", "mal"),
    Motif.SURENDETTEMENT: ("hand-stop", "mal"),
    Motif.CONTENTIEUX: ("gavel", "doux"),
    Motif.AFFACTUREE: ("building-bank", "doux"),
    Motif.LITIGE: ("scale", "att"),
    Motif.REPONSE: ("message", "att"),
}


@dataclass
class Raison:
    """Une phrase et les pièces qu'elle concerne."""

    motif: Motif
    phrase: str
    pieces: list[str]
    total: int
    le: date | None = None
    nature: int = 0

    @property
    def autres(self) -> int:
        return self.total - len(self.pieces)

    @property
    def signe(self) -> str:
        return SIGNES.get(self.motif, ("player-pause", "att"))[0]

    @property
    def ton(self) -> str:
        return SIGNES.get(self.motif, ("player-pause", "att"))[1]


@dataclass
class Etapes:
    """`le` vide : rien n'est prévu. `par_piece` : {échéance: décision}, à échoir comprises."""

    le: date | None = None
    nature: int = 0
    titre: str = ""
    qui: str = ""
    raisons: list[Raison] = field(default_factory=list)
    par_piece: dict[int, Decision] = field(default_factory=dict)
    retenu: Decimal = ZERO
    modes: dict[int, ModePalier] = field(default_factory=dict)  # {échéance: mode de l'envoi décidé}


Retouche = Callable[[ClientFaits], ClientFaits]


class Prevision:
    """Faits d'un client lus une fois, jugés autant de fois qu'on veut."""

    def __init__(self, client: Client, *, au: date, pieces: list[Echeance]):
        societe = client.societe
        plans = plans_publies(societe)
        self.au = au
        self.pieces = {e.pk: e for e in pieces}
        self.plan = plans.pour(client.pk, client.type)
        self.ouvre = ouvreur(societe)
        self.regles = reglages(societe)
        lots = faits_par_client(societe, plans, au=au, ouvre=self.ouvre, clients=[client.pk], toutes=True)
        self.faits = next((f for lot in lots for f in lot), None) or self._faits_sans_echu(client)

    def _faits_sans_echu(self, client: Client) -> ClientFaits:
        """Rien d'échu : la nuit ne lirait pas ce client, mais ce qui l'arrête vaut aussi pour demain."""
        suspension = client.suspensions.en_cours(self.au).order_by("au").last()
        return ClientFaits(
            client.pk,
            client.type,
            (),
            suspendu_jusqu_au=suspension.au if suspension else None,
            motif_suspension=suspension.motif if suspension else "",
            reponse_jusqu_au=fin_de_retenue([client.pk], self.au).get(client.pk),
            jugement=client.jugement_ouverture_le,
            procedure_close=client.procedure_cloturee_le,
            surendettement=client.surendettement,
            sans_appel=client.ne_pas_appeler_le is not None,
            canaux=frozenset(Canal),
        )

    def juger(self, retouche: Retouche | None = None) -> Etapes:
        """Décide comme la nuit, sur les faits ou sur leur version retouchée."""
        faits = retouche(self.faits) if retouche else self.faits
        resultat = echelle.decider(faits, self.plan, au=self.au, reglages=self.regles, ouvre=self.ouvre)
        decisions = {d.echeance.id: self._le_jour_dit(d, faits) for d in resultat.decisions}
        for pk, piece in self.pieces.items():
            if pk not in decisions and (a_venir := self._a_venir(piece)):
                decisions[pk] = self._le_jour_dit(a_venir, faits)
        decisions = {pk: self._sans_suite(self._exclusion_d_abord(d), faits) for pk, d in decisions.items()}
        return self._resumer(decisions, {d.echeance.id: v.mode for v in resultat.envois for d in v.decisions})

    def _le_jour_dit(self, d: Decision, faits: ClientFaits) -> Decision:
        """Une pièce qui attend son jour : ce qui la retiendra ce jour-là si rien ne change d'ici là."""
        if d.motif is not Motif.ATTENTE or not d.prochaine:
            return d
        if faits.suspendu_jusqu_au and faits.suspendu_jusqu_au < d.prochaine:
            faits = replace(faits, suspendu_jusqu_au=None)
        ce_jour = echelle.juger(d.echeance, faits, self.plan, au=d.prochaine, reglages=self.regles, ouvre=self.ouvre)
        return d if ce_jour.motif is Motif.RELANCEE else ce_jour

    def _exclusion_d_abord(self, d: Decision) -> Decision:
        """Exclue alors qu'un courrier l'attend : c'est l'exclusion qui la retiendra, le courrier se relit avec elle."""
        piece = self.pieces.get(d.echeance.id)
        if d.motif is not Motif.EN_ATTENTE_ENVOI or piece is None or not piece.exclusion:
            return d
        detail = _("%(motif)s, jusqu'au %(jour)s") % {
            "motif": piece.exclusion.motif, "jour": formats.jour(piece.exclusion.au),
        }  # fmt: skip
        return d._replace(motif=Motif.EXCLUE, detail=detail, prochaine=self.ouvre(piece.exclusion.au + UN_JOUR))

    def _sans_suite(self, d: Decision, faits: ClientFaits) -> Decision:
        """Un frein daté qui cédera la place à un frein sans date : sa fin n'annonce aucune étape (`prochaine` vide)."""
        if d.motif not in (Motif.SUSPENDUE, Motif.EXCLUE, Motif.PROMESSE) or not d.prochaine:
            return d
        if d.motif is Motif.SUSPENDUE:  # seule à ne pas se comparer au jour jugé
            faits = replace(faits, suspendu_jusqu_au=None)
        suite = echelle.juger(d.echeance, faits, self.plan, au=d.prochaine, reglages=self.regles, ouvre=self.ouvre)
        durable = suite.prochaine is None and suite.motif not in PLANIFIES
        return d._replace(prochaine=None) if durable else d

    def _a_venir(self, e: Echeance) -> Decision | None:
        """Pièce pas encore échue : le premier palier qui la concernera, si rien ne change."""
        if not self.plan or e.en_contentieux:
            return None
        faits = EcheanceFaits(
            e.pk, e.facture_id, e.date_facture, e.date_echeance, e.reste_du, e.devise, Nature(e.niveau), e.niveau_rang,
            e.niveau_version, e.niveau_le, e.prelevement, False, e.conteste, self._fin_de_promesse(e),
        )  # fmt: skip
        palier = self.plan.suivant(faits.nature, faits.rang, faits.version)
        if palier is None:
            return None
        du, detail = echelle.jour_du(palier, faits), ""
        if self.faits.sans_appel and palier.nature is Nature.APPEL:
            palier, du = echelle.sauter_l_appel(palier, du, faits, self.plan)
            detail = echelle.SANS_APPEL
        if palier is None:
            return None
        return Decision(faits, Motif.ATTENTE, detail, self.ouvre(max(du, self.au)), palier)

    def _fin_de_promesse(self, e: Echeance) -> date | None:
        if e.promesse is None or e.promesse.statut != Promesse.Statut.EN_ATTENTE:
            return None
        return fin_de_promesse(e.promesse.date_promise, self.ouvre)

    def _resumer(self, decisions: dict[int, Decision], modes: dict[int, ModePalier]) -> Etapes:
        etapes = Etapes(par_piece=decisions, modes=modes)
        prevues = [(self._jour(d), -d.palier.rang, d) for d in decisions.values() if self._prevue(d)]
        if prevues:
            le, _rang, premiere = min(prevues, key=lambda x: x[:2])
            palier: PalierRegle = premiere.palier
            etapes.le, etapes.nature = le, int(palier.nature)
            etapes.titre = motifs.avec_canal(palier.nature, palier.canaux, self.faits.canaux)
            etapes.qui = motifs.qui_agit(self._mode(premiere, decisions, modes))
            if premiere.motif in DATES:
                etapes.qui = _("au plus tôt, %(qui)s") % {"qui": etapes.qui}
        etapes.retenu = sum((d.echeance.reste_du for d in decisions.values() if d.motif not in PLANIFIES), ZERO)
        etapes.raisons = self._raisons(decisions, modes)
        return etapes

    def _mode(self, d: Decision, decisions: dict[int, Decision], modes: dict[int, ModePalier]) -> ModePalier:
        """Celui de l'envoi décidé ; pour une étape à venir, ce que le plafond du plan en fera si rien ne change."""
        if d.echeance.id in modes:
            return modes[d.echeance.id]
        plafond = self.plan.plafond_envoi if self.plan else None
        if d.palier.mode is not ModePalier.AUTOMATIQUE or plafond is None:
            return d.palier.mode
        ensemble = (
            x.echeance
            for x in decisions.values()
            if x.palier == d.palier and x.echeance.devise == d.echeance.devise and self._jour(x) == self._jour(d)
        )
        a_reclamer = sum((e.reste_du - e.conteste for e in ensemble), ZERO)
        return ModePalier.A_VALIDER if a_reclamer > plafond else d.palier.mode

    @staticmethod
    def _prevue(d: Decision) -> bool:
        return d.palier is not None and d.motif in PLANIFIES and (d.motif not in DATES or d.prochaine is not None)

    def _jour(self, d: Decision) -> date:
        return d.prochaine or self.ouvre(self.au)

    def _raisons(self, decisions: dict[int, Decision], modes: dict[int, ModePalier]) -> list[Raison]:
        """Une raison par phrase, la plus proche d'abord ; ce qui est seulement à échoir vient en dernier."""
        groupes: dict[str, Raison] = {}
        ordonnees = sorted(decisions.values(), key=lambda d: (d.echeance.date_echeance, d.echeance.id))
        for d in ordonnees:
            texte = motifs.phrase(d, modes.get(d.echeance.id))
            raison = groupes.setdefault(
                texte, Raison(d.motif, texte, [], 0, d.prochaine, int(d.palier.nature) if d.palier else 0)
            )
            raison.total += 1
            piece = self.pieces.get(d.echeance.id)
            if piece and len(raison.pieces) < 3:
                raison.pieces.append(piece.facture.numero)
        return sorted(groupes.values(), key=lambda r: (r.motif is Motif.ATTENTE, r.le or date.min))


def retoucher_echeances(ids, **champs) -> Retouche:
    """Faits où ces échéances portent d'autres valeurs."""
    ids = set(ids)

    def retouche(faits: ClientFaits) -> ClientFaits:
        return replace(faits, echeances=tuple(e._replace(**champs) if e.id in ids else e for e in faits.echeances))

    return retouche


def etat(piece: Echeance, decision: Decision | None, *, au: date, passage: date) -> tuple[str, str]:
    """(deux mots, ton) : ce qu'il faut savoir de la pièce avant tout le reste. passage : jour du prochain passage."""
    if piece.en_contentieux:
        return _("Contentieux"), "mal"
    if piece.exclusion:
        return _("Exclue jusqu'au %(jour)s") % {"jour": formats.jour_court(piece.exclusion.au)}, "att"
    if piece.echeancier:
        en_cours = piece.echeancier.statut == Echeancier.Statut.EN_COURS
        return (_("Échéancier en cours"), "info") if en_cours else (_("Échéancier rompu"), "mal")
    if piece.litige:
        return _("Litige %(montant)s") % {"montant": formats.somme(piece.conteste, piece.devise)}, "att"
    if piece.promesse and piece.promesse.statut == Promesse.Statut.EN_ATTENTE:
        return _("Promise pour le %(jour)s") % {"jour": formats.jour_court(piece.promesse.date_promise)}, "info"
    if piece.promesse:
        return _("Promesse rompue"), "mal"
    if piece.date_echeance >= au:
        return _("À échoir"), ""
    if decision is None or decision.motif is Motif.TERMINEE:
        return _("À décider"), "att"
    if decision.motif is Motif.EN_ATTENTE_ENVOI:
        return _("Envoi en attente"), "info"
    if decision.motif in (Motif.RELANCEE, Motif.ATTENTE) and decision.palier:
        le = decision.prochaine or passage
        jour = _("ce soir") if le == au else formats.jour_court(le)
        return f"{motifs.nom_palier(decision.palier.nature)} {jour}", "vide"
    return motifs.libelle(decision.motif), "att"
