"""Un état de postes ouverts ou une balance âgée dit ce qui restait dû un jour ; reçu chaque semaine, il se compare.

Un reste qui a baissé est un règlement constaté, à la date de l'arrêté ; un reste qui a monté, un rejet ; une pièce qui
n'y est plus n'est réglée que si une personne a dit l'export complet. docs/decisions/0019-correspondances.md.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date

from django.db import connection
from django.db.models.expressions import RawSQL

from factures.models import Avoir, Lot

from .ecriture import Contexte, Ecrits
from .lot import Photo, Rejet
from .requetes import en_clair, executer, jour_lisible, lire, rejeter
from .texte import FichierRefuse
from .traces import observer, tracer_supprimes

DETAIL = 20
SEUL_MIN = 10  # en deçà, une source peut solder seule tout ce qui manque ; au-delà, la moitié au plus

# --- Avant les contrôles : ce que la ligne veut dire ------------------------------------------

AJUSTER = (
    # Une ligne soldée ne crée rien.
    """delete from imp_facture where reste = 0 and echeance_id is null and (facture_id is null
      or (select count(*) from factures_echeance e where e.facture_id = imp_facture.facture_id) <> 1)""",
    # Le TTC de la facture répété sur chacune de ses échéances n'est pas celui de l'échéance.
    """update imp_facture set ttc = reste, ttc_dit = false where reste is not null and cle_source in (
      select cle_source from imp_facture where ttc_dit group by cle_source
      having count(distinct cle_echeance) > 1 and min(ttc) = max(ttc))""",
    # Ligne sans TTC, ou une échéance parmi plusieurs : son montant est celui que l'on connaît.
    """update imp_facture set ttc = e.montant from factures_echeance e
    where e.id = imp_facture.echeance_id and imp_facture.reste is not null and (not imp_facture.ttc_dit
      or (select count(*) from factures_echeance k where k.facture_id = e.facture_id) > 1)""",
    # L'échéance a changé de date : la seule de la facture, et la seule ligne du fichier.
    """update imp_facture set ttc = e.montant from factures_echeance e
    where imp_facture.echeance_id is null and e.facture_id = imp_facture.facture_id and imp_facture.reste is not null
      and not imp_facture.ttc_dit
      and (select count(*) from factures_echeance k where k.facture_id = e.facture_id) = 1
      and imp_facture.cle_source in (select cle_source from imp_facture group by cle_source having count(*) = 1)""",
)  # fmt: skip
# Un poste sans numéro porte son montant dans sa clé : après un acompte, on le reconnaît à son client et à ses dates.
SANS_NUMERO = """
update imp_facture set echeance_id = x.id, facture_id = x.facture_id, cle_echeance = x.cle_source, ttc = x.montant
from (
  select min(i.n) as n, min(e.id) as id, min(e.facture_id) as facture_id, min(e.cle_source) as cle_source,
    min(e.montant) as montant
  from imp_facture i
  join factures_echeance e on e.client_id = i.client_id and e.date_facture = i.date_emission
    and e.date_echeance = i.date_echeance and e.devise = i.devise and e.montant - e.impute >= i.reste
    and e.impute < e.montant
  join factures_facture f on f.id = e.facture_id and not f.numero_reel and f.cle_source like 'CSV:F:%%'
    and f.cle_source not like 'CSV:F:BAL:%%'
  where i.reste is not null and not i.numero_reel and i.echeance_id is null and e.societe_id = %s
    and e.id not in (select echeance_id from imp_facture where echeance_id is not null)
  group by i.client_id, i.date_emission, i.date_echeance, i.devise having count(*) = 1
) x where x.n = imp_facture.n
"""
BALANCES = """
select max(substr(cle_source, 11, 10)) from factures_echeance
where societe_id = %s and cle_source like 'CSV:E:BAL:%%' and impute < montant
"""
PIECES_REELLES = """
select c.code, count(*) from factures_echeance e join clients_client c on c.id = e.client_id
where e.societe_id = %s and e.impute < e.montant and e.cle_source not like 'CSV:E:BAL:%%'
  and e.client_id in (select client_id from imp_present) group by c.code order by c.code
