"""Ce que chaque ligne du fichier est devenue, rangé au dépôt (CSV compressé) tant que les tables d'attente vivent."""

import csv
import gzip
import io
import tempfile
from collections.abc import Iterator

from django.db import connection
from django.utils.translation import gettext as _

from recouvrement.commun import depot

PAQUET = 2_000
# (ligne, objet, désignation, sort) ; un compte se juge à la trace qu'il a laissée.
LIGNES = """
select i.ligne, 'client', i.code, case when i.etat = 9 then 'refusee' when i.etat = 2 then 'double'
    when t.id is null then 'inchangee' when t.cree then 'creee' else 'modifiee' end
from imp_client i left join clients_client c on c.societe_id = %s and c.code = i.code
left join factures_tracedelot t on t.lot_id = %s and t.objet = 'clients.client' and t.objet_id = c.id
union all select ligne, 'facture', numero, {sort} from imp_facture
union all select ligne, 'avoir', numero, {sort} from imp_avoir
union all select ligne, 'encaissement', reference, {sort} from imp_encaissement
order by 1
""".replace("{sort}", "case etat when 0 then 'creee' when 1 then 'inchangee' when 2 then 'double' else 'refusee' end")


def ranger(societe_id: int, lot_id: int) -> dict[str, str]:
    """Écrit le rapport du grand livre et rend {"chemin", "empreinte"}, à garder au compte rendu."""
    with tempfile.TemporaryFile() as brut:
        with gzip.open(brut, "wb", compresslevel=3) as flux:
            texte = io.TextIOWrapper(flux, encoding="utf-8", newline="")
            ecrire = csv.writer(texte).writerow
            with connection.cursor() as curseur:
                curseur.execute(LIGNES, [societe_id, lot_id])
                while paquet := curseur.fetchmany(PAQUET):
                    for ligne in paquet:
                        ecrire(ligne)
            texte.flush()
            texte.detach()
        brut.seek(0)
        chemin, empreinte, _taille = depot.ranger_flux(brut, ".gz")
    return {"chemin": chemin, "empreinte": empreinte}


def lire(fichier) -> Iterator[list[str]]:
    """[ligne, objet, désignation, sort] depuis le fichier du dépôt, en flux."""
    with gzip.open(fichier, "rt", encoding="utf-8", newline="") as flux:
        yield from csv.reader(flux)


def sorts() -> dict[str, tuple[str, str]]:
    """{code: (mot, motif)} dans la langue de la personne."""
    return {
        "creee": (_("créée"), ""),
        "modifiee": (_("mise à jour"), ""),
        "inchangee": (_("inchangée"), _("déjà connue")),
        "double": (_("ignorée"), _("déjà dans ce fichier, à l’identique")),
        "refusee": (_("refusée"), ""),
        "ignoree": (_("ignorée"), _("ni compte client, ni pièce : rien à en reprendre")),
    }
