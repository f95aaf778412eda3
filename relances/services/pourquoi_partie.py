"""« Pourquoi cette lettre est-elle partie ? » : palier, décision, pièces, canal, contrôle, en phrases pour l'écran."""

from collections.abc import Iterable
from typing import NamedTuple

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from recouvrement.commun import formats
from relances import motifs
from relances.domaine.natures import ModePalier, Reference
from relances.models import Courrier, Palier, Passage, Relance
from relances.models.echelles import CanalChoix

PIECES_DITES = 5
S = Courrier.Statut
PARTIS = (S.ENVOYE, S.POSTE, S.INCERTAIN, S.EN_ERREUR)
LIENS = ("palier__version__echelle", "passage__auteur", "valide_par", "client")  # ce que l'appelant joint


class Cause(NamedTuple):
    signe: str
    ton: str
    phrase: str
    url: str = ""
    geste: str = ""


def question(courrier: Courrier) -> str:
    """La question telle qu'une personne la pose : au passé une fois partie."""
    if courrier.statut in PARTIS:
        return _("Pourquoi cette lettre est-elle partie ?")
    return _("Pourquoi cette lettre doit-elle partir ?")


def pourquoi_parties(courriers: Iterable[Courrier]) -> dict[int, list[Cause]]:
    """{courrier: causes, de la règle au départ} ; une requête pour tous. courriers : lus avec `LIENS` joints."""
    courriers = list(courriers)
    par_courrier: dict[int, list[Relance]] = {c.pk: [] for c in courriers}
    relances = Relance.objects.filter(courrier__in=par_courrier).select_related("echeance__facture")
    for r in relances.order_by("echeance__date_echeance", "pk"):
        par_courrier[r.courrier_id].append(r)
    return {c.pk: list(_causes(c, par_courrier[c.pk])) for c in courriers}


def _causes(c: Courrier, relances: list[Relance]):
    yield Cause("stairs-up", "doux", _palier(c.palier))
    yield _decision(c)
    if c.derogation:
        yield Cause("key", "att", _("Sans formalisation, par dérogation : %(motif)s.") % {"motif": c.derogation})
    for r in relances[:PIECES_DITES]:
        yield _piece(c, r)
    if autres := len(relances[PIECES_DITES:]):
        phrase = ngettext("Et %(n)s autre pièce.", "Et %(n)s autres pièces.", autres) % {"n": autres}
        yield Cause("file-invoice", "doux", phrase)
    if canal := _canal(c):
        yield canal
    yield from _controle(c)
    jour = c.passage.au
    yield Cause(
        "history", "doux", _("Ce que le passage a jugé de chaque pièce ce jour-là :"),
        f"{reverse('clients:fiche', args=[c.client_id])}?o=pourquoi&le={jour:%Y-%m-%d}",
        _("verdicts du %(jour)s") % {"jour": formats.jour(jour)},
    )  # fmt: skip


def _palier(p: Palier) -> str:
    jours = formats.nombre(abs(p.delai))
    depuis = {
        Reference.FACTURE: _("%(n)s jours après la facture"),
        Reference.PRECEDENT: _("%(n)s jours après le palier d'avant"),
        Reference.ECHEANCE: _("%(n)s jours avant l'échéance") if p.delai < 0 else _("%(n)s jours après l'échéance"),
    }[Reference(p.reference)] % {"n": jours}
    return _("Règle : %(palier)s, palier %(rang)s du plan %(plan)s (version %(version)s), %(depuis)s.") % {
        "palier": motifs.nom_palier(p.nature).lower(), "rang": p.rang, "plan": p.version.echelle.nom,
        "version": p.version.numero, "depuis": depuis,
    }  # fmt: skip


def _decision(c: Courrier) -> Cause:
    p = c.passage
    noms = {"n": p.numero, "jour": formats.jour(p.au), "nom": p.auteur}
    if p.genre == Passage.Genre.MANUEL:
        phrase = (
            _("Décision : demandée par %(nom)s le %(jour)s.") if p.auteur else _("Décision : demandée le %(jour)s.")
        )
        return Cause("user", "doux", phrase % noms)
    phrase = _("Décision : passage n° %(n)s du %(jour)s ; le délai était atteint et rien ne retenait ces pièces.")
    return Cause("moon", "doux", phrase % noms)


def _piece(c: Courrier, r: Relance) -> Cause:
    e = r.echeance
    retard = (r.decidee_le - e.date_echeance).days
    noms = {
        "piece": e.facture.numero, "jour": formats.jour(e.date_echeance), "n": formats.nombre(abs(retard)),
        "montant": formats.somme(r.reste_du, c.devise),
    }  # fmt: skip
    if retard > 0:
        phrase = _("%(piece)s : échue le %(jour)s, %(n)s j de retard ce jour-là, %(montant)s réclamés.") % noms
    else:
        phrase = _("%(piece)s : échéance du %(jour)s, %(montant)s.") % noms
    if r.conteste:
        phrase += " " + _("%(conteste)s contestés, laissés de côté.") % {
            "conteste": formats.somme(r.conteste, c.devise)
        }
    if r.raison:
        phrase += f" {r.raison[:1].upper()}{r.raison[1:]}."
    if r.statut == Relance.Statut.ANNULEE:
        return Cause("x", "att", phrase + " " + _("Retirée avant le départ."))
    return Cause("file-invoice", "doux", phrase)


def _canal(c: Courrier) -> Cause | None:
    """Un repli se dit : le canal voulu d'abord n'avait pas d'adresse utilisable (exigence 21)."""
    voulus = [CanalChoix(canal) for canal in c.palier.canaux]
    if not voulus or c.canal == voulus[0] or c.canal not in voulus:
        return None
    noms = {"pris": str(CanalChoix(c.canal).label).lower(), "voulu": str(voulus[0].label).lower()}
    phrase = _("Canal : %(pris)s, en repli ; %(voulu)s n'avait pas d'adresse utilisable.") % noms
    return Cause("arrows-exchange", "att", phrase)


def _controle(c: Courrier):
    if c.manques:
        yield Cause("circle-x", "mal", _("Contrôle : refusé, %(n)s points à compléter.") % {"n": len(c.manques)})
    elif c.statut in PARTIS or c.statut == S.A_POSTER:
        phrase = _("Contrôle : passé ; soldes, litiges, promesses et arrêts relus juste avant le départ.")
        yield Cause("circle-check", "bon", phrase)
    if c.valide_par:
        noms = {"nom": c.valide_par, "quand": formats.instant(c.valide_le)}
        yield Cause("user-check", "bon", _("Validée par %(nom)s le %(quand)s.") % noms)
    elif c.palier.mode == ModePalier.AUTOMATIQUE and c.statut in PARTIS:
        yield Cause("send", "doux", _("Envoi automatique : ce palier ne demande pas de validation."))
    elif c.statut == S.A_VALIDER and c.motif:
        phrase = _("Attend une personne : %(raison)s.") % {"raison": motifs.raison_de_valider(c.motif)}
        yield Cause("user-check", "att", phrase)
