"""Salle d'attente : les éléments lus, en tables temporaires, avant tout contrôle contre la base.

Chargées hors transaction (COPY sur PostgreSQL), elles laissent la mémoire de Python indépendante de la
taille du fichier ; contrôles et écritures sont ensuite ensemblistes. Montants en centimes, comme en base.
"""

import json
from collections.abc import Callable, Iterable
from datetime import date
from decimal import Decimal

from django.core.serializers.json import DjangoJSONEncoder
from django.db import connection

from .lot import AvoirLu, ClientLu, Element, EncaissementLu, FactureLue, ImputationLue, LitigeLu

PAQUET = 5_000

# Colonnes remplies à la lecture, puis celles que les contrôles calculent.
LUES = {
    "imp_client": {
        "n": "integer primary key", "ligne": "integer", "code": "varchar(40)", "creer_seulement": "boolean",
        "valeurs": "text",
    },
    "imp_facture": {
        "n": "integer primary key", "ligne": "integer", "cle_source": "varchar(160)", "code_client": "varchar(40)",
        "numero": "varchar(60)", "numero_reel": "boolean", "date_emission": "date", "date_execution": "date",
        "ht": "bigint", "tva": "bigint", "ttc": "bigint", "devise": "varchar(3)", "commande": "varchar(60)",
        "cle_echeance": "varchar(160)", "date_echeance": "date", "reste": "bigint", "ttc_dit": "boolean",
    },
    "imp_avoir": {
        "n": "integer primary key", "ligne": "integer", "cle_source": "varchar(160)", "code_client": "varchar(40)",
        "numero": "varchar(60)", "date_emission": "date", "montant": "bigint", "devise": "varchar(3)",
        "numero_origine": "varchar(60)",
    },
    "imp_encaissement": {
        "n": "integer primary key", "ligne": "integer", "cle_source": "varchar(160)", "code_client": "varchar(40)",
        "reference": "varchar(80)", "date": "date", "montant": "bigint", "devise": "varchar(3)", "mode": "varchar(20)",
        "libelle": "varchar(200)", "numero_facture": "varchar(60)",
    },
    "imp_imputation": {
        "n": "integer primary key", "cle_source": "varchar(200)", "cle_echeance": "varchar(160)",
        "cle_encaissement": "varchar(160)", "cle_avoir": "varchar(160)", "date": "date", "montant": "bigint",
    },
    "imp_litige": {
        "n": "integer primary key", "ligne": "integer", "cle_facture": "varchar(160)", "ouvert_le": "date",
        "montant": "bigint", "description": "varchar(500)", "clos_le": "date",
    },
}  # fmt: skip
_ETAT = "etat integer default 0"  # voir requetes.Etat
CALCULEES = {
    "imp_client": [_ETAT],
    "imp_facture": [_ETAT, "client_id bigint", "facture_id bigint", "echeance_id bigint"],
    "imp_avoir": [_ETAT, "client_id bigint", "avoir_id bigint", "facture_id bigint"],
    "imp_encaissement": [_ETAT, "client_id bigint", "encaissement_id bigint", "facture_id bigint"],
    "imp_imputation": ["echeance_id bigint", "encaissement_id bigint", "avoir_id bigint", "imputation_id bigint"],
    "imp_litige": ["facture_id bigint"],
}
INDEX = {
    "imp_client": ["code"],
    "imp_facture": ["cle_source", "cle_echeance"],
    "imp_avoir": ["cle_source"],
    "imp_encaissement": ["cle_source"],
    "imp_imputation": ["cle_source"],
    "imp_litige": ["cle_facture"],
}


def _centimes(valeur: Decimal | None) -> int | None:
    return None if valeur is None else int(valeur * 100)


