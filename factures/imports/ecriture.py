"""Des tables d'attente contrôlées vers le grand livre : insertions et imputations ensemblistes.

Chaque fonction rend le nombre de lignes créées ; rien ici ne rejette. Une imputation ne dépasse jamais ni
la pièce ni le règlement : le surplus reste à imputer.
"""

from dataclasses import dataclass, field
from datetime import date, datetime

from django.db.models.expressions import RawSQL

from factures.models import Facture, Litige
from factures.services.litiges import consigner_clotures

from .deja_recus import adopter, dire_les_doubles
from .requetes import executer, lire, statistiques
from .traces import observer


@dataclass(slots=True)
class Ecrits:
    crees: dict[str, int] = field(default_factory=dict)
    inchanges: dict[str, int] = field(default_factory=dict)
    modifies: int = 0  # fiches clients
    avertissements: list[str] = field(default_factory=list)
    acteur: object = None  # la personne qui importe, pour le journal


@dataclass(frozen=True, slots=True)
class Contexte:
    societe_id: int
    lot_id: int | None
    moment: datetime
    au: date


# --- Pièces ----------------------------------------------------------------------------------

CREER_FACTURES = """
insert into factures_facture (created_at, updated_at, societe_id, lot_id, client_id, cle_source, devise, numero,
  numero_reel, date_emission, date_execution, montant_ht, montant_tva, montant_ttc, commande)
select %s, %s, %s, %s, i.client_id, i.cle_source, i.devise, i.numero, i.numero_reel, i.date_emission, i.date_execution,
  case when g.complet = 1 then g.ht end, case when g.complet = 1 then g.tva end, g.ttc, i.commande
from imp_facture i
join (select cle_source, min(n) as n, cast(sum(ttc) as bigint) as ttc, cast(sum(ht) as bigint) as ht,
    cast(sum(tva) as bigint) as tva,
    case when count(ht) = count(*) and count(tva) = count(*) then 1 else 0 end as complet
  from imp_facture where etat = 0 and facture_id is null group by cle_source) g on g.n = i.n
order by i.n
"""
ACCROITRE_FACTURES = """
update factures_facture set montant_ttc = montant_ttc + g.ttc,
  montant_ht = case when g.complet = 1 then montant_ht + g.ht end,
  montant_tva = case when g.complet = 1 then montant_tva + g.tva end, updated_at = %s
from (select facture_id, cast(sum(ttc) as bigint) as ttc, cast(sum(ht) as bigint) as ht,
    cast(sum(tva) as bigint) as tva,
    case when count(ht) = count(*) and count(tva) = count(*) then 1 else 0 end as complet
  from imp_facture where etat = 0 and facture_id is not null group by facture_id) g
where factures_facture.id = g.facture_id
"""
RETROUVER_FACTURES = """
update imp_facture set facture_id = f.id from factures_facture f
where f.societe_id = %s and f.cle_source = imp_facture.cle_source and imp_facture.facture_id is null
"""
CREER_ECHEANCES = """
insert into factures_echeance (societe_id, client_id, facture_id, cle_source, date_facture, date_echeance, montant,
  impute, devise, prelevement, en_contentieux, niveau, niveau_rang, lot_id)
select %s, i.client_id, i.facture_id, i.cle_echeance, i.date_emission, i.date_echeance, i.ttc, 0, i.devise,
  c.prelevement, false, 0, 0, %s
from imp_facture i join clients_client c on c.id = i.client_id
where i.etat = 0 order by i.n
"""
CREER_AVOIRS = """
insert into factures_avoir (created_at, updated_at, societe_id, lot_id, client_id, cle_source, devise, numero,
  date_emission, montant, impute, facture_origine_id)
select %s, %s, %s, %s, i.client_id, i.cle_source, i.devise, i.numero, i.date_emission, i.montant, 0, i.facture_id
from imp_avoir i where i.etat = 0 order by i.n
"""
CREER_ENCAISSEMENTS = """
insert into factures_encaissement (created_at, updated_at, societe_id, lot_id, client_id, cle_source, devise, reference,
  date, montant, impute, mode, libelle)
select %s, %s, %s, %s, i.client_id, i.cle_source, i.devise, i.reference, i.date, g.montant, 0, i.mode, i.libelle
from imp_encaissement i
join (select cle_source, min(n) as n, cast(sum(montant) as bigint) as montant
  from imp_encaissement where etat = 0 group by cle_source) g on g.n = i.n
order by i.n
"""
RETROUVER_AVOIRS = """
update imp_avoir set avoir_id = a.id from factures_avoir a
where a.societe_id = %s and a.cle_source = imp_avoir.cle_source and imp_avoir.avoir_id is null
"""
ORIGINE_DES_AVOIRS = """
update imp_avoir set facture_id = f.id from factures_facture f
where f.societe_id = %s and f.numero_reel and f.numero = imp_avoir.numero_origine and f.client_id = imp_avoir.client_id
  and f.devise = imp_avoir.devise
"""
RETROUVER_ENCAISSEMENTS = """
update imp_encaissement set encaissement_id = e.id from factures_encaissement e
where e.societe_id = %s and e.cle_source = imp_encaissement.cle_source and imp_encaissement.encaissement_id is null
"""
# Un historique apporte la facture et son règlement sur la même ligne.
FACTURES_DES_ENCAISSEMENTS = """
update imp_encaissement set facture_id = f.id from factures_facture f
where imp_encaissement.facture_id is null and imp_encaissement.numero_facture <> '' and imp_encaissement.etat < 2
  and f.societe_id = %s and f.numero_reel and f.numero = imp_encaissement.numero_facture
  and f.client_id = imp_encaissement.client_id and f.devise = imp_encaissement.devise
"""


