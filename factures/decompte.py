"""Décompte d'une facture au jour dit : intérêts par semestre et indemnité, échéance par échéance.

Compte juridique, à côté du compte comptable (produit.md § 9.3) : un paiement compte au jour où il est reçu,
quel que soit celui de son affectation, et s'impute selon la règle du client ; un avoir réduit le principal
dès l'origine.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from clients.models import Client

from .domaine import penalites
from .domaine.bareme import Bareme, TauxManquant
from .domaine.penalites import Calcul, DebiteurAQualifier
from .models import Echeance, Imputation

ZERO = Decimal("0.00")


@dataclass(frozen=True)
class Decompte:
    """Le compte d'une échéance, ou la raison pour laquelle il ne se fait pas."""

    echeance: Echeance
    principal: Decimal  # avoirs déduits
    avoirs: Decimal
    calcul: Calcul | None
    refus: str = ""
    semestre_absent: str = ""

    @property
    def lignes(self) -> list[tuple[str, object]]:
        """Segments (« segment ») et paiements (« paiement ») dans l'ordre des jours."""
        if self.calcul is None:
            return []
        lignes = [(s.au, 0, "segment", s) for s in self.calcul.segments]
        lignes += [(p.jour, 1, "paiement", p) for p in self.calcul.paiements]
        return [(genre, objet) for _jour, _rang, genre, objet in sorted(lignes, key=lambda x: x[:2])]


def porteuses(factures: Iterable[int], *, au: date) -> dict[int, int]:
    """{facture: échéance qui porte ses 40 €} : la plus ancienne encore ouverte et échue au jour `au` ; une requête.

    La même pour toute lettre et tout dossier, qu'elle y figure ou non : une facture ne les réclame pas deux fois
    (produit.md § 9.4). Absente : aucune échéance de la facture n'est à la fois ouverte et échue.
    """
    ouvertes = Echeance.objects.ouvertes().echues(au).filter(facture__in=set(factures))
    # La plus ancienne, écrite en dernier, l'emporte.
    return dict(ouvertes.order_by("-date_echeance", "-pk").values_list("facture", "pk"))


def decompter(
    echeances: Iterable[Echeance],
    client: Client,
    *,
    au: date,
    bareme: Bareme,
    mises_en_demeure: Mapping[int, date] | None = None,
) -> list[Decompte]:
    """Décomptes de ces échéances du client, arrêtés au jour `au` inclus ; deux requêtes.

    mises_en_demeure : {échéance: jour de réception}, qui fait courir les intérêts d'un particulier.
    L'indemnité est à l'échéance porteuse de la facture ; toutes payées, à la première payée en retard. Un semestre
    absent du barème ou un client à qualifier donne un refus qui le nomme, sans montant.
    """
    echeances = sorted(echeances, key=lambda e: (e.date_echeance, e.pk))
    paiements, avoirs = defaultdict(list), defaultdict(lambda: ZERO)
    for echeance, recu_le, montant in Imputation.objects.filter(echeance__in=[e.pk for e in echeances]).values_list(
        "echeance", "encaissement__date", "montant"
    ):
        if recu_le is None:
            avoirs[echeance] += montant
        else:
            paiements[echeance].append((recu_le, montant))
    porte = porteuses((e.facture_id for e in echeances), au=au)
    resultat = []
    for e in echeances:
        principal = e.montant - avoirs[e.pk]
        try:
            calcul = penalites.calculer(
                principal,
                e.date_echeance,
                au=au,
                debiteur=client.type,
                bareme=bareme,
                taux_stipule=client.taux_penalites,
                mise_en_demeure=(mises_en_demeure or {}).get(e.pk),
                paiements=paiements[e.pk],
                imputation=client.imputation,
                jugement_ouverture=client.jugement_ouverture_le,
                avec_indemnite=porte.get(e.facture_id, e.pk) == e.pk,
            )
        except TauxManquant as manque:
            resultat.append(Decompte(e, principal, avoirs[e.pk], None, str(manque), manque.semestre))
            continue
        except DebiteurAQualifier as refus:
            resultat.append(Decompte(e, principal, avoirs[e.pk], None, str(refus)))
            continue
        if calcul.indemnite:
            porte[e.facture_id] = e.pk
        resultat.append(Decompte(e, principal, avoirs[e.pk], calcul))
    return resultat
