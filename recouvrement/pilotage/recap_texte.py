"""Le texte du récapitulatif, dans la langue de la personne : des chiffres, dix lignes, des liens."""

from collections.abc import Sequence
from datetime import date

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from recouvrement.commun import formats

from .alertes import ECHU, PLAFOND, Alerte
from .domaine.priorite import Groupe
from .journee import LigneJour
from .presentation import ONGLETS

LIGNES, ALERTES = 10, 20


def _lien(route: str, *args) -> str:
    return f"{settings.SITE_URL}{reverse(route, args=args)}"


def ecrire(personne, *, lignes: Sequence[LigneJour], alertes: Sequence[Alerte], au: date) -> tuple[str, str]:
    """(objet, corps). Rien de secret n'y est de trop : noms, sommes et consignes, comme à l'écran de la personne."""
    blocs = [_("Bonjour %(nom)s,") % {"nom": personne.nom}]
    if lignes:
        blocs += _journee(lignes)
    if alertes:
        blocs += _seuils(alertes)
    blocs.append(
        _("Votre journée : %(lien)s\nNe plus recevoir ce courriel : %(preferences)s")
        % {"lien": _lien("pilotage:ma_journee"), "preferences": _lien("comptes:preferences")}
    )
    return _objet(lignes, alertes, au), "\n\n".join(blocs) + "\n"


def _objet(lignes, alertes, au: date) -> str:
    morceaux = []
    if lignes:
        n = len(lignes)
        morceaux.append(ngettext("%(n)d client à voir", "%(n)d clients à voir", n) % {"n": n})
    if alertes:
        n = len(alertes)
        morceaux.append(ngettext("%(n)d seuil franchi", "%(n)d seuils franchis", n) % {"n": n})
    return f"{formats.jour_long(au).capitalize()} : {', '.join(morceaux)}"


def _journee(lignes: Sequence[LigneJour]) -> list[str]:
    groupes = {
        Groupe.DABORD: _("d'abord"), Groupe.AUJOURDHUI: _("aujourd'hui"), Groupe.ATTENDRE: _("peut attendre"),
    }  # fmt: skip
    comptes = [f"{sum(x.groupe is g for x in lignes)} {nom}" for g, nom in groupes.items()]
    genres = []
    for _cle, nom, lot in ONGLETS:
        if n := sum(a.genre in lot for x in lignes for a in x.actions):
            genres.append(f"{nom} {n}")
    tete = ngettext("%(n)d client vous attend", "%(n)d clients vous attendent", len(lignes)) % {"n": len(lignes)}
    blocs = [f"{tete} : {', '.join(comptes)}.\n{' · '.join(genres)}"]
    blocs += [_ligne(rang, x) for rang, x in enumerate(lignes[:LIGNES], 1)]
    if (reste := len(lignes) - LIGNES) > 0:
        blocs.append(ngettext("… et %(n)d autre.", "… et %(n)d autres.", reste) % {"n": reste})
    return blocs


def _ligne(rang: int, x: LigneJour) -> str:
    echu = " + ".join(formats.somme(c.echu, c.devise) for c in x.comptes if c.echu)
    quoi = _("%(montant)s échus, %(n)d j de retard") % {"montant": echu, "n": x.retard} if echu and x.retard else ""
    tete = " · ".join(filter(None, [x.client.raison_sociale, quoi]))
    details = "\n   ".join(filter(None, [x.principale.consigne, x.raisons, _lien("clients:fiche", x.client.pk)]))
    return f"{rang}. {tete}\n   {details}"


def _seuils(alertes: Sequence[Alerte]) -> list[str]:
    blocs = [_("Seuils franchis depuis le dernier récapitulatif :")]
    for a in alertes[:ALERTES]:
        if a.genre == PLAFOND:
            gabarit = _("encours de %(mesure)s, plafond %(seuil)s")
        elif a.genre == ECHU:
            gabarit = _("%(mesure)s échus, seuil %(seuil)s")
        else:
            gabarit = _("%(mesure)s jours de retard, seuil %(seuil)s")
        if a.devise:
            mots = {"mesure": formats.somme(a.mesure, a.devise), "seuil": formats.somme(a.seuil, a.devise)}
        else:
            mots = {"mesure": a.mesure, "seuil": a.seuil}
        suivi = _("suivi par %(nom)s") % {"nom": a.client.gestionnaire} if a.client.gestionnaire else ""
        tete = " · ".join(filter(None, [a.client.raison_sociale, str(a.client.societe), suivi]))
        blocs.append(f"- {tete}\n   {gabarit % mots}\n   {_lien('clients:fiche', a.client.pk)}")
    if (reste := len(alertes) - ALERTES) > 0:
        blocs.append(ngettext("… et %(n)d autre.", "… et %(n)d autres.", reste) % {"n": reste})
    return blocs