def _compter(requete: str) -> int:
    return lire(requete)[0][0]


def ecrire_pieces(contexte: Contexte, ecrits: Ecrits) -> None:
    """Factures et échéances, avoirs, encaissements ; puis le compte de ce qui était déjà là."""
    commun = [contexte.moment, contexte.moment, contexte.societe_id, contexte.lot_id]
    accrues = RawSQL("select facture_id from imp_facture where etat = 0 and facture_id is not null", [])  # noqa: S611
    with observer(
        contexte.lot_id, Facture.objects.filter(pk__in=accrues),
        ["montant_ttc", "montant_ht", "montant_tva", "updated_at"],
    ):  # fmt: skip
        executer(ACCROITRE_FACTURES, [contexte.moment])
    ecrits.crees["factures"] = executer(CREER_FACTURES, commun)
    statistiques("factures_facture")
    executer(RETROUVER_FACTURES, [contexte.societe_id])
    executer(CREER_ECHEANCES, [contexte.societe_id, contexte.lot_id])
    executer("update imp_avoir set facture_id = null")
    executer(ORIGINE_DES_AVOIRS, [contexte.societe_id])
    ecrits.crees["avoirs"] = executer(CREER_AVOIRS, commun)
    executer(RETROUVER_AVOIRS, [contexte.societe_id])
    adopter(contexte, ecrits)
    ecrits.crees["encaissements"] = executer(CREER_ENCAISSEMENTS, commun)
    executer(RETROUVER_ENCAISSEMENTS, [contexte.societe_id])
    dire_les_doubles(contexte, ecrits)
    executer(FACTURES_DES_ENCAISSEMENTS, [contexte.societe_id])
    ecrits.inchanges["factures"] = _compter(
        "select count(distinct cle_source) from imp_facture where etat = 1 and cle_source not in "
        "(select cle_source from imp_facture where etat = 0)"
    )
    ecrits.inchanges["avoirs"] = _compter("select count(*) from imp_avoir where etat = 1")
    ecrits.inchanges["encaissements"] = _compter(
        "select count(distinct cle_source) from imp_encaissement where etat = 1"
    )
    orphelins = lire(
        "select numero, numero_origine from imp_avoir where etat = 0 and numero_origine <> '' and facture_id is null "
        "order by n limit 50"
    )
    ecrits.avertissements += [
        f"Avoir {numero} : facture d'origine {origine} inconnue chez ce client ; il reste à imputer."
        for numero, origine in orphelins
    ]


# --- Imputations des CSV : désignées par un numéro de facture ---------------------------------

