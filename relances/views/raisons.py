"""Ce que l'écran dit d'un courrier, une phrase à la fois : contrôles, délai, ce qui en est exclu."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import NamedTuple

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from factures.domaine.calendrier import jour_ouvre_suivant
from recouvrement.commun import formats
from recouvrement.commun.vues import adresse
from recouvrement.comptes.droits import Droit, peut
from relances.models import Courrier
from relances.rendu import controles, courriels
from relances.rendu.contexte import Lettre
from relances.rendu.mentions import mentions
from relances.services.preparation import Preparation


class Raison(NamedTuple):
    signe: str
    ton: str
    phrase: str
    url: str = ""
    geste: str = ""


def enumerer(elements) -> str:
    """« a », « a et b », « a, b et c »."""
    *debut, fin = [str(e) for e in elements]
    return _("%(debut)s et %(fin)s") % {"debut": ", ".join(debut), "fin": fin} if debut else fin


def sommes(totaux: dict) -> str:
    """« 66 418,80 € et 1 200,00 $ » : deux devises ne s'additionnent jamais."""
    return enumerer(formats.somme(m, d) for d, m in sorted(totaux.items())) if totaux else formats.somme(0)


def de_la_lettre(preparation: Preparation, *, depuis: date, delai: int, region: str) -> list[Raison]:
    """Contrôles et choix d'une lettre prête ou non, dans l'ordre où une personne les vérifie.

    depuis, delai : jour de la lettre et délai du palier en jours ; region : jours fériés.
    """
    lettre = preparation.lettre
    return [
        _mentions(preparation),
        *_rappels(lettre),
        *_delai(lettre, depuis=depuis, delai=delai, region=region),
        *_exclus(lettre),
        *(Raison("info-circle", "doux", m.phrase) for m in controles.avertissements(lettre)),
    ]


def du_total(lettre: Lettre) -> Raison:
    """Ce que la lettre réclame, et de quoi c'est fait."""
    t = lettre.totaux
    dont = [
        _("%(montant)s d'intérêts de retard") % {"montant": formats.somme(t.interets_courus, lettre.devise)},
        _("%(montant)s d'indemnités") % {"montant": formats.somme(t.indemnites, lettre.devise)},
    ]
    dont = [phrase for phrase, montant in zip(dont, (t.interets_courus, t.indemnites), strict=True) if montant]
    phrase = _("%(total)s réclamés") % {"total": formats.somme(t.a_payer, lettre.devise)}
    if dont:
        phrase = _("%(total)s, dont %(quoi)s") % {"total": phrase, "quoi": enumerer(dont)}
    return Raison("report-money", "doux", f"{phrase}.")


def _mentions(preparation: Preparation) -> Raison:
    texte = ""
    if preparation.texte:
        texte = courriels.Courriel(objet=preparation.objet, texte=preparation.texte).integral
    attendues = mentions(preparation.lettre, preparation.manques, texte)
    absentes = [m.libelle for m in attendues if not m.presente]
    nombres = {"n": len(attendues) - len(absentes), "total": len(attendues)}
    if absentes:
        phrase = _("%(n)s mentions sur %(total)s : il manque %(quoi)s.") % (nombres | {"quoi": enumerer(absentes)})
        return Raison("circle-x", "mal", phrase)
    quoi = enumerer(m.libelle for m in attendues)
    phrase = _("%(n)s mentions sur %(total)s : %(quoi)s.") % (nombres | {"quoi": quoi})
    return Raison("circle-check", "bon", phrase)


def _rappels(lettre: Lettre) -> Iterator[Raison]:
    if lettre.rappels:
        quand = enumerer(formats.jour_court(j) for j in lettre.rappels)
        phrase = ngettext(
            "Déjà relancé pour ces pièces le %(quand)s.", "Déjà relancé pour ces pièces les %(quand)s.",
            len(lettre.rappels),
        )  # fmt: skip
        yield Raison("circle-check", "bon", phrase % {"quand": quand})


def _delai(lettre: Lettre, *, depuis: date, delai: int, region: str) -> Iterator[Raison]:
    """La date limite donnée, et pourquoi elle n'est pas le compte exact des jours (exigence 15)."""
    if lettre.date_limite is None:
        return
    exact = depuis + timedelta(days=delai)
    dit = formats.jour_long(lettre.date_limite)
    if lettre.date_limite == exact:
        phrase = _("Délai de %(n)s jours : à régler au plus tard le %(jour)s.") % {"n": delai, "jour": dit}
        yield Raison("calendar", "doux", phrase)
        return
    noms = {"n": delai, "exact": formats.jour_court(exact), "jour": dit}
    if exact.weekday() == 5:
        phrase = _("Délai de %(n)s jours : le %(exact)s est un samedi, la lettre dit %(jour)s.")
    elif exact.weekday() == 6:
        phrase = _("Délai de %(n)s jours : le %(exact)s est un dimanche, la lettre dit %(jour)s.")
    elif jour_ouvre_suivant(exact, region) != exact:
        phrase = _("Délai de %(n)s jours : le %(exact)s est férié, la lettre dit %(jour)s.")
    else:
        phrase = _("Délai de %(n)s jours : la lettre dit %(jour)s.")
    yield Raison("alert-triangle", "att", phrase % noms)


def _exclus(lettre: Lettre) -> Iterator[Raison]:
    if lettre.totaux.credits:
        montant = formats.somme(lettre.totaux.credits, lettre.devise)
        yield Raison("wallet", "att", _("%(montant)s de crédits non affectés, déduits.") % {"montant": montant})
    for c in lettre.contestations or ():
        noms = {"montant": formats.somme(c.montant, lettre.devise), "piece": c.numero}
        yield Raison("scale", "att", _("%(montant)s contestés sur %(piece)s, hors de la lettre.") % noms)


def manques(courrier: Courrier, preparation: Preparation | None, user) -> list[Raison]:
    """Ce qui empêche de partir, avec l'écran où le corriger pour qui en a le droit (exigence 25)."""
    if preparation is None:
        trouves = [(m["phrase"], m["ou_corriger"]) for m in courrier.manques]
    else:
        trouves = [(m.phrase, m.ou_corriger) for m in preparation.manques]
    administre = peut(user, Droit.ADMINISTRER, courrier.societe_id)
    fiche = reverse("clients:fiche", args=[courrier.client_id])
    ou_corriger = {
        controles.CLIENT: (f"{fiche}?volet=modifier#volet", _("Compléter le client")),
        controles.FACTURES: (f"{fiche}?o=compte", _("Voir le compte")),
        controles.SOCIETE: ("", _("À compléter par un administrateur.")),
        controles.TAUX: ("", _("À relever par un administrateur.")),
    }
    if not courrier.texte_modifie and peut(user, Droit.PLANS, courrier.societe_id):
        ou_corriger[controles.MODELE] = (reverse("relances:modeles"), _("Voir les modèles"))
    if administre:
        ou_corriger[controles.SOCIETE] = (adresse("comptes:societe", courrier.societe_id), _("Compléter la société"))
        ou_corriger[controles.TAUX] = (adresse("comptes:taux"), _("Relever le taux"))
    return [Raison("x", "mal", phrase, *ou_corriger.get(ou, ("", ""))) for phrase, ou in trouves]
