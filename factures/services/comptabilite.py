"""Les écritures d'une période, lues en base et passées par la règle ; rien n'est écrit ici.

L'export d'une période donne toujours les mêmes écritures, aux mêmes clés : le logiciel comptable peut les reconnaître.
"""

from collections import defaultdict
from datetime import date
from decimal import Decimal

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, Subquery, Sum, Value
from django.db.models.functions import Coalesce

from clients.models import Client
from recouvrement.commun.champs import ChampMontant
from recouvrement.comptes.models import Societe
from recouvrement.journal.services import consigner

from .. import decompte
from ..decompte_faits import Recu
from ..domaine import ecritures as d
from ..models import (
    AffectationAccessoires,
    Avoir,
    CompteComptable,
    Douteux,
    Echeance,
    Facture,
    Imputation,
    NatureAvoir,
    PropositionPerte,
)
from .taux import bareme

ZERO = Decimal("0.00")


def comptes_de(societe: Societe) -> d.Comptes:
    lus = CompteComptable.objects.filter(societe=societe).values_list("usage", "numero")
    return d.Comptes({d.Usage(usage): numero for usage, numero in lus if usage in list(d.Usage)})


def libelles_de(societe: Societe) -> dict[str, str]:
    numeros = dict(CompteComptable.objects.filter(societe=societe).values_list("usage", "numero"))
    return {numeros.get(u.value) or d.PROPOSES.get(u, ""): nom for u, nom in d.INTITULES.items()}


def ecritures(societe: Societe, *, du: date, au: date) -> list[d.Ecriture]:
    """Du premier au dernier jour compris, dans l'ordre des dates ; euros seulement, comme un grand livre français.

    Lève `ecritures.CompteAbsent` en nommant tous les usages sans numéro que la période demande.
    """
    comptes = comptes_de(societe)
    trouvees: list[d.Ecriture] = []
    absents: set[d.Usage] = set()

    def ajouter(fabriquer) -> None:
        try:
            produites = fabriquer()
        except d.CompteAbsent as absent:
            absents.update(absent.usages)
            return
        trouvees.extend(e for e in produites if e is not None and du <= e.le <= au)

    for fait in _douteux(societe, du, au):
        ajouter(lambda fait=fait: d.douteux(fait, comptes))
    for fait in _accessoires(societe, du, au):
        ajouter(lambda fait=fait: [d.accessoires(fait, comptes)])
    for fait in _reductions(societe, du, au):
        ajouter(lambda fait=fait: [d.reduction(fait, comptes)])
    for fait in _pertes(societe, du, au):
        ajouter(lambda fait=fait: [d.perte(fait, comptes)])
    if absents:
        raise d.CompteAbsent(absents)
    return sorted(trouvees, key=lambda e: (e.le, e.cle))


def _tiers(client: Client) -> d.Tiers:
    return d.Tiers(client.code, client.raison_sociale)


def _part_ht(facture) -> Decimal:
    """HT / TTC de la pièce ; sans ventilation connue, tout est HT (le PCG déprécie le HT : mieux vaut le dire)."""
    return facture.montant_ht / facture.montant_ttc if facture.montant_ht is not None else Decimal(1)


def _reste_au(jour) -> Coalesce:
    """Reste dû de la facture à une date d'une autre colonne : échéances moins imputations datées jusque-là."""
    du = Echeance.objects.filter(facture=OuterRef("facture")).order_by().values("facture")
    paye = Imputation.objects.filter(echeance__facture=OuterRef("facture"), date__lte=OuterRef(jour)).order_by()
    montant = ChampMontant()
    return Coalesce(
        Subquery(du.annotate(s=Sum("montant")).values("s"), output_field=montant), Value(0, montant)
    ) - Coalesce(
        Subquery(paye.values("echeance__facture").annotate(s=Sum("montant")).values("s"), output_field=montant),
        Value(0, montant),
    )


def _douteux(societe, du, au) -> list[d.FaitDouteux]:
    touches = Q(passe_le__range=(du, au)) | Q(repris_le__range=(du, au))
    lus = Douteux.objects.filter(touches, facture__societe=societe, facture__devise="EUR").select_related(
        "facture__client"
    )
    lus = lus.annotate(reste=_reste_au("passe_le"), reste_repris=_reste_au("repris_le"))
    return [
        d.FaitDouteux(
            f"DOUTEUX:{x.pk}", _tiers(x.facture.client), x.facture.numero, x.facture.date_emission, x.passe_le, x.reste,
            _part_ht(x.facture), x.taux, x.repris_le, x.reste_repris if x.repris_le else ZERO,
        )
        for x in lus.order_by("pk")
    ]  # fmt: skip


