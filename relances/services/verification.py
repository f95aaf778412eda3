"""Dernière barrière avant un envoi : la lettre dit-elle encore ce que dit la base, et a-t-on le droit de l'écrire ?

La relecture retire les pièces retenues ; ce contrôle-ci recompte, par un autre chemin, et bloque au lieu de retirer.
"""

from collections.abc import Iterable, Iterator
from datetime import date
from decimal import Decimal

from django.utils.translation import gettext as _

from factures.models import Echeance, Echeancier, Litige, Promesse
from factures.services.procedures import posterieures
from recouvrement.commun.domaine import ecriture
from relances.domaine.natures import Nature
from relances.models import Courrier, LeveeDeFrein
from relances.rendu import contexte as c
from relances.rendu.constats import CLIENT, FACTURES, Manque

ZERO = Decimal("0.00")


def manques_en_base(courrier: Courrier, lettre: c.Lettre, echeances: Iterable[int], *, au: date) -> list[Manque]:
    """Total différent de la somme des pièces ce jour-là, litige, promesse, échéancier, procédure derrière la lettre."""
    ids = list(echeances)
    return [*_total(lettre, ids), *_procedure(courrier, ids, au=au), *_accords(courrier, lettre, ids, au=au)]


def _total(lettre: c.Lettre, ids: list[int]) -> Iterator[Manque]:
    """Exigence 19 : le principal réclamé est la somme des restes dus non contestés, relue de la base."""
    litiges = Litige.objects.filter(echeance__in=ids, clos_le=None)
    contestes = dict(litiges.values_list("echeance", "montant_conteste"))
    restes = Echeance.objects.filter(pk__in=ids).values_list("pk", "montant", "impute")
    somme = sum((max(montant - impute - contestes.get(pk, ZERO), ZERO) for pk, montant, impute in restes), ZERO)
    dite = lettre.totaux.reste_du
    if somme != dite:
        phrase = _("La lettre réclame %(dite)s, les pièces font %(somme)s : les faits ont changé, la refaire") % {
            "dite": ecriture.somme(dite, lettre.devise),
            "somme": ecriture.somme(somme, lettre.devise),
        }
        yield Manque("total_change", phrase, FACTURES)


def _procedure(courrier: Courrier, ids: list[int], *, au: date) -> Iterator[Manque]:
    """Jamais levable : le jugement arrête les poursuites (C. com., art. L622-21), la recevabilité les suspend.

    La procédure close, seule une créance née depuis le jugement se réclame encore.
    """
    client = courrier.client
    close = client.procedure_cloturee_le and client.procedure_cloturee_le <= au
    if client.jugement_ouverture_le and not (close and set(ids) <= posterieures(ids)):
        phrase = _("Procédure collective ouverte le %(jour)s : déclarer la créance, ne plus relancer") % {
            "jour": ecriture.jj(client.jugement_ouverture_le)
        }
        yield Manque("procedure", phrase, CLIENT)
    if client.surendettement:
        phrase = _("Surendettement recevable : plus aucune relance (C. conso., art. L722-2)")
        yield Manque("surendettement", phrase, CLIENT)


def _accords(courrier: Courrier, lettre: c.Lettre, ids: list[int], *, au: date) -> Iterator[Manque]:
    """Promesse ou échéancier en cours sur une pièce, sauf frein levé pour ce jour par une personne."""
    leves = set(LeveeDeFrein.objects.effectives(au).filter(echeance__in=ids).values_list("echeance", "frein"))
    for modele, frein, phrase in (
        (
            Promesse.objects.en_attente().filter(date_promise__gte=au),
            "promesse",
            _("Facture %(n)s : promesse de paiement en cours"),
        ),
        (Echeancier.objects.en_cours(), "echeancier", _("Facture %(n)s : échéancier accepté en cours")),
    ):
        touchees = modele.filter(echeances__in=ids).values_list("echeances", "echeances__facture__numero").distinct()
        for pk, numero in touchees:
            if pk in ids and (pk, frein) not in leves:
                yield Manque(frein, phrase % {"n": numero}, FACTURES)
    if lettre.nature == Nature.MISE_EN_DEMEURE:
        factures = Echeance.objects.filter(pk__in=ids).values("facture")
        ouverts = Litige.objects.filter(echeance__facture__in=factures, clos_le=None)
        for numero in ouverts.values_list("echeance__facture__numero", flat=True).distinct():
            phrase = _("Facture %(n)s contestée : elle sort tout entière de la mise en demeure") % {"n": numero}
            yield Manque("contestation", phrase, FACTURES)
