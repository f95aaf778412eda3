"""Comment ce client paie, lu en un nombre fixe de requêtes, et ce que la fiche en dit (décision 0030)."""

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from django.db.models import F, Q, Sum
from django.utils.timezone import localdate
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from clients.domaine import comportement as regle
from clients.domaine.comportement import (
    AN,
    HORIZON,
    MINIMUM,
    SEMESTRE,
    Part,
    Promesses,
    Reaction,
    Retard,
    Sens,
    Tendance,
)
from clients.models import Client
from factures.models import Echeance, Imputation, Litige, Promesse
from factures.services.promesses import limite_promesse, recus
from recouvrement.commun import formats
from relances.models import Courrier, Declaration, MessageRecu

ZERO = Decimal("0.00")
S = Promesse.Statut
CONCLUES = (S.TENUE, S.PARTIELLE, S.ROMPUE)
PARTIS = (Courrier.Statut.ENVOYE, Courrier.Statut.POSTE)
TONS = {Sens.MIEUX: "bon", Sens.PIRE: "mal"}


@dataclass
class Comportement:
    """Une devise, celle du compte principal. `promesses` et `reaction` valent pour tout le client."""

    devise: str
    retard_12: Retard = field(default_factory=Retard)
    retard_avant_12: Retard = field(default_factory=Retard)
    tendance: Tendance = field(default_factory=Tendance)
    taux: Promesses = field(default_factory=Promesses)
    reaction: Reaction = field(default_factory=Reaction)
    en_attente: list[Promesse] = field(default_factory=list)
    derniere_rompue: Promesse | None = None
    autres: list[tuple[str, int]] = field(default_factory=list)  # (devise, retard en jours) des autres comptes

    @property
    def retard(self) -> int | None:
        return self.retard_12.jours

    @property
    def retard_avant(self) -> int | None:
        return self.retard_avant_12.jours

    @property
    def tenues(self) -> int:
        return self.taux.tenues

    @property
    def conclues(self) -> int:
        return self.taux.conclues

    @property
    def ton_tendance(self) -> str:
        return TONS.get(self.tendance.sens, "")

    @property
    def phrase_tendance(self) -> str:
        t = self.tendance
        if t.sens is Sens.TROP_PEU:
            return _("tendance : trop peu de paiements pour la dire")
        ecart = ngettext("%(n)d jour", "%(n)d jours", abs(t.ecart)) % {"n": abs(t.ecart)}
        return {
            Sens.PIRE: _("tendance : %(ecart)s plus tard qu'avant"),
            Sens.MIEUX: _("tendance : %(ecart)s plus tôt qu'avant"),
            Sens.STABLE: _("tendance : stable"),
        }[t.sens] % {"ecart": ecart}

    @property
    def phrase_reaction(self) -> str:
        """Combien de jours le client met à bouger après une relance ; « trop peu » sous le minimum."""
        r = self.reaction
        if r.jours is not None:
            return ngettext("réagit %(n)d jour après une relance", "réagit %(n)d jours après une relance", r.jours) % {
                "n": r.jours
            }
        if r.envois < MINIMUM:
            return _("réaction aux relances : trop peu pour la dire")
        return _("aucune réaction aux relances d'un an")

    @property
    def calcul_retard(self) -> str:
        """« Comment c'est calculé » : la formule, puis ses nombres."""
        r, t = self.retard_12, self.tendance
        lignes = [
            _(
                "Retard moyen pondéré : somme de (montant × jours entre l'échéance et le paiement), divisée par la "
                "somme des montants. Pièces échues depuis un an ; l'impayé compte jusqu'à aujourd'hui."
            )
        ]
        if r.jours is not None:
            lignes.append(
                _("Ici : %(n)s paiements ou restes dus, %(poids)s en tout.")
                % {"n": formats.nombre(r.parts), "poids": formats.somme(r.poids, self.devise)}
            )
        recents, anciens = t.paiements
        lignes.append(
            _(
                "Tendance : le même retard sur les seuls paiements reçus, six derniers mois contre les six "
                "précédents ; au moins %(minimum)s paiements dans chacun (ici %(recents)s et %(anciens)s)."
            )
            % {"minimum": MINIMUM, "recents": recents, "anciens": anciens}
        )
        if t.recent is not None:
            lignes.append(_("%(recent)s j contre %(avant)s j.") % {"recent": t.recent, "avant": t.avant})
        return " ".join(lignes)

    @property
    def calcul_promesses(self) -> str:
        t = self.taux
        texte = _(
            "Tenues, divisées par tenues, partielles et rompues. Tenue : tout le promis reçu au plus tard deux jours "
            "ouvrés après la date. En attente et annulées n'y sont pas."
        )
        if t.taux_montant is not None:
            texte += " " + _("En montant : %(taux)s du promis est arrivé à temps.") % {
                "taux": formats.pourcent(t.taux_montant)
            }
        return texte

    @property
    def calcul_reaction(self) -> str:
        r = self.reaction
        return _(
            "Médiane des jours entre une relance partie et ce que le client fait ensuite : paiement, promesse, "
            "réponse, litige ou déclaration, dans les %(horizon)s jours et avant la relance suivante. Sur un an : "
            "%(suivies)s relances suivies d'un geste sur %(envois)s. C'est une suite, pas une cause."
        ) % {"horizon": HORIZON, "suivies": r.suivies, "envois": r.envois}


