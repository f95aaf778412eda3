"""La déclaration d'une créance quand un jugement d'ouverture paraît au BODACC (C. com., art. L622-24, R622-24)."""

from collections.abc import Iterable
from datetime import date

from django.utils.translation import gettext as _

from clients.models import Client
from factures.domaine.mensualites import mois_apres
from recouvrement.commun import formats
from relances.models import Tache

from .taches import clore_pour_jugement, creer_tache

DECLARATION_MOIS = 2  # de la publication ; sans elle, prudence : du jugement
RELEVE_MOIS = 6  # requête en relevé de forclusion, de la publication (L622-26)


def ouvrir_declarations(
    comptes: Iterable[tuple[Client, date, date | None]], *, nouveaux: set[int], au: date, acteur
) -> list[Tache]:
    """Clôt les appels et décisions des comptes arrêtés ; une tâche « Déclarer » par débiteur, au butoir légal.

    comptes : (client, jugement, parution) ; ceux d'un même SIREN n'ont qu'une tâche, sur le premier. Un jugement déjà
    noté voit son butoir corrigé par la parution, tant que la tâche est ouverte. Rien n'est rédigé ni déclaré ici.
    """
    par_debiteur: dict[str, list[tuple[Client, date, date | None]]] = {}
    for client, jugement, parution in comptes:
        par_debiteur.setdefault(client.siren or str(client.pk), []).append((client, jugement, parution))
        if client.pk in nouveaux:
            clore_pour_jugement(client, acteur=acteur)
    ouvertes = set(
        Tache.objects.filter(
            client__in=[c.pk for lot in par_debiteur.values() for c, _j, _p in lot], cle="declarer", faite_le=None
        ).values_list("client", flat=True)
    )
    return [
        creer_tache(client, **tache)
        for lot in par_debiteur.values()
        if (choisi := _choisir(lot, nouveaux, ouvertes))
        for client, tache in [_tache(choisi, lot, au)]
    ]


def _choisir(lot, nouveaux: set[int], ouvertes: set[int]):
    """Le compte qui porte la tâche : celui qui l'a déjà, sinon le premier arrêté ; None : tout est dit et fait."""
    for compte in lot:
        if compte[0].pk in ouvertes:
            return compte if compte[2] or compte[0].pk in nouveaux else None
    return next((compte for compte in lot if compte[0].pk in nouveaux), None)


def _tache(choisi, lot, au: date) -> tuple[Client, dict]:
    client, jugement, parution = choisi
    butoir = mois_apres(parution or jugement, DECLARATION_MOIS)
    if parution:
        raison = _("publication au BODACC du %(jour)s") % {"jour": formats.jour(parution)}
    else:
        raison = _("jugement du %(jour)s ; date de publication à confirmer") % {"jour": formats.jour(jugement)}
    if butoir < au:
        releve = mois_apres(parution or jugement, RELEVE_MOIS)
        raison += _(" ; délai passé, relevé de forclusion à demander avant le %(jour)s") % {
            "jour": formats.jour(releve)
        }
    if autres := [c.code for c, _j, _p in lot if c.pk != client.pk]:
        raison += _(" ; même SIREN : %(codes)s") % {"codes": ", ".join(autres)}
    return client, {
        "genre": Tache.Genre.DECLARER,
        "titre": _("Déclarer la créance avant le %(jour)s") % {"jour": formats.jour(butoir)},
        "due_le": butoir,
        "cle": "declarer",
        "raison": raison,
    }
