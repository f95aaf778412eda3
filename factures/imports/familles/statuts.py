"""Statuts du cycle de vie : des objets lus à la base, et ce qu'ils font au compte (droit.md § 12).

Un statut se garde toujours (`StatutRecu`) ; le plus récent du cycle devient celui de la facture, et la relance le lit.
Refus, annulation, litige et approbation partielle ouvrent un litige, une fois ; un paiement dit et non reçu est une
anomalie qu'une personne décide. Tout par paquets : le nombre de requêtes ne suit pas le nombre de lignes.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from itertools import islice

from django.db.models import Sum
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from factures.domaine.cycle_de_vie import (
    DISENT_PAYEE,
    Recu,
    categorie,
    contredit,
    decisif,
    part_contestee,
    repartir,
)
from factures.models import Echeance, Facture, Imputation, Litige, StatutRecu
from factures.services.statuts_fe import nommer
from recouvrement.commun.formats import jour as ecrire_jour
from recouvrement.commun.formats import somme
from recouvrement.comptes.models import Societe

from ..cycle_de_vie import facture_visee, numeros_possibles
from ..ecriture import Contexte, Ecrits
from ..lot import LotLu, Rejet, StatutLu
from ..traces import tracer_crees, tracer_modifies

PAQUET = 2_000
DELAI = timedelta(days=15)  # pour répondre au client ; au-delà, Ma journée le rappelle
MONTRES = 20


@dataclass
class _Bilan:
    litiges: int = 0
    anomalies: int = 0
    anciens: int = 0
    sans_montant: list[str] = field(default_factory=list)


def ecrire(contexte: Contexte, lu: LotLu, ecrits: Ecrits) -> Iterator[Rejet]:
    """Consomme les statuts lus ; rejette ceux d'une facture inconnue, d'un autre vendeur ou d'un autre client."""
    societe = Societe.objects.only("siren").get(pk=contexte.societe_id)
    ecrits.crees |= {"statuts": 0, "litiges": 0}
    ecrits.inchanges["statuts"] = 0
    bilan, flux = _Bilan(), iter(lu.elements)
    while paquet := list(islice(flux, PAQUET)):
        yield from _ecrire_paquet(contexte, paquet, societe.siren, ecrits, bilan)
    ecrits.crees["litiges"] = bilan.litiges
    _dire(bilan, ecrits)


def _ecrire_paquet(contexte, paquet: list[StatutLu], siren: str, ecrits: Ecrits, bilan: _Bilan) -> Iterator[Rejet]:
    factures = {
        f.numero: f
        for f in Facture.objects.select_for_update(no_key=True, of=("self",))
        .filter(
            societe=contexte.societe_id, numero_reel=True, numero__in={n for s in paquet for n in numeros_possibles(s)}
        )
        .select_related("client")
        .order_by("pk")
    }
    connus = _connus(factures.values())
    retenus: list[tuple[StatutLu, Facture]] = []
    for statut in paquet:
        facture = facture_visee(statut, factures)
        if faute := _faute(statut, facture, siren, contexte.au):
            yield Rejet(statut.ligne, *faute)
        elif connus.deja(statut, facture):
            ecrits.inchanges["statuts"] += 1
        else:
            connus.ajouter(statut, facture)
            retenus.append((statut, facture))
    if not retenus:
        return
    recus = StatutRecu.objects.bulk_create(
        [
            StatutRecu(
                societe_id=contexte.societe_id, facture=f, cle_source=s.cle_source, code=s.code, le=s.le,
                motif_code=s.motif_code[:30], motif=s.motif[:250], montant=s.montant, lot_id=contexte.lot_id,
            )
            for s, f in retenus
        ],
        batch_size=500,
    )  # fmt: skip
    ecrits.crees["statuts"] += len(recus)
    par_facture: dict[int, list[tuple[StatutLu, StatutRecu]]] = defaultdict(list)
    for (s, _f), recu in zip(retenus, recus, strict=True):
        par_facture[recu.facture_id].append((s, recu))
    touchees = {f.pk: f for _s, f in retenus}
    decides = _decider(contexte, touchees, par_facture, connus, bilan)
    ouvertes = _echeances_ouvertes(touchees)
    _ouvrir_litiges(contexte, decides, touchees, ouvertes, bilan)
    _noter_anomalies(par_facture, touchees, ouvertes, connus, bilan)


