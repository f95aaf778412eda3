"""Ce que les collègues demandent : une mention à lire ; ce qu'on leur a confié, dit sans charger la journée."""

from collections.abc import Iterable

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from clients.models import Partage
from relances.models import Tache

from ..domaine.priorite import Genre
from . import base
from .recus import _debut


def _mentions_ouvertes(p: base.Portee) -> QuerySet:
    """Adressées à la personne même : un remplaçant ne lit pas les mots adressés à l'absent."""
    return Partage.objects.en_cours(p.au).filter(
        client__in=p.visibles, utilisateur=p.user, genre=Partage.Genre.MENTION, lu_le=None
    )


def _mentions(mentions: QuerySet, p: base.Portee) -> Iterable[base.Action]:
    for x in mentions.select_related("note", "ouvert_par").order_by("pk")[: base.PLAFOND]:
        dit = x.note.texte if x.note else x.motif
        yield base.Action(
            Genre.MENTION, x.client_id, _("Lire la note de %(nom)s") % {"nom": x.ouvert_par},
            timezone.localtime(x.created_at).date(), _("« %(debut)s »") % {"debut": _debut(dit)},
            url=base.fiche(x.client_id, o="chronologie", genre="notes"), mention_id=x.pk, tient=True,
        )  # fmt: skip


MENTIONS = base.Source(_mentions_ouvertes, _mentions, tenaces=lambda mentions, _p: mentions)
CONFIEES_MONTREES = 20


def confiees_ailleurs(p: base.Portee) -> list[Tache]:
    """Tâches de mes clients qu'un collègue tient : elles quittent la journée, elles ne se perdent pas.

    Une requête par portée : la liste et la page les demandent toutes deux.
    """
    if "confiees" in vars(p):
        return vars(p)["confiees"]
    tenues = Tache.objects.filter(client__in=p.ids, faite_le=None, confiee_a__isnull=False).exclude(confiee_a__in=p.moi)
    lues = tenues.select_related("client", "confiee_a").order_by("due_le", "pk")[:CONFIEES_MONTREES]
    return vars(p).setdefault("confiees", list(lues))