class Attente:
    """Tables temporaires de la connexion courante ; à ouvrir par `with`."""

    def __init__(self, echeance_de: Callable[[str, date], date]):
        self.echeance_de = echeance_de
        self.n = 0
        self.tampons: dict[str, list[tuple]] = {table: [] for table in LUES}
        self.comptes = dict.fromkeys(LUES, 0)

    def __enter__(self):
        connection.ensure_connection()
        with connection.cursor() as curseur:
            for table, lues in LUES.items():
                colonnes = ", ".join([*(f"{nom} {genre}" for nom, genre in lues.items()), *CALCULEES[table]])
                curseur.execute(f"drop table if exists {table}")
                curseur.execute(f"create temporary table {table} ({colonnes})")
        return self

    def __exit__(self, genre, erreur, trace):
        if connection.connection is None or connection.needs_rollback:
            return  # la session ou la transaction est perdue : ses tables temporaires aussi
        with connection.cursor() as curseur:
            for table in LUES:
                curseur.execute(f"drop table if exists {table}")

    def remplir(self, elements: Iterable[Element]) -> None:
        """Consomme le flux de lecture. Les échéances manquantes viennent des conditions du client."""
        for element in elements:
            self.n += 1
            table, valeurs = self._ligne(element)
            tampon = self.tampons[table]
            tampon.append(valeurs)
            if len(tampon) >= PAQUET:
                self._vider(table)
        for table in LUES:
            self._vider(table)
        with connection.cursor() as curseur:
            for table, colonnes in INDEX.items():
                for colonne in colonnes if self.comptes[table] else ():
                    curseur.execute(f"create index {table}_{colonne} on {table} ({colonne})")
                if connection.vendor == "postgresql":
                    curseur.execute(f"analyze {table}")

    def _ligne(self, e: Element) -> tuple[str, tuple]:
        n = self.n
        match e:
            case FactureLue():
                echeance = e.date_echeance or self.echeance_de(e.code_client, e.date_emission)
                return "imp_facture", (
                    n, e.ligne, e.cle_source, e.code_client, e.numero, e.numero_reel, e.date_emission, e.date_execution,
                    _centimes(e.montant_ht), _centimes(e.montant_tva), _centimes(e.montant_ttc), e.devise, e.commande,
                    e.cle_echeance, echeance, _centimes(e.reste), e.ttc_dit,
                )  # fmt: skip
            case EncaissementLu():
                return "imp_encaissement", (
                    n, e.ligne, e.cle_source, e.code_client, e.reference, e.date, _centimes(e.montant), e.devise,
                    e.mode, e.libelle, e.numero_facture,
                )  # fmt: skip
            case ImputationLue():
                return "imp_imputation", (
                    n, e.cle_source, e.cle_echeance, e.cle_encaissement, e.cle_avoir, e.date, _centimes(e.montant)
                )  # fmt: skip
            case AvoirLu():
                return "imp_avoir", (
                    n, e.ligne, e.cle_source, e.code_client, e.numero, e.date_emission, _centimes(e.montant), e.devise,
                    e.numero_origine,
                )  # fmt: skip
            case LitigeLu():
                return "imp_litige", (
                    n, e.ligne, e.cle_facture, e.ouvert_le, _centimes(e.montant), e.description, e.clos_le
                )  # fmt: skip
            case ClientLu():
                valeurs = json.dumps(e.valeurs, cls=DjangoJSONEncoder, ensure_ascii=False, sort_keys=True)
                return "imp_client", (n, e.ligne, e.code, e.creer_seulement, valeurs)

    def _vider(self, table: str) -> None:
        lignes, self.tampons[table] = self.tampons[table], []
        if not lignes:
            return
        self.comptes[table] += len(lignes)
        colonnes = ", ".join(LUES[table])
        with connection.cursor() as curseur:
            if connection.vendor == "postgresql":
                with curseur.copy(f"copy {table} ({colonnes}) from stdin") as copie:
                    for ligne in lignes:
                        copie.write_row(ligne)
            else:
                jours = [i for i, genre in enumerate(LUES[table].values()) if genre == "date"]
                places = ", ".join(["%s"] * len(LUES[table]))
                curseur.executemany(
                    f"insert into {table} ({colonnes}) values ({places})",  # noqa: S608 (noms fermés, plus haut)
                    [_textes(ligne, jours) for ligne in lignes],
                )


def _textes(ligne: tuple, jours: list[int]) -> list:
    """SQLite range les dates en texte ISO."""
    valeurs = list(ligne)
    for i in jours:
        valeurs[i] = valeurs[i] and valeurs[i].isoformat()
    return valeurs
