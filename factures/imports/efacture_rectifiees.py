"""Une rectificative arrivée avant la facture qu'elle remplace : elle l'annule quand celle-ci arrive.

Le grand livre ne garde pas ce qu'une rectificative cite ; le journal, si.
"""

from datetime import date
from decimal import Decimal

from django.db import connection

from factures.models import Facture
from recouvrement.comptes.models import Societe
from recouvrement.journal.models import Maillon
from recouvrement.journal.services import consigner

from .nombres import euros
from .requetes import lire

ATTEND = "facture.rectifiee_attendue"
NEUVES = """
select numero, client_id, min(ligne), min(code_client), min(date_emission), min(devise), cast(sum(ttc) as bigint)
from imp_facture where etat = 0 and facture_id is null and client_id is not null group by numero, client_id
"""


def _attendues(societe_id: int) -> dict[tuple[int, str], str]:
    """{(client, numéro remplacé): clé de la rectificative}."""
    dites = Maillon.objects.filter(societe=societe_id, action=ATTEND).values_list("client_id", "detail__donnees")
    return {(client, d["remplacee"]): d["cle"] for client, d in dites if d and "remplacee" in d}


def attendre(contexte, client: int, cle: str, numero: str, remplacee: str) -> None:
    """Retient, une fois, que cette rectificative annulera cette facture."""
    if (client, remplacee) in _attendues(contexte.societe_id):
        return
    consigner(
        ATTEND, societe=Societe.objects.get(pk=contexte.societe_id), client=client, texte=f"{numero} → {remplacee}",
        donnees={"cle": cle, "remplacee": remplacee},
    )  # fmt: skip


def annuler_les_attendues(contexte, ecrits) -> None:
    """Un avoir annule les factures de ce fichier qu'une rectificative déjà au grand livre remplaçait."""
    attendues = _attendues(contexte.societe_id)
    if not attendues:
        return
    neuves = [x for x in lire(NEUVES) if (x[1], x[0]) in attendues]
    cles = {attendues[x[1], x[0]] for x in neuves}
    rectificatives = {f.cle_source: f for f in Facture.objects.filter(societe=contexte.societe_id, cle_source__in=cles)}
    rang, lignes = lire("select coalesce(max(n), 0) from imp_avoir")[0][0], []
    for numero, client, ligne, code, emise, devise, total in neuves:
        r = rectificatives.get(attendues[client, numero])
        if r is None or r.devise != devise or total <= 0:
            continue
        rang += 1
        jour = max(r.date_emission, date.fromisoformat(str(emise)[:10]))
        jour = jour.isoformat() if connection.vendor == "sqlite" else jour
        lignes.append((rang, ligne, f"{r.cle_source}:R1"[:160], code, r.numero, jour, total, devise, numero, client))
        ecrits.avertissements.append(
            f"La rectificative {r.numero}, déjà là, remplace {numero} : un avoir de "
            f"{euros(Decimal(total) / 100)} {devise} l'annule."
        )
    with connection.cursor() as curseur:
        curseur.executemany(
            "insert into imp_avoir (n, ligne, cle_source, code_client, numero, date_emission, montant, devise, "
            "numero_origine, client_id) values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
            lignes,
        )
