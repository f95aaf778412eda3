"""Vingt gestionnaires sur un million de factures : temps d'écran, contre leur propre SQL nu plus une page vide.

    .venv/bin/python -m tests.banc.equipe                          1 000 000 factures, 20 000 clients, dix minutes
    .venv/bin/python -m tests.banc.equipe --factures 100000 --clients 2000 --minutes 1

1. Chaque écran est ouvert seul, dans ce processus : ses requêtes, leur nombre chez un petit et chez un gros client, son
   temps, et celui de ses requêtes rejouées nues (mêmes textes, mêmes valeurs, lignes lues) plus une page vide.
   Médianes.
2. gunicorn sert la même base à N personnes qui ouvrent ces écrans en boucle, une pause entre deux : p50, p95, erreurs.
   Les secondes ne valent que pour la machine ; le rapport du 1 est la mesure.
"""

import argparse
import http.client
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from datetime import date
from pathlib import Path

RACINE = Path(__file__).resolve().parents[2]
REGLAGES = {
    "shared_buffers": "2GB", "work_mem": "32MB", "jit": "off", "fsync": "on", "synchronous_commit": "on",
    "full_page_writes": "on",
}  # fmt: skip
BUT = 1.3


def ecrans(client: int, autre: int, page: str) -> dict[str, str]:
    """{nom: adresse}. client : celui de la fiche ; autre : celui de l'aperçu ; page : celle d'un débiteur."""
    return {
        "Ma journée": "/",
        "Aperçu d'un client": f"/journee/apercu/{autre}/",
        "Fiche : compte": f"/clients/{client}/",
        "Fiche : chronologie": f"/clients/{client}/?o=chronologie",
        "Clients": "/clients/",
        "Factures": "/factures/",
        "Encaissements": "/encaissements/",
        "Ce soir": "/relances/",
        "Contentieux": "/contentieux/",
        "Réponses": "/reponses/",
        "Déclarations": "/relances/declarations/",
        "Pertes": "/pertes/",
        "Fiche : documents": f"/clients/{client}/?o=documents",
        "Fiche : nouvel accord": f"/clients/{client}/accords/nouveau/",
        "Accords": "/clients/accords/",
        "Page du débiteur": page,
    }


def pages_des_debiteurs(personne: int) -> list[str]:
    """Les pages des clients de cette personne : un lien signé chacune."""
    from relances.models import LienPortail
    from relances.services.liens import adresse_relative

    return [adresse_relative(x) for x in LienPortail.objects.filter(client__gestionnaire=personne).order_by("pk")[:50]]


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("--clients", type=int, default=20_000)
    p.add_argument("--factures", type=int, default=1_000_000)
    p.add_argument("--personnes", type=int, default=20)
    p.add_argument("--minutes", type=float, default=10)
    p.add_argument("--pause", type=float, default=3.0, help="secondes entre deux écrans d'une personne")
    p.add_argument("--repetitions", type=int, default=7)
    p.add_argument("--requetes", type=int, default=0, help="montre les N requêtes les plus lentes de chaque écran")
    args = p.parse_args()
    from tests.outils import moteurs

    with moteurs.postgres_jetable(**REGLAGES) as pg, tempfile.TemporaryDirectory() as var:
        if pg is None:
            raise SystemExit("PostgreSQL n'est pas installé.")
        os.environ |= {
            "DATABASE_URL": pg.url, "RECOUVREMENT_VAR": var, "DJANGO_SETTINGS_MODULE": "recouvrement.settings.dev",
        }  # fmt: skip
        subprocess.run([sys.executable, "manage.py", "migrate", "-v0"], cwd=RACINE, check=True)
        subprocess.run([sys.executable, "manage.py", "createcachetable"], cwd=RACINE, check=True)
        import django

        django.setup()
        from .grande_base import remplir

        au = date.today()
        debut = time.perf_counter()
        equipe = remplir(clients=args.clients, factures=args.factures, gestionnaires=args.personnes, au=au)
        print(f"{pg.version}, charge {os.getloadavg()[0]:.1f} ; base remplie en {time.perf_counter() - debut:.0f} s")
        seuls(equipe[0], args.repetitions, args.requetes)
        if args.minutes:
            ensemble(equipe, args, pg.url, var)


# --- 1. Chaque écran seul -----------------------------------------------------------------------


