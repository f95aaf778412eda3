"""Le statut 212 « Encaissée » que doit le vendeur quand la TVA est exigible à l'encaissement (CGI, art. 290 A).

Un statut par facture et par encaissement, au montant TTC posé ce jour-là. Ce qui est produit se garde (`StatutRecu`,
motif EMIS) : rien ne se produit deux fois, et l'écho de la plateforme se reconnaît. Un règlement rejeté depuis, ou
désaffecté, donne un statut négatif.
"""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.db import transaction
from django.db.models import Q, QuerySet, Sum
from django.utils.translation import gettext as _

from recouvrement.comptes.models import Societe
from recouvrement.journal.services import consigner

from ..models import Facture, Imputation, StatutRecu

EMIS = "EMIS"
CODE = "212"
MINUTES = 1440
ZERO = Decimal("0.00")


@dataclass(frozen=True, slots=True)
class AProduire:
    """Ce qui reste à dire d'une facture pour les encaissements d'un jour. montant : TTC, négatif s'il se reprend."""

    facture: Facture
    le: date
    minute: str  # « AAAAMMJJHHMM », ce qui distingue un encaissement d'un autre
    montant: Decimal
    rang: int  # nombre de statuts déjà produits pour lui

    @property
    def horodatage(self) -> str:
        return f"{self.minute}{min(self.rang, 59):02d}"

    @property
    def cle_source(self) -> str:
        return f"FE:{CODE}:{self.horodatage}:{self.montant:.2f}:{self.facture.numero}"[:160]


def concernees(factures: QuerySet[Facture]) -> QuerySet[Facture]:
    """Celles dont l'encaissement se déclare : TVA exigible à l'encaissement, et un vrai numéro."""
    return factures.filter(tva_encaissements=True, numero_reel=True)


def a_produire(factures: QuerySet[Facture], *, du: date, au: date) -> list[AProduire]:
    """Les statuts à produire de ces factures pour les encaissements reçus du jour `du` au jour `au` compris.

    Ce que la plateforme dit déjà encaissé (212 reçus d'elle) vaut pour les plus anciens. Nombre de requêtes fixe.
    """
    dans = Q(echeances__imputations__encaissement__date__range=(du, au)) | Q(
        statuts__code=CODE, statuts__motif_code=EMIS, statuts__le__range=(du, au)
    )
    choisies = {f.pk: f for f in concernees(factures).filter(dans).select_related("client", "societe").distinct()}
    attendus = _attendus(choisies)
    produits, rangs, recus = _produits(choisies)
    reste: list[AProduire] = []
    for pk, facture in choisies.items():
        dehors = recus.get(pk, ZERO)
        for minute in sorted({*attendus[pk], *produits[pk]}):
            ecart = attendus[pk].get(minute, ZERO) - produits[pk].get(minute, ZERO)
            if dehors is None:
                ecart = min(ecart, ZERO)  # la plateforme l'a dite encaissée en entier
            elif ecart > 0:
                couvert = min(ecart, dehors)
                ecart, dehors = ecart - couvert, dehors - couvert
            le = date(int(minute[:4]), int(minute[4:6]), int(minute[6:8]))
            if ecart and du <= le <= au:
                reste.append(AProduire(facture, le, minute, ecart, rangs[pk].get(minute, 0)))
    return sorted(reste, key=lambda x: (x.le, x.facture.numero, x.minute))


def _minute(facture: Facture, recu_le: date, encaissement: int) -> str:
    """L'encaissement, en minute du jour ; un acompte reçu avant la facture se dit le jour de la facture."""
    rang = encaissement % MINUTES
    return f"{max(recu_le, facture.date_emission):%Y%m%d}{rang // 60:02d}{rang % 60:02d}"


def _attendus(factures: dict[int, Facture]) -> dict[int, dict[str, Decimal]]:
    """{facture: {minute: TTC encaissé}} ; un encaissement rejeté n'en est plus un."""
    attendus: dict[int, dict[str, Decimal]] = defaultdict(dict)
    lignes = (
        Imputation.objects.filter(echeance__facture__in=factures, encaissement__rejete_le=None)
        .filter(encaissement__isnull=False)
        .order_by()
        .values_list("echeance__facture", "encaissement", "encaissement__date")
        .annotate(total=Sum("montant"))
    )
    for pk, encaissement, le, total in lignes:
        minute = _minute(factures[pk], le, encaissement)
        attendus[pk][minute] = attendus[pk].get(minute, ZERO) + total
    return attendus


def _produits(factures) -> tuple[dict, dict, dict[int, Decimal | None]]:
    """(TTC déjà produit, nombre de statuts produits, TTC reçu de la plateforme) ; None : dite payée en entier."""
    produits: dict[int, dict[str, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    rangs: dict[int, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    recus: dict[int, Decimal | None] = {}
    lignes = StatutRecu.objects.filter(facture__in=factures, code=CODE)
    for pk, motif, cle, montant in lignes.values_list("facture", "motif_code", "cle_source", "montant"):
        if motif == EMIS:
            minute = cle.split(":")[2][:12]
            produits[pk][minute] += montant
            rangs[pk][minute] += 1
        elif montant is None or recus.get(pk, ZERO) is None:
            recus[pk] = None
        else:
            recus[pk] = recus.get(pk, ZERO) + montant
    return produits, rangs, recus


@transaction.atomic
def produire(factures: QuerySet[Facture], *, societe: Societe, du: date, au: date, acteur) -> list[StatutRecu]:
    """Garde les statuts à produire et les rend ; un double clic n'en fait aucun de plus. Un maillon pour le tout.

    Le statut de la facture n'en est pas changé : un encaissement déclaré ne lève ni litige ni refus.
    """
    Societe.objects.select_for_update(no_key=True).get(pk=societe.pk)
    lignes = a_produire(factures.filter(societe=societe), du=du, au=au)
    statuts = StatutRecu.objects.bulk_create(
        [
            StatutRecu(
                societe=societe, facture=x.facture, cle_source=x.cle_source, code=CODE, le=x.le, motif_code=EMIS,
                motif=_("produit ici"), montant=x.montant,
            )
            for x in lignes
        ],
        batch_size=500,
    )  # fmt: skip
    if statuts:
        consigner(
            "factures.statuts_212",
            societe=societe,
            acteur=acteur,
            texte=_("%(n)s statuts « Encaissée » produits") % {"n": len(statuts)},
            donnees={"du": du, "au": au, "n": len(statuts), "statuts": [s.pk for s in statuts[:200]]},
        )
    return statuts


def emis(statuts: QuerySet[StatutRecu] | None = None) -> QuerySet[StatutRecu]:
    """Ceux que la maison a produits, prêts à se rendre en fichier."""
    statuts = StatutRecu.objects.all() if statuts is None else statuts
    return statuts.filter(code=CODE, motif_code=EMIS).select_related("facture__client", "societe").order_by("le", "pk")
