"""Relevés et mouvements bancaires : des objets lus à la base, en ensembles.

Un mouvement est reconnu à son compte, son jour, son montant et à la clé de la banque, sinon au libellé et au rang parmi
les semblables. Venu d'un autre format, il l'est au compte, au jour, au montant et au rang : une banque n'écrit pas deux
fois de la même façon un libellé (docs/decisions/0021-banque.md).
"""

from collections.abc import Iterator

from factures.domaine.banque_chaine import PREFIXE, Maillon, chainer
from factures.models import ReleveBancaire
from recouvrement.commun.champs import en_euros

from ..banque.commun import ecart_de_solde
from ..banque.comptes import rattacher_comptes
from ..banque.salle import Salle
from ..ecriture import Contexte, Ecrits
from ..lot import LotLu, Rejet
from ..requetes import executer, lire, statistiques

CLE_RELEVES = """
update imp_releve set cle_source = 'R:' || compte_id || ':' || cle
"""
PREMIERS = """
update imp_releve set premier = (select min(p.n) from imp_releve p where p.cle_source = imp_releve.cle_source)
"""
REPETES = """
delete from imp_mouvement where releve in (
  select d.releve from imp_releve d join imp_releve p on p.n = d.premier
  where d.premier <> d.n and d.cle like 'S:%%'
    and (select count(*) from imp_mouvement m where m.releve = d.releve)
      = (select count(*) from imp_mouvement m where m.releve = p.releve))
"""
CREER_RELEVES = """
insert into factures_relevebancaire (societe_id, compte_id, lot_id, cle_source, numero, du, au, solde_ouverture,
  solde_cloture, devise, mouvements_lus, constats, created_at)
select %s, i.compte_id, %s, i.cle_source, i.numero, i.du, i.au, i.ouverture, i.cloture, i.devise,
  coalesce(m.nombre, 0), '[]', %s
from imp_releve i
left join (select releve, count(*) as nombre from imp_mouvement group by releve) m on m.releve = i.releve
where i.premier = i.n
  and not exists (select 1 from factures_relevebancaire r where r.societe_id = %s and r.cle_source = i.cle_source)
"""
LIER_RELEVES = """
update imp_releve set releve_id =
  (select r.id from factures_relevebancaire r where r.societe_id = %s and r.cle_source = imp_releve.cle_source)
"""
LIER_MOUVEMENTS = """
update imp_mouvement set releve_id = r.releve_id, cle_source = %s || ':' || imp_mouvement.compte_id || ':' || c.suite
from (select n, releve as cle_releve, jour || ':' || montant || ':' || cle || ':' || row_number()
        over (partition by compte_id, jour, montant, cle order by n) as suite from imp_mouvement) c
left join imp_releve r on r.releve = c.cle_releve
where c.n = imp_mouvement.n
"""
# etat 1 : déjà en base, à la même clé. 2 : FITID déjà vu dans ce fichier. 3 : connu par un autre format.
CONNUS = """
update imp_mouvement set etat = 1 where exists
  (select 1 from factures_mouvementbancaire m where m.societe_id = %s and m.cle_source = imp_mouvement.cle_source)
"""
DOUBLES = """
update imp_mouvement set etat = 2 where etat = 0 and cle like 'B%%' and cle_source not like '%%:1'
"""
AUTRES_FORMATS = """
update imp_mouvement set etat = 3 where n in (
  select i.n from (
    select n, compte_id, date, montant, row_number() over (partition by compte_id, date, montant order by n) as rang
    from imp_mouvement where etat = 0) i
  join (
    select compte_id, date, montant, count(*) as nombre from factures_mouvementbancaire
    where societe_id = %s and cle_source not like %s
      and compte_id in (select compte_id from imp_releve)
      and date between (select min(date) from imp_mouvement) and (select max(date) from imp_mouvement)
    group by compte_id, date, montant) m
  on m.compte_id = i.compte_id and m.date = i.date and m.montant = i.montant
  where i.rang <= m.nombre)
"""
CREER_MOUVEMENTS = """
insert into factures_mouvementbancaire (societe_id, compte_id, releve_id, lot_id, cle_source, date, date_valeur,
  montant, devise, nature, libelle, reference, contrepartie, contrepartie_iban, code, motif_rejet, statut, reparti,
  confiance, motif, automatique, created_at)
select %s, compte_id, releve_id, %s, cle_source, date, date_valeur, montant, devise, nature, libelle, reference,
  contrepartie, contrepartie_iban, code, motif_rejet, 'a_rapprocher', 0, 0, '', false, %s
from imp_mouvement where etat = 0 order by n
"""
COMPTES_FAITS = """
select etat, count(*), cast(sum(case when montant > 0 then 1 else 0 end) as bigint) from imp_mouvement group by etat
"""
ECARTS = """
select r.id, r.constats, i.compte, i.devise, i.ouverture, i.cloture, coalesce(s.somme, 0)
from imp_releve i join factures_relevebancaire r on r.id = i.releve_id
left join (select releve, cast(sum(montant) as bigint) as somme from imp_mouvement group by releve) s
  on s.releve = i.releve
where i.premier = i.n and i.ouverture is not null and i.cloture is not null
  and i.ouverture + coalesce(s.somme, 0) <> i.cloture
"""


