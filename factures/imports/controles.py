"""Ce qui oppose les lignes d'un fichier entre elles, ou à la base : chaque opposition est un rejet nommé.

Les contrôles marquent les tables d'attente : `etat` dit ce que l'écriture fera de la ligne.
"""

from collections.abc import Iterator
from datetime import date

from django.db import connection

from .controles_reglements import controler_reglements
from .echeancier import controler_echeanciers
from .lot import Rejet
from .photographie import controler_hausses
from .requetes import en_clair, executer, jour_lisible, lire, rejeter


def controler_pieces(
    societe_id: int, cles_rejetees: set[str], au: date, *, partiel: bool = False, photo: bool = False
) -> Iterator[Rejet]:
    """Rejets des pièces, après `rattacher` ; les lignes rejetées sont marquées. au : jour de l'import.

    photo : le fichier dit des restes dus (`photographie`) ; un reste plus petit qu'en base n'oppose rien.

    cles_rejetees : règlements et factures dont une ligne n'a déjà pas pu se lire.
    """
    yield from _pieces_sans_client()
    yield from _factures(societe_id, cles_rejetees)
    if photo:
        yield from controler_hausses()
    yield from _avoirs(photo)
    yield from controler_reglements(cles_rejetees, au, partiel=partiel)


# --- Clients ---------------------------------------------------------------------------------


def controler_clients() -> Iterator[Rejet]:
    """Un code deux fois dans le fichier : à l'identique, c'est un double ; sinon un rejet."""
    lues = lire(
        """
        select c.n, c.ligne, c.code, p.ligne, p.valeurs = c.valeurs
        from imp_client c
        join (select code, min(n) as n from imp_client group by code having count(*) > 1) d on d.code = c.code
        join imp_client p on p.n = d.n
        where c.n > d.n order by c.n
        """
    )
    doubles = []
    for n, ligne, code, premiere, identique in lues:
        if identique:
            doubles.append(n)
        else:
            rejeter("imp_client", [n])
            yield Rejet(
                ligne,
                "code_client",
                f"{code} est déjà à la ligne {premiere}, avec d'autres valeurs.",
                "Gardez une ligne.",
            )
    with connection.cursor() as curseur:
        curseur.executemany("update imp_client set etat = 2 where n = %s", [(n,) for n in doubles])


# --- Communs ---------------------------------------------------------------------------------

# Une seule réécriture par table d'attente : chacune coûte autant que sa lecture.
RATTACHER = (
    """
    update imp_facture set client_id = x.client_id, facture_id = x.facture_id, echeance_id = x.echeance_id from (
      select i.n, c.id as client_id, f.id as facture_id, e.id as echeance_id from imp_facture i
      left join clients_client c on c.societe_id = %s and c.code = i.code_client
      left join factures_facture f on f.societe_id = %s and f.cle_source = i.cle_source
      left join factures_echeance e on e.societe_id = %s and e.cle_source = i.cle_echeance) x
    where x.n = imp_facture.n
    """,
    """
    update imp_avoir set client_id = x.client_id, avoir_id = x.avoir_id from (
      select i.n, c.id as client_id, a.id as avoir_id from imp_avoir i
      left join clients_client c on c.societe_id = %s and c.code = i.code_client
      left join factures_avoir a on a.societe_id = %s and a.cle_source = i.cle_source) x
    where x.n = imp_avoir.n
    """,
    """
    update imp_encaissement set client_id = x.client_id, encaissement_id = x.encaissement_id, facture_id = x.facture_id
    from (
      select i.n, c.id as client_id, e.id as encaissement_id, f.id as facture_id from imp_encaissement i
      left join clients_client c on c.societe_id = %s and c.code = i.code_client
      left join factures_encaissement e on e.societe_id = %s and e.cle_source = i.cle_source
      left join factures_facture f on f.societe_id = %s and f.numero_reel and f.numero = i.numero_facture) x
    where x.n = imp_encaissement.n
    """,
)


def rattacher(societe_id: int) -> None:
    """Retrouve en base client, facture, échéance, avoir et encaissement de chaque ligne."""
    for requete in RATTACHER:
        executer(requete, [societe_id] * requete.count("%s"))


