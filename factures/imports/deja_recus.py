"""Le même argent venu deux fois : déjà encaissé par la banque, ou déjà repris par elle.

Un paiement rapproché au relevé puis écrit par un FEC ou un CSV d'encaissements reste un seul encaissement : il prend la
clé du fichier. Un rejet que le FEC inscrit lui-même (débit de trésorerie) se compte dans le FEC, et là seulement
(docs/decisions/0022-rapprochement.md).
"""

from collections import defaultdict
from datetime import date, timedelta

from django.db import connection

from factures.models import Encaissement, Imputation
from factures.services.rejets import debits_au_fec
from recouvrement.commun.champs import en_euros

from .nombres import euros
from .requetes import executer, lire
from .traces import observer

JOURS = timedelta(days=3)  # entre la date de la banque et celle de la comptabilité
MONTRES = 5
# Ce que le fichier apporte à des clients qui ont déjà un encaissement d'une autre origine ; un par clé.
ATTENDUS = """
select e.cle_source, min(e.client_id), min(e.devise), min(e.date), cast(sum(e.montant) as bigint), min(e.reference)
from imp_encaissement e
where e.etat = 0 and exists (select 1 from factures_encaissement d where d.societe_id = %s
  and d.client_id = e.client_id and substr(d.cle_source, 1, 4) <> substr(e.cle_source, 1, 4))
group by e.cle_source order by min(e.date), min(e.n)
"""
FACTURES_DITES = "select distinct cle_source, numero_facture from imp_encaissement where numero_facture <> ''"
DERNIER = "select max(date) from imp_encaissement where etat < 2"


def adopter(contexte, ecrits) -> None:
    """Rend au fichier les encaissements que le relevé a déjà apportés : même client, même somme, à trois jours près.

    Un pour un. Celui dont la date dépasse la dernière du fichier, ou qu'une personne a posé sur une autre facture que
    celle que le fichier nomme, n'est pas le même argent.
    """
    de_la_banque = Encaissement.objects.filter(societe=contexte.societe_id, cle_source__startswith="BANQUE:")
    if not de_la_banque.exists():
        return
    attendus = _attendus(contexte)
    if not attendus:
        return
    dernier = _jour(lire(DERNIER)[0][0])
    libres: dict[tuple, list[Encaissement]] = defaultdict(list)
    for e in de_la_banque.filter(date__lte=dernier).order_by("date", "pk"):
        libres[e.client_id, e.devise, e.montant].append(e)
    dites: dict[str, set[str]] = defaultdict(set)
    for cle, numero in lire(FACTURES_DITES):
        dites[cle].add(numero)
    payees = _factures_payees(contexte.societe_id)
    couples = []
    for cle, client, devise, le, total, _ref in attendus:
        proches = [
            e for e in libres.get((client, devise, total), ())
            if abs(e.date - le) <= JOURS and (not dites[cle] or not payees[e.pk] or payees[e.pk] & dites[cle])
        ]  # fmt: skip
        if proches:
            e = min(proches, key=lambda e: (abs(e.date - le), e.pk))
            libres[client, devise, total].remove(e)
            couples.append((e, cle, le))
    if not couples:
        return
    adoptes = Encaissement.objects.filter(pk__in=[e.pk for e, _cle, _le in couples])
    with observer(contexte.lot_id, adoptes, ["cle_source", "date", "updated_at"]):
        for e, cle, le in couples:
            e.cle_source, e.date, e.updated_at = cle, le, contexte.moment
        Encaissement.objects.bulk_update([e for e, _c, _l in couples], ["cle_source", "date", "updated_at"], 500)
    with connection.cursor() as curseur:
        curseur.executemany(
            "update imp_encaissement set etat = 1, encaissement_id = %s where cle_source = %s and etat = 0",
            [(e.pk, cle) for e, cle, _le in couples],
        )
    ecrits.avertissements.append(f"Déjà reçus par la banque, comptés une seule fois : {len(couples)} encaissements.")