def ecrire(contexte: Contexte, lu: LotLu, ecrits: Ecrits) -> Iterator[Rejet]:
    """Comptes, relevés, mouvements, puis l'enchaînement. Un relevé rejeté à la lecture ne laisse rien."""
    with Salle() as salle:
        salle.remplir(lu.elements)
        if lu.cles_rejetees:
            for table in ("imp_releve", "imp_mouvement"):
                _ecarter(table, lu.cles_rejetees)
        statistiques("imp_releve", "imp_mouvement")
        yield from rattacher_comptes(contexte, lu, ecrits)
        ecarts = _ecrire_releves(contexte, ecrits, lu)
        _ecrire_mouvements(contexte, ecrits, lu)
        _constater(contexte, ecrits, ecarts)


def _ecarter(table: str, cles: set[str]) -> None:
    cles = sorted(cles)
    for debut in range(0, len(cles), 500):
        paquet = cles[debut : debut + 500]
        executer(f"delete from {table} where releve in ({', '.join(['%s'] * len(paquet))})", paquet)  # noqa: S608


def _ecrire_releves(contexte: Contexte, ecrits: Ecrits, lu: LotLu) -> list[tuple]:
    """Rend les relevés qui ne tombent pas : [(id, phrase)]."""
    executer(CLE_RELEVES)
    executer("create index imp_releve_cle on imp_releve (cle_source)")
    executer("create index imp_releve_releve on imp_releve (releve)")
    executer("create index imp_mouvement_releve on imp_mouvement (releve)")
    executer(PREMIERS)
    [(total,)] = lire("select count(*) from imp_releve")
    neufs = executer(CREER_RELEVES, [contexte.societe_id, contexte.lot_id, contexte.moment, contexte.societe_id])
    executer(LIER_RELEVES, [contexte.societe_id])
    ecrits.crees["releves"], ecrits.inchanges["releves"] = neufs, total - neufs
    ecarts = [
        (ligne[0], ecart_de_solde(ligne[2], en_euros(ligne[4]), en_euros(ligne[6]), en_euros(ligne[5]), ligne[3]))
        for ligne in lire(ECARTS)
    ]
    if repetes := executer(REPETES):
        ecrits.avertissements.append(
            f"{repetes} mouvements d'un relevé écrit deux fois dans le fichier : comptés une fois."
        )
        ecrits.inchanges["mouvements"] = ecrits.inchanges.get("mouvements", 0) + repetes
    return ecarts


def _ecrire_mouvements(contexte: Contexte, ecrits: Ecrits, lu: LotLu) -> None:
    societe, marque = contexte.societe_id, lu.format.upper()
    executer(LIER_MOUVEMENTS, [marque])
    executer("create index imp_mouvement_cle on imp_mouvement (cle_source)")
    executer(CONNUS, [societe])
    if lu.format == "ofx":  # FITID est unique par la norme ; ailleurs, une référence de banque peut resservir
        executer(DOUBLES)
    executer(AUTRES_FORMATS, [societe, f"{marque}:%"])
    executer(CREER_MOUVEMENTS, [societe, contexte.lot_id, contexte.moment])
    comptes = {etat: (nombre, int(credits or 0)) for etat, nombre, credits in lire(COMPTES_FAITS)}
    neufs = comptes.pop(0, (0, 0))
    ecrits.crees |= {"mouvements": neufs[0], "encaissements": neufs[1]}
    connus = ecrits.inchanges.get("mouvements", 0)
    ecrits.inchanges["mouvements"] = connus + sum(nombre for nombre, _ in comptes.values())
    ecrits.inchanges["encaissements"] = sum(credits for _, credits in comptes.values())
    if doubles := comptes.get(2, (0, 0))[0]:
        ecrits.avertissements.append(f"{doubles} opérations au même identifiant (FITID) : comptées une fois.")
    if autres := comptes.get(3, (0, 0))[0]:
        ecrits.avertissements.append(
            f"{autres} mouvements étaient déjà connus par un fichier d'un autre format (même compte, jour et montant)."
        )


def _constater(contexte: Contexte, ecrits: Ecrits, ecarts: list[tuple]) -> None:
    """Écrit sur chaque relevé des comptes touchés ce qui ne s'enchaîne pas, et dit ce qui est nouveau."""
    touches = [ligne[0] for ligne in lire("select distinct compte_id from imp_releve")]
    releves = list(
        ReleveBancaire.objects.filter(societe=contexte.societe_id, compte__in=touches).only(
            "compte_id", "du", "au", "solde_ouverture", "solde_cloture", "devise", "constats"
        )
    )
    propres = dict(ecarts)
    par_compte: dict[int, list[Maillon]] = {}
    for r in releves:
        maillon = Maillon(r.pk, r.du, r.au, r.solde_ouverture, r.solde_cloture, r.devise)
        par_compte.setdefault(r.compte_id, []).append(maillon)
    phrases = {cle: phrase for maillons in par_compte.values() for cle, phrase in chainer(maillons).items()}
    changes = []
    for r in releves:
        gardes = [c for c in r.constats if not c.startswith(PREFIXE)]
        if r.pk in propres and propres[r.pk] not in gardes:
            gardes.append(propres[r.pk])
        voulus = gardes + ([phrases[r.pk]] if r.pk in phrases else [])
        if voulus != r.constats:
            if r.pk in phrases and phrases[r.pk] not in r.constats and len(ecrits.avertissements) < 100:
                ecrits.avertissements.append(phrases[r.pk].removeprefix(PREFIXE).capitalize())
            r.constats = voulus
            changes.append(r)
    ReleveBancaire.objects.bulk_update(changes, ["constats"], batch_size=500)
