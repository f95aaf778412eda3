"""Salle d'attente des relevés : tables temporaires chargées par paquets, comme `imports.attente`."""

import hashlib
from collections.abc import Iterable
from decimal import Decimal

from django.db import connection

from factures.domaine.banque_textes import normaliser

from ..lot import MouvementLu, ReleveLu

PAQUET = 5_000
COLONNES = {
    "imp_releve": {
        "n": "integer primary key", "ligne": "integer", "releve": "varchar(160)", "compte": "varchar(60)",
        "devise": "varchar(3)", "iban": "varchar(34)", "numero": "varchar(60)", "du": "date", "au": "date",
        "ouverture": "bigint", "cloture": "bigint", "cle": "varchar(120)",
    },
    "imp_mouvement": {
        "n": "integer primary key", "ligne": "integer", "releve": "varchar(160)", "compte": "varchar(60)",
        "devise": "varchar(3)", "date": "date", "date_valeur": "date", "jour": "varchar(8)", "montant": "bigint",
        "libelle": "varchar(500)", "reference": "varchar(140)", "contrepartie": "varchar(140)",
        "contrepartie_iban": "varchar(34)", "nature": "varchar(12)", "code": "varchar(35)",
        "motif_rejet": "varchar(140)", "cle": "varchar(42)",
    },
}  # fmt: skip
CALCULEES = {
    "imp_releve": "compte_id bigint, cle_source varchar(160), releve_id bigint, premier integer",
    "imp_mouvement": "compte_id bigint, releve_id bigint, cle_source varchar(160), etat integer default 0",
}


def _centimes(valeur: Decimal | None) -> int | None:
    return None if valeur is None else int(valeur * 100)


def cle_mouvement(m: MouvementLu) -> str:
    """« B » et l'identifiant de la banque quand elle en donne un, sinon « L » et le libellé normalisé ; condensés."""
    genre, texte = ("B", m.cle_banque) if m.cle_banque else ("L", normaliser(f"{m.libelle} {m.reference}"))
    return genre + hashlib.blake2b(texte.encode(), digest_size=16).hexdigest()


class Salle:
    """À ouvrir par `with`, dans la transaction de l'import."""

    def __init__(self):
        self.n = 0
        self.tampons: dict[str, list[tuple]] = {table: [] for table in COLONNES}

    def __enter__(self):
        with connection.cursor() as curseur:
            for table, colonnes in COLONNES.items():
                definitions = ", ".join(f"{nom} {genre}" for nom, genre in colonnes.items())
                curseur.execute(f"drop table if exists {table}")
                curseur.execute(f"create temporary table {table} ({definitions}, {CALCULEES[table]})")
        return self

    def __exit__(self, genre, erreur, trace):
        if connection.connection is None or connection.needs_rollback or genre is not None:
            return
        with connection.cursor() as curseur:
            for table in COLONNES:
                curseur.execute(f"drop table if exists {table}")

    def remplir(self, elements: Iterable[ReleveLu | MouvementLu]) -> None:
        for e in elements:
            self.n += 1
            if isinstance(e, MouvementLu):
                self._ajouter("imp_mouvement", (
                    self.n, e.ligne, e.releve, e.compte, e.devise, e.date, e.date_valeur, f"{e.date:%Y%m%d}",
                    _centimes(e.montant), e.libelle[:500], e.reference[:140], e.contrepartie[:140],
                    e.contrepartie_iban[:34], e.nature, e.code[:35], e.motif_rejet[:140], cle_mouvement(e),
                ))  # fmt: skip
            elif isinstance(e, ReleveLu):
                self._ajouter("imp_releve", (
                    self.n, e.ligne, e.cle_source, e.compte, e.devise, e.iban, e.numero[:60], e.du, e.au,
                    _centimes(e.solde_ouverture), _centimes(e.solde_cloture), _cle_releve(e),
                ))  # fmt: skip
        for table in COLONNES:
            self._vider(table)

    def _ajouter(self, table: str, valeurs: tuple) -> None:
        tampon = self.tampons[table]
        tampon.append(valeurs)
        if len(tampon) >= PAQUET:
            self._vider(table)

    def _vider(self, table: str) -> None:
        lignes, self.tampons[table] = self.tampons[table], []
        if not lignes:
            return
        colonnes = ", ".join(COLONNES[table])
        with connection.cursor() as curseur:
            if connection.vendor == "postgresql":
                with curseur.copy(f"copy {table} ({colonnes}) from stdin") as copie:
                    for ligne in lignes:
                        copie.write_row(ligne)
                return
            jours = [i for i, genre in enumerate(COLONNES[table].values()) if genre == "date"]
            places = ", ".join(["%s"] * len(COLONNES[table]))
            curseur.executemany(
                f"insert into {table} ({colonnes}) values ({places})",  # noqa: S608 (noms fermés, plus haut)
                [[x.isoformat() if i in jours and x else x for i, x in enumerate(ligne)] for ligne in lignes],
            )


def _cle_releve(e: ReleveLu) -> str:
    """Deux soldes et une date reconnaissent un relevé d'un format à l'autre ; sinon, ses bornes."""
    if e.au and e.solde_ouverture is not None and e.solde_cloture is not None:
        return f"S:{e.au:%Y%m%d}:{_centimes(e.solde_ouverture)}:{_centimes(e.solde_cloture)}"
    bornes = "|".join(str(x) for x in (e.du, e.au, e.solde_ouverture, e.solde_cloture, e.numero))
    return "F:" + hashlib.blake2b(bornes.encode(), digest_size=12).hexdigest()
