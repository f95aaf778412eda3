"""Vrais worker et beat Celery, dans leur groupe de processus, tuables net."""

import os
import signal
import subprocess
import sys
import time
from datetime import date, timedelta

from factures.domaine.calendrier import jour_ouvre_suivant


def jours_jusqu_au_prochain_ouvre() -> int:
    """Décalage qui place les processus un jour ouvré, quel que soit le jour de l'essai."""
    aujourd_hui = date.today()
    return (jour_ouvre_suivant(aujourd_hui) - aujourd_hui).days


def jour_simule() -> date:
    return date.today() + timedelta(days=jours_jusqu_au_prochain_ouvre())


class Processus:
    """Une commande celery ; `tuer` = kill -9 de tout le groupe, sans préavis."""

    def __init__(self, *arguments: str, env: dict, journal):
        self.journal = open(journal, "ab")
        self.p = subprocess.Popen(
            [sys.executable, "-m", "celery", "-A", "recouvrement", *arguments],
            env=env,
            stdout=self.journal,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def tuer(self) -> None:
        self._fin(signal.SIGKILL)

    def arreter(self) -> None:
        self._fin(signal.SIGTERM)

    def _fin(self, signe) -> None:
        try:
            os.killpg(self.p.pid, signe)
            self.p.wait(10)
        except ProcessLookupError:
            pass
        except subprocess.TimeoutExpired:
            os.killpg(self.p.pid, signal.SIGKILL)
            self.p.wait(10)
        finally:
            self.journal.close()


def worker(env, journal, concurrence: int = 2) -> Processus:
    return Processus("worker", "-l", "warning", "-c", str(concurrence), "--without-gossip", "--without-mingle",
                     env=env, journal=journal)  # fmt: skip


def beat(env, journal) -> Processus:
    return Processus("beat", "-l", "warning", "-s", f"{journal}.etat", env=env, journal=journal)


def attendre(condition, *, secondes: float, quoi: str):
    """Attend que `condition()` soit vraie ; échoue en disant quoi."""
    fin = time.monotonic() + secondes
    while time.monotonic() < fin:
        if resultat := condition():
            return resultat
        time.sleep(0.05)
    raise AssertionError(f"pas arrivé en {secondes} s : {quoi}")
