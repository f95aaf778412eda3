"""Une échéance nouvelle sur une facture déjà connue : la même, reportée, ou une de plus ? (docs/formats.md)

Seules les lignes d'un CSV sont en cause : leur clé porte la date, qui peut changer dans le logiciel d'origine. Compter
deux fois la même dette serait le pire défaut d'un import : une échéance ne s'ajoute que si le fichier rend compte de
toutes celles que l'on connaît.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

from django.db import connection
from django.db.models.expressions import RawSQL

from factures.models import Echeance
from factures.signaux import echeances_deplacees

from .ecriture import Contexte, Ecrits
from .lot import Rejet
from .requetes import en_clair, executer, jour_lisible, lire, rejeter
from .traces import observer

PAQUET = 1_000
DETAIL = 50  # au-delà, un avertissement compte sans nommer

NOUVELLES = """
select facture_id, n, ligne, numero, ttc, cle_echeance, date_echeance, cle_source from imp_facture
where etat = 0 and facture_id is not null and cle_source like 'CSV:%%' order by facture_id, date_echeance, n
"""
ABSENTES = """
select e.facture_id, e.id, e.montant, e.cle_source, e.date_echeance, e.niveau, e.en_contentieux, e.soldee_le,
  (select count(*) from factures_echeance k where k.facture_id = e.facture_id)
from factures_echeance e
where e.facture_id in (select facture_id from imp_facture
    where etat = 0 and facture_id is not null and cle_source like 'CSV:%%')
  and e.id not in (select echeance_id from imp_facture where echeance_id is not null)
order by e.facture_id, e.date_echeance, e.id
"""


@dataclass(slots=True)
class Nouvelle:
    """Échéance inconnue d'une facture connue. Montants en centimes, dates telles que la base les rend."""

    facture: int
    n: int
    ligne: int
    numero: str
    montant: int
    cle: str
    date: object
    cle_source: str

    @property
    def deduite(self) -> bool:
        return self.cle.endswith(":")  # la ligne ne disait pas de date (csv_grand_livre.cle_echeance_csv)


@dataclass(slots=True)
class Absente:
    """Échéance connue dont le fichier ne parle pas."""

    facture: int
    id: int
    montant: int
    cle: str
    date: object
    niveau: int
    en_contentieux: bool
    soldee_le: object
    connues: int  # échéances connues de cette facture

    @property
    def figee(self) -> bool:
        return self.niveau > 0 or bool(self.en_contentieux)


def controler_echeanciers(cles_rejetees: set[str]) -> Iterator[Rejet]:
    """Rapproche les échéances nouvelles des connues absentes du fichier ; rejette ce qui doublerait une dette."""
    nouvelles = [Nouvelle(*x) for x in lire(NOUVELLES, [])]
    if not nouvelles:
        return
    absentes: dict[int, list[Absente]] = {}
    for x in lire(ABSENTES, []):
        absentes.setdefault(x[0], []).append(Absente(*x))
    reprises, refusees = [], []
    for facture, groupe in groupby(nouvelles, key=lambda nouvelle: nouvelle.facture):
        lignes, manquent = list(groupe), absentes.get(facture, [])
        if manquent and lignes[0].cle_source in cles_rejetees:
            refusees += [(x, _incomplete(x)) for x in lignes]
            continue
        seule = len(lignes) == 1
        paires = _apparier(lignes, manquent)
        for nouvelle, connue in paires:
            if nouvelle.deduite:  # rien n'est dit de la date : celle que l'on connaît reste
                reprises.append((connue.id, connue.cle, connue.date, nouvelle.n))
            elif connue.date != nouvelle.date and connue.figee:
                refusees.append((nouvelle, _deja_relancee(nouvelle, connue)))
            elif connue.date != nouvelle.date and connue.soldee_le and not (seule and connue.connues == 1):
                refusees.append((nouvelle, _a_preciser(nouvelle, connue)))
            else:
                reprises.append((connue.id, nouvelle.cle, nouvelle.date, nouvelle.n))
        if manquent:
            refusees += [(x, _a_preciser(x, manquent[0])) for x in lignes]
    with connection.cursor() as curseur:
        curseur.executemany(
            "update imp_facture set etat = 1, echeance_id = %s, cle_echeance = %s, date_echeance = %s where n = %s",
            reprises,
        )
    rejeter("imp_facture", [x.n for x, _ in refusees])
    for _, rejet in refusees:
        yield rejet


def _apparier(lignes: list[Nouvelle], manquent: list[Absente]) -> list[tuple[Nouvelle, Absente]]:
    """Retire des deux listes, et rend, les couples de même montant : même date d'abord, déplaçables ensuite."""
    paires = []
    for meme_date in (True, False):
        for nouvelle in list(lignes):
            possibles = [
                a for a in manquent if a.montant == nouvelle.montant and (a.date == nouvelle.date or not meme_date)
            ]
            if possibles:
                connue = min(possibles, key=lambda a: (a.figee or a.soldee_le is not None, a.date))
                paires.append((nouvelle, connue))
                lignes.remove(nouvelle)
                manquent.remove(connue)
    return paires


