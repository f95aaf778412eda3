"""Insérer ou corriger des milliers de lignes déjà décidées sans passer par des instances : COPY sur PostgreSQL.

Ni signal, ni `save()`, ni clé relue : pour ce que la nuit écrit par lots, où fabriquer les objets coûtait plus que la
base. Contraintes et déclencheurs de la base jouent comme d'ordinaire.
"""

import json
from collections.abc import Callable, Iterable, Sequence

from django.db import connection, models
from django.utils import timezone

from .champs import ChampMontant


def reserver(modele: type[models.Model], nombre: int) -> list[int]:
    """Clés primaires pour `nombre` lignes à venir, que personne d'autre n'aura ; à appeler en transaction."""
    if not nombre:
        return []
    table, cle = modele._meta.db_table, modele._meta.pk.column
    with connection.cursor() as curseur:
        if connection.vendor == "postgresql":
            curseur.execute(
                "select nextval(pg_get_serial_sequence(%s, %s)) from generate_series(1, %s)", [table, cle, nombre]
            )
            return [ligne[0] for ligne in curseur]
        # SQLite : l'écriture est exclusive dès le début de la transaction, et la suite ne redescend jamais.
        curseur.execute("select coalesce(max(seq), 0) from sqlite_sequence where name = %s", [table])
        dernier = curseur.fetchone()[0]
    return list(range(dernier + 1, dernier + 1 + nombre))


def inserer(modele: type[models.Model], champs: Sequence[str], lignes: Iterable[tuple], **communs) -> None:
    """Insère des tuples dans l'ordre de `champs` (noms de colonnes : `client_id`) ; `communs` valent pour tous.

    Les champs qui ne sont nommés nulle part prennent leur valeur par défaut, une fois pour le lot : un champ unique
    se nomme donc toujours. Lève les erreurs de base de Django (IntegrityError…), comme `bulk_create`.
    """
    lignes = list(lignes)
    if not lignes:
        return
    concrets = {champ.attname: champ for champ in modele._meta.concrete_fields}
    nommes = [concrets.pop(nom) for nom in champs]
    fixes = [champ for champ in concrets.values() if not (champ.primary_key and champ.attname not in communs)]
    if sans_valeur := [champ.attname for champ in fixes if champ.unique and champ.attname not in communs]:
        raise ValueError(f"champs uniques à nommer : {', '.join(sans_valeur)}")
    fin = tuple(champ.get_db_prep_save(_valeur(champ, communs), connection) for champ in fixes)
    convertir = [(i, prepare) for i, champ in enumerate(nommes) if (prepare := _preparation(champ))]
    prepares = (_preparer(ligne, convertir) + fin for ligne in lignes)
    _ecrire(modele._meta.db_table, [champ.column for champ in (*nommes, *fixes)], prepares)


def modifier(modele: type[models.Model], champs: Sequence[str], lignes: Iterable[tuple]) -> int:
    """Pose sur chaque ligne `(clé, valeurs…)` les valeurs dans l'ordre de `champs` ; rend combien ont été touchées.

    Une requête sur PostgreSQL, là où `bulk_update` monte une expression par ligne et par champ (dix secondes pour dix
    mille lignes). Ni signal, ni `auto_now` : ce qui change se nomme.
    """
    lignes = list(lignes)
    if not lignes:
        return 0
    concrets = {champ.attname: champ for champ in modele._meta.concrete_fields}
    colonnes = [modele._meta.pk, *(concrets[nom] for nom in champs)]
    convertir = [(i, prepare) for i, champ in enumerate(colonnes) if (prepare := _preparation(champ))]
    prepares = [_preparer(ligne, convertir) for ligne in lignes]
    nommer = connection.ops.quote_name
    table, (cle, *noms) = nommer(modele._meta.db_table), [nommer(champ.column) for champ in colonnes]
    with connection.cursor() as curseur:
        if connection.vendor == "postgresql":
            genres = [modele._meta.pk.rel_db_type(connection), *(champ.db_type(connection) for champ in colonnes[1:])]
            tableaux = ", ".join(f"%s::{genre}[]" for genre in genres)
            poses = ", ".join(f"{nom} = v.{nom}" for nom in noms)
            curseur.execute(
                f"update {table} set {poses} from unnest({tableaux}) as v ({', '.join([cle, *noms])}) "  # noqa: S608
                f"where {table}.{cle} = v.{cle}",
                [list(valeurs) for valeurs in zip(*prepares, strict=True)],
            )
        else:
            poses = ", ".join(f"{nom} = %s" for nom in noms)
            curseur.executemany(
                f"update {table} set {poses} where {cle} = %s",  # noqa: S608 (noms des modèles)
                [(*valeurs, pk) for pk, *valeurs in prepares],
            )
        return curseur.rowcount


def _valeur(champ: models.Field, communs: dict):
    if champ.attname in communs:
        return communs[champ.attname]
    if getattr(champ, "auto_now", False) or getattr(champ, "auto_now_add", False):
        return timezone.now()
    return champ.get_default()


def _preparation(champ: models.Field) -> Callable | None:
    """Conversion d'une valeur Python pour la base ; None si le pilote s'en charge."""
    if connection.vendor == "postgresql" and not isinstance(champ, (ChampMontant, models.JSONField)):
        return None
    return lambda valeur: champ.get_db_prep_save(valeur, connection)


def _preparer(ligne: tuple, convertir: list[tuple[int, Callable]]) -> tuple:
    valeurs = list(ligne)
    for i, prepare in convertir:
        valeurs[i] = prepare(valeurs[i])
    return tuple(valeurs)


def _ecrire(table: str, colonnes: list[str], lignes: Iterable[tuple]) -> None:
    nommer = connection.ops.quote_name
    cible = f"{nommer(table)} ({', '.join(map(nommer, colonnes))})"
    with connection.cursor() as curseur:
        if connection.vendor == "postgresql":
            with connection.wrap_database_errors, curseur.copy(f"copy {cible} from stdin") as copie:
                for ligne in lignes:
                    copie.write_row(ligne)
        else:
            places = ", ".join(["%s"] * len(colonnes))
            curseur.executemany(f"insert into {cible} values ({places})", list(lignes))  # noqa: S608 (noms des modèles)


@models.Field.register_lookup
class Parmi(models.Lookup):
    """`filter(id__parmi=ids)` : comme `__in`, en un seul paramètre sur PostgreSQL, où lire six mille jokers coûte plus
    que chercher les lignes. Pour des milliers d'entiers.
    """

    lookup_name = "parmi"
    prepare_rhs = False

    def as_sql(self, compiler, connection):
        gauche, avant = self.process_lhs(compiler, connection)
        cles = list(self.rhs)
        if connection.vendor == "postgresql":
            return f"{gauche} = any(%s)", [*avant, cles]
        # JSON : SQLite borne le nombre de paramètres, pas la longueur d'un texte.
        return f"{gauche} in (select value from json_each(%s))", [*avant, json.dumps(cles)]  # noqa: S608 (colonne)