"""


def ajuster(contexte: Contexte, photo: Photo) -> Photo:
    """À appeler après `rattacher`, avant les contrôles. Rend la photo avec son arrêté. Lève FichierRefuse."""
    executer("drop table if exists imp_present")
    executer("create temporary table imp_present (code varchar(40), client_id bigint)")
    with connection.cursor() as curseur:
        curseur.executemany("insert into imp_present (code) values (%s)", [(code,) for code in sorted(photo.codes)])
    executer(
        "update imp_present set client_id = c.id from clients_client c where c.societe_id = %s "
        "and c.code = imp_present.code", [contexte.societe_id],
    )  # fmt: skip
    if photo.balance:
        _refuser_balance(contexte, photo)
        return photo
    for requete in AJUSTER:
        executer(requete)
    executer(SANS_NUMERO, [contexte.societe_id])
    photo = replace(photo, arrete=_arrete(contexte, photo))
    if photo.complet:
        _refuser_export_depasse(contexte, photo)
    return photo


def _arrete(contexte: Contexte, photo: Photo) -> date:
    """Le jour écrit dans le fichier s'il est possible : ni à venir, ni avant une de ses factures. Sinon aujourd'hui."""
    derniere = lire("select max(date_emission) from imp_facture")[0][0]
    derniere = date.fromisoformat(derniere) if isinstance(derniere, str) else derniere
    if photo.arrete and photo.arrete <= contexte.au and (derniere is None or photo.arrete >= derniere):
        return photo.arrete
    return contexte.au


def _refuser_export_depasse(contexte: Contexte, photo: Photo) -> None:
    recents = Lot.objects.filter(
        societe=contexte.societe_id, statut=Lot.Statut.APPLIQUE,
        compte_rendu__faits__arrete__gt=photo.arrete.isoformat(),
    ).exclude(pk=contexte.lot_id)  # fmt: skip
    if plus_recent := recents.order_by("-pk").values_list("fichier", flat=True).first():
        raise FichierRefuse(
            f"Cet export est dit complet et arrêté au {photo.arrete:%d/%m/%Y} ; « {plus_recent} », plus récent, est "
            "déjà appliqué : les pièces nées entre les deux passeraient pour réglées. Rien n'est écrit."
        )


def _refuser_balance(contexte: Contexte, photo: Photo) -> None:
    connue = lire(BALANCES, [contexte.societe_id])[0][0]
    if connue and connue > photo.arrete.isoformat():
        raise FichierRefuse(
            f"Une balance âgée arrêtée au {jour_lisible(connue)} est déjà là : celle du {photo.arrete:%d/%m/%Y} "
            "est plus ancienne. Rien n'est écrit."
        )
    if reels := lire(PIECES_REELLES, [contexte.societe_id]):
        raise FichierRefuse(
            f"{len(reels)} clients de cette balance ont déjà des factures ouvertes "
            f"({', '.join(code for code, _ in reels[:5])}) : elle les compterait deux fois. "
            "Importez plutôt l'état des postes ouverts. Rien n'est écrit."
        )


HAUSSES = """
select i.n, i.ligne, i.numero, i.reste, e.montant - e.impute from imp_facture i
join factures_echeance e on e.id = i.echeance_id
where i.etat = 1 and i.reste > e.montant - e.impute order by i.n
"""


def controler_hausses() -> Iterator[Rejet]:
    """Un reste dû qui remonte : un règlement annulé, ou connu ici et pas encore en comptabilité."""
    lues = lire(HAUSSES)
    rejeter("imp_facture", [x[0] for x in lues])
    for _, ligne, numero, lu, connu in lues:
        yield Rejet(
            ligne, "reste", f"{numero} : {en_clair(lu)} restent dus selon le fichier, {en_clair(connu)} selon la base.",
            "Un règlement est connu ici et pas en comptabilité, ou il y a été annulé : accordez les deux.",
        )  # fmt: skip


# --- Après l'écriture des pièces : ce qui a été réglé -----------------------------------------

RETROUVER = """
update imp_facture set echeance_id = e.id from factures_echeance e
where e.societe_id = %s and e.cle_source = imp_facture.cle_echeance and imp_facture.echeance_id is null
  and imp_facture.etat = 0