def _deja_relancee(nouvelle: Nouvelle, connue: Absente) -> Rejet:
    fait = "déjà relancée" if connue.niveau else "déjà au contentieux"
    return Rejet(
        nouvelle.ligne,
        "date_echeance",
        f"{fait} : {nouvelle.numero} est connue à l'échéance du {jour_lisible(connue.date)}, "
        f"et non du {jour_lisible(nouvelle.date)}.",
        "Gardez cette date et notez une promesse pour accorder un délai ; "
        "si c'est une échéance de plus, laissez aussi la ligne de l'échéance connue.",
    )


def _a_preciser(nouvelle: Nouvelle, connue: Absente) -> Rejet:
    soldee = ", soldée," if connue.soldee_le else ""
    return Rejet(
        nouvelle.ligne,
        "date_echeance",
        f"{nouvelle.numero} est connue à l'échéance du {jour_lisible(connue.date)} pour "
        f"{en_clair(connue.montant)}{soldee} et le fichier ne la reprend pas.",
        "Si c'est une échéance de plus, laissez aussi la ligne de l'échéance connue ; sinon, gardez sa date.",
    )


def _incomplete(nouvelle: Nouvelle) -> Rejet:
    constat = f"une autre ligne de {nouvelle.numero} est refusée."
    return Rejet(nouvelle.ligne, "numero", constat, "Corrigez-la : ses échéances se comparent toutes ensemble.")


# --- Écriture --------------------------------------------------------------------------------

AJOUTEES = """
select numero, date_echeance, ttc from imp_facture where etat = 0 and facture_id is not null order by n
"""
# Reportées par le fichier, ou déduites des conditions du client qui ont changé depuis.
DEPLACEES = """
select e.id, i.numero, e.date_echeance, i.date_echeance from imp_facture i
join factures_echeance e on e.id = i.echeance_id
where i.etat = 1 and e.date_echeance <> i.date_echeance and e.niveau = 0
  and (e.soldee_le is null or e.cle_source <> i.cle_echeance) order by i.n
"""
GARDEES = """
select i.numero, e.date_echeance from imp_facture i join factures_echeance e on e.id = i.echeance_id
where i.etat = 1 and e.date_echeance <> i.date_echeance and e.niveau > 0 and e.soldee_le is null order by i.n
"""
A_DEPLACER = """
select e.id from imp_facture i join factures_echeance e on e.id = i.echeance_id
where i.etat = 1 and (e.cle_source <> i.cle_echeance
  or e.date_echeance <> i.date_echeance and e.niveau = 0 and e.soldee_le is null)
"""
DEPLACER = """
update factures_echeance set date_echeance = i.date_echeance, cle_source = i.cle_echeance from imp_facture i
where i.etat = 1 and i.echeance_id = factures_echeance.id
  and (factures_echeance.cle_source <> i.cle_echeance
    or factures_echeance.date_echeance <> i.date_echeance and factures_echeance.niveau = 0
      and factures_echeance.soldee_le is null)
"""


def ecrire_echeanciers(contexte: Contexte, ecrits: Ecrits) -> None:
    """Déplace les échéances rapprochées et dit tout ce qui change. À appeler avant d'écrire les pièces neuves."""
    deplacees = lire(DEPLACEES)
    for _, numero, avant, apres in deplacees[:DETAIL]:
        sens = "reportée" if apres > avant else "avancée"
        ecrits.avertissements.append(f"{numero} : échéance {sens} du {jour_lisible(avant)} au {jour_lisible(apres)}.")
    if len(deplacees) > DETAIL:
        ecrits.avertissements.append(f"{len(deplacees) - DETAIL} autres échéances déplacées.")
    if gardees := lire(GARDEES):
        ecrits.avertissements.append(
            "Échéances déjà relancées, qui gardent leur date malgré les nouvelles conditions du client : "
            f"{len(gardees)} ({_liste(f'{numero} au {jour_lisible(jour)}' for numero, jour in gardees[:DETAIL])})."
        )
    if ajoutees := lire(AJOUTEES):
        details = _liste(
            f"{numero} au {jour_lisible(jour)} pour {en_clair(ttc)}" for numero, jour, ttc in ajoutees[:DETAIL]
        )
        ecrits.avertissements.append(f"Échéances ajoutées à des factures déjà connues : {len(ajoutees)} ({details}).")
    a_deplacer = Echeance.objects.filter(pk__in=RawSQL(A_DEPLACER, []))  # noqa: S611
    with observer(contexte.lot_id, a_deplacer, ["date_echeance", "cle_source"]):
        executer(DEPLACER)
    ids = [x[0] for x in deplacees]
    for i in range(0, len(ids), PAQUET):
        echeances_deplacees.send(sender=None, echeances=ids[i : i + PAQUET], au=contexte.au)


def _liste(textes: Iterator[str]) -> str:
    noms = list(textes)
    return ", ".join(noms) + ("…" if len(noms) == DETAIL else "")
