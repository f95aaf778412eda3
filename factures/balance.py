"""Balance âgée à toute date, ensembliste : une lecture, quel que soit le nombre de pièces.

Le passé se reconstruit par les imputations datées, jamais par le solde du jour : au jour D,
reste dû = reste d'aujourd'hui + ce qui a été imputé après D. Près d'aujourd'hui on ne lit donc que
l'ouvert. Les montants restent des centimes entiers jusqu'à l'affichage ; jamais deux devises ensemble.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from operator import add

from django.core.exceptions import EmptyResultSet
from django.db import connections
from django.db.models import F, OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _

from recouvrement.commun.champs import en_euros
from recouvrement.comptes.models import Societe, Utilisateur

from .models import AffectationAccessoires, Avoir, Echeance, Encaissement

TRANCHES = ("non_echu", "j1_30", "j31_60", "j61_90", "j91_plus")
COLONNES = (*TRANCHES, "a_imputer", "encours")
REGROUPEMENTS = ("client", "gestionnaire", "societe", "segment")
ZERO = (0,) * 6

PERIMETRE = "with perimetre(cle) as not materialized ({clients}), mouvement as ("
# Reste d'aujourd'hui des pièces antérieures au jour dit, puis ce qui a été imputé depuis ; crédits en négatif.
MOUVEMENTS = """
  select client_id, devise, date_echeance, montant - impute as reste from factures_echeance
  where impute < montant and date_facture <= %s and client_id in (select cle from perimetre)
  union all
  select p.client_id, p.devise, p.date_echeance, i.montant
  from factures_imputation i join factures_echeance p on p.id = i.echeance_id
  where i.date > %s and p.date_facture <= %s and p.client_id in (select cle from perimetre)
  union all
  select client_id, devise, null, impute - montant from factures_encaissement
  where impute < montant and date <= %s and client_id in (select cle from perimetre)
  union all
  select p.client_id, p.devise, null, -i.montant
  from factures_imputation i join factures_encaissement p on p.id = i.encaissement_id
  where i.date > %s and p.date <= %s and p.client_id in (select cle from perimetre)
  union all
  select p.client_id, p.devise, null, -a.montant
  from factures_affectationaccessoires a join factures_encaissement p on p.id = a.encaissement_id
  where a.date > %s and p.date <= %s and p.client_id in (select cle from perimetre)
  union all
  select client_id, devise, null, impute - montant from factures_avoir
  where impute < montant and date_emission <= %s and client_id in (select cle from perimetre)
  union all
  select p.client_id, p.devise, null, -i.montant
  from factures_imputation i join factures_avoir p on p.id = i.avoir_id
  where i.date > %s and p.date_emission <= %s and p.client_id in (select cle from perimetre)
"""
TOTAUX = """), total as (
  select client_id, devise,
    cast(sum(case when date_echeance >= %s then reste else 0 end) as bigint) as t0,
    cast(sum(case when date_echeance < %s and date_echeance >= %s then reste else 0 end) as bigint) as t1,
    cast(sum(case when date_echeance < %s and date_echeance >= %s then reste else 0 end) as bigint) as t2,
    cast(sum(case when date_echeance < %s and date_echeance >= %s then reste else 0 end) as bigint) as t3,
    cast(sum(case when date_echeance < %s then reste else 0 end) as bigint) as t4,
    cast(sum(case when date_echeance is null then reste else 0 end) as bigint) as credits
  from mouvement group by client_id, devise
)
select c.id, c.code, c.raison_sociale, c.societe_id, c.gestionnaire_id, c.segment, t.devise,
  t.t0, t.t1, t.t2, t.t3, t.t4, t.credits