"""
BAISSES = """
insert into imp_baisse
select e.id, e.client_id, e.devise, f.numero, e.date_facture, e.date_echeance, i.reste
from imp_facture i join factures_echeance e on e.id = i.echeance_id join factures_facture f on f.id = e.facture_id
where i.etat < 2 and i.reste is not null and e.montant - e.impute > i.reste
"""
ABSENTES = """
select e.id, f.numero, e.montant - e.impute, e.devise from factures_echeance e
join factures_facture f on f.id = e.facture_id
where e.societe_id = %s and e.impute < e.montant and e.cle_source like 'CSV:E:%%' and e.date_facture <= %s
  and {sorte} and e.id not in (select echeance_id from imp_facture where echeance_id is not null)
order by f.numero, e.id
"""
ABSENTES_PIECES = ABSENTES.replace("{sorte}", "e.cle_source not like 'CSV:E:BAL:%%'")
ABSENTES_BALANCE = ABSENTES.replace(
    "{sorte}",
    "e.cle_source like 'CSV:E:BAL:%%' and e.client_id not in (select client_id from imp_present "
    "where client_id is not null)",
)
REGLER_ABSENTES = """
insert into imp_baisse
select e.id, e.client_id, e.devise, f.numero, e.date_facture, e.date_echeance, 0
from factures_echeance e join factures_facture f on f.id = e.facture_id where e.id = %s
"""
VOULU = "cast(e.montant - e.impute - b.cible as bigint)"
# Un avoir qui a fondu (ou disparu) explique d'abord les baisses de son client : c'est lui qu'on y a imputé.
IMPUTER_AVOIRS = f"""
insert into factures_imputation (created_at, societe_id, lot_id, echeance_id, avoir_id, date, montant, cle_source)
with libre as (
  select a.id, a.client_id, a.devise, a.impute, a.montant - a.impute - coalesce(i.montant, 0) as montant
  from factures_avoir a left join imp_avoir i on i.avoir_id = a.id and i.etat = 1
  where a.societe_id = %s and a.impute < a.montant and a.date_emission <= %s and a.cle_source like 'CSV:A:%%'
    and a.cle_source not like 'CSV:A:BAL:%%' and a.client_id in (select client_id from imp_baisse)
    and a.id not in (select avoir_id from imp_avoir where avoir_id is not null and etat <> 1)
), offre as (
  select *, sum(montant) over (partition by client_id, devise order by id) as fin from libre where montant > 0
), due as (
  select b.echeance_id, b.client_id, b.devise, b.date_facture, {VOULU} as montant,
    sum({VOULU}) over (partition by b.client_id, b.devise order by b.date_echeance, b.echeance_id) as fin
  from imp_baisse b join factures_echeance e on e.id = b.echeance_id
), part as (
  select o.id, o.impute, d.echeance_id, d.date_facture,
    (case when o.fin < d.fin then o.fin else d.fin end)
      - (case when o.fin - o.montant > d.fin - d.montant then o.fin - o.montant else d.fin - d.montant end) as montant
  from offre o join due d on d.client_id = o.client_id and d.devise = o.devise
    and d.fin - d.montant < o.fin and o.fin - o.montant < d.fin
)
select %s, %s, %s, echeance_id, id, case when date_facture > %s then date_facture else %s end, montant,
  'POSTES:A:' || cast(id as varchar(20)) || ':' || cast(impute as varchar(20)) || ':'
    || cast(echeance_id as varchar(20))
from part where montant > 0
"""  # noqa: S608 (textes fermés)
# Un règlement déjà reçu et pas encore affecté, du même client et du même montant, est celui que l'on constate.
IMPUTER_RECUS = f"""
insert into factures_imputation
  (created_at, societe_id, lot_id, echeance_id, encaissement_id, date, montant, cle_source)
