"""Les imputations d'un FEC, en base : celles du lettrage, ni plus ni moins, et le solde re-prouvé.

Le lettrage d'un exercice bouge d'un export à l'autre : les imputations FEC dont le fichier connaît les deux
bouts suivent le fichier. Une affectation faite à la main qui contredit la comptabilité est défaite, et dite.
"""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal

from django.db.models.expressions import RawSQL

from factures.domaine.fec_lignes import Nature, Poste
from factures.models import AffectationAccessoires, Imputation, Lot
from recouvrement.commun.champs import en_euros

from .deja_recus import suivre_les_rejets
from .ecriture import Contexte, Ecrits
from .lot import Inexplique, LotLu
from .nombres import euros
from .requetes import executer, lire, statistiques
from .texte import FichierRefuse
from .traces import observer, tracer_supprimes

RESOUDRE = """
update imp_imputation set echeance_id = x.echeance_id, encaissement_id = x.encaissement_id, avoir_id = x.avoir_id,
  imputation_id = x.imputation_id
from (
  select n.n, e.id as echeance_id, c.id as encaissement_id, a.id as avoir_id, i.id as imputation_id
  from imp_imputation n
  left join factures_echeance e on e.societe_id = %s and e.cle_source = n.cle_echeance
  left join factures_encaissement c on c.societe_id = %s and c.cle_source = n.cle_encaissement
  left join factures_avoir a on a.societe_id = %s and a.cle_source = n.cle_avoir
  left join factures_imputation i on i.societe_id = %s and i.cle_source = n.cle_source) x
where x.n = imp_imputation.n
"""
# Un bout est dans le fichier, l'autre y est aussi ou le précède : le fichier fait foi.
# Ce qu'un exercice suivant a lettré avec nos pièces lui appartient.
PERIMEES = """
  select i.id from factures_imputation i
  join factures_echeance e on e.id = i.echeance_id
  left join factures_encaissement c on c.id = i.encaissement_id
  left join factures_avoir a on a.id = i.avoir_id
  where i.societe_id = %s and i.cle_source like 'FEC:%%'
    and substr(e.cle_source, 5, 8) <= %s and substr(coalesce(c.cle_source, a.cle_source), 5, 8) <= %s
    and (substr(e.cle_source, 5, 8) >= %s or substr(coalesce(c.cle_source, a.cle_source), 5, 8) >= %s)
    and i.id not in (select imputation_id from imp_imputation where imputation_id is not null)
"""
RETIRER_PERIMEES = f"delete from factures_imputation where id in ({PERIMEES})"  # noqa: S608
DEPLACEES = """
select i.id from factures_imputation i join imp_imputation n on n.imputation_id = i.id
where i.montant <> n.montant or i.date <> n.date
"""
ACTUALISER = """
update factures_imputation set montant = n.montant, date = n.date from imp_imputation n
where n.imputation_id = factures_imputation.id
  and (factures_imputation.montant <> n.montant or factures_imputation.date <> n.date)
"""
CREER = """
insert into factures_imputation
  (created_at, societe_id, lot_id, echeance_id, encaissement_id, avoir_id, date, montant, cle_source)
select %s, %s, %s, echeance_id, encaissement_id, avoir_id, date, montant, cle_source from imp_imputation
where imputation_id is null order by n
"""
# Affectations à la main posées sur une pièce ou un règlement que le lettrage remplit désormais.
CONTRAIRES = """
select i.id, f.numero, i.montant from factures_imputation i
join factures_echeance e on e.id = i.echeance_id join factures_facture f on f.id = e.facture_id
where i.societe_id = %s and (i.cle_source like 'saisie:%%' or i.cle_source like 'CSV:%%') and (
  e.montant < (select sum(p.montant) from factures_imputation p where p.echeance_id = i.echeance_id)
  or exists (select 1 from factures_encaissement c where c.id = i.encaissement_id
    and c.montant < (select sum(p.montant) from factures_imputation p where p.encaissement_id = c.id)
      + coalesce((select sum(x.montant) from factures_affectationaccessoires x where x.encaissement_id = c.id), 0))
  or exists (select 1 from factures_avoir a where a.id = i.avoir_id
    and a.montant < (select sum(p.montant) from factures_imputation p where p.avoir_id = a.id)))
order by i.id
"""
SOLDES = (
    """
    update factures_encaissement set impute = s.total from (
      select e.id, cast(coalesce(sum(i.montant), 0)
        + coalesce((select sum(a.montant) from factures_affectationaccessoires a where a.encaissement_id = e.id), 0)
        as bigint) as total
      from factures_encaissement e left join factures_imputation i on i.encaissement_id = e.id
      where e.societe_id = %s and e.rejete_le is null group by e.id) s
    where s.id = factures_encaissement.id and factures_encaissement.impute <> s.total
    """,
    """
    update factures_avoir set impute = s.total from (
      select a.id, cast(coalesce(sum(i.montant), 0) as bigint) as total
      from factures_avoir a left join factures_imputation i on i.avoir_id = a.id
      where a.societe_id = %s group by a.id) s
    where s.id = factures_avoir.id and factures_avoir.impute <> s.total
    """,
    """
    update factures_echeance set impute = s.total, soldee_le = case when s.total = montant then s.dernier end from (
      select e.id, cast(coalesce(sum(i.montant), 0) as bigint) as total, max(i.date) as dernier
      from factures_echeance e left join factures_imputation i on i.echeance_id = e.id
      where e.societe_id = %s group by e.id) s
    where s.id = factures_echeance.id and (factures_echeance.impute <> s.total
      or s.total = montant and (factures_echeance.soldee_le is null or factures_echeance.soldee_le <> s.dernier))
    """,
)
# Ce que des accessoires prenaient sur un règlement que le lettrage emploie désormais en entier.
ACCESSOIRES_CONTRAIRES = """
select a.id, f.numero, a.montant from factures_affectationaccessoires a
join factures_facture f on f.id = a.facture_id join factures_encaissement c on c.id = a.encaissement_id
where a.societe_id = %s
  and c.montant < (select sum(p.montant) from factures_imputation p where p.encaissement_id = c.id)
  + (select sum(x.montant) from factures_affectationaccessoires x where x.encaissement_id = c.id)
order by a.id
"""
CONNUS = {
    "factures_echeance": """
    select e.cle_source, c.code, e.montant, cast(e.montant - coalesce(i.total, 0) as bigint), e.date_facture, f.numero,
      f.numero_reel
    from factures_echeance e join factures_facture f on f.id = e.facture_id join clients_client c on c.id = e.client_id
    left join (select echeance_id, sum(montant) as total from factures_imputation where date < %s
      group by echeance_id) i on i.echeance_id = e.id
    where e.societe_id = %s and e.cle_source like 'FEC:%%' and substr(e.cle_source, 5, 8) < %s
      and e.montant > coalesce(i.total, 0) order by e.id
    """,
    "factures_encaissement": """
    select e.cle_source, c.code, e.montant, cast(e.montant - coalesce(i.total, 0) as bigint), e.date, e.reference, false
    from factures_encaissement e join clients_client c on c.id = e.client_id
    left join (select encaissement_id, sum(montant) as total from factures_imputation where date < %s
      group by encaissement_id) i on i.encaissement_id = e.id
    where e.societe_id = %s and e.cle_source like 'FEC:%%' and substr(e.cle_source, 5, 8) < %s
      and e.montant > coalesce(i.total, 0) order by e.id
    """,
    "factures_avoir": """
    select e.cle_source, c.code, e.montant, cast(e.montant - coalesce(i.total, 0) as bigint), e.date_emission, e.numero,
      false
    from factures_avoir e join clients_client c on c.id = e.client_id
    left join (select avoir_id, sum(montant) as total from factures_imputation where date < %s group by avoir_id) i
      on i.avoir_id = e.id
    where e.societe_id = %s and e.cle_source like 'FEC:%%' and substr(e.cle_source, 5, 8) < %s
      and e.montant > coalesce(i.total, 0) order by e.id
    """,
}
# Ce que la base tient du FEC jusqu'au dernier jour du fichier, client par client.
TENU = """
select c.code, cast(sum(p.montant) as bigint) from (
  select client_id, montant from factures_echeance
  where societe_id = %s and cle_source like 'FEC:%%' and substr(cle_source, 5, 8) <= %s
  union all
  select client_id, -montant from factures_encaissement
  where societe_id = %s and cle_source like 'FEC:%%' and substr(cle_source, 5, 8) <= %s
  union all
  select client_id, -montant from factures_avoir
  where societe_id = %s and cle_source like 'FEC:%%' and substr(cle_source, 5, 8) <= %s
) p join clients_client c on c.id = p.client_id group by c.code
"""
ABSENTES = """
select c.code, f.numero from factures_echeance e
join factures_facture f on f.id = e.facture_id join clients_client c on c.id = e.client_id
where e.societe_id = %s and e.cle_source like 'FEC:%%' and substr(e.cle_source, 5, 8) between %s and %s
  and e.cle_source not in (select cle_echeance from imp_facture)
union all
select c.code, e.reference from factures_encaissement e join clients_client c on c.id = e.client_id
where e.societe_id = %s and e.cle_source like 'FEC:%%' and substr(e.cle_source, 5, 8) between %s and %s
  and e.cle_source not in (select cle_source from imp_encaissement)
union all
select c.code, e.numero from factures_avoir e join clients_client c on c.id = e.client_id
where e.societe_id = %s and e.cle_source like 'FEC:%%' and substr(e.cle_source, 5, 8) between %s and %s
  and e.cle_source not in (select cle_source from imp_avoir)
"""