def _attendus(contexte) -> list[tuple]:
    """[(clé, client, devise, jour, montant, référence)] des encaissements neufs de ces clients-là."""
    return [
        (cle, client, devise, _jour(le), en_euros(total), reference)
        for cle, client, devise, le, total, reference in lire(ATTENDUS, [contexte.societe_id])
    ]


def _jour(valeur) -> date:
    return date.fromisoformat(valeur) if isinstance(valeur, str) else valeur


def _factures_payees(societe_id: int) -> dict[int, set[str]]:
    """{encaissement né d'un rapprochement: numéros qu'il paie}."""
    payees: dict[int, set[str]] = defaultdict(set)
    posees = Imputation.objects.filter(societe=societe_id, encaissement__cle_source__startswith="BANQUE:")
    for pk, numero in posees.values_list("encaissement", "echeance__facture__numero"):
        payees[pk].add(numero)
    return payees


def dire_les_doubles(contexte, ecrits) -> None:
    """Créés par ce fichier, ils ressemblent à un encaissement venu d'ailleurs : une personne tranche."""
    if not ecrits.crees.get("encaissements") or not (attendus := _attendus(contexte)):
        return
    connus: dict[tuple, list[tuple]] = defaultdict(list)
    cles = {x[0] for x in attendus}
    origine = attendus[0][0][:4]
    autres = Encaissement.objects.filter(societe=contexte.societe_id, rejete_le=None)
    for reference, cle, client, devise, le, montant in autres.exclude(cle_source__startswith=origine).values_list(
        "reference", "cle_source", "client", "devise", "date", "montant"
    ):
        if cle not in cles:
            connus[client, devise, montant].append((le, reference))
    doubles = [
        f"{reference} et {autre} ({euros(total)})"
        for _cle, client, devise, le, total, reference in attendus
        for jour, autre in connus.get((client, devise, total), ())
        if abs(jour - le) <= JOURS
    ]
    if doubles:
        suite = f" ; et {len(doubles) - MONTRES} de plus" if len(doubles) > MONTRES else ""
        ecrits.avertissements.append(
            f"Peut-être le même argent deux fois, venu d'un autre fichier : {' ; '.join(doubles[:MONTRES])}{suite}. "
            "Si c'est le cas, défaites l'un des deux."
        )


def suivre_les_rejets(contexte, ecrits) -> None:
    """Un règlement rejeté n'éteint rien, le FEC le lettrerait-il encore ; sauf si le FEC inscrit aussi le rejet.

    Alors la comptabilité porte les deux, l'argent reçu et repris : le constat de la banque lui cède la place.
    """
    rejetes = list(
        Encaissement.objects.filter(
            societe=contexte.societe_id, rejete_le__isnull=False, cle_source__startswith="FEC:"
        ).order_by("pk")
    )
    if not rejetes:
        return
    pris: set[int] = set()
    inscrits = []
    for e in rejetes:
        debit = next((d for d in debits_au_fec(e, e.rejete_le) if d.pk not in pris), None)
        if debit:
            pris.add(debit.pk)
            inscrits.append(e)
    siens = Encaissement.objects.filter(pk__in=[e.pk for e in inscrits])
    with observer(contexte.lot_id, siens, ["rejete_le", "rejet_motif"]):
        siens.update(rejete_le=None, rejet_motif="", impute=0)
    if inscrits:
        noms = ", ".join(e.reference for e in inscrits[:MONTRES])
        ecrits.avertissements.append(
            f"Le FEC inscrit le rejet de {noms} : la dette se lit désormais sur cette écriture, une seule fois."
        )
    retenus = executer(
        "delete from imp_imputation where encaissement_id in "
        "(select id from factures_encaissement where societe_id = %s and rejete_le is not null)",
        [contexte.societe_id],
    )
    if retenus:
        ecrits.avertissements.append(
            "Le FEC lettre encore des règlements que la banque a rejetés : leurs factures restent dues."
        )
