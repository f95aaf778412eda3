"""Changer l'état d'un courrier : verrou, transition vérifiée, maillon. Le fond commun des gestes."""

from django.utils import timezone

from recouvrement.journal.services import consigner
from relances.domaine.statuts import verifier
from relances.models import Courrier, PliDeLot


class Refus(ValueError):
    """Le geste est refusé ; le message dit pourquoi et quoi faire."""


def verrouiller(courrier: Courrier) -> Courrier:
    return Courrier.objects.select_for_update(no_key=True, of=("self",)).select_related(
        "societe", "client__gestionnaire", "palier__version", "passage"
    ).get(pk=courrier.pk)  # fmt: skip


def passer(courrier: Courrier, vers: str, **champs) -> None:
    """Transition vérifiée ; l'appelant tient le verrou."""
    verifier(courrier.statut, vers)
    if vers in (Courrier.Statut.A_ENVOYER, Courrier.Statut.ANNULE):  # annulée ou à refaire : plus celle du lot
        sortir_du_lot(courrier.pk, str(champs.get("erreur") or "lettre à refaire"))
    Courrier.objects.filter(pk=courrier.pk).update(statut=vers, updated_at=timezone.now(), **champs)
    courrier.statut = vers


def consigner_geste(action: str, courrier: Courrier, par, texte: str, **donnees) -> None:
    consigner(
        action,
        societe=courrier.societe,
        acteur=par,
        objet=courrier,
        client=courrier.client_id,
        texte=texte,
        donnees=donnees,
    )


def sortir_du_lot(courrier_id: int, motif: str, *, par=None) -> None:
    """La lettre quitte son lot postal, avec sa raison ; sans lot, rien. Son numéro de suivi est libéré."""
    sortie = {"sorti_le": timezone.now(), "sorti_par": par, "sorti_motif": motif[:400]}
    if PliDeLot.objects.filter(courrier=courrier_id, sorti_le=None).update(**sortie):
        Courrier.objects.filter(pk=courrier_id).update(lot_postal=None, numero_suivi="")
