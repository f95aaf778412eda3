"""Ce qui est arrivé : réponses et rejets de courriels, déclarations du client, annonces qui le concernent."""

from collections.abc import Iterable
from datetime import timedelta

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from clients.domaine.registres import Portee as PorteeAnnonce
from clients.models import AnnonceBodacc, Client
from recouvrement.commun import formats
from recouvrement.commun.vues import adresse
from relances.models import Declaration, MessageRecu

from ..domaine.priorite import Genre
from . import base

C = MessageRecu.Categorie
FRAICHEUR = timedelta(days=60)  # une annonce plus vieille se lit dans la liste des annonces
LONGUEUR = 90


def _debut(texte: str) -> str:
    """Les premiers mots, sur une ligne."""
    lu = " ".join(texte.split())
    return lu if len(lu) <= LONGUEUR else f"{lu[:LONGUEUR].rsplit(' ', 1)[0]}…"


def _recus_ouverts(p: base.Portee) -> QuerySet:
    return MessageRecu.objects.a_lire().filter(client__in=p.ids)


def _recus(recus: QuerySet, p: base.Portee) -> Iterable[base.Action]:
    for m in recus.order_by("recu_le", "pk")[: base.PLAFOND]:
        qui = m.de_nom or m.de or "?"
        rejet = m.categorie in (C.REJET, C.REJET_PASSAGER, C.PLAINTE, C.OPPOSITION)
        if m.categorie == C.REPONSE:
            consigne = _("Lire la réponse de %(qui)s") % {"qui": qui}
            raison = _("« %(debut)s »") % {"debut": _debut(m.texte or m.objet)}
        elif rejet:
            consigne = _("Corriger l'adresse : %(adresse)s") % {"adresse": m.adresse_fautive or m.de}
            raison = " · ".join(filter(None, [m.get_categorie_display(), m.code, _debut(m.diagnostic)]))
        else:
            consigne = _("Lire le message de %(qui)s") % {"qui": qui}
            raison = m.get_categorie_display()
        if m.retient_jusqu_au:
            retenue = _("retient les relances jusqu'au %(jour)s") % {"jour": formats.jour_court(m.retient_jusqu_au)}
            raison = f"{raison} · {retenue}"
        yield base.Action(
            Genre.ADRESSE if rejet else Genre.REPONSE, m.client_id, consigne, timezone.localtime(m.recu_le).date(),
            raison, url=adresse("relances:message_recu", m.pk) or base.fiche(m.client_id, o="chronologie"),
        )  # fmt: skip


def _declarations_ouvertes(p: base.Portee) -> QuerySet:
    return Declaration.objects.a_traiter().filter(client__in=p.ids)


def _declarations(declarations: QuerySet, p: base.Portee) -> Iterable[base.Action]:
    for d in declarations.order_by("faite_le", "pk")[: base.PLAFOND]:
        dit = d.get_genre_display()
        raisons = [
            formats.somme(d.montant, d.devise) if d.montant else "",
            _("pour le %(jour)s") % {"jour": formats.jour_court(d.jour)} if d.jour else "",
            _("« %(debut)s »") % {"debut": _debut(d.texte)} if d.texte else "",
            _("retient les relances jusqu'au %(jour)s") % {"jour": formats.jour_court(d.retient_jusqu_au)}
            if d.retient_jusqu_au
            else "",
        ]
        yield base.Action(
            Genre.DECLARATION, d.client_id, _("Répondre à la déclaration : « %(dit)s »") % {"dit": dit},
            timezone.localtime(d.faite_le).date(), " · ".join(filter(None, raisons)),
            url=adresse("relances:declaration", d.pk) or base.fiche(d.client_id, o="chronologie"),
        )  # fmt: skip


# Portée d'une annonce → ce que la fiche devrait dire et ne dit pas : la même règle que l'écran des annonces.
A_NOTER = (
    (
        (PorteeAnnonce.CLOTURE, PorteeAnnonce.PLAN),
        Q(jugement_ouverture_le__isnull=False, procedure_cloturee_le__isnull=True),
    ),
    (
        (PorteeAnnonce.OUVERTURE, PorteeAnnonce.CONVERSION, PorteeAnnonce.EXTENSION),
        Q(jugement_ouverture_le__isnull=True),
    ),
    ((PorteeAnnonce.ANNULATION,), Q(jugement_ouverture_le__isnull=False)),
)


def _annonces_de(p: base.Portee, portees) -> QuerySet:
    return AnnonceBodacc.objects.filter(
        societe=OuterRef("societe"), siren=OuterRef("siren"), parution_le__gte=p.au - FRAICHEUR,
        texte__portee__in=[str(x) for x in portees],
    )  # fmt: skip


def _annonces_ouvertes(p: base.Portee) -> QuerySet:
    """Clients qu'une annonce récente concerne, et dont la fiche ne dit pas encore ce qu'elle annonce."""
    concernes = Q()
    for portees, fiche in A_NOTER:
        concernes |= fiche & Q(Exists(_annonces_de(p, portees)))
    return Client.objects.filter(concernes, pk__in=p.ids).exclude(siren="")


def _annonces(clients: QuerySet, p: base.Portee) -> Iterable[base.Action]:
    trouves = list(clients.order_by("pk")[: base.PLAFOND])
    parues: dict[tuple[int, str], list[AnnonceBodacc]] = {}
    recentes = AnnonceBodacc.objects.filter(
        siren__in={c.siren for c in trouves}, societe__in={c.societe_id for c in trouves},
        parution_le__gte=p.au - FRAICHEUR,
    )  # fmt: skip
    for a in recentes.order_by("-parution_le", "-pk"):
        parues.setdefault((a.societe_id, a.siren), []).append(a)
    for c in trouves:
        dites = [a for a in parues.get((c.societe_id, c.siren), []) if _reste_a_noter(a, c)]
        if not dites:
            continue
        a = dites[0]
        yield base.Action(
            Genre.ANNONCE, c.pk, _("Noter ce qu'annonce le BODACC : %(nature)s") % {"nature": a.nature or "?"},
            a.parution_le,
            _("parue le %(jour)s · %(tribunal)s")
            % {"jour": formats.jour_court(a.parution_le), "tribunal": a.tribunal or "?"},
            url=base.fiche(c.pk, volet="jugement"), tient=True,
        )  # fmt: skip


def _reste_a_noter(a: AnnonceBodacc, c: Client) -> bool:
    portee = a.texte.get("portee", "")
    if portee in (PorteeAnnonce.CLOTURE, PorteeAnnonce.PLAN):
        return c.procedure_ouverte
    if portee == PorteeAnnonce.ANNULATION:
        return c.jugement_ouverture_le is not None
    ouvre = (PorteeAnnonce.OUVERTURE, PorteeAnnonce.CONVERSION, PorteeAnnonce.EXTENSION)
    return portee in ouvre and c.jugement_ouverture_le is None


MESSAGES_RECUS = base.Source(_recus_ouverts, _recus)
DECLARATIONS = base.Source(_declarations_ouvertes, _declarations)
ANNONCES = base.Source(_annonces_ouvertes, _annonces, chemin="pk", tenaces=lambda clients, _p: clients)
