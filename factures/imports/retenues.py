"""Ce qu'un import n'explique pas ne se relance pas : une personne regarde d'abord."""

from collections.abc import Iterable
from datetime import timedelta

from django.db.models import Exists, OuterRef, Q

from factures.models import Echeance, Litige

from .ecriture import Contexte
from .lot import Inexplique

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
        .select_related("facture")
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
    return len(litiges)