with recu as (
  select id, client_id, devise, montant - impute as montant, impute, date, row_number() over (
    partition by client_id, devise, montant - impute order by date, id) as rang
  from factures_encaissement where societe_id = %s and rejete_le is null and impute < montant
    and client_id in (select client_id from imp_baisse)
), due as (
  select b.echeance_id, b.client_id, b.devise, b.date_facture, {VOULU} as montant, row_number() over (
    partition by b.client_id, b.devise, {VOULU} order by b.date_echeance, b.echeance_id) as rang
  from imp_baisse b join factures_echeance e on e.id = b.echeance_id where {VOULU} > 0
)
select %s, %s, %s, d.echeance_id, r.id, case when d.date_facture > r.date then d.date_facture else r.date end,
  d.montant, 'POSTES:R:' || cast(r.id as varchar(20)) || ':' || cast(r.impute as varchar(20))
from recu r join due d
  on d.client_id = r.client_id and d.devise = r.devise and d.montant = r.montant and d.rang = r.rang
"""  # noqa: S608 (textes fermés)
CLE = "'POSTES:' || %s || ':' || cast(e.montant - b.cible as varchar(20)) || ':' || e.cle_source"
CONSTATER = f"""
insert into factures_encaissement (created_at, updated_at, societe_id, lot_id, client_id, cle_source, devise, reference,
  date, montant, impute, mode, libelle)
select %s, %s, %s, %s, e.client_id, {CLE}, e.devise, b.numero,
  case when b.date_facture > %s then b.date_facture else %s end, {VOULU}, {VOULU}, 'autre', %s
from imp_baisse b join factures_echeance e on e.id = b.echeance_id where {VOULU} > 0 order by b.echeance_id
"""  # noqa: S608 (textes fermés)
IMPUTER_CONSTATS = f"""
insert into factures_imputation
  (created_at, societe_id, lot_id, echeance_id, encaissement_id, date, montant, cle_source)
select %s, %s, %s, e.id, c.id, c.date, c.montant, c.cle_source
from imp_baisse b join factures_echeance e on e.id = b.echeance_id
join factures_encaissement c on c.societe_id = e.societe_id and c.cle_source = {CLE}
where {VOULU} > 0
"""  # noqa: S608 (textes fermés)
SOLDER = """
update factures_echeance set impute = s.total, soldee_le = case when s.total = montant then s.dernier end from (
  select i.echeance_id, cast(sum(i.montant) as bigint) as total, max(i.date) as dernier
  from factures_imputation i where i.echeance_id in (select echeance_id from imp_baisse) group by i.echeance_id) s
where s.echeance_id = factures_echeance.id and factures_echeance.impute <> s.total
"""
CREDITS = tuple(
    f"""
    update factures_{table} set impute = s.total from (
      select i.{table}_id, cast(sum(i.montant) as bigint) as total from factures_imputation i
      where i.{table}_id in (select {table}_id from factures_imputation
        where echeance_id in (select echeance_id from imp_baisse) and {table}_id is not null)
      group by i.{table}_id) s
    where s.{table}_id = factures_{table}.id and factures_{table}.impute < s.total
    """  # noqa: S608 (deux noms fermés)
    for table in ("avoir", "encaissement")
)
A_IMPUTER = """
select count(*), cast(coalesce(sum(s.montant - s.impute), 0) as bigint) from factures_encaissement s
where s.societe_id = %s and s.rejete_le is null and s.impute < s.montant
  and s.client_id in (select client_id from imp_baisse)
