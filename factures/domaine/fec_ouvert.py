"""Des lignes de compte client d'un FEC aux postes ouverts, règlements et imputations. Pur.

Le FEC ne dit ni les échéances ni les factures : il dit des débits, des crédits et un lettrage souvent
incomplet. On en reconstruit des comptes dont le solde égale, au centime, celui de la comptabilité ; ce
qui ne s'explique pas reste un poste visible, nommé dans `inexpliques`.
Algorithme et choix : docs/decisions/0005-fec-postes-ouverts.md.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import date
from decimal import Decimal
from itertools import groupby

from .fec_compte import Compte
from .fec_lignes import ZERO, Inexplique, Ligne, Nature, Poste, Reconstitution
from .fec_numeros import pieces_fiables

EXERCICE = 300  # jours, au moins, entre deux ouvertures d'exercices ordinaires
PREUVES = 3  # soldes repris au centime qu'il faut pour croire un à-nouveau parmi d'autres


def reconstruire(
    lignes: Iterable[Ligne],
    *,
    echeance_de: Callable[[str, date], date],
    connus: Iterable[Poste] = (),
    pieces: str = "auto",
) -> Reconstitution:
    """Postes, imputations, soldes et inexpliqués de toutes les lignes client d'un fichier.

    echeance_de(client, jour d'émission) : échéance selon les conditions du client.
    connus : postes déjà en base, encore ouverts la veille du premier jour du fichier ; l'à-nouveau les reprend.
    pieces : « regroupement » si PieceRef n'est jamais un numéro de facture, « numero » s'il l'est même partagé.
    """
    lignes = sorted(lignes, key=lambda x: (x.date, x.ligne))
    rattacher_douteux(lignes)
    sortie = Reconstitution()
    par_client: dict[str, list[Ligne]] = defaultdict(list)
    for ligne in lignes:
        par_client[ligne.client].append(ligne)
    reports: dict[str, list[Poste]] = defaultdict(list)
    for poste in connus:
        reports[poste.client].append(poste)
    frontieres = _frontieres(lignes, reports, sortie)
    fiables = set() if pieces == "regroupement" else pieces_fiables(lignes, stricte=pieces == "auto")
    collectifs = {x.compte for x in lignes if not x.auxiliaire} & {x.compte for x in lignes if x.auxiliaire}
    del lignes  # chaque compte rend les siennes une fois déroulé
    for client in sorted({*par_client, *reports}):
        compte = Compte(client, echeance_de, fiables, sortie)
        compte.reporter(reports[client])
        compte.derouler(par_client.pop(client, []), frontieres)
        compte.clore()
    _signaler_collectifs(collectifs, sortie)
    return sortie


def rattacher_douteux(lignes: list[Ligne]) -> None:
    """Une ligne 416 sans auxiliaire revient au client que la même écriture crédite du même montant en 411."""
    origines = {(x.ecriture, x.solde): x.client for x in lignes if x.compte.startswith("411")}
    trouves: dict[str, set[str]] = defaultdict(set)
    douteux = [x for x in lignes if x.compte.startswith("416") and not x.auxiliaire]
    for ligne in douteux:
        if client := origines.get((ligne.ecriture, -ligne.solde)):
            trouves[ligne.compte].add(client)
            ligne.client = client
    for ligne in douteux:
        candidats = trouves[ligne.compte]
        if ligne.client == ligne.compte and len(candidats) == 1:
            ligne.client = next(iter(candidats))


def _frontieres(lignes: list[Ligne], reports: dict[str, list[Poste]], sortie: Reconstitution) -> list[date]:
    """Dates où un à-nouveau reprend ce qui précède (fichier de plusieurs exercices, ou exercice déjà importé).

    Des lignes plus anciennes que l'à-nouveau, sans rapport avec ses soldes, sont des dates hors exercice :
    l'à-nouveau garde alors ses postes.
    """
    frontieres: list[date] = []
    etranges: list[date] = []
    douteux = _detailles({x.date for x in lignes if x.nature is Nature.A_NOUVEAU})
    veille: dict[str, Decimal] = defaultdict(lambda: ZERO)
    for client, postes in reports.items():
        veille[client] = sum((p.signe for p in postes), ZERO)
    for jour, groupe in groupby(lignes, key=lambda x: x.date):
        du_jour = list(groupe)
        reprise: dict[str, Decimal] = defaultdict(lambda: ZERO)
        a_nouveau = [x for x in du_jour if x.nature is Nature.A_NOUVEAU]
        for x in a_nouveau:
            reprise[x.client] += x.solde
        if a_nouveau and any(veille.values()):
            ouverts = [c for c in {*veille, *reprise} if veille[c] or reprise[c]]
            repris = sum(veille[c] == reprise[c] for c in ouverts)
            assez = repris * 2 >= len(ouverts) and (jour not in douteux or repris >= PREUVES)
            if reports and not frontieres or assez:
                frontieres.append(jour)
                veille.clear()
            else:
                etranges.append(jour)
        for x in du_jour:
            veille[x.client] += x.solde
    if etranges:
        sortie.avertissements.append(
            f"Des lignes client sont datées d'avant l'à-nouveau du {etranges[0]:%d/%m/%Y}, qui ne les reprend pas : "
            "dates hors exercice, lues telles quelles."
        )
    return frontieres


def _detailles(jours: set[date]) -> set[date]:
    """Jours d'un à-nouveau détaillé : le logiciel y garde la date de chaque pièce, et aucun n'ouvre un exercice.

    Trois jours ou plus qui se suivent à moins d'un exercice, ou un jour qui n'est pas le premier du mois ; un
    exercice court n'en a que deux, et commence le premier.
    """
    suites: list[list[date]] = []
    for jour in sorted(jours):
        if suites and (jour - suites[-1][-1]).days < EXERCICE:
            suites[-1].append(jour)
        else:
            suites.append([jour])
    return {jour for suite in suites for jour in suite[1:] if len(suite) > 2 or jour.day != 1}


def _signaler_collectifs(collectifs: set[str], sortie: Reconstitution) -> None:
    """Un compte tenu par auxiliaires dont des lignes n'en portent pas : ce n'est pas un client."""
    for compte in sorted(collectifs):
        if solde := sortie.soldes.get(compte, ZERO):
            detail = f"compte collectif {compte} : lignes sans compte auxiliaire, à ventiler par client"
            sortie.inexpliques.append(Inexplique(compte, "collectif", detail, solde, compte))
