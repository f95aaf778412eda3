"""Ce qui court pour ce client et que la prochaine étape attend : réponses à lire, déclarations, accords."""

from typing import NamedTuple

from django.utils.timezone import localdate
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _l

from factures.models import Accord
from recouvrement.commun import formats
from recouvrement.commun.vues import adresse, parametres
from relances.models import Declaration, MessageRecu

from .volets import Fiche

MONTRES = 3
A = Accord.Statut
MOTS = {
    A.A_APPROUVER: (_l("attend l'accord d'un responsable"), "att"),
    A.PROPOSE: (_l("attend la signature du client jusqu'au %(jour)s"), "info"),
    A.SIGNE: (_l("signé, en cours"), "info"),
}


class Cours(NamedTuple):
    signe: str
    ton: str
    phrase: str
    url: str
    geste: str


def ce_qui_court(request, f: Fiche) -> list[Cours]:
    """Les plus anciens d'abord, trois de chaque au plus. Trois requêtes."""
    chronologie = parametres(request, o="chronologie", genre="recus", volet=None)
    return [*_reponses(f, chronologie), *_declarations(f, chronologie), *_accords(f)]


def _jusqu_au(jour, au) -> str:
    if jour is None or jour < au:
        return _("elle ne retient plus les relances")
    return _("elle retient les relances jusqu'au %(jour)s au plus") % {"jour": formats.jour(jour)}


def _reponses(f: Fiche, chronologie: str):
    a_lire = MessageRecu.objects.a_lire().filter(client=f.client, categorie=MessageRecu.Categorie.REPONSE)
    for m in a_lire.order_by("recu_le")[:MONTRES]:
        noms = {
            "qui": m.de_nom or m.de, "jour": formats.jour(localdate(m.recu_le)),
            "effet": _jusqu_au(m.retient_jusqu_au, f.au),
        }  # fmt: skip
        phrase = _("Réponse de %(qui)s, reçue le %(jour)s et pas encore lue : %(effet)s.") % noms
        yield Cours("message", "att", phrase, adresse("relances:message_recu", m.pk) or chronologie, _("Lire"))


def _declarations(f: Fiche, chronologie: str):
    for d in Declaration.objects.a_traiter().filter(client=f.client).order_by("faite_le")[:MONTRES]:
        noms = {
            "quoi": d.get_genre_display(), "jour": formats.jour(localdate(d.faite_le)),
            "effet": _jusqu_au(d.retient_jusqu_au, f.au),
        }  # fmt: skip
        phrase = _("« %(quoi)s », écrit sur sa page le %(jour)s et pas encore traité : %(effet)s.") % noms
        yield Cours("world", "att", phrase, adresse("relances:declaration", d.pk) or chronologie, _("Traiter"))


def _accords(f: Fiche):
    for a in f.client.accords.en_cours().order_by("pk")[:MONTRES]:
        mot, ton = MOTS[A(a.statut)]
        noms = {
            "accord": a.reference or a.get_genre_display(), "montant": formats.somme(a.montant, a.devise),
            "mot": str(mot) % {"jour": formats.jour(a.expire_le)},
        }  # fmt: skip
        phrase = _("Accord %(accord)s, %(montant)s : %(mot)s.") % noms
        yield Cours("certificate", ton, phrase, adresse("clients:accord", f.client.pk, a.pk), _("Voir"))
