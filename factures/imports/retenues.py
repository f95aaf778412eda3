"""Ce qu'un import n'explique pas ne se relance pas : une personne regarde d'abord."""

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta

from django.db.models import Exists, OuterRef, Q

from clients.models import Client
from clients.procedures import jugements_connus
from factures.models import Echeance, Echeancier, Litige, Promesse
from factures.services.litiges import consigner_ouvertures

from .ecriture import Contexte
from .lot import Inexplique
from .traces import observer, tracer_crees

DELAI = timedelta(days=7)  # pour vérifier ; au-delà, Ma journée le rappelle


def retenir_les_inexpliquees(contexte: Contexte, inexpliques: Iterable[Inexplique]) -> int:
    """Ouvre un litige « à vérifier » sur chaque débit lettré contre une ligne absente du fichier.

    Le lettrage dit que la comptabilité le tient pour réglé : le relancer serait réclamer peut-être deux fois. Rejouer
    le même fichier n'en ouvre pas d'autre, et ne rouvre pas ce qu'une personne a clos.
    """
    details = {x.cle: x.detail for x in inexpliques if x.nature == "lettrage" and x.montant > 0 and x.cle}
    if not details:
        return 0
    deja = Litige.objects.filter(echeance=OuterRef("pk")).filter(
        Q(clos_le=None) | Q(categorie=Litige.Categorie.A_VERIFIER)
    )
    douteuses = (
        Echeance.objects.ouvertes()
        .filter(~Exists(deja), societe_id=contexte.societe_id, facture__cle_source__in=list(details))
        .select_related("facture", "societe")
    )
    litiges = Litige.objects.bulk_create(
        Litige(
            echeance=e,
            montant_conteste=e.reste_du,
            categorie=Litige.Categorie.A_VERIFIER,
            description=f"Import : {details[e.facture.cle_source]}.",
            ouvert_le=contexte.au,
            a_traiter_le=contexte.au + DELAI,
        )
        for e in douteuses
    )
    tracer_crees(contexte.lot_id, Litige, litiges, temoins=("clos_le", "montant_conteste", "categorie"))
    if contexte.lot_id:
        consigner_ouvertures(litiges)
    return len(litiges)


@contextmanager
def observer_suites(contexte: Contexte) -> Iterator[None]:
    """Trace ce qu'une pièce rouverte par le fichier change aux litiges, promesses et échéanciers conclus."""
    suivis = (
        (Litige.objects.filter(echeance__societe=contexte.societe_id, issue=Litige.SOLDEE), ["clos_le", "issue"]),
        (
            Promesse.objects.filter(
                client__societe=contexte.societe_id, statut__in=(Promesse.Statut.TENUE, Promesse.Statut.PARTIELLE)
            ),
            ["statut", "conclue_le"],
        ),
        (
            Echeancier.objects.filter(client__societe=contexte.societe_id, statut=Echeancier.Statut.TENU),
            ["statut", "conclu_le", "motif"],
        ),
    )
    with ExitStack() as pile:
        for objets, champs in suivis:
            pile.enter_context(observer(contexte.lot_id, objets, champs))
        yield


@contextmanager
def observer_procedures(contexte: Contexte) -> Iterator[None]:
    """Trace les comptes que le SIREN d'un débiteur en procédure arrête."""
    sirens = list(jugements_connus(contexte.societe_id))
    touches = Client.objects.filter(societe=contexte.societe_id, jugement_ouverture_le=None, siren__in=sirens)
    champs = ["jugement_ouverture_le", "procedure_cloturee_le", "procedure_issue", "version", "updated_at"]
    with observer(contexte.lot_id, touches, champs):
        yield