"""


def constater(contexte: Contexte, photo: Photo, ecrits: Ecrits, *, entier: bool, seul: bool) -> None:
    """Règle ce que la photo montre réglé. À appeler une fois les pièces écrites, dans la transaction de l'import.

    entier : aucune ligne n'est refusée ; sinon une pièce absente l'est peut-être pour cela, et rien ne se déduit.
    seul : personne ne regarde ; trop de pièces absentes lèvent FichierRefuse.
    """
    executer("drop table if exists imp_baisse")
    executer(
        "create temporary table imp_baisse (echeance_id bigint primary key, client_id bigint, devise varchar(3), "
        "numero varchar(60), date_facture date, date_echeance date, cible bigint)"
    )
    societe, lot, moment, jour = contexte.societe_id, contexte.lot_id, contexte.moment, photo.arrete
    if entier:
        _remplacer_balances(contexte, photo, ecrits)
    executer(RETROUVER, [societe])
    executer(BAISSES)
    _absentes(contexte, photo, ecrits, entier, seul)
    base = [moment, societe, lot]
    ecrits.crees["imputations"] = ecrits.crees.get("imputations", 0)
    ecrits.crees["imputations"] += executer(IMPUTER_AVOIRS, [societe, jour, *base, jour, jour])
    executer(SOLDER)
    ecrits.crees["imputations"] += executer(IMPUTER_RECUS, [societe, *base])
    executer(SOLDER)
    for requete in CREDITS:
        executer(requete)
    libelle = f"Règlement constaté par les postes ouverts au {jour:%d/%m/%Y}"
    faits = executer(CONSTATER, [moment, moment, societe, lot, jour.isoformat(), jour, jour, libelle])
    if not faits:
        return
    ecrits.crees["encaissements"] = ecrits.crees.get("encaissements", 0) + faits
    _dire_constats(contexte, photo, ecrits, faits)
    ecrits.crees["imputations"] += executer(IMPUTER_CONSTATS, [*base, jour.isoformat()])
    executer(SOLDER)


def _dire_constats(contexte: Contexte, photo: Photo, ecrits: Ecrits, faits: int) -> None:
    lues = lire(
        f"select b.numero, {VOULU}, b.devise from imp_baisse b join factures_echeance e on e.id = b.echeance_id "  # noqa: S608
        f"where {VOULU} > 0 order by b.numero, b.echeance_id limit {DETAIL + 1}"
    )
    ecrits.avertissements.append(
        f"Restes dus plus petits qu'en base, règlements constatés au {photo.arrete:%d/%m/%Y} : "
        f"{faits} ({_liste(lues)}). Le vrai règlement, s'il s'importe ensuite pour le même montant, "
        "prendra leur place."
    )
    nombre, somme = lire(A_IMPUTER, [contexte.societe_id])[0]
    if nombre:
        ecrits.avertissements.append(
            f"Règlements de ces clients déjà reçus et pas affectés : {nombre}, {en_clair(somme)}. Vérifiez qu'un "
            "règlement constaté n'en répète pas un."
        )


def _absentes(contexte: Contexte, photo: Photo, ecrits: Ecrits, entier: bool, seul: bool) -> None:
    lues = lire(ABSENTES_BALANCE if photo.balance else ABSENTES_PIECES, [contexte.societe_id, photo.arrete])
    if not lues:
        if photo.complet:
            ecrits.avertissements.append("Export dit complet : aucune pièce connue n'y manque.")
        return
    dites = [(numero, reste, devise) for _, numero, reste, devise in lues[: DETAIL + 1]]
    debut = f"Pièces connues qui ne sont plus dans cet export : {len(lues)} ({_liste(dites)})."
    if not photo.complet:
        ecrits.avertissements.append(
            f"{debut} Rien n'est réglé d'office : si elles le sont, revoyez les colonnes et dites l'export complet."
        )
        return
    if not entier:
        ecrits.avertissements.append(f"{debut} Des lignes sont refusées : aucune n'est réglée d'office.")
        return
    connues = lire(
        "select count(*) from factures_echeance where societe_id = %s and impute < montant "
        "and cle_source like 'CSV:E:%%'", [contexte.societe_id],
    )[0][0]  # fmt: skip
    if seul and len(lues) > SEUL_MIN and len(lues) * 2 > connues:
        raise FichierRefuse(
            f"{debut} L'export est dit complet : il en réglerait plus de la moitié. Déposez-le à l'écran pour que "
            "quelqu'un le confirme."
        )
    ecrits.avertissements.append(f"{debut} L'export est dit complet : leur règlement est constaté.")
    with connection.cursor() as curseur:
        curseur.executemany(REGLER_ABSENTES, [(x[0],) for x in lues])


def _liste(lues: list[tuple]) -> str:
    noms = [
        f"{numero} {en_clair(somme)}" + ("" if devise == "EUR" else f" {devise}")
        for numero, somme, devise in lues[:DETAIL]
    ]
    return ", ".join(noms) + ("…" if len(lues) > DETAIL else "")


# --- Une balance remplace la précédente -------------------------------------------------------

REMPLACES = """
from factures_echeance e where e.societe_id = %s and e.impute < e.montant and e.cle_source like 'CSV:E:BAL:%%'
  and e.client_id in (select client_id from imp_present)
  and e.cle_source not in (select cle_echeance from imp_facture)
