"""La fixture `table`, et son impression en fin de séance (xdist : les propriétés reviennent au processus principal)."""

import pytest

from .table import Table


@pytest.fixture
def table(request) -> Table:
    return Table(request.node.user_properties)


def pytest_terminal_summary(terminalreporter):
    lignes = [
        valeur
        for rapports in terminalreporter.stats.values()
        for rapport in rapports
        if getattr(rapport, "when", "") == "call"
        for nom, valeur in getattr(rapport, "user_properties", ())
        if nom == "corpus"
    ]
    if not lignes:
        return
    terminalreporter.section("corpus : fichier | attendu | obtenu")
    for fichier, attendu, obtenu, ecarts in sorted(lignes):
        verdict = "ÉCART" if ecarts else "conforme"
        terminalreporter.write_line(f"{fichier} | {_bref(attendu)} | {verdict if not ecarts else _bref(obtenu)}")
    terminalreporter.write_line(f"{len(lignes)} lignes, {sum(bool(x[3]) for x in lignes)} écart(s)")


def _bref(valeurs: dict) -> str:
    return " ; ".join(f"{cle} {valeur}" for cle, valeur in valeurs.items())[:600]
