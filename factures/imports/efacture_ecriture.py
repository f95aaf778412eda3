"""Une facture électronique face au grand livre : connue, homonyme ou neuve ; puis ce qu'elle ajoute.

Un nombre fixe de requêtes par paquet de documents, quel que soit le format ; une archive en porte deux mille au plus.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import islice

from django.db import connection
from django.db.models import Q, Sum

from factures.domaine.efacture import RECTIFICATIVES
from factures.models import Avoir, CopieFacture, Facture
from recouvrement.commun import depot
from recouvrement.commun.champs import en_euros
from recouvrement.commun.fichiers import nom_sur

from .ecriture import Contexte, Ecrits
from .efacture_rectifiees import annuler_les_attendues, attendre
from .lot import Electronique, Rejet
from .nombres import euros
from .requetes import jour_lisible, lire, rejeter
from .traces import en_trace, tracer_crees, tracer_modifies

PAQUET = 500
MEME_PIECE = 92  # jours : une comptabilité date parfois la même facture d'un autre mois, rarement d'un autre trimestre
COPIES_MAX = 10


@dataclass(slots=True)
class Lue:
    """Un document du fichier, ses échéances sommées. Montants en euros."""

    cle: str
    n: int
    ligne: int
    numero: str
    client: int
    devise: str
    jour: date
    montant: Decimal


def _jour(valeur) -> date:
    return date.fromisoformat(valeur) if isinstance(valeur, str) else valeur


def _par_paquets(valeurs) -> Iterator[list]:
    it = iter(valeurs)
    while paquet := list(islice(it, PAQUET)):
        yield paquet


# --- Avant l'écriture ------------------------------------------------------------------------


def rapprocher_documents(contexte: Contexte, documents: Mapping[str, Electronique], ecrits: Ecrits) -> Iterator[Rejet]:
    """Marque ce qui est déjà au grand livre, quel que soit le format qui l'a apporté ; rejette ce qui le contredit.

    Même vendeur, numéro et année : la même facture, au montant dû près. Un numéro repris une autre année est une autre
    facture : elle se note avec son année (« 471102 (2018) »), l'unicité du numéro dans la société tient.
    """
    yield from _factures(contexte, ecrits)
    yield from _avoirs(contexte)
    _annuler_les_rectifiees(contexte, documents, ecrits)
    annuler_les_attendues(contexte, ecrits)


def _factures(contexte: Contexte, ecrits: Ecrits) -> Iterator[Rejet]:
    lues = [
        Lue(cle, n, ligne, numero, client, devise, _jour(jour), en_euros(total))
        for cle, n, ligne, numero, client, devise, jour, total in lire(
            "select cle_source, min(n), min(ligne), min(numero), min(client_id), min(devise), min(date_emission), "
            "cast(sum(ttc) as bigint) from imp_facture where etat = 0 and client_id is not null group by cle_source "
            "order by 2"
        )
    ]
    connues: list[tuple[int, str]] = []
    renommees: list[tuple[str, str]] = []
    refusees: list[str] = []
    pris: dict[str, str] = {}
    for paquet in _par_paquets(lues):
        par_cle, par_numero = _en_base(contexte.societe_id, paquet)
        for lue in paquet:
            meme = par_cle.get(lue.cle) or par_numero.get(lue.numero)
            if meme is None:
                if pris.setdefault(lue.numero, lue.cle) != lue.cle:
                    renommees.append((f"{lue.numero[:52]} ({lue.jour:%Y})", lue.cle))
                continue
            sienne = meme["cle_source"] == lue.cle
            proche = sienne or _proches(meme["date_emission"], lue.jour)
            if proche and (meme["client_id"], meme["devise"], meme["du"]) == (lue.client, lue.devise, lue.montant):
                connues.append((meme["id"], lue.cle))
            elif proche:
                refusees.append(lue.cle)
                yield Rejet(lue.ligne, "numero", *_contradiction(lue, meme))
            else:
                renommees.append((f"{lue.numero[:52]} ({lue.jour:%Y})", lue.cle))
                ecrits.avertissements.append(
                    f"Le numéro {lue.numero} sert déjà à une facture du {jour_lisible(meme['date_emission'])} : "
                    f"celle-ci, d'une autre année, se note « {lue.numero} ({lue.jour:%Y}) »."
                )
    with connection.cursor() as curseur:
        curseur.executemany("update imp_facture set etat = 1, facture_id = %s where cle_source = %s", connues)
        curseur.executemany("update imp_facture set numero = %s where cle_source = %s", renommees)
        curseur.executemany("update imp_facture set etat = 9 where cle_source = %s", [(cle,) for cle in refusees])


def _en_base(societe_id: int, lues: list[Lue]) -> tuple[dict[str, dict], dict[str, dict]]:
    """Factures connues de ces documents, par clé et par numéro, avec ce que leurs échéances font dû."""
    connues = (
        Facture.objects.filter(societe=societe_id)
        .filter(Q(cle_source__in=[x.cle for x in lues]) | Q(numero_reel=True, numero__in=[x.numero for x in lues]))
        .order_by()
        .annotate(du=Sum("echeances__montant"))
        .values("id", "cle_source", "numero", "numero_reel", "client_id", "devise", "date_emission", "du")
    )
    par_cle, par_numero = {}, {}
    for f in connues:
        par_cle[f["cle_source"]] = f
        if f["numero_reel"]:
            par_numero[f["numero"]] = f
    return par_cle, par_numero


def _proches(connue: date, lue: date) -> bool:
    return connue.year == lue.year or abs((connue - lue).days) <= MEME_PIECE


def _contradiction(lue: Lue, meme: dict) -> tuple[str, str]:
    """(constat, conseil)."""
    if meme["client_id"] != lue.client:
        return (
            f"{lue.numero} est déjà au grand livre, au nom d'un autre client.",
            "Corrigez le client à l'aperçu, ou le numéro dans le logiciel d'origine.",
        )
    du = meme["du"] or Decimal("0.00")
    if meme["devise"] != lue.devise:
        constat = f"{lue.numero} est déjà au grand livre en {meme['devise']}, et non en {lue.devise}."
    else:
        constat = (
            f"{lue.numero} est déjà au grand livre pour {euros(du)} dus, et ce document réclame {euros(lue.montant)}."
        )
    return constat, "Un acompte ou un avoir manque d'un côté : corrigez celui des deux qui est faux."


def _avoirs(contexte: Contexte) -> Iterator[Rejet]:
    """Un avoir déjà venu par un autre format, même numéro et même client."""
    lus = lire(
        "select n, ligne, numero, client_id, devise, date_emission, montant from imp_avoir "
        "where etat = 0 and avoir_id is null and client_id is not null order by n"
    )
    for paquet in _par_paquets(lus):
        connus = {
            (a.client_id, a.numero): a
            for a in Avoir.objects.filter(
                societe=contexte.societe_id, numero__in=[x[2] for x in paquet], client__in={x[3] for x in paquet}
            )
        }
        rattaches, refuses = [], []
        for n, ligne, numero, client, devise, jour, montant in paquet:
            connu = connus.get((client, numero))
            if connu is None or not _proches(connu.date_emission, _jour(jour)):
                continue
            if (connu.devise, connu.montant) == (devise, en_euros(montant)):
                rattaches.append((connu.pk, n))
                continue
            refuses.append(n)
            autre = euros(en_euros(montant))
            constat = f"l'avoir {numero} est déjà au grand livre pour {euros(connu.montant)}, et non {autre}."
            yield Rejet(ligne, "numero", constat, "Corrigez celui des deux qui est faux.")
        with connection.cursor() as curseur:
            curseur.executemany("update imp_avoir set avoir_id = %s where n = %s", rattaches)
        rejeter("imp_avoir", refuses)


def _annuler_les_rectifiees(contexte: Contexte, documents: Mapping[str, Electronique], ecrits: Ecrits) -> None:
    """Une rectificative remplace la facture qu'elle cite : un avoir annule ce qu'il reste facturé de celle-ci.

    L'avoir porte le numéro de la rectificative et se pose sur l'ancienne ; ce qui en avait été payé reste à affecter.
    """
    voulues = {cle: d.remplace for cle, d in documents.items() if d.type_document in RECTIFICATIVES and d.remplace}
    if not voulues:
        return
    neuves = {
        cle: (ligne, code, client, numero, _jour(jour), devise)
        for cle, ligne, code, client, numero, jour, devise in lire(
            "select cle_source, min(ligne), min(code_client), min(client_id), min(numero), min(date_emission), "
            "min(devise) from imp_facture where etat < 2 group by cle_source"
        )
        if cle in voulues
    }
    numeros = {ancien for cle in neuves for ancien in voulues[cle]}
    anciennes = {
        (f.client_id, f.numero): f
        for f in Facture.objects.filter(societe=contexte.societe_id, numero_reel=True, numero__in=numeros).annotate(
            du=Sum("echeances__montant")
        )
    }
    avoirs = list(
        Avoir.objects.filter(facture_origine__in=anciennes.values()).values("cle_source", "facture_origine", "montant")
    )
    rang = lire("select coalesce(max(n), 0) from imp_avoir")[0][0]
    lignes = []
    for cle, (ligne, code, client, numero, jour, devise) in neuves.items():
        for i, ancien in enumerate(voulues[cle], start=1):
            f, cle_avoir = anciennes.get((client, ancien)), f"{cle}:R{i}"[:160]
            if f is None or f.devise != devise or f.cle_source == cle:
                ecrits.avertissements.append(
                    f"La rectificative {numero} remplace {ancien}, que le grand livre n'a pas chez ce client : "
                    "vérifiez qu'elle n'y est pas sous un autre numéro."
                )
                if f is None and client is not None:
                    attendre(contexte, client, cle, numero, ancien)
                continue
            siens = [a for a in avoirs if a["facture_origine"] == f.pk]
            reste = (f.du or 0) - sum(a["montant"] for a in siens)
            if any(a["cle_source"] == cle_avoir for a in siens) or reste <= 0:
                continue
            rang += 1
            lignes.append((rang, ligne, cle_avoir, code, numero, jour, int(reste * 100), devise, ancien, client))
            ecrits.avertissements.append(
                f"La rectificative {numero} remplace {ancien} : un avoir de {euros(reste)} {devise} l'annule. Ce qui "
                "en avait été payé reste à affecter."
            )
    with connection.cursor() as curseur:
        curseur.executemany(
            "insert into imp_avoir (n, ligne, cle_source, code_client, numero, date_emission, montant, devise, "
            "numero_origine, client_id) values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
            [(*x[:5], x[5].isoformat() if connection.vendor == "sqlite" else x[5], *x[6:]) for x in lignes],
        )


# --- Après l'écriture ------------------------------------------------------------------------

CHAMPS = (
    "type_document", "montant_ttc", "montant_ht", "montant_tva", "acompte", "arrondi", "affacturee",
    "tva_encaissements", "mentions_absentes",
)  # fmt: skip


def completer_documents(contexte: Contexte, documents: Mapping[str, Electronique], ecrits: Ecrits) -> None:
    """Pose sur les factures écrites, ou déjà connues, ce que seul le document électronique dit, et garde leur PDF."""
    ids, connues = {}, set()
    for cle, facture, etat in lire(
        "select cle_source, min(facture_id), min(etat) from imp_facture where etat < 2 and facture_id is not null "
        "group by cle_source"
    ):
        if cle in documents:
            ids[cle] = facture
            if etat:
                connues.add(cle)
    for paquet in _par_paquets(ids):
        factures = Facture.objects.in_bulk([ids[cle] for cle in paquet])
        changees, traces = [], []
        for cle in paquet:
            f = factures[ids[cle]]
            avant = {nom: getattr(f, nom) for nom in CHAMPS}
            _poser(f, documents[cle])
            apres = {nom: getattr(f, nom) for nom in CHAMPS}
            ecarts = [nom for nom in CHAMPS if avant[nom] != apres[nom]]
            if ecarts:
                changees.append(f)
                if cle in connues:
                    traces.append((f.pk, _en_json(avant, ecarts), _en_json(apres, ecarts)))
        Facture.objects.bulk_update(changees, CHAMPS, batch_size=100)
        tracer_modifies(contexte.lot_id, Facture, traces)
    types = [
        (documents[cle].type_document, avoir)
        for cle, avoir in lire("select cle_source, avoir_id from imp_avoir where etat < 2 and avoir_id is not null")
        if cle in documents
    ]
    with connection.cursor() as curseur:
        curseur.executemany("update factures_avoir set type_document = %s where id = %s and type_document = ''", types)
    if contexte.lot_id is not None:
        _garder_les_pdf(contexte, documents, ids, ecrits)


def _poser(f: Facture, d: Electronique) -> None:
    """Le premier document dit tout ; les suivants complètent, et une mention vue une fois est présente."""
    premier = not f.type_document
    f.affacturee |= d.affacturee
    f.tva_encaissements |= d.tva_encaissements
    if premier:
        f.type_document = d.type_document
        f.montant_ttc, f.acompte, f.arrondi = d.ttc, d.acompte, d.arrondi
        f.montant_ht, f.montant_tva = (d.ht, d.tva) if d.ht is not None and d.tva is not None else (None, None)
    elif f.montant_ht is None and d.ht is not None and d.tva is not None and d.ht + d.tva == f.montant_ttc:
        f.montant_ht, f.montant_tva = d.ht, d.tva
    if d.mentions_absentes is not None:
        if f.mentions_absentes is None:
            f.mentions_absentes = list(d.mentions_absentes)
        else:
            f.mentions_absentes = [m for m in f.mentions_absentes if m in d.mentions_absentes]


def _en_json(valeurs: dict, noms: list[str]) -> dict:
    return {nom: en_trace(Facture._meta.get_field(nom), valeurs[nom]) for nom in noms}


def _garder_les_pdf(contexte: Contexte, documents, ids: dict[str, int], ecrits: Ecrits) -> None:
    a_garder = [cle for cle in ids if documents[cle].pdf]
    for paquet in _par_paquets(a_garder):
        tenues: dict[int, set[str]] = {}
        for facture, empreinte in CopieFacture.objects.filter(facture__in=[ids[cle] for cle in paquet]).values_list(
            "facture", "empreinte"
        ):
            tenues.setdefault(facture, set()).add(empreinte)
        copies = []
        for cle in paquet:
            pdf, facture = documents[cle].pdf, ids[cle]
            octets = pdf.lire()
            chemin, empreinte = depot.ranger(octets, ".pdf")
            siennes = tenues.setdefault(facture, set())
            if empreinte in siennes:
                continue
            if len(siennes) >= COPIES_MAX:
                ecrits.avertissements.append(f"{pdf.nom} : cette facture a déjà {COPIES_MAX} copies.")
                continue
            siennes.add(empreinte)
            copies.append(
                CopieFacture(
                    facture_id=facture, nom=nom_sur(pdf.nom, longueur=150) or "facture.pdf", chemin=chemin,
                    empreinte=empreinte, taille=len(octets), pages=pdf.pages, ajoutee_par=ecrits.acteur,
                )
            )  # fmt: skip
        tracer_crees(contexte.lot_id, CopieFacture, [c.pk for c in CopieFacture.objects.bulk_create(copies)])
