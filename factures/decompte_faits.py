"""Ce qui, au jour d'un décompte, pèse sur des échéances : sommes reçues, avoirs, litiges, renonciations, 40 €."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date
from decimal import Decimal

from django.db.models import Q, Sum
from django.db.models.functions import Coalesce
from django.utils import timezone

from .domaine.mouvements import Mouvement, Recu
from .domaine.penalites import Paiement
from .models import AffectationAccessoires, Echeance, Encaissement, Facture, Imputation, Litige, Renonciation

ZERO = Decimal("0.00")


def exigible_le(date_echeance: date, date_facture: date) -> date:
    """Jour qui fait partir le retard : une somme ne s'exige pas avant d'être facturée (saisie ou reprise fautive)."""
    return max(date_echeance, date_facture)


def nee_apres(facture: Facture, jugement: date | None) -> bool:
    """La créance est née le jour du jugement d'ouverture ou après : livrée ou exécutée ce jour-là, sinon facturée.

    Lecture de l'article L622-17 du code de commerce, à confirmer pour chaque cas : née régulièrement et pour les
    besoins de la procédure, elle est payée à son échéance ; L622-28 n'arrête pas ses intérêts.
    """
    return jugement is not None and (facture.date_execution or facture.date_emission) >= jugement


class Faits:
    """Ce qui, au jour dit, pèse sur ces échéances et sur leurs sœurs de la même facture ; cinq requêtes."""

    def __init__(
        self, echeances: list[Echeance], au: date, *, jugement: date | None = None, avec_litiges: bool = False
    ):
        self.au = au
        factures = {e.facture_id for e in echeances}
        self.paiements: dict[int, list[Paiement]] = defaultdict(list)
        self.avoirs: dict[int, Decimal] = defaultdict(lambda: ZERO)
        self.avoirs_poses: dict[int, list[Mouvement]] = defaultdict(list)
        self.posterieurs: dict[int, set[str]] = defaultdict(set)
        poses = Imputation.objects.filter(echeance__facture__in=factures).annotate(
            jour=Coalesce("encaissement__date", "avoir__date_emission"),
            reference=Coalesce("encaissement__reference", "avoir__numero"),
        )
        for i in poses.order_by("jour", "pk"):
            if i.jour > au:
                self.posterieurs[i.echeance_id].add("paiement" if i.encaissement_id else "avoir")
            elif i.encaissement_id:
                recu = Paiement(i.jour, i.montant, cle=Recu(i.reference, i.date))
                self.paiements[i.echeance_id].append(recu)
            else:
                self.avoirs[i.echeance_id] += i.montant
                avoir = Mouvement("avoir", i.reference, i.jour, i.date, i.montant, sur_principal=i.montant)
                self.avoirs_poses[i.echeance_id].append(avoir)
        self.accessoires: dict[int, list[Paiement]] = defaultdict(list)
        verses = AffectationAccessoires.objects.filter(facture__in=factures, encaissement__date__lte=au)
        for a in verses.select_related("encaissement").order_by("encaissement__date", "pk"):
            recu = Recu(a.encaissement.reference, a.date)
            self.accessoires[a.facture_id].append(Paiement(a.encaissement.date, a.montant, True, recu))
        litiges = Litige.objects.filter(echeance__facture__in=factures, ouvert_le__lte=au)
        litiges = litiges.filter(Q(clos_le=None) | Q(clos_le__gt=au)).order_by("ouvert_le", "pk")
        self.contestes = {} if avec_litiges else dict(litiges.values_list("echeance", "montant_conteste"))
        self.renonciations = renonciations_au(factures, au)
        self.porteuses = self._porteuses(factures, jugement)

    def regle(self, echeance: int) -> Decimal:
        return sum((p.montant for p in self.paiements[echeance]), ZERO)

    def dans_l_ordre(self, echeances: list[Echeance]) -> list[Echeance]:
        """Celles à calculer, l'une après l'autre : ce qui est versé pour les accessoires d'une facture éteint les
        intérêts de ses échéances, sœurs comprises, puis ses 40 € : la porteuse passe en dernier."""
        if not self.accessoires:
            return echeances
        soeurs = Echeance.objects.echues(self.au).filter(facture__in=self.accessoires)
        soeurs = soeurs.exclude(pk__in=[e.pk for e in echeances]).select_related("facture")
        return sorted(
            [*echeances, *soeurs], key=lambda e: (self.porteuses.get(e.facture_id) == e.pk, e.date_echeance, e.pk)
        )

    def _porteuses(self, factures: Iterable[int], jugement: date | None) -> dict[int, int]:
        """{facture: échéance qui porte ses 40 €}.

        La plus ancienne échue et ouverte ce jour-là ; toutes payées, la première payée en retard (produit.md § 9.4).
        Une échéance contestée en entier n'en porte pas, ni celle d'une créance antérieure que le jugement interdisait
        déjà de payer à son terme (C. com., art. R621-4) : ses sœurs gardent leur rang.
        """
        porteuses: dict[int, tuple] = {}
        echues = Echeance.objects.filter(facture__in=factures, date_echeance__lt=self.au).select_related("facture")
        for e in echues:
            exigible = exigible_le(e.date_echeance, e.date_facture)
            arretee = jugement is not None and exigible >= jugement and not nee_apres(e.facture, jugement)
            if exigible >= self.au or arretee:
                continue
            en_compte = e.montant - self.avoirs[e.pk] - self.regle(e.pk)
            du = e.montant - self.avoirs[e.pk] - min(self.contestes.get(e.pk, ZERO), en_compte)
            a_terme = sum((p.montant for p in self.paiements[e.pk] if p.jour <= exigible), ZERO)
            if a_terme < du:  # payée en retard, ou pas encore payée
                rang = (self.regle(e.pk) >= du, exigible, e.pk)
                porteuses[e.facture_id] = min(rang, porteuses.get(e.facture_id, rang))
        return {facture: rang[-1] for facture, rang in porteuses.items()}


def renonciations_au(factures: Iterable[int], au: date) -> dict[int, Renonciation]:
    """{facture: renonciation en vigueur ce jour-là} ; une requête."""
    prises = Renonciation.objects.filter(facture__in=factures, le__lte=au).order_by("le", "pk")
    return {r.facture_id: r for r in prises if r.annulee_le is None or timezone.localdate(r.annulee_le) > au}


def accessoires_verses(encaissements: Iterable[Encaissement]) -> dict[int, Decimal]:
    """{encaissement: ce qui en est affecté à des accessoires} ; une requête, aucune sans encaissement."""
    ids = [e.pk for e in encaissements]
    if not ids:
        return {}
    verses = AffectationAccessoires.objects.filter(encaissement__in=ids).order_by()
    return dict(verses.values_list("encaissement").annotate(Sum("montant")))