SANS_CLIENT = {
    "imp_facture": "select n, ligne, code_client from imp_facture where client_id is null and etat = 0 order by n",
    "imp_avoir": "select n, ligne, code_client from imp_avoir where client_id is null and etat = 0 order by n",
    "imp_encaissement": (
        "select n, ligne, code_client from imp_encaissement where client_id is null and etat = 0 order by n"
    ),
}


def _pieces_sans_client() -> Iterator[Rejet]:
    for table, requete in SANS_CLIENT.items():
        lues = lire(requete)
        rejeter(table, [n for n, _, _ in lues])
        for _, ligne, code in lues:
            yield Rejet(ligne, "code_client", f"client {code} inconnu.", "Importez d'abord les clients.")


# --- Factures --------------------------------------------------------------------------------


def _factures(societe_id: int, cles_rejetees: set[str]) -> Iterator[Rejet]:
    yield from _memes_echeances()
    yield from _entetes_contraires_dans_le_fichier()
    yield from _echeances_connues()
    yield from _entetes_contraires_en_base()
    yield from _numeros_pris(societe_id)
    yield from controler_echeanciers(cles_rejetees)


def _memes_echeances() -> Iterator[Rejet]:
    """Même numéro, même échéance, deux fois : à l'identique, c'est un double ; sinon une contradiction."""
    lues = lire(
        """
        select f.n, f.ligne, f.numero, f.ttc, p.ligne, p.ttc,
          f.ttc = p.ttc and f.client_id = p.client_id and f.date_emission = p.date_emission and f.devise = p.devise
        from imp_facture f
        join (select cle_echeance, min(n) as n from imp_facture group by cle_echeance having count(*) > 1) d
          on d.cle_echeance = f.cle_echeance
        join imp_facture p on p.n = d.n
        where f.n > d.n and f.etat = 0 and p.etat = 0 order by f.n
        """
    )
    with connection.cursor() as curseur:
        curseur.executemany("update imp_facture set etat = 2 where n = %s", [(x[0],) for x in lues if x[6]])
    contraires = [x for x in lues if not x[6]]
    rejeter("imp_facture", [x[0] for x in contraires])
    for _, ligne, numero, ttc, premiere, autre, _ in contraires:
        montants = (
            f" pour {en_clair(autre)} et non {en_clair(ttc)}" if ttc != autre else ", client, date ou devise autres"
        )
        yield Rejet(
            ligne, "numero", f"{numero} est déjà à la ligne {premiere}, même échéance{montants}.", "Gardez une ligne."
        )


def _entetes_contraires_dans_le_fichier() -> Iterator[Rejet]:
    lues = lire(
        """
        select f.n, f.ligne, f.numero, p.ligne
        from imp_facture f
        join (select cle_source, min(n) as n from imp_facture where etat = 0 group by cle_source having count(*) > 1) d
          on d.cle_source = f.cle_source
        join imp_facture p on p.n = d.n
        where f.n > d.n and f.etat = 0
          and (f.client_id <> p.client_id or f.date_emission <> p.date_emission or f.devise <> p.devise)
        order by f.n
        """
    )
    rejeter("imp_facture", [x[0] for x in lues])
    for _, ligne, numero, premiere in lues:
        yield Rejet(
            ligne, "numero", f"{numero} a un autre client, une autre date ou une autre devise à la ligne {premiere}.",
            "Une facture n'a qu'un client et qu'une date : corrigez le numéro.",
        )  # fmt: skip


def _echeances_connues() -> Iterator[Rejet]:
    lues = lire(
        """
        select i.n, i.ligne, i.numero, i.ttc, e.montant, e.date_facture, i.date_emission,
          e.client_id = i.client_id, e.devise = i.devise
        from imp_facture i join factures_echeance e on e.id = i.echeance_id
        where i.etat = 0 and (e.montant <> i.ttc or e.client_id <> i.client_id or e.date_facture <> i.date_emission
          or e.devise <> i.devise)
        order by i.n
        """
    )
    rejeter("imp_facture", [x[0] for x in lues])
    for _, ligne, numero, ttc, montant, en_base, lue, meme_client, meme_devise in lues:
        if ttc != montant:
            champ, quoi = "montant_ttc", f"un autre montant ({en_clair(montant)})"
        elif not meme_client:
            champ, quoi = "code_client", "un autre client"
        elif not meme_devise:
            champ, quoi = "devise", "une autre devise"
        else:
            champ, quoi = "date_facture", f"une autre date ({jour_lisible(en_base)} et non {jour_lisible(lue)})"
        yield Rejet(ligne, champ, f"{numero} existe déjà avec {quoi}.", "Importez un avoir, ou corrigez le numéro.")
    executer("update imp_facture set etat = 1 where etat = 0 and echeance_id is not null")