PERIODES = """
select sum(case when jour between %s and %s then 1 else 0 end), max(jour) from (
  select substr(cle_source, 5, 8) as jour from factures_echeance where societe_id = %s and cle_source like 'FEC:%%'
  union all
  select substr(cle_source, 5, 8) from factures_encaissement where societe_id = %s and cle_source like 'FEC:%%'
) p
"""


def dernieres_corrections(societe_id: int) -> dict:
    """Ce qu'une personne a corrigé au dernier FEC appliqué de la société : vaut pour le suivant, jusqu'à l'aperçu."""
    appliques = Lot.objects.filter(societe=societe_id, format="fec", statut=Lot.Statut.APPLIQUE)
    return appliques.order_by("-applique_le", "-pk").values_list("corrections", flat=True).first() or {}


def refuser_exercice_depasse(societe_id: int, du: date, au: date) -> None:
    """Lève FichierRefuse si un exercice plus récent est déjà là, et celui-ci jamais venu : il y est déjà repris."""
    dedans, dernier = lire(PERIODES, [f"{du:%Y%m%d}", f"{au:%Y%m%d}", societe_id, societe_id])[0]
    if dernier and dernier > f"{au:%Y%m%d}" and not dedans:
        jour = date(int(dernier[:4]), int(dernier[4:6]), int(dernier[6:]))
        raise FichierRefuse(
            f"Un FEC plus récent est déjà importé (jusqu'au {jour:%d/%m/%Y}) : ses à-nouveaux reprennent ce que "
            "celui-ci laissait ouvert, l'importer compterait deux fois. Importez les exercices dans l'ordre."
        )


