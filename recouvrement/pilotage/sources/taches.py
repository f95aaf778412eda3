"""Les tâches : celles du portefeuille, moins celles confiées à un collègue, plus celles qu'on m'a confiées."""

from collections.abc import Iterable
from datetime import timedelta

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from recouvrement.commun import formats
from recouvrement.commun.vues import adresse
from relances.models import Tache

from ..domaine.priorite import Genre
from ..presentation import GENRE_DE_TACHE
from . import base

G = Tache.Genre
HORIZON_BUTOIR = timedelta(days=62)  # deux mois : toute la durée d'une déclaration de créance
MENSUALITE, DELAIS = "echeancier:", ("contentieux:", "prescription-")


def _ouverts(p: base.Portee) -> QuerySet:
    proches = Q(due_le__lte=p.au + base.HORIZON) | Q(genre=G.DECLARER, due_le__lte=p.au + HORIZON_BUTOIR)
    a_moi = Q(client__in=p.visibles, confiee_a__in=p.moi)
    du_portefeuille = Q(client__in=p.ids) if p.equipe else Q(client__in=p.ids, confiee_a=None)
    return Tache.objects.filter(proches, a_moi | du_portefeuille, faite_le=None)


def _tenaces(taches: QuerySet, p: base.Portee) -> QuerySet:
    return taches.filter(Q(genre=G.DECLARER) | Q(butoir__isnull=False) | Q(confiee_a__in=p.moi))


def genre_de(t: Tache) -> Genre:
    """Une mensualité manquée et un délai de procédure se reconnaissent à la clé de leur tâche."""
    if t.cle.startswith(MENSUALITE):
        return Genre.MENSUALITE
    return Genre.PROCEDURE if t.cle.startswith(DELAIS) else GENRE_DE_TACHE[t.genre]


def _actions(taches: QuerySet, p: base.Portee) -> Iterable[base.Action]:
    lues = taches.select_related("courrier", "confiee_a", "confiee_par").order_by("due_le", "pk")
    for t in lues[: base.PLAFOND]:
        consigne, raisons = t.titre, [t.raison]
        if t.genre == G.APPEL and t.courrier and t.raison:  # née de l'échelle : ce qu'on appelle se lit avec le verbe
            consigne, raisons = f"{t.titre} : {t.raison}", []
        if t.due_le < p.au:
            raisons.append(_("prévu le %(jour)s") % {"jour": formats.jour_court(t.due_le)})
        a_moi = t.confiee_a_id in p.moi
        if t.confiee_a and a_moi:
            de = _("confiée par %(nom)s : %(motif)s") if t.confiee_motif else _("confiée par %(nom)s")
            raisons.append(de % {"nom": t.confiee_par or "?", "motif": t.confiee_motif})
        elif t.confiee_a:
            raisons.append(_("confiée à %(nom)s") % {"nom": t.confiee_a})
        butoir = t.genre == G.DECLARER
        yield base.Action(
            genre_de(t), t.client_id, consigne, t.due_le, " · ".join(filter(None, raisons)),
            t.courrier.nature if t.courrier else 0,
            adresse("clients:decision", t.client_id, t.pk) if t.genre == G.DECISION else "",
            tache_id=t.pk, butoir=butoir, tient=butoir or bool(t.butoir) or a_moi,
        )  # fmt: skip


TACHES = base.Source(_ouverts, _actions, tenaces=_tenaces)
