"""Verser une part d'un encaissement aux accessoires d'une facture, jamais au-delà de ce qui en est dû."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.core.exceptions import ValidationError
from django.db.models import F, Q
from django.utils.translation import gettext as _

from .. import decompte
from ..models import AffectationAccessoires, Echeance, Encaissement, Facture
from .taux import bareme

ZERO = Decimal("0.00")
FACTURES_MAX = 20  # proposées ; celles du règlement et les ouvertes d'abord


@dataclass(frozen=True)
class AccessoiresDus:
    """Ce qu'une facture doit au jour du règlement, en plus de son reste en compte."""

    facture: Facture
    montant: Decimal


def poser(
    source: Encaissement,
    accessoires: Iterable[tuple[int, Decimal]],
    *,
    au: date,
    prefixe: str,
    auteur,
    demeures: Mapping[int, date] | None = None,
) -> list[AffectationAccessoires]:
    """Écrit les parts, puis relit le décompte : ce qu'il n'en éteint pas n'était pas dû. Sous le verrou de la source.

    Lève ValidationError : montant négatif, facture d'un autre compte ou d'une autre devise, plus que ce qui est dû.
    """
    parts = dict(accessoires)
    factures = Facture.objects.filter(
        pk__in=parts, societe=source.societe_id, client=source.client_id, devise=source.devise
    ).select_for_update(no_key=True, of=("self",))
    factures = {f.pk: f for f in factures.order_by("pk")}
    if len(factures) != len(parts) or min(parts.values()) < 0:
        raise ValidationError(_("Une des pièces n'est pas de ce compte dans cette devise."))
    posees = AffectationAccessoires.objects.bulk_create(
        AffectationAccessoires(
            societe_id=source.societe_id, facture=f, encaissement=source, date=max(au, source.date),
            montant=parts[f.pk], auteur=auteur, cle_source=f"{prefixe}a{f.pk}",
        )
        for f in factures.values()
    )  # fmt: skip
    jour = max(au, source.date)
    echeances = Echeance.objects.filter(facture__in=parts).echues(jour).select_related("facture")
    lignes = decompte.calculer(
        source.client, echeances.order_by("date_echeance", "pk"), au=jour, bareme=bareme(), mises_en_demeure=demeures
    )
    for f in factures.values():
        siennes = [x for x in lignes if x.echeance.facture_id == f.pk]
        signaux = [a for x in siennes for a in x.avertissements if a.code == "accessoires_en_trop"]
        payes = [p for x in siennes if x.calcul for p in x.calcul.paiements if p.accessoires]
        # 40 € se doivent en euros (exigence 6) : un règlement dans une autre devise ne les éteint pas.
        if signaux or not payes or (f.devise != "EUR" and any(p.sur_indemnite for p in payes)):
            raise ValidationError(
                _("%(piece)s ne doit pas autant d'accessoires au jour du règlement. Rien n'a été écrit.") % {"piece": f}
            )
    return posees


def accessoires_dus(source: Encaissement, *, mises_en_demeure) -> list[AccessoiresDus]:
    """Factures du compte qui doivent, au jour du règlement, plus que leur reste en compte ; sept requêtes au plus.

    Celles que ce règlement paie déjà, celles encore ouvertes, puis celles soldées dans l'année. mises_en_demeure :
    (échéances) → {échéance: jour de réception}.
    """
    du_compte = Echeance.objects.filter(
        societe=source.societe_id, client=source.client_id, devise=source.devise, date_facture__lte=source.date
    )
    recentes = Q(soldee_le__year__gte=source.date.year - 1) | Q(impute__lt=F("montant"))
    siennes = set(source.imputations.values_list("echeance__facture", flat=True))
    choisies = du_compte.filter(recentes | Q(facture__in=siennes)).echues(source.date)
    echeances = list(choisies.select_related("facture").order_by(F("soldee_le").desc(nulls_first=True), "pk")[:200])
    lignes = decompte.calculer(
        source.client, echeances, au=source.date, bareme=bareme(), mises_en_demeure=mises_en_demeure(echeances)
    )
    dus: dict[Facture, Decimal] = {}
    for x in lignes:
        if x.calcul is not None:
            en_euros = ZERO if source.devise == "EUR" else x.calcul.indemnite_restante
            dus[x.echeance.facture] = dus.get(x.echeance.facture, ZERO) + x.calcul.total - en_euros - x.reste
    trouves = [AccessoiresDus(f, montant) for f, montant in dus.items() if montant > 0]
    return sorted(trouves, key=lambda a: a.facture.pk not in siennes)[:FACTURES_MAX]
