"""De quoi écrire les contrôles en SQL : exécuter, lire, rejeter, dire un montant ou un jour."""

from datetime import date
from enum import IntEnum

from django.db import connection

from recouvrement.commun.champs import en_euros

from .nombres import euros


class Etat(IntEnum):
    NEUF = 0
    CONNU = 1  # déjà en base, à l'identique
    DOUBLE = 2  # déjà dans le fichier, à l'identique
    REJETE = 9


def executer(requete: str, params=()) -> int:
    """Nombre de lignes touchées."""
    with connection.cursor() as curseur:
        curseur.execute(requete, params)
        return curseur.rowcount


def lire(requete: str, params=()) -> list[tuple]:
    with connection.cursor() as curseur:
        curseur.execute(requete, params)
        return curseur.fetchall()


def statistiques(*tables: str) -> None:
    """Dit au planificateur ce que ces tables contiennent maintenant (PostgreSQL), dans la transaction en cours.

    Une colonne encore vide à la dernière analyse passe pour toujours vide : 142 000 règlements à imputer prenaient
    plus d'une heure au lieu de deux secondes, selon le moment où autovacuum passait. Un aperçu, défait, ne laisse que
    des lignes mortes : analysée alors, la table passe pour vide quoi qu'on y écrive ensuite. À redire après chaque
    grosse écriture, avant de la relire.
    """
    if connection.vendor == "postgresql":
        executer(f"analyze {', '.join(tables)}")


def jour_lisible(valeur) -> str:
    valeur = date.fromisoformat(valeur) if isinstance(valeur, str) else valeur
    return f"{valeur:%d/%m/%Y}"


def en_clair(centimes: int) -> str:
    return euros(en_euros(centimes))


def rejeter(table: str, lignes: list[int]) -> None:
    with connection.cursor() as curseur:
        curseur.executemany(REJETER[table], [(n,) for n in lignes])


REJETER = {
    table: f"update {table} set etat = 9 where n = %s"  # noqa: S608
    for table in ("imp_client", "imp_facture", "imp_avoir", "imp_encaissement")
}