"""
REMPLACER = f"""
insert into factures_avoir (created_at, updated_at, societe_id, lot_id, client_id, cle_source, devise, numero,
  date_emission, montant, impute)
select %s, %s, %s, %s, e.client_id, 'BAL:' || %s || ':' || e.cle_source, e.devise, %s,
  case when e.date_facture > %s then e.date_facture else %s end, e.montant - e.impute, e.montant - e.impute
{REMPLACES} order by e.id
"""  # noqa: S608 (textes fermés)
IMPUTER_REMPLACES = f"""
insert into factures_imputation (created_at, societe_id, lot_id, echeance_id, avoir_id, date, montant, cle_source)
select %s, %s, %s, x.id, a.id, a.date_emission, a.montant, a.cle_source from (select e.id, e.cle_source {REMPLACES}) x
join factures_avoir a on a.societe_id = %s and a.cle_source = 'BAL:' || %s || ':' || x.cle_source
"""  # noqa: S608 (textes fermés)
SOLDER_REMPLACES = """
update factures_echeance set impute = factures_echeance.montant, soldee_le = a.date_emission
from factures_imputation i join factures_avoir a on a.id = i.avoir_id
where i.echeance_id = factures_echeance.id and a.societe_id = %s and a.cle_source like 'BAL:%%'
  and factures_echeance.impute < factures_echeance.montant
"""
AVOIRS_REMPLACES = """
select a.id from factures_avoir a where a.societe_id = %s and a.impute < a.montant and a.cle_source like 'CSV:A:BAL:%%'
  and a.client_id in (select client_id from imp_present) and a.cle_source not in (select cle_source from imp_avoir)
"""


def _remplacer_balances(contexte: Contexte, photo: Photo, ecrits: Ecrits) -> None:
    """Les postes estimés d'une balance précédente, chez les clients que le fichier cite, cèdent la place.

    Un avoir les annule (ce n'est pas de l'argent reçu) ; un avoir estimé s'efface, ou se réduit à ce qu'il a couvert.
    """
    societe, lot, moment, jour = contexte.societe_id, contexte.lot_id, contexte.moment, photo.arrete
    motif = f"Remplacé au {jour:%d/%m/%Y}"
    remplaces = executer(
        REMPLACER, [moment, moment, societe, lot, jour.isoformat(), motif, jour, jour, societe]
    )  # fmt: skip
    if remplaces:
        executer(IMPUTER_REMPLACES, [moment, societe, lot, societe, societe, jour.isoformat()])
        executer(SOLDER_REMPLACES, [societe])
        ecrits.crees["avoirs"] = ecrits.crees.get("avoirs", 0) + remplaces
        ecrits.avertissements.append(
            f"Postes estimés d'une balance précédente, remplacés par ce fichier : {remplaces}. Leurs relances "
            "repartent des nouveaux postes."
        )
    vieux = Avoir.objects.filter(pk__in=RawSQL(AVOIRS_REMPLACES, [societe]))  # noqa: S611
    entames = vieux.filter(impute__gt=0)
    with observer(lot, entames, ["montant", "updated_at"]):
        executer(
            "update factures_avoir set montant = impute, updated_at = %s "  # noqa: S608
            f"where impute > 0 and id in ({AVOIRS_REMPLACES})",
            [moment, societe],
        )
    tracer_supprimes(lot, vieux.iterator(chunk_size=1_000))
    vieux.delete()