def _accessoires(societe, du, au) -> list[d.FaitAccessoires]:
    """Ce que chaque règlement a payé d'intérêts et d'indemnité : la part de chacun est celle du décompte.

    Le décompte se lit client par client (six requêtes) : ne le sont que ceux qui ont payé des accessoires.
    """
    lus = AffectationAccessoires.objects.filter(
        societe=societe, date__range=(du, au), encaissement__devise="EUR", encaissement__rejete_le=None
    ).select_related("facture__client", "encaissement")
    par_client: dict[Client, list[AffectationAccessoires]] = defaultdict(list)
    for a in lus.order_by("pk"):
        par_client[a.facture.client].append(a)
    faits = []
    taux = bareme() if par_client else None
    for client, affectations in par_client.items():
        factures = {a.facture_id for a in affectations}
        echeances = Echeance.objects.filter(facture__in=factures).echues(au).select_related("facture")
        indemnites: dict[tuple, Decimal] = defaultdict(lambda: ZERO)
        for ligne in decompte.calculer(client, echeances.order_by("date_echeance", "pk"), au=au, bareme=taux):
            for p in ligne.calcul.paiements if ligne.calcul else ():
                if p.accessoires:
                    indemnites[ligne.echeance.facture_id, p.cle] += p.sur_indemnite
        for a in affectations:
            cle = (a.facture_id, Recu(a.encaissement.reference, a.date))  # comme le décompte la range
            part = min(indemnites[cle], a.montant)
            indemnites[cle] -= part
            faits.append(
                d.FaitAccessoires(
                    f"ACCESSOIRES:{a.pk}", _tiers(client), a.encaissement.reference, a.date, a.montant - part, part
                )
            )
    return faits


def _reductions(societe, du, au) -> list[d.FaitReduction]:
    """Une écriture par facture réduite : l'escompte d'un accord en couvre plusieurs, chacune à sa TVA (CGI, 267 II)."""
    natures = [NatureAvoir.ESCOMPTE, NatureAvoir.ECART, NatureAvoir.FRAIS]
    lus = Avoir.objects.filter(
        societe=societe, devise="EUR", nature__in=natures, date_emission__range=(du, au), impute__gt=0
    ).select_related("client", "facture_origine")
    parts: dict[int, dict[int, Decimal]] = defaultdict(dict)  # {avoir: {facture: ce qu'il y réduit}}
    posees = Imputation.objects.filter(avoir__in=lus.values("pk")).order_by().values_list("avoir", "echeance__facture")
    for avoir, facture, montant in posees.annotate(total=Sum("montant")).order_by("avoir", "echeance__facture"):
        parts[avoir][facture] = montant
    avoirs = list(lus.order_by("pk"))
    for x in avoirs:  # un avoir né d'une facture la réduit ; à défaut d'affectation, aucune
        if x.facture_origine_id or not parts[x.pk]:
            parts[x.pk] = {x.facture_origine_id: x.montant}
    factures = Facture.objects.in_bulk({pk for reduites in parts.values() for pk in reduites if pk})
    faits = []
    for x in avoirs:
        reduites = parts[x.pk]
        reste = x.montant - sum(reduites.values(), ZERO)  # pas encore posé : il suit la première
        for rang, (pk, montant) in enumerate(reduites.items()):
            facture = factures.get(pk)
            faits.append(
                d.FaitReduction(
                    f"REDUCTION:{x.pk}" + (f":{pk}" if rang else ""), x.nature, _tiers(x.client),
                    facture.numero if facture else x.numero, x.date_emission, montant + (ZERO if rang else reste),
                    _part_ht(facture) if facture else Decimal(1),
                )
            )  # fmt: skip
    return faits


def _pertes(societe, du, au) -> list[d.FaitPerte]:
    lues = PropositionPerte.objects.filter(
        statut=PropositionPerte.Statut.ACCEPTEE, echeance__societe=societe, echeance__devise="EUR",
        avoir__date_emission__range=(du, au),
    )  # fmt: skip
    jour = OuterRef("avoir__date_emission")
    en_416 = Douteux.objects.filter(facture=OuterRef("echeance__facture"), passe_le__lte=jour)
    lues = lues.annotate(douteuse=Exists(en_416.filter(Q(repris_le=None) | Q(repris_le__gt=jour))))
    return [
        d.FaitPerte(
            f"PERTE:{x.pk}", _tiers(x.echeance.client), x.echeance.facture.numero, x.avoir.date_emission, x.montant,
            _part_ht(x.echeance.facture), x.tva_recuperee, x.douteuse,
        )
        for x in lues.select_related("echeance__facture", "echeance__client", "avoir").order_by("pk")
    ]  # fmt: skip


@transaction.atomic
def regler(societe: Societe, numeros: dict[str, str], *, acteur) -> int:
    """Range un numéro par usage, vide : le numéro proposé ; nombre de comptes changés, consignés ensemble."""
    Societe.objects.select_for_update(no_key=True).get(pk=societe.pk)
    avant = dict(CompteComptable.objects.filter(societe=societe).values_list("usage", "numero"))
    changes = {usage: n.strip() for usage, n in numeros.items() if n.strip() != avant.get(usage, "")}
    for usage, numero in changes.items():
        if numero:
            CompteComptable.objects.update_or_create(societe=societe, usage=usage, defaults={"numero": numero})
        else:
            CompteComptable.objects.filter(societe=societe, usage=usage).delete()
    if changes:
        consigner(
            "societe.comptes", societe=societe, acteur=acteur, objet=societe,
            donnees={"avant": {u: avant.get(u, "") for u in changes}, "apres": changes},
        )  # fmt: skip
    return len(changes)
