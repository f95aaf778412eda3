"""Relances amiables épuisées : mettre en demeure, ou abandonner ; une personne tranche, avec un motif (exigence 14)."""

from datetime import date

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from clients.models import Client
from factures.models import Echeance, Exclusion
from factures.services.exclusions import DUREE_MAX, exclure
from recouvrement.commun.formats import jour, somme
from recouvrement.journal.services import consigner
from relances.domaine.verdicts import Motif
from relances.models import Courrier, Tache

from .faits import ouvreur
from .gestes import Refus, relancer_maintenant
from .nuit import RETENUES_A_TRANCHER, decider_societe
from .taches import creer_tache

TITRE = RETENUES_A_TRANCHER[Motif.MAX_AMIABLES][1]


def pieces_a_trancher(client: Client, *, au: date) -> list[Echeance]:
    """Pièces ouvertes sans relance amiable possible : au dernier passage, ou à celui qui vient (jour `au` ou après)."""
    passage = ouvreur(client.societe)(au)
    lots = decider_societe(client.societe, au=passage, clients=[client.pk], toutes=True)
    a_venir = {
        d.echeance.id for lot in lots for _faits, _plan, r in lot for d in r.decisions if d.motif is Motif.MAX_AMIABLES
    }
    retenues = Q(verdicts__au=None, verdicts__code=Motif.MAX_AMIABLES.value)
    return list(
        Echeance.objects.ouvertes()
        .filter(retenues | Q(pk__in=a_venir), client=client)
        .distinct()
        .select_related("facture")
        .order_by("date_echeance", "pk")
    )


@transaction.atomic
def ouvrir_decision(client: Client, *, au: date) -> Tache:
    """La tâche « mise en demeure ou abandon ? » du client, celle de la nuit ou une neuve : on tranche sans l'attendre.

    Lève Refus si aucune pièce n'attend cette décision.
    """
    Client.objects.select_for_update(no_key=True, of=("self",)).get(pk=client.pk)
    ouverte = client.taches.filter(genre=Tache.Genre.DECISION, faite_le=None).first()
    if ouverte:
        return ouverte
    _a_trancher(client, au=au)
    return creer_tache(
        client, genre=Tache.Genre.DECISION, titre=TITRE, due_le=au, cle=Motif.MAX_AMIABLES.value,
        raison=_("demandé par une personne"),
    )  # fmt: skip


@transaction.atomic
def lancer_mise_en_demeure(tache: Tache, *, motif: str, par, au: date) -> list[Courrier]:
    """Prépare la mise en demeure des pièces à trancher, à relire et valider ; clôt la tâche.

    Vide si la tâche est déjà faite (double clic). Lève Refus : motif vide, rien à trancher, ou rien ne peut partir.
    """
    tache = _verrouillee(tache)
    if tache.faite_le:
        return []
    motif = _motif(motif)
    courriers = relancer_maintenant(
        tache.client, par=par, au=au, derogation=motif, pieces=[e.pk for e in _a_trancher(tache.client, au=au)]
    )
    _trancher(tache, _("mise en demeure : %(motif)s") % {"motif": motif}, par)
    return courriers


@transaction.atomic
def abandonner(tache: Tache, *, motif: str, jusqu_au: date | None, par, au: date) -> list[Exclusion]:
    """Exclut les pièces à trancher jusqu'au jour dit, et clôt la tâche ; vide si elle est déjà faite.

    jusqu_au None : pour toujours. La maison ne passe aucune écriture : les pièces se taisent un an et une tâche
    demande de les passer en perte ; l'import qui les solde les fait sortir. Lève Refus comme ci-dessus, ou si une
    pièce ne peut être exclue jusque-là.
    """
    tache = _verrouillee(tache)
    if tache.faite_le:
        return []
    motif = _motif(motif)
    pieces, fin = _a_trancher(tache.client, au=au), jusqu_au or au + DUREE_MAX
    try:
        exclusions = [exclure(e, motif=motif, du=au, au=fin, acteur=par) for e in pieces]
    except ValidationError as refus:
        raise Refus(" ".join(refus.messages)) from refus
    if jusqu_au is None:
        n = len(pieces)
        creer_tache(
            tache.client,
            genre=Tache.Genre.AUTRE,
            titre=ngettext("Passer %(n)s pièce en perte", "Passer %(n)s pièces en perte", n) % {"n": n},
            due_le=au,
            cle="perte",
            raison=_("%(sommes)s, abandonnés : %(motif)s ; en comptabilité, puis à l'import")
            % {"sommes": _sommes(pieces), "motif": motif},
        )
        issue = _("abandon : %(motif)s") % {"motif": motif}
    else:
        issue = _("exclues jusqu'au %(jour)s : %(motif)s") % {"jour": jour(fin), "motif": motif}
    _trancher(tache, issue, par)
    return exclusions


def _verrouillee(tache: Tache) -> Tache:
    if tache.genre != Tache.Genre.DECISION:
        raise Refus(_("Cette tâche ne demande pas de choisir entre mise en demeure et abandon."))
    Client.objects.select_for_update(no_key=True, of=("self",)).get(pk=tache.client_id)
    return (
        Tache.objects.select_for_update(no_key=True, of=("self",))
        .select_related("client__societe", "societe")
        .get(pk=tache.pk)
    )


def _motif(motif: str) -> str:
    if not motif.strip():
        raise Refus(_("Dites pourquoi : le motif reste au dossier."))
    return motif.strip()[:200]


def _a_trancher(client: Client, *, au: date) -> list[Echeance]:
    pieces = pieces_a_trancher(client, au=au)
    if not pieces:
        raise Refus(_("Plus aucune pièce de ce client n'attend cette décision."))
    return pieces


def _sommes(pieces: list[Echeance]) -> str:
    """Par devise, jamais additionnées."""
    totaux: dict[str, object] = {}
    for e in pieces:
        totaux[e.devise] = totaux.get(e.devise, 0) + e.reste_du
    return ", ".join(somme(montant, devise) for devise, montant in sorted(totaux.items()))


def _trancher(tache: Tache, issue: str, par) -> None:
    Tache.objects.filter(pk=tache.pk).update(faite_le=timezone.now(), faite_par=par, issue=issue[:200])
    consigner("decision.tranchee", societe=tache.societe, acteur=par, objet=tache, client=tache.client_id, texte=issue)
