"""Contrôles des encaissements : références, parts et factures réglées."""

from collections.abc import Iterator
from datetime import date

from django.db import connection

from .lot import Rejet
from .requetes import en_clair, executer, jour_lisible, lire, rejeter


def controler_reglements(cles_rejetees: set[str], au: date, *, partiel: bool = False) -> Iterator[Rejet]:
    """Une référence = un client, un jour passé, une devise, un total ; chaque part nomme une facture connue."""
    for constat in (_doubles_imputations, _entetes_de_reglement, _factures_reglees, _reglements_connus):
        for n, rejet in constat():
            rejeter("imp_encaissement", [n])
            yield rejet
    for n, rejet in _reglements_futurs(au):
        rejeter("imp_encaissement", [n])
        yield rejet
    # Un règlement dont une ligne est refusée ne se prend pas à moitié : son total serait faux.
    if partiel:  # en tout ou rien, les lignes fautives suffisent à dire quoi corriger
        yield from _entraines(cles_rejetees)
    with connection.cursor() as curseur:
        curseur.executemany(
            "update imp_encaissement set etat = 9 where cle_source = %s", [(cle,) for cle in sorted(cles_rejetees)]
        )
    executer(
        """update imp_encaissement set etat = 9
        where cle_source in (select cle_source from imp_encaissement where etat = 9)"""
    )
    executer("update imp_encaissement set etat = 1 where etat = 0 and encaissement_id is not null")


def _entraines(illisibles: set[str]) -> Iterator[Rejet]:
    """Lignes saines d'un règlement refusé : elles se nomment aussi, rien ne disparaît en silence.

    illisibles : règlements dont une ligne n'a pas pu se lire ; les autres sont marqués dans la table.
    """
    refusees = {cle for (cle,) in lire("select distinct cle_source from imp_encaissement where etat = 9")}
    for cle in sorted(refusees | illisibles):
        for ligne, reference in lire(
            "select ligne, reference from imp_encaissement where cle_source = %s and etat <> 9 order by n", [cle]
        ):
            yield Rejet(
                ligne, "reference", f"{reference} n'entre pas à moitié : une autre de ses lignes est refusée.",
                "Corrigez l'autre ligne : elles entreront ensemble.",
            )  # fmt: skip


def _doubles_imputations():
    lues = lire(
        """
        select e.n, e.ligne, e.reference, e.numero_facture, d.ligne
        from imp_encaissement e
        join (select cle_source, numero_facture, min(n) as n, min(ligne) as ligne from imp_encaissement
          where cle_source like 'CSV:%%' group by cle_source, numero_facture having count(*) > 1) d
          on d.cle_source = e.cle_source and d.numero_facture = e.numero_facture
        where e.n > d.n and e.etat = 0 order by e.n
        """,
        [],
    )
    for n, ligne, reference, facture, premiere in lues:
        quoi = f"règle déjà {facture}" if facture else "a déjà une part sans facture"
        yield n, Rejet(ligne, "reference", f"{reference} {quoi} à la ligne {premiere}.", "Réunissez les deux lignes.")


def _entetes_de_reglement():
    lues = lire(
        """
        select e.n, e.ligne, e.reference, p.ligne
        from imp_encaissement e
        join (select cle_source, min(n) as n from imp_encaissement group by cle_source having count(*) > 1) d
          on d.cle_source = e.cle_source
        join imp_encaissement p on p.n = d.n
        where e.n > d.n and e.etat = 0
          and (e.client_id <> p.client_id or e.date <> p.date or e.devise <> p.devise) order by e.n
        """
    )
    for n, ligne, reference, premiere in lues:
        yield n, Rejet(
            ligne, "reference", f"{reference} a un autre client, une autre date ou devise à la ligne {premiere}.",
            "Donnez sa référence à chaque règlement.",
        )  # fmt: skip


def _factures_reglees():
    lues = lire(
        """
        select i.n, i.ligne, i.numero_facture, f.client_id = i.client_id, f.devise
        from imp_encaissement i left join factures_facture f on f.id = i.facture_id
        left join (select distinct numero, client_id, devise from imp_facture where numero_reel and etat <> 9) p
          on p.numero = i.numero_facture and p.client_id = i.client_id and p.devise = i.devise
        where i.etat = 0 and i.numero_facture <> '' and (f.id is not null or p.numero is null)
          and (f.id is null or f.client_id <> i.client_id or f.devise <> i.devise) order by i.n
        """
    )
    for n, ligne, facture, meme_client, devise in lues:
        if devise is None:
            constat, conseil = f"facture {facture} inconnue.", "Importez d'abord les factures, ou videz la cellule."
        elif not meme_client:
            constat, conseil = f"la facture {facture} est celle d'un autre client.", "Corrigez le client ou la facture."
        else:
            constat, conseil = f"la facture {facture} est en {devise}.", "Corrigez la devise du règlement."
        yield n, Rejet(ligne, "facture", constat, conseil)


def _reglements_futurs(au: date):
    """CSV seulement : un FEC porte des écritures de fin de mois, et s'importe en entier ou pas du tout."""
    lues = lire(
        """
        select n, ligne, reference, date from imp_encaissement
        where etat = 0 and encaissement_id is null and date > %s and cle_source like 'CSV:%%' order by n
        """,
        [au],
    )
    for n, ligne, reference, recu in lues:
        yield n, Rejet(
            ligne, "date", f"{reference} est daté du {jour_lisible(recu)}, après le jour de l'import ({au:%d/%m/%Y}).",
            "Un règlement s'importe une fois reçu : corrigez la date, ou attendez ce jour.",
        )  # fmt: skip


def _reglements_connus():
    lues = lire(
        """
        select i.n, i.ligne, i.reference, e.montant, t.total, e.client_id = i.client_id
        from imp_encaissement i
        join (select cle_source, sum(montant) as total, min(n) as n from imp_encaissement group by cle_source) t
          on t.cle_source = i.cle_source and t.n = i.n
        join factures_encaissement e on e.id = i.encaissement_id
        where i.etat = 0
          and (e.montant <> t.total or e.client_id <> i.client_id or e.devise <> i.devise or e.date <> i.date)
        order by i.n
        """
    )
    for n, ligne, reference, montant, total, meme_client in lues:
        if montant != total:
            champ, quoi = "montant", f"pour {en_clair(montant)}, et non {en_clair(int(total))}"
        elif not meme_client:
            champ, quoi = "code_client", "pour un autre client"
        else:
            champ, quoi = "date", "à une autre date ou dans une autre devise"
        yield n, Rejet(ligne, champ, f"{reference} existe déjà {quoi}.", "Donnez sa référence à chaque règlement.")
