"""Faire ce qu'une suggestion propose, une à une ou toutes celles qui sont certaines."""

from collections.abc import Iterable
from datetime import date

from django.core.exceptions import ValidationError
from django.db.models import QuerySet

from recouvrement.commun.champs import en_euros
from recouvrement.comptes.models import Societe

from ..models import Encaissement, MouvementBancaire, SuggestionRapprochement
from .rapprochement import est_certaine, reglage
from .rapprochement_gestes import Affectation, accepter, lier
from .rejets import rejeter_encaissement

Statut = MouvementBancaire.Statut
CERTAINS_MAX = 500  # rapprochés en un geste ; les suivants au geste d'après


def en_affectation(s: SuggestionRapprochement, reste) -> Affectation:
    """La suggestion telle quelle ; `reste` : ce qu'il reste du mouvement."""
    p = s.parts
    return Affectation(
        s.client, reste,
        {int(k): en_euros(v) for k, v in p.get("echeances", {}).items()},
        {int(k): en_euros(v) for k, v in p.get("avoirs", {}).items()},
        en_euros(p.get("ecart", 0)), p.get("nature_ecart", ""),
    )  # fmt: skip


def accepter_suggestion(s: SuggestionRapprochement, *, au: date, acteur, automatique: bool = False) -> None:
    """Fait ce que la suggestion propose : affecter, lier à l'encaissement déjà là, ou constater le rejet."""
    m = s.mouvement
    if "deja" in s.parts:
        lier(m, Encaissement.objects.get(pk=s.parts["deja"]), acteur=acteur)
    elif "rejet" in s.parts:
        origine = Encaissement.objects.get(pk=s.parts["rejet"])
        motif = m.motif_rejet or m.libelle
        rejeter_encaissement(origine, motif=motif, le=m.date, au=au, acteur=acteur, mouvement=m)
    else:
        affectation = en_affectation(s, m.montant - m.reparti)
        accepter(m, [affectation], au=au, acteur=acteur, automatique=automatique)


def certains(societe: Societe, clients: QuerySet | None = None) -> list[SuggestionRapprochement]:
    """Premières suggestions certaines des mouvements qui attendent ; `clients` : queryset de ceux qu'on voit."""
    seuil = reglage(societe).seuil_automatique
    attente = MouvementBancaire.objects.filter(
        societe=societe, statut=Statut.A_RAPPROCHER, montant__gt=0, confiance__gte=seuil
    ).order_by("date", "pk")[: CERTAINS_MAX + 1]
    par_mouvement: dict[int, list[SuggestionRapprochement]] = {}
    lues = SuggestionRapprochement.objects.filter(mouvement__in=[m.pk for m in attente]).order_by("mouvement", "rang")
    for s in lues.select_related("mouvement", "client"):
        par_mouvement.setdefault(s.mouvement_id, []).append(s)
    visibles = None if clients is None else set(clients.filter(societe=societe).values_list("pk", flat=True))
    prises: set[int] = set()
    retenues = []
    for siennes in par_mouvement.values():
        premiere = siennes[0]
        pieces = set(premiere.parts.get("echeances", {}))
        if not est_certaine(premiere.mouvement, siennes, seuil) or pieces & prises:
            continue  # deux mouvements pour les mêmes pièces : une personne choisit
        if visibles is not None and premiere.client_id not in visibles:
            continue
        prises |= pieces
        retenues.append(premiere)
    return retenues[:CERTAINS_MAX]


def accepter_les_certains(
    societe: Societe,
    *,
    au: date,
    acteur,
    automatique: bool = False,
    choisies: Iterable[int] | None = None,
    clients: QuerySet | None = None,
) -> tuple[int, list[str]]:
    """(combien sont rapprochés, refus) ; chacun est une transaction : un refus n'arrête pas les autres."""
    voulues = None if choisies is None else set(choisies)
    faits, refus = 0, []
    for s in certains(societe, clients):
        if voulues is not None and s.mouvement_id not in voulues:
            continue
        try:
            accepter_suggestion(s, au=au, acteur=acteur, automatique=automatique)
            faits += 1
        except ValidationError as erreur:
            refus.append(f"{s.mouvement.libelle[:60]} : {' '.join(erreur.messages)}")
    return faits, refus
