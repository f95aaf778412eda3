"""Chiffres de plusieurs clients à la fois : un nombre fixe de requêtes, jamais deux devises ensemble."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date

from django.db.models import Count, Exists, F, Max, Min, OuterRef, Q, QuerySet, Subquery, Sum

from clients.models import Client, Suspension
from factures.balance import Ligne, balance_agee
from factures.models import Echeance, Litige


@dataclass
class Apercu:
    """Ce qu'une liste montre d'un client. `lignes` : une par devise, la plus grosse dette d'abord."""

    lignes: list[Ligne] = field(default_factory=list)
    niveau: int = 0
    plus_ancienne: date | None = None
    pieces_echues: int = 0
    suspendu_jusqu_au: date | None = None
    motif_suspension: str = ""
    en_litige: int = 0

    @property
    def echus(self) -> list[Ligne]:
        return [ligne for ligne in self.lignes if ligne.echu]

    def retard(self, au: date) -> int:
        return max((au - self.plus_ancienne).days, 0) if self.plus_ancienne else 0


def apercus(ids: Iterable[int], *, au: date) -> dict[int, Apercu]:
    """{client: aperçu} en quatre requêtes."""
    ids = list(ids)
    resultat = {pk: Apercu() for pk in ids}
    if not ids:
        return resultat
    for ligne in balance_agee(Client.objects.filter(pk__in=ids), au=au):
        resultat[ligne.cle].lignes.append(ligne)
    ouvertes = Echeance.objects.ouvertes().filter(client__in=ids).order_by()
    for pk, niveau, ancienne, echues in ouvertes.values_list("client").annotate(
        haut=Max("niveau"),
        ancienne=Min("date_echeance", filter=Q(date_echeance__lt=au)),
        nombre=Count("pk", filter=Q(date_echeance__lt=au)),
    ):
        apercu = resultat[pk]
        apercu.niveau, apercu.plus_ancienne, apercu.pieces_echues = niveau, ancienne, echues
    for pk, fin, motif in (
        Suspension.objects.en_cours(au).filter(client__in=ids).order_by("au").values_list("client", "au", "motif")
    ):
        resultat[pk].suspendu_jusqu_au, resultat[pk].motif_suspension = fin, motif
    litiges = Litige.objects.ouverts().filter(echeance__client__in=ids).order_by()
    for pk, nombre in litiges.values_list("echeance__client").annotate(Count("pk")):
        resultat[pk].en_litige = nombre
    for apercu in resultat.values():
        apercu.lignes.sort(key=lambda ligne: (-ligne.echu, -ligne.encours))
    return resultat


def devises_de(clients: QuerySet) -> list[str]:
    """Devises des échéances ouvertes de ces clients, l'euro d'abord."""
    devises = Echeance.objects.ouvertes().filter(client__in=clients.values("pk")).order_by()
    trouvees = set(devises.values_list("devise", flat=True).distinct())
    return sorted(trouvees or {"EUR"}, key=lambda d: (d != "EUR", d))


# --- Phrases de filtre et clés de tri ------------------------------------------------------------


def _ouvertes_du_client():
    # La société est redite pour l'index partiel (société, client, échéance).
    return Echeance.objects.ouvertes().filter(client=OuterRef("pk"), societe=OuterRef("societe")).order_by()


def en_retard(au: date) -> Exists:
    return Exists(_ouvertes_du_client().echues(au))


def avec_litige() -> Exists:
    return Exists(Litige.objects.ouverts().filter(echeance__client=OuterRef("pk")))


def with_cle(clients: QuerySet, cle: str, *, au: date, devise: str) -> QuerySet:
    """Annote la seule clé dont le tri ou le filtre a besoin : `echu`, `encours`, `ancienne` ou `niveau_max`."""
    ouvertes = _ouvertes_du_client()
    groupe = ouvertes.filter(devise=devise).values("client")
    expressions = {
        "echu": lambda: groupe.echues(au).annotate(v=Sum(F("montant") - F("impute"))).values("v"),
        "encours": lambda: groupe.annotate(v=Sum(F("montant") - F("impute"))).values("v"),
        "ancienne": lambda: ouvertes.echues(au).order_by("date_echeance").values("date_echeance")[:1],
        "niveau_max": lambda: ouvertes.order_by("-niveau").values("niveau")[:1],
    }
    return clients.annotate(**{cle: Subquery(expressions[cle]())})