def seuls(personne: int, repetitions: int, lentes: int = 0) -> None:
    from django.conf import settings
    from django.db import connection
    from django.db.models import Count
    from django.test import Client as Navigateur
    from django.test.utils import CaptureQueriesContext

    import recouvrement.wsgi  # noqa: F401
    from clients.models import Client
    from recouvrement.comptes.models import Utilisateur
    from relances.models import Tache

    # recouvrement.wsgi est importé pour son ramasse-miettes : celui du serveur.
    settings.ALLOWED_HOSTS = ["testserver", "127.0.0.1"]
    navigateur = Navigateur()
    navigateur.force_login(Utilisateur.objects.get(pk=personne))
    miens = Client.objects.filter(gestionnaire=personne).annotate(n=Count("echeances")).order_by("n", "pk")
    petit, gros = miens.first(), miens.last()
    appele = Tache.objects.filter(client__gestionnaire=personne, faite_le=None).first().client_id
    entiere = _mediane(lambda: navigateur.get("/recherche/"), repetitions)
    # La coque a ses propres requêtes, que chaque écran fait aussi : la page vide ne les compte pas une seconde fois.
    coque = _capturer(lambda: navigateur.get("/recherche/"))
    vide = entiere - _mediane(lambda: _rejouer(coque), repetitions)
    print(f"\nPage vide (recherche sans question) : {entiere * 1000:.1f} ms, dont {vide * 1000:.1f} ms hors SQL.")
    print(f"Gros client : {gros.n} pièces, petit : {petit.n}.\n")
    print("| écran | requêtes (petit → gros) | SQL nu | page | plancher = SQL + vide | rapport | ≤ 1,3 |")
    print("|---|---|---|---|---|---|---|")
    for nom, url in ecrans(gros.pk, appele, pages_des_debiteurs(personne)[0]).items():
        reponse = navigateur.get(url)
        if reponse.status_code != 200:
            print(f"| {nom} | {url} répond {reponse.status_code} | | | | | |")
            continue
        with CaptureQueriesContext(connection) as vues:
            navigateur.get(url)
        nombres = [len(vues)]
        if str(gros.pk) in url:
            with CaptureQueriesContext(connection) as petites:
                navigateur.get(url.replace(str(gros.pk), str(petit.pk)))
            nombres.insert(0, len(petites))
        requetes = _capturer(lambda url=url: navigateur.get(url))
        page, nu = [], []
        for _tour in range(repetitions):  # en alternance : ce qui gêne l'un gêne l'autre
            page.append(_duree(lambda url=url: navigateur.get(url)))
            nu.append(_duree(lambda r=requetes: _rejouer(r)))
        p, n = statistics.median(page), statistics.median(nu)
        rapport = p / (n + vide)
        tenu = "oui" if rapport <= BUT else "**non**"
        print(
            f"| {nom} | {' → '.join(map(str, nombres))} | {n * 1000:.1f} ms | {p * 1000:.1f} ms | "
            f"{(n + vide) * 1000:.1f} ms | {rapport:.2f} × | {tenu} |",
            flush=True,
        )
        for duree, sql in sorted(((_duree(lambda r=r: _rejouer([r])), r[0]) for r in requetes), reverse=True)[:lentes]:
            print(f"    {duree * 1000:.1f} ms  {sql}")


def _capturer(faire) -> list[tuple]:
    """Les lectures de l'écran, texte et valeurs, telles que le pilote les reçoit."""
    from django.db import connection

    requetes = []

    def noter(executer, sql, params, many, contexte):
        if not many and sql.lstrip()[:6].upper() in ("SELECT", "WITH R", "(SELEC"):
            requetes.append((sql, params))
        return executer(sql, params, many, contexte)

    with connection.execute_wrapper(noter):
        faire()
    return requetes


def _rejouer(requetes: list[tuple]) -> None:
    from django.db import connection

    with connection.connection.cursor() as cur:
        for sql, params in requetes:
            cur.execute(sql, params)
            cur.fetchall()


def _duree(faire) -> float:
    debut = time.perf_counter()
    faire()
    return time.perf_counter() - debut


def _mediane(faire, n: int) -> float:
    faire()
    return statistics.median(_duree(faire) for _tour in range(n))


# --- 2. Toute l'équipe à la fois ------------------------------------------------------------------