from total t join clients_client c on c.id = t.client_id
order by c.code, t.devise, c.societe_id
"""
# Le solde du compte client, sans passer par les imputations : contrôle indépendant de la balance. Un paiement rejeté
# n'a rien éteint, à aucune date. Des accessoires payés ne réduisent aucune pièce : ils s'ajoutent à ce qui était dû.
CONTROLE = """
  select devise, montant as solde,
    case when soldee_le is null or soldee_le > %s then 1 else 0 end as piece from factures_echeance
  where date_facture <= %s and client_id in (select cle from perimetre)
  union all
  select devise, -montant, 0 from factures_encaissement
  where rejete_le is null and date <= %s and client_id in (select cle from perimetre)
  union all
  select p.devise, a.montant, 0
  from factures_affectationaccessoires a join factures_encaissement p on p.id = a.encaissement_id
  where a.date <= %s and p.client_id in (select cle from perimetre)
  union all
  select devise, -montant, 0 from factures_avoir
  where date_emission <= %s and client_id in (select cle from perimetre)
) select devise, cast(sum(solde) as bigint), sum(piece) from mouvement group by devise
"""


@dataclass(slots=True)
class Ligne:
    """Une ligne de balance. `centimes` : les cinq tranches puis « à imputer » (négatif), en centimes.

    `cle` identifie la ligne dans son regroupement (pk, ou texte d'un segment).
    """

    cle: object
    code: str
    nom: str
    devise: str
    centimes: tuple[int, ...]
    societe_id: int | None = None
    gestionnaire_id: int | None = None
    segment: str = ""
    clients: int = 1

    @property
    def tranches(self) -> list[Decimal]:
        """Non échu, 1-30, 31-60, 61-90, plus de 90 jours."""
        return [en_euros(c) for c in self.centimes[:5]]

    @property
    def a_imputer(self) -> Decimal:
        """Crédits non affectés, négatifs : jamais retranchés en silence d'une tranche."""
        return en_euros(self.centimes[5])

    @property
    def echu(self) -> Decimal:
        return en_euros(sum(self.centimes[1:5]))

    @property
    def brut(self) -> Decimal:
        """Somme des tranches, crédits non déduits."""
        return en_euros(sum(self.centimes[:5]))

    @property
    def encours(self) -> Decimal:
        return en_euros(sum(self.centimes))

    @property
    def montants(self) -> list[Decimal]:
        """Les sept colonnes, dans l'ordre de COLONNES."""
        return [en_euros(c) for c in (*self.centimes, sum(self.centimes))]


@dataclass(slots=True, frozen=True)
class Controle:
    """Solde du compte client d'une devise au grand livre, et nombre d'échéances ouvertes ce jour-là."""

    solde: Decimal
    pieces: int


def balance_agee(clients: QuerySet, *, au: date, devise: str | None = None) -> list[Ligne]:
    """Une ligne par client et devise au soir du jour `au`, triées par code ; une seule requête.

    clients : le périmètre, d'ordinaire `Client.objects.visibles_pour(user)`. Seuls paraissent ceux dont
    une pièce ou un crédit est ouvert ce jour-là.
    """
    bornes = [au - timedelta(jours) for jours in (0, 0, 30, 30, 60, 60, 90, 90)]
    lignes = [
        Ligne(pk, code, nom, monnaie, tuple(centimes), societe, gestionnaire, segment)
        for pk, code, nom, societe, gestionnaire, segment, monnaie, *centimes in _lire(
            clients, MOUVEMENTS + TOTAUX, [au] * MOUVEMENTS.count("%s") + bornes
        )
    ]
    return [ligne for ligne in lignes if ligne.devise == devise] if devise else lignes


def controler(clients: QuerySet, *, au: date) -> dict[str, Controle]:
    """{devise: contrôle} : factures moins règlements et avoirs à la date, sans lire une imputation.

    Égale l'encours de la balance tant qu'aucune imputation ne précède sa pièce ou son règlement.
    """
    lignes = _lire(clients, CONTROLE, [au] * CONTROLE.count("%s"))
    return {devise: Controle(en_euros(solde), int(pieces)) for devise, solde, pieces in lignes}


def _lire(clients: QuerySet, requete: str, params: list) -> list[tuple]:
    connexion = connections[clients.db]
    try:
        perimetre, avant = clients.order_by().values("pk").query.get_compiler(clients.db).as_sql()
    except EmptyResultSet:
        return []
    jours = [connexion.ops.adapt_datefield_value(jour) for jour in params]
    with connexion.cursor() as curseur:
        curseur.execute(PERIMETRE.format(clients=perimetre) + requete, [*avant, *jours])
        return curseur.fetchall()


def total(lignes: Iterable[Ligne], devise: str) -> Ligne:
    """Total des lignes d'une devise ; `clients` compte les clients réunis."""
    retenues = [ligne for ligne in lignes if ligne.devise == devise]
    centimes = tuple(map(sum, zip(*(ligne.centimes for ligne in retenues), strict=True))) or ZERO
    return Ligne(None, "", _("Total"), devise, centimes, clients=sum(ligne.clients for ligne in retenues))


@dataclass(slots=True)
class Groupe:
    """Clients réunis sous un gestionnaire, une société ou un segment, et leur somme dans une devise."""

    total: Ligne
    lignes: list[Ligne]


def grouper(lignes: Iterable[Ligne], par: str) -> list[Groupe]:
    """Groupes triés par nom, ce qui n'en a pas à la fin ; une requête au plus, pour les noms.

    Lève ValueError si `par` n'est ni gestionnaire, ni societe, ni segment.
    """
    if par not in REGROUPEMENTS[1:]:
        raise ValueError(f"regroupement inconnu : {par}")
    groupes: dict[tuple, Groupe] = {}
    for ligne in lignes:
        cle = ligne.segment if par == "segment" else getattr(ligne, f"{par}_id")
        groupe = groupes.get((cle, ligne.devise))
        if groupe is None:
            entete = Ligne(cle, "", "", ligne.devise, ligne.centimes)
            groupes[cle, ligne.devise] = Groupe(entete, [ligne])
        else:
            groupe.total.centimes = tuple(map(add, groupe.total.centimes, ligne.centimes))
            groupe.total.clients += 1
            groupe.lignes.append(ligne)
    noms = _noms({cle for cle, _devise in groupes}, par)
    for groupe in groupes.values():
        groupe.total.code, groupe.total.nom = noms[groupe.total.cle]
    return sorted(
        groupes.values(),
        key=lambda g: (g.total.cle in (None, ""), g.total.nom.casefold(), g.total.code, g.total.devise),
    )


def regrouper(lignes: Iterable[Ligne], par: str) -> list[Ligne]:
    """Lignes par client → une ligne par client, gestionnaire, société ou segment, et par devise."""
    return list(lignes) if par == "client" else [groupe.total for groupe in grouper(lignes, par)]


def _noms(cles: set, par: str) -> dict[object, tuple[str, str]]:
    """{clé: (code, nom)} des groupes ; ce qui n'en a pas se dit en clair."""
    if par == "segment":
        return {cle: (cle, cle or _("Sans segment")) for cle in cles}
    if par == "societe":
        lues = Societe.objects.filter(pk__in=cles).values_list("pk", "code", "raison_sociale")
    else:
        lues = Utilisateur.objects.filter(pk__in=cles - {None}).values_list("pk", "courriel", "nom")
    return {pk: (code, nom) for pk, code, nom in lues} | {None: ("", _("Sans gestionnaire"))}


def echeances_ouvertes(clients: QuerySet, *, au: date) -> QuerySet:
    """Échéances de ces clients non soldées au jour `au`, avec leur `reste_au` ; le détail d'une ligne."""
    impute = Coalesce(Sum("imputations__montant", filter=Q(imputations__date__lte=au)), 0, output_field=_MONTANT)
    ouvertes = Echeance.objects.ouvertes_au(au).filter(client__in=clients)
    return ouvertes.annotate(reste_au=F("montant") - impute).filter(reste_au__gt=0)


def credits_ouverts(clients: QuerySet, *, au: date) -> tuple[QuerySet, QuerySet]:
    """(encaissements, avoirs) non entièrement imputés au jour `au`, avec leur `reste_au` positif."""
    impute = Coalesce(Sum("imputations__montant", filter=Q(imputations__date__lte=au)), 0, output_field=_MONTANT)
    verses = AffectationAccessoires.objects.filter(encaissement=OuterRef("pk"), date__lte=au).order_by()
    somme = verses.values("encaissement").annotate(s=Sum("montant")).values("s")
    accessoires = Coalesce(Subquery(somme), 0, output_field=_MONTANT)
    return (
        Encaissement.objects.filter(client__in=clients, date__lte=au, rejete_le=None)
        .annotate(reste_au=F("montant") - impute - accessoires)
        .filter(reste_au__gt=0),
        Avoir.objects.filter(client__in=clients, date_emission__lte=au)
        .annotate(reste_au=F("montant") - impute)
        .filter(reste_au__gt=0),
    )


_MONTANT = Echeance._meta.get_field("montant")


def tranche(date_echeance: date, au: date) -> int:
    """Rang de la tranche d'une échéance : 0 non échu (l'échéance du jour n'est pas en retard), 1 à 4 ensuite."""
    retard = (au - date_echeance).days
    return 0 if retard <= 0 else min((retard - 1) // 30 + 1, 4)
