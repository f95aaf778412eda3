"""Décisions par seconde, tous freins actifs, en flux et mémoire bornée.

    .venv/bin/python -m tests.banc.decisions                       un million d'échéances, pur
    .venv/bin/python -m tests.banc.decisions --en-base 200000      et autant lues dans un PostgreSQL jetable

« Pur » : les faits naissent et meurent un client à la fois, seule la décision se chronomètre, en temps de cœur.
« En base » : l'essai à blanc d'une nuit où rien n'a encore été jugé, lecture comprise, rien d'écrit. La mémoire est le
sommet du processus. Imprime une ligne JSON par mesure.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from functools import lru_cache, partial
from pathlib import Path
from time import perf_counter, process_time

import django

RACINE = Path(__file__).resolve().parents[2]
AU = date(2026, 10, 30)  # un vendredi ouvré
PAR_CLIENT = 10
SEMER = """
insert into clients_client (created_at, updated_at, societe_id, code, raison_sociale, type, siren, siret, numero_tva,
  forme, civilite, adresse, complement, code_postal, ville, pays, courriel, telephone, langue, conditions, lecture_fdm,
  segment, regroupement, surendettement, prelevement, sous_plancher, imputation, mention_loi_en, objet_contrat, version,
  importe, cas_delai, procedure_issue)
select now(), now(), {societe}, 'C' || n, 'Client ' || n, 'entreprise', '', '', '', '', '', '1 rue Haute', '', '69003',
  'Lyon', 'FR', 'c' || n || '@client.example', '', 'fr', '30J', 'A', '', '', false, n % 97 = 0, '', 'interets', '', '',
  1, '{{}}', '', '' from generate_series(1, {clients}) n;
insert into factures_facture (created_at, updated_at, societe_id, client_id, cle_source, devise, numero, numero_reel,
  date_emission, montant_ttc, commande, statut_fe, nature_creance)
select now(), now(), {societe}, c.id, c.code || '-' || k, 'EUR', c.code || '-' || k, true,
  date '{au}' - 40 - k * 7, 10000 + k, '', case when k = 9 and c.id % 53 = 0 then '207' else '' end, ''
from clients_client c, generate_series(0, {par_client} - 1) k;
insert into factures_echeance (societe_id, client_id, facture_id, cle_source, date_facture, date_echeance, montant,
  impute, devise, prelevement, en_contentieux, niveau, niveau_rang)
select societe_id, client_id, id, cle_source, date_emission, date_emission + 30, montant_ttc, 0, 'EUR', false, false, 0,
  0 from factures_facture order by client_id, id;
