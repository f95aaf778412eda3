"""Un règlement constaté par un état de postes ouverts, et le vrai qui arrive ensuite : un seul des deux compte.

Constaté : le poste est revenu avec un reste plus petit, donc quelqu'un a payé ; on ne sait ni quand ni comment. Le
vrai règlement de même montant sur la même facture prend sa place ; un autre montant est un rejet, jamais un double.
"""

from collections.abc import Iterator
from itertools import zip_longest

from django.db import connection
from django.db.models.expressions import RawSQL

from factures.models import Echeance, Encaissement, Imputation

from .ecriture import Contexte, Ecrits
from .lot import Rejet
from .requetes import en_clair, executer, jour_lisible, lire, rejeter
from .traces import observer

UN_SEUL = "select 1 from factures_encaissement where societe_id = %s and cle_source like 'POSTES:%%' limit 1"
# Les deux listes se suivent dans le même ordre : le premier règlement prend le premier constat de sa facture.
ARRIVES = """
select i.n, i.facture_id, i.montant from imp_encaissement i
join (select cle_source from imp_encaissement group by cle_source having count(*) = 1) u on u.cle_source = i.cle_source
where i.etat = 0 and i.encaissement_id is null and i.facture_id is not null and i.date <= %s
order by i.facture_id, i.montant, i.date, i.n
"""
CONSTATES = """
select distinct c.id, e.facture_id, c.montant, c.date from factures_encaissement c
join factures_imputation p on p.encaissement_id = c.id join factures_echeance e on e.id = p.echeance_id
where c.societe_id = %s and c.cle_source like 'POSTES:%%' and c.rejete_le is null and c.mouvement_id is null
  and e.facture_id in (select facture_id from imp_encaissement where etat = 0 and encaissement_id is null)
order by e.facture_id, c.montant, c.date, c.id
"""
REMPLACER = """
update factures_encaissement set cle_source = i.cle_source, reference = i.reference, date = i.date, mode = i.mode,
  libelle = i.libelle, updated_at = %s
from imp_encaissement i where i.encaissement_id = factures_encaissement.id and i.etat = 0
"""
REDATER = """
update factures_imputation set date = case when i.date > e.date_facture then i.date else e.date_facture end
from imp_encaissement i, factures_echeance e
where i.encaissement_id = factures_imputation.encaissement_id and e.id = factures_imputation.echeance_id and i.etat = 0
  and i.encaissement_id in (select encaissement_id from imp_encaissement where etat = 0)
"""
RESOLDER = """
update factures_echeance set soldee_le = s.dernier from (
  select p.echeance_id, max(p.date) as dernier from factures_imputation p where p.echeance_id in (
    select echeance_id from factures_imputation where encaissement_id in (
      select encaissement_id from imp_encaissement where etat = 0))
  group by p.echeance_id) s
where s.echeance_id = factures_echeance.id and factures_echeance.soldee_le is not null
"""
DEJA = """
select i.n, i.ligne, i.numero_facture, i.montant, t.total, t.jour from imp_encaissement i
join (select e.facture_id, cast(sum(p.montant) as bigint) as total, max(c.date) as jour from factures_encaissement c
    join factures_imputation p on p.encaissement_id = c.id join factures_echeance e on e.id = p.echeance_id
    where c.societe_id = %s and c.cle_source like 'POSTES:%%' and c.rejete_le is null group by e.facture_id) t
  on t.facture_id = i.facture_id
join (select facture_id, cast(sum(montant - impute) as bigint) as reste from factures_echeance
    where facture_id in (select facture_id from imp_encaissement) group by facture_id) d on d.facture_id = i.facture_id
where i.etat = 0 and i.encaissement_id is null and i.montant > d.reste order by i.n
"""


def confirmer(contexte: Contexte, ecrits: Ecrits) -> Iterator[Rejet]:
    """Chaque règlement du fichier prend la place du constat de même montant sur sa facture ; le reste se rejette.

    À appeler après `rattacher`. Le constat garde son identifiant et prend clé, date, mode et référence : rejouer le
    même fichier le retrouve.
    """
    if not lire(UN_SEUL, [contexte.societe_id]):
        return
    paires = []
    arrives, constates = _par_facture(lire(ARRIVES, [contexte.au])), {}
    if arrives:
        constates = _par_facture(
            (c, facture, montant) for c, facture, montant, _ in lire(CONSTATES, [contexte.societe_id])
        )
    for cle, lignes in arrives.items():
        paires += [(c, n) for n, c in zip_longest(lignes, constates.get(cle, ())) if n is not None and c is not None]
    if paires:
        _remplacer(contexte, paires)
        ecrits.avertissements.append(
            f"Règlements déjà constatés par un état de postes ouverts, et confirmés par ce fichier : {len(paires)}."
        )
    for n, ligne, facture, montant, total, jour in lire(DEJA, [contexte.societe_id]):
        rejeter("imp_encaissement", [n])
        yield Rejet(
            ligne, "montant",
            f"{facture} : {en_clair(total)} déjà constatés par les postes ouverts au {jour_lisible(jour)}, et il n'y "
            f"reste pas {en_clair(montant)}.",
            "Ce règlement ferait double : retirez la ligne, ou défaites d'abord l'import des postes ouverts.",
        )  # fmt: skip


def _par_facture(lues) -> dict[tuple[int, int], list[int]]:
    groupes: dict[tuple[int, int], list[int]] = {}
    for identifiant, facture, montant in lues:
        groupes.setdefault((facture, montant), []).append(identifiant)
    return groupes


def _remplacer(contexte: Contexte, paires: list[tuple[int, int]]) -> None:
    with connection.cursor() as curseur:
        curseur.executemany("update imp_encaissement set encaissement_id = %s where n = %s", paires)
    # Seules les lignes appariées ont, à l'état 0, un encaissement connu : les autres se marqueront après.
    choisis = RawSQL("select encaissement_id from imp_encaissement where etat = 0", [])  # noqa: S611
    encaissements = Encaissement.objects.filter(pk__in=[c for c, _ in paires])
    imputations = Imputation.objects.filter(encaissement__in=choisis)
    soldees = Echeance.objects.filter(imputations__encaissement__in=choisis, soldee_le__isnull=False)
    with (
        observer(contexte.lot_id, encaissements, ["cle_source", "reference", "date", "mode", "libelle", "updated_at"]),
        observer(contexte.lot_id, imputations, ["date"]),
        observer(contexte.lot_id, soldees, ["soldee_le"]),
    ):
        executer(REMPLACER, [contexte.moment])
        executer(REDATER)
        executer(RESOLDER)