def postes_connus(societe_id: int, premier_jour: date) -> Iterator[Poste]:
    """Postes venus de FEC antérieurs, encore ouverts la veille du premier jour du fichier."""
    borne = f"{premier_jour:%Y%m%d}"
    for table, requete in CONNUS.items():
        for cle, client, montant, reste, jour, numero, reel in lire(requete, [premier_jour, societe_id, borne]):
            yield Poste(
                cle, client, table == "factures_echeance", en_euros(montant), en_euros(reste),
                date.fromisoformat(jour) if isinstance(jour, str) else jour, Nature.AUTRE,
                piece=numero if reel else "", numero=numero, numero_reel=bool(reel),
                est_avoir=table == "factures_avoir",
            )  # fmt: skip


def imputer_par_cle(contexte: Contexte, lot: LotLu, ecrits: Ecrits) -> None:
    """Pose, corrige et retire les imputations FEC, puis remet les soldes d'aplomb."""
    societe = contexte.societe_id
    du, au = f"{lot.faits['du']:%Y%m%d}", f"{lot.faits['au']:%Y%m%d}"
    executer(RESOUDRE, [societe] * 4)
    suivre_les_rejets(contexte, ecrits)
    statistiques(
        "imp_imputation", "factures_echeance", "factures_avoir", "factures_encaissement", "factures_imputation"
    )
    bornes = [societe, au, au, du, du]
    if contexte.lot_id:
        tracer_supprimes(contexte.lot_id, Imputation.objects.filter(pk__in=RawSQL(PERIMEES, bornes)))  # noqa: S611
    retirees = executer(RETIRER_PERIMEES, bornes)
    deplacees = Imputation.objects.filter(pk__in=RawSQL(DEPLACEES, []))  # noqa: S611
    with observer(contexte.lot_id, deplacees, ["montant", "date"]):
        corrigees = executer(ACTUALISER)
    ecrits.crees["imputations"] = executer(CREER, [contexte.moment, societe, contexte.lot_id])
    deja = lire("select count(*) from imp_imputation where imputation_id is not null")[0][0]
    ecrits.inchanges["imputations"] = deja - corrigees
    if retirees or corrigees:
        ecrits.avertissements.append(
            f"Le lettrage a changé depuis le dernier import : {corrigees} imputations corrigées, {retirees} retirées."
        )
    contraires = lire(CONTRAIRES, [societe])
    if contexte.lot_id:
        tracer_supprimes(contexte.lot_id, Imputation.objects.filter(pk__in=[x[0] for x in contraires]))
    for pk, numero, montant in contraires:
        executer("delete from factures_imputation where id = %s", [pk])
        ecrits.avertissements.append(
            f"Affectation à la main de {euros(en_euros(montant))} sur {numero} défaite : "
            "la comptabilité l'a lettrée autrement."
        )
    accessoires = lire(ACCESSOIRES_CONTRAIRES, [societe])
    if contexte.lot_id:
        tracer_supprimes(contexte.lot_id, AffectationAccessoires.objects.filter(pk__in=[x[0] for x in accessoires]))
    for pk, numero, montant in accessoires:
        executer("delete from factures_affectationaccessoires where id = %s", [pk])
        ecrits.avertissements.append(
            f"Affectation de {euros(en_euros(montant))} aux accessoires de {numero} défaite : "
            "la comptabilité a lettré ce règlement autrement."
        )
    statistiques("factures_imputation")
    for requete in SOLDES:
        executer(requete, [societe])


def ecarts_en_base(contexte: Contexte, lot: LotLu) -> list[Inexplique]:
    """Clients dont la base, pour ce FEC et ceux d'avant, ne vaut pas le solde comptable : des écritures ont disparu."""
    societe, du, au = contexte.societe_id, f"{lot.faits['du']:%Y%m%d}", f"{lot.faits['au']:%Y%m%d}"
    tenu = {code: en_euros(total) for code, total in lire(TENU, [societe, au] * 3)}
    fautifs = {
        code: tenu.get(code, Decimal(0)) - lot.soldes.get(code, Decimal(0))
        for code in {*tenu, *lot.soldes}
        if tenu.get(code, Decimal(0)) != lot.soldes.get(code, Decimal(0))
    }
    if not fautifs:
        return []
    pieces: dict[str, list[str]] = {}
    for code, numero in lire(ABSENTES, [societe, du, au] * 3):
        pieces.setdefault(code, []).append(numero)
    return [
        Inexplique(
            code,
            "absent",
            f"importé auparavant et absent de ce fichier : {', '.join(pieces.get(code, ['pièces inconnues'])[:5])}",
            ecart,
        )
        for code, ecart in sorted(fautifs.items())
    ]
