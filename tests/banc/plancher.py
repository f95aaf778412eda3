"""Plancher : SQL nu (chargement, nuits de relance, balance âgée). La limite à approcher, jamais une cible à battre.

Même travail, mêmes colonnes, même base que l'application, sans elle : chaque nombre doit égaler l'oracle.
Adapté du générateur du projet.
"""

import csv
import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from statistics import median
from time import perf_counter

ICI = Path(__file__).resolve().parent
NUITS = ("nuit 1", "nuit 2", "nuit 3", "nuit de clôture", "nuit au repos")

NUIT = """
with p as (select facture, sum(montant) m from encaissement where facture is not null group by facture),
     r as (select facture, max(niveau) n from relance group by facture)
insert into relance(passage, facture, niveau, palier, courrier, statut, date, reste_du, conteste, penalites, indemnite,
  raison)
select %(passage)s, f.numero, coalesce(r.n, 0) + 1, coalesce(r.n, 0) + 1, null, 'decidee', %(ref)s,
  f.ttc - coalesce(p.m, 0), 0, 0, 0, ''
from facture f left join p on p.facture = f.numero left join r on r.facture = f.numero
where f.ttc > coalesce(p.m, 0)
  and f.echeance <= %(ref)s::date - (%(jours)s::int[])[coalesce(r.n, 0) + 1]
"""
BALANCE = """
with p as (select facture, sum(montant) m from encaissement
           where facture is not null and date <= %(ref)s group by facture)
select f.client,
  sum(s) filter (where j <= 0), sum(s) filter (where j between 1 and 30),
  sum(s) filter (where j between 31 and 60), sum(s) filter (where j between 61 and 90),
  sum(s) filter (where j > 90), sum(s)
from (select client, numero, ttc - coalesce(p.m, 0) s, %(ref)s::date - echeance j
      from facture left join p on p.facture = numero where date_facture <= %(ref)s) f
where s <> 0 group by f.client order by f.client
"""
TABLES = {
    "clients": (
        "copy client from stdin",
        lambda x: (
            x["code_client"], x["raison_sociale"], x["siren"], x["siret"], x["adresse"], x["code_postal"], x["ville"],
            x["pays"], x["courriel"], x["telephone"], x["conditions"], centimes(x["encours_autorise"]),
        ),
    ),
    "factures": (
        "copy facture from stdin",
        lambda x: (
            x["numero"], x["code_client"], x["date_facture"], x["date_echeance"], centimes(x["montant_ht"]),
            centimes(x["montant_tva"]), centimes(x["montant_ttc"]), x["devise"], x["commande"],
        ),
    ),
    "encaissements": (
        "copy encaissement(reference, client, date, montant, mode, facture) from stdin",
        lambda x: (
            x["reference"], x["code_client"], x["date"], centimes(x["montant"]), x["mode"], x["facture"] or None
        ),
    ),
}  # fmt: skip


def centimes(texte: str) -> int:
    return int(texte.replace(".", "")) if "." in texte else int(texte) * 100


def chronometrer(travail: Callable) -> tuple[float, object]:
    debut = perf_counter()
    resultat = travail()
    return perf_counter() - debut, resultat


def executer(connexion, dossier: Path, *, repetitions: int = 5) -> dict[str, float]:
    """{mesure: secondes} sur une connexion psycopg. Lève AssertionError si l'oracle est contredit."""
    attendu = json.loads((dossier / "attendu.json").read_text(encoding="utf-8"))
    curseur = connexion.cursor()
    curseur.execute("drop table if exists relance, encaissement, facture, client")
    curseur.execute((ICI / "plancher.sql").read_text(encoding="utf-8"))
    connexion.commit()

    def charger():
        for nom, (ordre, choix) in TABLES.items():
            with (dossier / f"{nom}.csv").open(newline="", encoding="utf-8") as fichier, curseur.copy(ordre) as copie:
                for ligne in csv.DictReader(fichier, delimiter=";"):
                    copie.write_row(choix(ligne))
        curseur.execute("create index on encaissement(facture)")
        curseur.execute("create index on facture(client)")
        connexion.commit()

    mesures = {"chargement complet": chronometrer(charger)[0]}
    connexion.autocommit = True
    curseur.execute("vacuum analyze")
    connexion.autocommit = False
    mesures |= _nuits(connexion, curseur, attendu, repetitions)
    mesures["balance âgée"] = _balance(curseur, attendu, repetitions)
    connexion.rollback()
    return mesures


def _nuits(connexion, curseur, attendu: dict, repetitions: int) -> dict[str, float]:
    parametres = {"ref": attendu["reference"], "jours": attendu["niveaux_jours"] + [10**6] * 5}
    temps: dict[str, list[float]] = {nom: [] for nom in NUITS}
    for _ in range(repetitions):
        curseur.execute("truncate relance")
        connexion.commit()
        for rang, nom in enumerate(NUITS, 1):

            def nuit(rang=rang):
                curseur.execute(NUIT, parametres | {"passage": rang})
                lignes = curseur.rowcount
                connexion.commit()
                return lignes

            secondes, lignes = chronometrer(nuit)
            assert lignes == attendu.get(f"lignes_niveau_{rang}", 0), (nom, lignes)
            temps[nom].append(secondes)
    return {f"relances {nom}": median(mesures) for nom, mesures in temps.items()}


def _balance(curseur, attendu: dict, repetitions: int) -> float:
    temps = []
    for _ in range(repetitions):
        secondes, lignes = chronometrer(lambda: curseur.execute(BALANCE, {"ref": attendu["reference"]}).fetchall())
        temps.append(secondes)
    corps = "\n".join(f"{x[0]}:{','.join(str(int(m or 0)) for m in x[1:6])}" for x in lignes)
    assert hashlib.sha256(corps.encode()).hexdigest() == attendu["empreinte_balance"]
    return median(temps)