def comportement(client: Client, *, au: date, devise: str) -> Comportement:
    """Le comportement du client au jour dit, dans cette devise. Dix requêtes, quel que soit son passé."""
    par_devise, paiements = _parts(client, au=au)
    lus = Comportement(devise)
    parts = par_devise.get(devise, [])
    lus.retard_12 = regle.retard_moyen(parts, au=au, depuis=au - AN)
    lus.retard_avant_12 = regle.retard_moyen([p for p in parts if p.echeance <= au - AN], au=au, depuis=au - 2 * AN)
    lus.tendance = regle.tendance(parts, au=au)
    for autre, siennes in sorted(par_devise.items()):
        if autre != devise and (r := regle.retard_moyen(siennes, au=au, depuis=au - AN)).jours is not None:
            lus.autres.append((autre, r.jours))
    promesses = list(client.promesses.exclude(statut=S.ANNULEE).order_by("date_promise", "pk"))
    lus.en_attente = [p for p in promesses if p.statut == S.EN_ATTENTE]
    rompues = [p for p in promesses if p.statut == S.ROMPUE]
    lus.derniere_rompue = rompues[-1] if rompues else None
    conclues = [p for p in promesses if p.statut in CONCLUES]
    lus.taux = regle.promesses_tenues(_conclues(client, conclues, devise=devise))
    lus.reaction = regle.delai_de_reaction(
        _relances(client, au=au), [*paiements, *_gestes(client, promesses, au=au)], au=au
    )
    return lus


def _conclues(client: Client, promesses: list[Promesse], *, devise: str) -> list[regle.PromesseConclue]:
    """Ce que chacune promettait et ce qui en est arrivé à temps ; une promesse d'une autre devise ne pèse rien."""
    liens: dict[int, list[tuple[int, str]]] = {}
    if promesses:
        through = Promesse.echeances.through.objects.filter(promesse__in=promesses)
        for promesse, echeance, monnaie in through.values_list("promesse", "echeance", "echeance__devise"):
            liens.setdefault(promesse, []).append((echeance, monnaie))
    manquees = [e for p in promesses if p.statut != S.TENUE for e, _m in liens.get(p.pk, ())]
    recues = recus(set(manquees)) if manquees else {}
    lues = []
    for p in promesses:
        siennes, tenue = liens.get(p.pk, []), p.statut == S.TENUE
        if any(monnaie != devise for _e, monnaie in siennes):
            lues.append(regle.PromesseConclue(ZERO, ZERO, tenue))
            continue
        paye = p.montant if tenue else ZERO
        if not tenue:
            limite = limite_promesse(p.date_promise, client.societe.region_feries)
            paye = sum(
                (part for e, _m in siennes for jour, part in recues.get(e, ()) if p.faite_le <= jour <= limite), ZERO
            )
        lues.append(regle.PromesseConclue(p.montant, paye, tenue))
    return lues


def _parts(client: Client, *, au: date) -> tuple[dict[str, list[Part]], set[date]]:
    """({devise: parts des deux dernières années}, jours où un paiement est arrivé) : deux requêtes."""
    par_devise: dict[str, list[Part]] = {}
    jours: set[date] = set()
    depuis = au - 2 * AN
    payees = Imputation.objects.filter(echeance__client=client, encaissement__isnull=False).filter(
        Q(echeance__date_echeance__gt=depuis) | Q(encaissement__date__gt=au - 2 * SEMESTRE)
    )
    for devise, echeance, paye_le, _piece, _recu, montant in (
        payees.order_by()
        .values_list("echeance__devise", "echeance__date_echeance", "encaissement__date", "echeance", "encaissement")
        .annotate(Sum("montant"))
    ):
        if paye_le <= au:
            par_devise.setdefault(devise, []).append(Part(echeance, montant, paye_le))
            jours.add(paye_le)
    ouvertes = Echeance.objects.ouvertes().filter(
        societe=client.societe_id, client=client, date_echeance__gt=depuis, date_echeance__lt=au
    )
    for devise, echeance, reste in ouvertes.values_list("devise", "date_echeance").annotate(
        r=F("montant") - F("impute")
    ):
        par_devise.setdefault(devise, []).append(Part(echeance, reste))
    return par_devise, jours


def _relances(client: Client, *, au: date) -> list[date]:
    """Jours où une relance est partie, depuis un an."""
    parties = client.courriers.filter(statut__in=PARTIS).order_by().values_list("depose_le", "envoye_le")
    jours = (
        depot or (localdate(envoi) if envoi else None) for depot, envoi in parties.filter(created_at__date__gt=au - AN)
    )
    return [jour for jour in jours if jour and jour <= au]


def _gestes(client: Client, promesses: list[Promesse], *, au: date) -> list[date]:
    """Jours où le client a fait ou dit quelque chose, hors paiements. Trois requêtes."""
    debut = au - AN
    recus = MessageRecu.objects.filter(client=client, categorie=MessageRecu.Categorie.REPONSE, recu_le__date__gt=debut)
    dites = Declaration.objects.filter(client=client, faite_le__date__gt=debut)
    litiges = Litige.objects.filter(echeance__client=client, ouvert_le__gt=debut)
    return [
        *(localdate(x) for x in recus.order_by().values_list("recu_le", flat=True)),
        *(localdate(x) for x in dites.order_by().values_list("faite_le", flat=True)),
        *litiges.order_by().values_list("ouvert_le", flat=True),
        *(p.faite_le for p in promesses if p.faite_le > debut),
    ]