def _faute(statut: StatutLu, facture: Facture | None, siren: str, au: date) -> tuple[str, str, str] | None:
    """(champ, constat, conseil) de ce qui empêche de noter ce statut."""
    if statut.vendeur and siren and statut.vendeur != siren:
        return (
            "vendeur",
            f"La facture {statut.numero} est d'un autre vendeur (SIREN {statut.vendeur}).",
            "Importez ce statut dans la société qui l'a émise.",
        )
    if facture is None:
        return (
            "numero",
            f"La facture {statut.numero} n'est pas dans cette société.",
            "Importez d'abord la facture, ou corrigez son numéro.",
        )
    if statut.acheteur and facture.client.siren and statut.acheteur != facture.client.siren:
        return (
            "acheteur",
            f"La facture {statut.numero} est à {facture.client} (SIREN {facture.client.siren}), pas à l'acheteur "
            f"{statut.acheteur} de ce statut.",
            "Vérifiez le fichier, ou le SIREN du client.",
        )
    if statut.le > au:
        return "date", f"Le statut est daté du {statut.le:%d/%m/%Y}, un jour à venir.", "Corrigez la date."
    if statut.le < facture.date_emission:
        return (
            "date",
            f"La facture {statut.numero} est du {facture.date_emission:%d/%m/%Y} : son statut ne peut la précéder.",
            "Vérifiez la date, ou le numéro.",
        )
    if statut.montant is not None and statut.devise != facture.devise:
        return (
            "devise",
            f"Le statut est en {statut.devise}, la facture {statut.numero} en {facture.devise}.",
            "Corrigez la devise.",
        )
    return None


class _Connus:
    """Les statuts déjà gardés de ces factures : par clé, et par jour quand l'un des deux ne dit pas l'heure."""

    def __init__(self):
        self.cles: set[str] = set()
        self.jours: dict[tuple, set[str]] = defaultdict(set)  # (facture, code, jour, montant) → heures
        self.par_facture: dict[int, list[tuple[Recu, Decimal | None]]] = defaultdict(list)

    def noter(self, cle: str, facture_id: int, code: str, le: date, montant: Decimal | None) -> None:
        heure = heure_de(cle)
        self.cles.add(cle)
        self.jours[facture_id, code, le, montant].add(heure)
        self.par_facture[facture_id].append((Recu(code, le, heure), montant))

    def ajouter(self, statut: StatutLu, facture: Facture) -> None:
        self.noter(statut.cle_source, facture.pk, statut.code, statut.le, statut.montant)

    def deja(self, statut: StatutLu, facture: Facture) -> bool:
        if statut.cle_source in self.cles:
            return True
        heures = self.jours.get((facture.pk, statut.code, statut.le, statut.montant), set())
        return bool(heures) and ("" in heures or not heure_de(statut.cle_source))

    def heure(self, facture: Facture) -> str:
        """Heure connue du statut que porte la facture, vide sinon."""
        dites = (
            r.heure
            for r, _montant in self.par_facture[facture.pk]
            if (r.code, r.le) == (facture.statut_fe, facture.statut_fe_le)
        )
        return max(dites, default="")


def heure_de(cle: str) -> str:
    """« 100500 » de « FE:212:20250802100500:… » ; vide si la clé n'a que le jour."""
    morceaux = cle.split(":")
    return morceaux[2][8:] if len(morceaux) > 3 and morceaux[0] == "FE" else ""


def _connus(factures) -> _Connus:
    connus = _Connus()
    for ligne in StatutRecu.objects.filter(facture__in=[f.pk for f in factures]).values_list(
        "cle_source", "facture", "code", "le", "montant"
    ):
        connus.noter(*ligne)
    return connus


def _decider(contexte, factures, par_facture, connus: _Connus, bilan: _Bilan) -> list[tuple[StatutLu, Facture]]:
    """Écrit le statut qui fait foi ; rend ceux qui viennent de le devenir."""
    decides, avant = [], {}
    for pk, recus in par_facture.items():
        facture = factures[pk]
        actuel = None
        if facture.statut_fe:
            actuel = Recu(facture.statut_fe, facture.statut_fe_le or facture.date_emission, connus.heure(facture))
        nouveaux = {Recu(s.code, s.le, heure_de(s.cle_source)): s for s, _recu in recus}
        choisi = decisif(actuel, nouveaux)
        if choisi is None:
            bilan.anciens += 1
            continue
        decides.append((nouveaux[choisi], facture))
        avant[pk] = (facture.statut_fe, facture.statut_fe_le)
        facture.statut_fe, facture.statut_fe_le = choisi.code, choisi.le
    Facture.objects.bulk_update([f for _s, f in decides], ["statut_fe", "statut_fe_le"], batch_size=500)
    tracer_modifies(
        contexte.lot_id,
        Facture,
        (
            (
                pk,
                {"statut_fe": code, "statut_fe_le": le and le.isoformat()},
                {"statut_fe": factures[pk].statut_fe, "statut_fe_le": factures[pk].statut_fe_le.isoformat()},
            )
            for pk, (code, le) in avant.items()
        ),
    )
    return decides


def _echeances_ouvertes(factures) -> dict[int, list[Echeance]]:
    """Échéances non soldées par facture, `ouvert` disant si un litige court ; une seule requête, sous verrou."""
    par_facture: dict[int, list[Echeance]] = defaultdict(list)
    ouvertes = Echeance.objects.ouvertes().select_for_update(no_key=True, of=("self",)).filter(facture__in=factures)
    for e in ouvertes.order_by("date_echeance", "pk"):
        par_facture[e.facture_id].append(e)
    contestees = set(
        Litige.objects.ouverts()
        .filter(echeance__in=[e.pk for lot in par_facture.values() for e in lot])
        .values_list("echeance", flat=True)
    )
    for lot in par_facture.values():
        for e in lot:
            e.contestee = e.pk in contestees
    return par_facture


