"""Ce qui s'est dit avec un client, à relire avant de l'appeler : appels, notes, réponses. Quatre requêtes."""

from dataclasses import dataclass
from datetime import datetime

from django.utils.text import Truncator
from django.utils.translation import gettext as _

from clients.models import Client
from recouvrement.commun import formats
from recouvrement.journal.models import Maillon
from relances.models import MessageRecu
from relances.services.taches import ISSUES

DERNIERES = 4  # paroles montrées
LONGUEUR = 160  # signes de chacune
APPELS = 12  # pastilles de l'histoire des appels


@dataclass
class Parole:
    quand: datetime
    qui: str
    texte: str
    signe: str


def dernieres(client: Client) -> list[Parole]:
    """Les dernières paroles, la plus récente d'abord."""
    paroles = []
    for m in _appels(client)[:DERNIERES]:
        issue = _(ISSUES.get(m.detail.donnees.get("issue"), ""))
        contact = m.detail.donnees.get("contact")
        qui = _("Appel, %(contact)s") % {"contact": contact} if contact else _("Appel")
        paroles.append(Parole(m.quand, qui, " : ".join(filter(None, [issue, m.detail.texte])), "phone"))
    for note in client.notes.select_related("auteur").order_by("-pk")[:DERNIERES]:
        paroles.append(Parole(note.created_at, str(note.auteur), note.texte, "note"))
    recus = client.messages_recus.filter(categorie=MessageRecu.Categorie.REPONSE).order_by("-recu_le")
    for recu in recus.only("recu_le", "de_nom", "de", "texte", "objet")[:DERNIERES]:
        paroles.append(Parole(recu.recu_le, recu.de_nom or recu.de, recu.texte or recu.objet, "mail"))
    paroles.sort(key=lambda p: p.quand, reverse=True)
    for p in paroles:
        p.texte = Truncator(" ".join(p.texte.split())).chars(LONGUEUR)
    return paroles[:DERNIERES]


def histoire_des_appels(client: Client) -> list[tuple[str, str]]:
    """(jour, issue) des derniers appels, du plus récent au plus ancien."""
    return [
        (formats.jour_court(m.quand), _(ISSUES.get(m.detail.donnees.get("issue"), "")).lower())
        for m in _appels(client)[:APPELS]
    ]


def _appels(client: Client):
    maillons = Maillon.objects.filter(client_id=client.pk, action="appel.consigne")
    return maillons.select_related("detail").order_by("-rang")