# Ce que chaque ligne demande encore, borné par ce qui reste de son règlement ; puis, facture par facture, les
# demandes bout à bout couvrent les restes dus bout à bout (les plus anciens d'abord) : le recouvrement s'impute.
IMPUTER_REGLEMENTS = """
insert into factures_imputation
  (created_at, societe_id, lot_id, echeance_id, encaissement_id, date, montant, cle_source)
with deja as (
  select i.encaissement_id, e.facture_id, cast(sum(i.montant) as bigint) as montant, count(*) as fois
  from factures_imputation i join factures_echeance e on e.id = i.echeance_id
  where i.encaissement_id in (select encaissement_id from imp_encaissement where etat < 2)
  group by i.encaissement_id, e.facture_id
), demande as (
  select l.n, l.encaissement_id as source_id, l.facture_id, l.date,
    {cle_reglement} as prefixe, coalesce(d.fois, 0) as fois,
    s.montant - s.impute as libre,
    case when l.montant > coalesce(d.montant, 0) then l.montant - coalesce(d.montant, 0) else 0 end as voulu
  from imp_encaissement l
  join factures_encaissement s on s.id = l.encaissement_id
  left join deja d on d.encaissement_id = l.encaissement_id and d.facture_id = l.facture_id
  where l.etat < 2 and l.facture_id is not null
), {suite}
{choix}
"""
IMPUTER_AVOIRS = """
insert into factures_imputation (created_at, societe_id, lot_id, echeance_id, avoir_id, date, montant, cle_source)
with deja as (
  select i.avoir_id, e.facture_id, cast(sum(i.montant) as bigint) as montant, count(*) as fois
  from factures_imputation i join factures_echeance e on e.id = i.echeance_id
  where i.avoir_id in (select avoir_id from imp_avoir where etat < 2)
  group by i.avoir_id, e.facture_id
), demande as (
  select l.n, l.avoir_id as source_id, l.facture_id, l.date_emission as date,
    {cle_avoir} as prefixe, coalesce(d.fois, 0) as fois, s.montant - s.impute as libre,
    case when l.montant > coalesce(d.montant, 0) then l.montant - coalesce(d.montant, 0) else 0 end as voulu
  from imp_avoir l
  join factures_avoir s on s.id = l.avoir_id
  left join deja d on d.avoir_id = l.avoir_id and d.facture_id = l.facture_id
  where l.etat < 2 and l.facture_id is not null
), {suite}
{choix}
"""
SUITE = """cumul as (
  select *, cast(sum(voulu) over (partition by source_id order by n) as bigint) as jusqu from demande where voulu > 0
), borne as (
  select *, (case when jusqu < libre then jusqu else libre end)
    - (case when jusqu - voulu < libre then jusqu - voulu else libre end) as accorde from cumul
), offre as (
  select n, source_id, facture_id, date, prefixe, fois,
    cast(sum(accorde) over (partition by facture_id order by date, n) as bigint) as fin, accorde
  from borne where accorde > 0
), due as (
  select e.id, e.facture_id, e.date_facture, e.montant - e.impute as reste,
    cast(sum(e.montant - e.impute) over (partition by e.facture_id order by e.date_echeance, e.id) as bigint) as fin
  from factures_echeance e
  where e.impute < e.montant and e.facture_id in (select facture_id from offre)
), part as (
  select o.source_id, d.id as echeance_id, o.prefixe, o.fois,
    case when o.date > d.date_facture then o.date else d.date_facture end as date,
    (case when o.fin < d.fin then o.fin else d.fin end)
      - (case when o.fin - o.accorde > d.fin - d.reste then o.fin - o.accorde else d.fin - d.reste end) as montant,
    o.n
  from offre o join due d on d.facture_id = o.facture_id and d.fin - d.reste < o.fin and o.fin - o.accorde < d.fin
)"""
# La longueur du premier nom sépare les deux : « A » réglant « B:C » n'est pas « A:B » réglant « C ». Le signe égal
# les distingue des clés d'avant (`CSV:I:…`) ; ce qui est déjà imputé se lit aux montants, pas à ces clés.
CLE_REGLEMENT = (
    "'CSV:I=' || cast(length(l.reference) as varchar(3)) || ':' || l.reference || ':' || l.numero_facture || ':'"
)
CLE_AVOIR = "'CSV:IA=' || cast(length(l.numero) as varchar(3)) || ':' || l.numero || ':' || l.numero_origine || ':'"
CHOIX = """select %s, %s, %s, echeance_id, source_id, date, montant,
  prefixe || cast(fois + row_number() over (partition by prefixe order by n, echeance_id) as varchar(10))
from part where montant > 0 order by n, echeance_id"""


