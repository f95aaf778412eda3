"""L'ordre figé de « client par client », gardé en session : deux onglets n'ont qu'à dire où ils en sont.

Chaque départ fige un ordre neuf ; les trois derniers se gardent, pour qu'un onglet resté sur l'ancien le finisse.
"""

from collections.abc import MutableMapping
from datetime import date

CLE = "journee_files"
GARDEES = 3


def files(session: MutableMapping) -> list[dict]:
    """De la plus récente à la plus ancienne : {ids, de, jour}."""
    lues = session.get(CLE, [])
    return lues if isinstance(lues, list) else []


def figer(session: MutableMapping, ids: list[int], *, de: str, jour: date) -> None:
    session[CLE] = [{"ids": ids, "de": de, "jour": jour.isoformat()}, *files(session)][:GARDEES]


def file_de(session: MutableMapping, client: int | None) -> dict | None:
    """La plus récente où ce client figure."""
    return next((f for f in files(session) if client in f["ids"]), None) if client is not None else None


def position(session: MutableMapping, client: int) -> tuple[int, int] | None:
    """(rang, total), à partir de 1."""
    file = file_de(session, client)
    return (file["ids"].index(client) + 1, len(file["ids"])) if file else None