def _entetes_contraires_en_base() -> Iterator[Rejet]:
    lues = lire(
        """
        select i.n, i.ligne, i.numero from imp_facture i join factures_facture f on f.id = i.facture_id
        where i.etat = 0 and (f.client_id <> i.client_id or f.date_emission <> i.date_emission or f.devise <> i.devise)
        order by i.n
        """
    )
    rejeter("imp_facture", [x[0] for x in lues])
    for _, ligne, numero in lues:
        yield Rejet(
            ligne, "numero", f"{numero} existe déjà pour un autre client, une autre date ou une autre devise.",
            "Corrigez le numéro.",
        )  # fmt: skip


def _numeros_pris(societe_id: int) -> Iterator[Rejet]:
    """Un vrai numéro n'a qu'une facture, quel que soit le format qui l'a apportée."""
    # Un à-nouveau qui cite une pièce soldée à l'exercice précédent garde sa somme, pas le numéro.
    executer(
        """
        update imp_facture set numero_reel = false, numero = 'à-nouveau ' || substr(imp_facture.numero, 1, 50)
        from factures_facture f
        where f.societe_id = %s and f.numero_reel and f.numero = imp_facture.numero and imp_facture.numero_reel
          and imp_facture.etat = 0 and imp_facture.facture_id is null
          and f.cle_source like 'FEC:%%' and imp_facture.cle_source like 'FEC:%%'
        """,
        [societe_id],
    )
    lues = lire(
        """
        select i.n, i.ligne, i.numero from imp_facture i
        join factures_facture f on f.societe_id = %s and f.numero = i.numero and f.numero_reel
        where i.etat = 0 and i.numero_reel and i.facture_id is null order by i.n
        """,
        [societe_id],
    )
    rejeter("imp_facture", [x[0] for x in lues])
    for _, ligne, numero in lues:
        yield Rejet(
            ligne, "numero", f"{numero} est déjà en base, venue d'un autre format d'import.",
            "N'importez chaque facture que par un seul format.",
        )  # fmt: skip


# --- Avoirs ----------------------------------------------------------------------------------


def _avoirs(photo: bool = False) -> Iterator[Rejet]:
    lues = lire(
        """
        select a.n, a.ligne, a.numero, p.ligne,
          a.montant = p.montant and a.client_id = p.client_id and a.date_emission = p.date_emission
        from imp_avoir a
        join (select cle_source, min(n) as n from imp_avoir group by cle_source having count(*) > 1) d
          on d.cle_source = a.cle_source
        join imp_avoir p on p.n = d.n
        where a.n > d.n and a.etat = 0 order by a.n
        """
    )
    with connection.cursor() as curseur:
        curseur.executemany("update imp_avoir set etat = 2 where n = %s", [(x[0],) for x in lues if x[4]])
    contraires = [x for x in lues if not x[4]]
    rejeter("imp_avoir", [x[0] for x in contraires])
    for _, ligne, numero, premiere, _ in contraires:
        yield Rejet(ligne, "numero", f"l'avoir {numero} est déjà à la ligne {premiere}.", "Gardez une ligne.")
    autre = "i.montant > a.montant - a.impute" if photo else "a.montant <> i.montant"
    lues = lire(
        f"""
        select i.n, i.ligne, i.numero, {"a.montant - a.impute" if photo else "a.montant"}
        from imp_avoir i join factures_avoir a on a.id = i.avoir_id
        where i.etat = 0 and ({autre} or a.client_id <> i.client_id or a.devise <> i.devise) order by i.n
        """  # noqa: S608 (textes fermés)
    )
    rejeter("imp_avoir", [x[0] for x in lues])
    for _, ligne, numero, montant in lues:
        yield Rejet(
            ligne, "montant_ttc", f"l'avoir {numero} existe déjà, pour {en_clair(montant)} ou pour un autre client.",
            "Corrigez le numéro.",
        )  # fmt: skip
    executer("update imp_avoir set etat = 1 where etat = 0 and avoir_id is not null")