def _ouvrir_litiges(contexte, decides, factures, ouvertes, bilan: _Bilan) -> None:
    litiges = []
    for statut, facture in decides:
        echeances = ouvertes.get(facture.pk, [])
        if not echeances or any(e.contestee for e in echeances):
            continue  # soldée, ou le litige court déjà : une personne le suit
        reste = sum((e.reste_du for e in echeances), Decimal(0))
        part = part_contestee(
            statut.code, statut.montant, statut.nature_montant, ttc=facture.montant_ttc, reste=reste
        )  # fmt: skip
        if part is None:
            if statut.code == "206":
                bilan.sans_montant.append(facture.numero)
            continue
        motif = " : ".join(filter(None, (statut.motif_code, statut.motif))) or _("motif non dit")
        litiges += [
            Litige(
                echeance=e,
                montant_conteste=montant,
                categorie=categorie(statut.code, statut.motif_code),
                description=_("Statut %(statut)s du %(jour)s. %(motif)s")
                % {"statut": nommer(statut.code), "jour": ecrire_jour(statut.le), "motif": motif},
                ouvert_le=contexte.au,
                a_traiter_le=contexte.au + DELAI,
            )
            for e, montant in zip(echeances, repartir(part, [e.reste_du for e in echeances]), strict=True)
            if montant > 0
        ]
    crees = Litige.objects.bulk_create(litiges, batch_size=500)
    tracer_crees(contexte.lot_id, Litige, crees, temoins=("clos_le", "montant_conteste", "categorie"))
    bilan.litiges += len(crees)


def _noter_anomalies(par_facture, factures, ouvertes, connus: _Connus, bilan: _Bilan) -> None:
    """Dite payée, elle ne l'est pas au compte : l'écart se garde sur le dernier statut qui le dit."""
    dites = {
        pk: [(s, recu) for s, recu in recus if s.code in DISENT_PAYEE]
        for pk, recus in par_facture.items()
        if pk in ouvertes
    }
    dites = {pk: recus for pk, recus in dites.items() if recus}
    if not dites:
        return
    payes = dict(
        Imputation.objects.filter(echeance__facture__in=dites, encaissement__isnull=False)
        .order_by()
        .values_list("echeance__facture")
        .annotate(total=Sum("montant"))
    )
    anomalies = []
    for pk, recus in dites.items():
        facture = factures[pk]
        statut, recu = max(recus, key=lambda x: (x[0].le, heure_de(x[0].cle_source), x[0].code))
        montants = [m for r, m in connus.par_facture[pk] if r.code == statut.code]
        ecart = contredit(
            montants, ttc=facture.montant_ttc, paye=payes.get(pk, Decimal(0)),
            reste=sum((e.reste_du for e in ouvertes[pk]), Decimal(0)),
        )  # fmt: skip
        if ecart is None:
            continue
        phrase = (
            _("Dite encaissée : %(montant)s de plus que ce que le compte a reçu.")
            if statut.code == "212"
            else _("Paiement transmis : %(montant)s annoncés, pas encore au compte.")
        )
        recu.anomalie = (phrase % {"montant": somme(ecart, facture.devise)})[:250]
        anomalies.append(recu)
    StatutRecu.objects.bulk_update(anomalies, ["anomalie"], batch_size=500)
    bilan.anomalies += len(anomalies)


def _dire(bilan: _Bilan, ecrits: Ecrits) -> None:
    """Ce que l'import a fait au compte, en phrases."""
    dire = ecrits.avertissements.append
    if bilan.litiges:
        dire(
            ngettext(
                "%(n)s litige ouvert : la part contestée est retenue.",
                "%(n)s litiges ouverts : la part contestée est retenue.",
                bilan.litiges,
            )
            % {"n": bilan.litiges}
        )
    if bilan.anomalies:
        dire(
            ngettext(
                "%(n)s statut contredit le solde : une personne décide (Factures, statuts à vérifier).",
                "%(n)s statuts contredisent le solde : une personne décide (Factures, statuts à vérifier).",
                bilan.anomalies,
            )
            % {"n": bilan.anomalies}
        )
    if bilan.anciens:
        dire(
            ngettext(
                "%(n)s facture garde son statut, plus récent que ceux du fichier.",
                "%(n)s factures gardent leur statut, plus récent que ceux du fichier.",
                bilan.anciens,
            )
            % {"n": bilan.anciens}
        )
    if bilan.sans_montant:
        dire(
            _("Approuvées en partie, sans montant : dites la part refusée de %(numeros)s.")
            % {"numeros": ", ".join(bilan.sans_montant[:MONTRES])}
        )