insert into factures_litige (echeance_id, montant_conteste, categorie, description, ouvert_le, a_traiter_le, issue)
select id, 5000, 'prix', '', date '{au}', date '{au}', '' from factures_echeance where id % 61 = 0;
analyze;
"""


def memoire() -> int:
    """Sommet de mémoire du processus, en Mio."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def clients(nombre: int) -> Iterator:
    """Clients de dix pièces d'âges variés, quelques freins ; un seul en mémoire à la fois."""
    from relances.domaine.echelle import ClientFaits, EcheanceFaits
    from relances.domaine.natures import Canal, Nature

    canaux = frozenset(Canal)
    natures = ((Nature.AUCUNE, 0), (Nature.RAPPEL_COURTOIS, 1), (Nature.APPEL, 2), (Nature.FORMALISATION, 3))
    for n in range(nombre // PAR_CLIENT):
        pieces = []
        for k in range(PAR_CLIENT):
            echue, (nature, rang) = AU - timedelta(days=1 + (n * 7 + k * 11) % 90), natures[(n + k) % 4]
            reste = Decimal(10_000 + k * 37) / 100
            pieces.append(
                EcheanceFaits(
                    n * PAR_CLIENT + k, n, echue - timedelta(days=30), echue, reste, "EUR", nature, rang,
                    1 if rang else None, AU - timedelta(days=(n + k) % 30) if rang else None,
                    conteste=reste / 2 if (n + k) % 61 == 0 else Decimal(0),
                    promesse_jusqu_au=AU if (n + k) % 67 == 0 else None,
                    statut_fe="207" if (n + k) % 71 == 0 else "",
                )
            )  # fmt: skip
        yield ClientFaits(n, "entreprise", tuple(pieces), canaux=canaux)


def pur(nombre: int) -> dict:
    from factures.domaine.calendrier import jour_ouvre_suivant
    from relances.domaine.echelle import PalierRegle, Plan, Reglages, decider
    from relances.domaine.plans import PLANS

    livre = next(p for p in PLANS if p.type_debiteur == "entreprise")
    plan = Plan(1, tuple(
        PalierRegle(rang, rang, p.nature, p.reference, p.delai, p.canaux, p.mode, p.delai_reponse, 1)
        for rang, p in enumerate(livre.paliers, 1)
    ))  # fmt: skip
    ouvre, reglages = lru_cache(4096)(partial(jour_ouvre_suivant, region="metropole")), Reglages()
    secondes, motifs, depart = 0.0, Counter(), memoire()
    for client in clients(nombre):
        debut = process_time()
        resultat = decider(client, plan, au=AU, reglages=reglages, ouvre=ouvre)
        secondes += process_time() - debut
        motifs.update(d.motif.value for d in resultat.decisions)
    return bilan("pur", secondes, motifs, depart)


def bilan(mesure: str, secondes: float, motifs: Counter, depart: int) -> dict:
    n = motifs.total()
    return {
        "mesure": mesure, "decisions": n, "s": round(secondes, 2), "par_s": round(n / secondes),
        "rss_depart_mio": depart, "rss_mio": memoire(), "motifs": dict(motifs.most_common()),
    }  # fmt: skip


def en_base(nombre: int) -> None:
    """Sème un PostgreSQL jetable, puis juge dans un processus neuf : sa mémoire est la sienne."""
    from tests.banc.mesurer import REGLAGES, creer_base
    from tests.outils import moteurs

    with moteurs.postgres_jetable(**REGLAGES) as postgres, tempfile.TemporaryDirectory() as var:
        if postgres is None:
            raise SystemExit("PostgreSQL n'est pas installé : la lecture ne se mesure que sur lui")
        environnement = os.environ | {
            "DATABASE_URL": creer_base(postgres.url, "decisions"), "RECOUVREMENT_VAR": var,
            "DJANGO_SETTINGS_MODULE": "recouvrement.settings.dev",
        }  # fmt: skip
        subprocess.run([sys.executable, "manage.py", "migrate", "-v0"], cwd=RACINE, env=environnement, check=True)
        for mode in ("--semer", "--lire"):
            commande = [sys.executable, "-m", "tests.banc.decisions", mode, str(nombre)]
            subprocess.run(commande, cwd=RACINE, env=environnement, check=True)


def semer(nombre: int) -> None:
    from django.db import connection

    from relances.services.plans import installer_plans
    from tests.comptes.factories import SocieteFactory

    societe = SocieteFactory()
    installer_plans(societe)
    with connection.cursor() as curseur:
        curseur.execute(SEMER.format(societe=societe.pk, clients=nombre // PAR_CLIENT, au=AU, par_client=PAR_CLIENT))


def lire() -> dict:
    from recouvrement.comptes.models import Societe
    from relances.services.nuit import decider_societe, sans_ramasse_miettes

    motifs, depart, debut = Counter(), memoire(), perf_counter()
    with sans_ramasse_miettes():
        for lot in decider_societe(Societe.objects.get(), au=AU):
            motifs.update(d.motif.value for _f, _p, resultat in lot for d in resultat.decisions)
    return bilan("lecture et décision", perf_counter() - debut, motifs, depart)


def main() -> None:
    analyse = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    analyse.add_argument("--echeances", type=int, default=1_000_000, help="échéances du domaine pur (0 : aucune)")
    analyse.add_argument("--en-base", type=int, default=0, help="échéances semées puis lues")
    analyse.add_argument("--semer", type=int, help=argparse.SUPPRESS)
    analyse.add_argument("--lire", type=int, help=argparse.SUPPRESS)
    options = analyse.parse_args()
    if options.semer or options.lire:
        django.setup()
        if options.semer:
            semer(options.semer)
        else:
            print(json.dumps(lire(), ensure_ascii=False), flush=True)
        return
    if options.echeances:
        print(json.dumps(pur(options.echeances), ensure_ascii=False), flush=True)
    if options.en_base:
        en_base(options.en_base)


if __name__ == "__main__":
    main()
