"""Ce qui part : courriers à valider, à poster, en erreur, au sort inconnu, avis attendus ; messages de même."""

from collections.abc import Iterable
from datetime import timedelta

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from recouvrement.commun import formats
from recouvrement.commun.vues import adresse
from relances import motifs
from relances.domaine.natures import Canal
from relances.models import Courrier, Message

from ..domaine.priorite import Genre
from . import base

DELAI_AR = timedelta(days=7)  # un avis distribué revient d'ordinaire dans la semaine
VALIDATION_ORDINAIRE = "ce palier se valide"  # relances.domaine.echelle
S, M = Courrier.Statut, Message.Statut


def _courriers_ouverts(p: base.Portee) -> QuerySet:
    a_traiter = Q(statut__in=[S.A_VALIDER, S.A_POSTER, S.EN_ERREUR, S.INCERTAIN])
    attend_ar = Q(statut=S.POSTE, canal=Canal.RECOMMANDE.value, retour="", depose_le__lte=p.au - DELAI_AR)
    return Courrier.objects.filter(a_traiter | attend_ar, client__in=p.ids)


def _courriers(courriers: QuerySet, p: base.Portee) -> Iterable[base.Action]:
    for c in courriers.select_related("client").order_by("-nature", "-total", "pk")[: base.PLAFOND]:
        nom, canal = base.minuscule(c.get_nature_display()), base.minuscule(c.get_canal_display())
        genre, consigne, raison = {
            S.A_VALIDER: (
                Genre.VALIDER,
                _("Valider : %(courrier)s, %(canal)s") % {"courrier": nom, "canal": canal},
                " · ".join([_reclame(c), *_motif(c)]),
            ),
            S.A_POSTER: (
                Genre.POSTER,
                _("Imprimer et poster : %(courrier)s, %(canal)s") % {"courrier": nom, "canal": canal},
                _reclame(c),
            ),
            S.EN_ERREUR: (Genre.ERREUR, _("Reprendre l'envoi : %(courrier)s") % {"courrier": nom}, c.erreur),
            S.INCERTAIN: (
                Genre.INCONNU,
                _("Vérifier si le courriel est parti : %(courrier)s") % {"courrier": nom},
                _("sort inconnu, rien ne sera rejoué seul"),
            ),
            S.POSTE: (
                Genre.AR,
                _("Consigner le retour d'AR : %(courrier)s") % {"courrier": nom},
                _("déposé le %(jour)s") % {"jour": formats.jour_court(c.depose_le)},
            ),
        }[c.statut]
        url = adresse("relances:courrier", c.pk)
        yield base.Action(genre, c.client_id, consigne, p.au, raison, c.nature, url, tient=c.statut == S.INCERTAIN)


def _motif(c: Courrier) -> list[str]:
    """Pourquoi une personne, sauf quand le palier se valide toujours : la consigne le dit déjà."""
    return [] if c.motif in ("", VALIDATION_ORDINAIRE) else [motifs.raison_de_valider(c.motif)]


def _reclame(c: Courrier) -> str:
    """Le principal seul : intérêts et 40 € se calculent au jour de la lettre et s'y ajoutent."""
    montant = formats.somme(c.total, c.devise)
    if c.hors_interets:
        return _("%(montant)s réclamés, hors intérêts et indemnités") % {"montant": montant}
    return _("%(montant)s réclamés") % {"montant": montant}


def _messages_ouverts(p: base.Portee) -> QuerySet:
    return Message.objects.filter(client__in=p.ids, statut__in=[M.EN_ERREUR, M.INCERTAIN])


def _messages(messages: QuerySet, p: base.Portee) -> Iterable[base.Action]:
    """Confirmation, réponse, accord : écrit hors de l'échelle, refusé ou au sort inconnu."""
    for m in messages.order_by("pk")[: base.PLAFOND]:
        nom = base.minuscule(m.get_genre_display())
        incertain = m.statut == M.INCERTAIN
        if incertain:
            consigne = _("Vérifier si le message est parti : %(message)s") % {"message": nom}
            raison = _("sort inconnu, rien ne sera rejoué seul")
        else:
            consigne = _("Reprendre le message : %(message)s") % {"message": nom}
            raison = m.erreur
        yield base.Action(
            Genre.INCONNU if incertain else Genre.ERREUR, m.client_id, consigne, p.au,
            " · ".join(filter(None, [m.destinataire, raison])),
            url=adresse("relances:message", m.pk) or base.fiche(m.client_id, o="chronologie"), tient=incertain,
        )  # fmt: skip


COURRIERS = base.Source(
    _courriers_ouverts, _courriers, tenaces=lambda courriers, _p: courriers.filter(statut=S.INCERTAIN)
)
MESSAGES = base.Source(_messages_ouverts, _messages, tenaces=lambda messages, _p: messages.filter(statut=M.INCERTAIN))
