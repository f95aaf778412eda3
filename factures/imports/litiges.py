"""Litiges constatés par un historique : écrits d'un bloc, clos si la pièce est déjà soldée."""

from datetime import timedelta

from factures.models import Litige

from .ecriture import Contexte, Ecrits
from .requetes import executer, lire

DELAI = timedelta(days=7)  # pour traiter ; au-delà, Ma journée le rappelle

# Une facture qui a déjà porté un litige n'en reçoit pas d'autre : rejouer n'en ouvre pas, et ne rouvre rien.
RETENIR = """
update imp_litige set facture_id = x.id from (
  select l.n, f.id from imp_litige l
  join factures_facture f on f.societe_id = %s and f.cle_source = l.cle_facture
  where l.n in (select min(n) from imp_litige group by cle_facture)
    and l.cle_facture not in (select cle_source from imp_facture where etat = 9)
    and not exists (select 1 from factures_litige g join factures_echeance e on e.id = g.echeance_id
      where e.facture_id = f.id)) x
where x.n = imp_litige.n
"""
CREER = """
insert into factures_litige (echeance_id, montant_conteste, categorie, description, responsable_id, ouvert_le,
  a_traiter_le, clos_le, issue, auteur_id)
select e.id,
  case when e.soldee_le is not null then e.montant
    when l.montant is not null and l.montant < e.montant - e.impute then l.montant else e.montant - e.impute end,
  %s, l.description, null, l.ouvert_le, %s,
  case when e.soldee_le is null then l.clos_le when e.soldee_le > l.ouvert_le then e.soldee_le else l.ouvert_le end,
  case when e.soldee_le is not null then %s else '' end, %s
from imp_litige l join factures_echeance e on e.facture_id = l.facture_id
where e.soldee_le is not null or e.impute < e.montant
order by l.n, e.id
"""
TRACER = """
insert into factures_tracedelot (lot_id, objet, objet_id, cree, avant, apres)
select %s, %s, g.id, true, '{}', '{}' from factures_litige g
join factures_echeance e on e.id = g.echeance_id join imp_litige l on l.facture_id = e.facture_id
"""


def ecrire_litiges(contexte: Contexte, ecrits: Ecrits, *, auteur) -> int:
    """À appeler après les imputations : une pièce soldée donne un litige clos le jour où elle l'a été."""
    if not lire("select 1 from imp_litige limit 1"):
        return 0
    executer(RETENIR, [contexte.societe_id])
    commun = [Litige.Categorie.AUTRE, contexte.au + DELAI, Litige.SOLDEE, auteur and auteur.pk]
    nombre = executer(CREER, commun)
    if contexte.lot_id:
        executer(TRACER, [contexte.lot_id, Litige._meta.label_lower])
    if nombre:
        clos = lire(
            """select count(*) from factures_litige g join factures_echeance e on e.id = g.echeance_id
            join imp_litige l on l.facture_id = e.facture_id where g.clos_le is not null"""
        )[0][0]
        ecrits.avertissements.append(f"Litiges repris de l'historique : {nombre}, dont {clos} clos (pièce soldée).")
    return nombre