def imputer_par_numero(contexte: Contexte, ecrits: Ecrits) -> None:
    """Avoirs puis règlements désignés par un numéro de facture, sur ses échéances les plus anciennes."""
    params = [contexte.moment, contexte.societe_id, contexte.lot_id]
    ecrits.inchanges["imputations"] = _compter(
        "select count(*) from factures_imputation where encaissement_id in "
        "(select encaissement_id from imp_encaissement where etat = 1) "
        "or avoir_id in (select avoir_id from imp_avoir where etat = 1)"
    )
    ecrits.crees["imputations"] = 0
    statistiques(
        "imp_avoir", "imp_encaissement", "factures_echeance", "factures_avoir", "factures_encaissement",
        "factures_imputation",
    )  # fmt: skip
    for requete, tables in ((IMPUTER_AVOIRS, "avoir"), (IMPUTER_REGLEMENTS, "encaissement")):
        ecrits.crees["imputations"] += executer(_assembler(requete), params)
        recalculer(tables)


def _assembler(requete: str) -> str:
    parts = {"suite": SUITE, "choix": CHOIX, "cle_reglement": CLE_REGLEMENT, "cle_avoir": CLE_AVOIR}
    for nom, part in parts.items():
        requete = requete.replace(f"{{{nom}}}", part)
    return requete


# --- Soldes dénormalisés ---------------------------------------------------------------------

RECALCULER = {
    "encaissement": (
        """
        update factures_encaissement set impute = s.total from (
          select e.id, cast(coalesce(sum(i.montant), 0)
            + coalesce((select sum(a.montant) from factures_affectationaccessoires a where a.encaissement_id = e.id), 0)
            as bigint) as total
          from factures_encaissement e left join factures_imputation i on i.encaissement_id = e.id
          where e.rejete_le is null and e.id in (select encaissement_id from imp_encaissement where etat < 2)
          group by e.id) s
        where s.id = factures_encaissement.id and factures_encaissement.impute <> s.total
        """,
        """
        update factures_echeance set impute = s.total, soldee_le = case when s.total = montant then s.dernier end from (
          select i.echeance_id, cast(sum(i.montant) as bigint) as total, max(i.date) as dernier
          from factures_imputation i where i.echeance_id in (select echeance_id from factures_imputation
            where encaissement_id in (select encaissement_id from imp_encaissement where etat < 2))
          group by i.echeance_id) s
        where s.echeance_id = factures_echeance.id and factures_echeance.impute <> s.total
        """,
    ),
    "avoir": (
        """
        update factures_avoir set impute = s.total from (
          select a.id, cast(coalesce(sum(i.montant), 0) as bigint) as total
          from factures_avoir a left join factures_imputation i on i.avoir_id = a.id
          where a.id in (select avoir_id from imp_avoir where etat < 2) group by a.id) s
        where s.id = factures_avoir.id and factures_avoir.impute <> s.total
        """,
        """
        update factures_echeance set impute = s.total, soldee_le = case when s.total = montant then s.dernier end from (
          select i.echeance_id, cast(sum(i.montant) as bigint) as total, max(i.date) as dernier
          from factures_imputation i where i.echeance_id in (select echeance_id from factures_imputation
            where avoir_id in (select avoir_id from imp_avoir where etat < 2))
          group by i.echeance_id) s
        where s.echeance_id = factures_echeance.id and factures_echeance.impute <> s.total
        """,
    ),
}


def recalculer(source: str) -> None:
    """Remet `impute` et `soldee_le` d'aplomb pour les pièces que ce fichier a touchées."""
    statistiques("factures_imputation")  # celles qu'on vient d'écrire : un aperçu en a laissé de mortes
    for requete in RECALCULER[source]:
        executer(requete)


CLORE_LITIGES = """
update factures_litige set clos_le = %s, issue = 'Pièce soldée' where clos_le is null and echeance_id in (
  select id from factures_echeance where societe_id = %s and soldee_le is not null)
"""


def clore_litiges_soldes(contexte: Contexte) -> None:
    """Payée en entier, une pièce n'est plus contestée (exigence 33)."""
    ouverts = Litige.objects.filter(
        clos_le=None, echeance__societe=contexte.societe_id, echeance__soldee_le__isnull=False
    )
    clos = list(ouverts.select_related("echeance__societe")) if contexte.lot_id else []
    with observer(contexte.lot_id, ouverts, ["clos_le", "issue"]):
        executer(CLORE_LITIGES, [contexte.au, contexte.societe_id])
    consigner_clotures(clos, acteur=None)