def ensemble(equipe: list[int], args, url_base: str, var: str) -> None:
    import demarrer
    from clients.models import Client
    from relances.models import Tache

    port = demarrer.port_libre()
    env = os.environ | {"ALLOWED_HOSTS": "127.0.0.1", "DATABASE_URL": url_base}
    journal = open(Path(var) / "gunicorn.log", "ab")
    serveur = subprocess.Popen(
        [sys.executable, "-m", "gunicorn", "recouvrement.wsgi", "-b", f"127.0.0.1:{port}", "-k", "gthread", "-w", "2",
         "--threads", "4"],
        cwd=RACINE, env=env, stdout=journal, stderr=journal,
    )  # fmt: skip
    try:
        if not demarrer.attendre(lambda: _sante(port), 30):
            raise SystemExit((Path(var) / "gunicorn.log").read_text()[-2000:])
        jeux = []
        for personne in equipe:
            clients = list(Client.objects.filter(gestionnaire=personne).values_list("pk", flat=True)[:200])
            appels = list(Tache.objects.filter(client__gestionnaire=personne).values_list("client", flat=True)[:100])
            jeux.append((_session(personne), clients, appels, pages_des_debiteurs(personne)))
        fin = time.monotonic() + args.minutes * 60
        mesures: list[tuple[str, float, int]] = []
        fils = [
            threading.Thread(target=_personne, args=(rang, port, jeu, fin, args.pause, mesures))
            for rang, jeu in enumerate(jeux)
        ]
        for fil in fils:
            fil.start()
        for fil in fils:
            fil.join()
    finally:
        serveur.terminate()
        serveur.wait()
        journal.close()
    _dire(mesures, args)


def _sante(port: int) -> bool:
    try:
        return _ouvrir(http.client.HTTPConnection("127.0.0.1", port, timeout=5), "/sante", "")[0] == 200
    except OSError:
        return False


def _ouvrir(connexion, url: str, session: str) -> tuple[int, int]:
    connexion.request("GET", url, headers={"Cookie": f"sessionid={session}", "Accept-Language": "fr"})
    reponse = connexion.getresponse()
    return reponse.status, len(reponse.read())


def _session(personne: int) -> str:
    from django.conf import settings
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
    from django.contrib.sessions.backends.db import SessionStore

    from recouvrement.comptes.models import Utilisateur

    user, session = Utilisateur.objects.get(pk=personne), SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.save()
    return session.session_key


def _personne(rang: int, port: int, jeu, fin: float, pause: float, mesures: list) -> None:
    """Une personne : sa journée, un client, sa fiche, une liste, et l'on recommence."""
    session, clients, appels, pages = jeu
    r = random.Random(rang)
    time.sleep(r.uniform(0, pause))
    while time.monotonic() < fin:
        choix = list(ecrans(r.choice(clients), r.choice(appels), r.choice(pages)).items())
        for nom, url in choix[:4] + [r.choice(choix[4:])]:
            connexion = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
            debut = time.perf_counter()
            try:
                statut = _ouvrir(connexion, url, session)[0]
            except OSError:
                statut = 599
            finally:
                connexion.close()
            mesures.append((nom, time.perf_counter() - debut, statut))
            time.sleep(r.uniform(pause / 2, pause * 1.5))


def _dire(mesures: list, args) -> None:
    print(f"\n{args.personnes} personnes, {args.minutes:g} min, pause moyenne {args.pause:g} s, 2 × 4 fils gunicorn\n")
    print("| écran | vues | p50 | p95 | max | erreurs |")
    print("|---|---|---|---|---|---|")
    for nom in [*dict.fromkeys(m[0] for m in mesures), None]:
        durees = sorted(d for n, d, s in mesures if s == 200 and nom in (n, None))
        erreurs = sum(1 for n, _d, s in mesures if s != 200 and nom in (n, None))
        if len(durees) < 2:
            continue
        quantiles = statistics.quantiles(durees, n=100, method="inclusive")
        p50, p95, pire = (f"{d * 1000:.0f} ms" for d in (quantiles[49], quantiles[94], durees[-1]))
        print(f"| {nom or '**Ensemble**'} | {len(durees)} | {p50} | {p95} | {pire} | {erreurs} |")
    print(json.dumps({"vues": len(mesures), "par_seconde": round(len(mesures) / (args.minutes * 60), 1)}))


if __name__ == "__main__":
    main()
