"""Jusqu'à quand un échéancier fait taire ses pièces : tenu, manqué, rompu."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import date

from django.db.models import Max, Q

from factures.domaine.mensualites import Etat, Suivi
from factures.models import Echeancier
from factures.services import echeanciers

TENU, TERME = "echeancier_jusqu_au", "terme_jusqu_au"  # champs de `EcheanceFaits`


def fins_d_echeanciers(ids: list[int], credits: dict, *, au: date) -> Iterator[tuple[int, str, date]]:
    """(pièce, champ de `EcheanceFaits`, dernier jour de silence) des échéanciers de ces clients.

    Tenu, jusqu'à la tolérance de la première mensualité impayée ; manqué avec clause de déchéance, plus rien ; manqué
    sans clause, jusqu'à la dernière mensualité, le solde n'étant pas exigible avant (C. civ., art. 1305-4).
    credits : {client: {devise: montant}} ; reçu et couvrant le manque, ce n'est pas un défaut, il s'affecte d'abord.
    """
    vivants = list(
        Echeancier.objects.filter(client__in=ids)
        .filter(Q(statut=Echeancier.Statut.EN_COURS) | Q(statut=Echeancier.Statut.ROMPU, clause_decheance=False))
        .annotate(dernier_terme=Max("mensualites__due_le"))
        .exclude(statut=Echeancier.Statut.ROMPU, dernier_terme__lt=au)
        .select_related("client__societe", "accord")
    )
    if not vivants:
        return
    pieces: dict[int, list[int]] = defaultdict(list)
    for cle, pk in Echeancier.echeances.through.objects.filter(echeancier__in=vivants).values_list(
        "echeancier", "echeance"
    ):
        pieces[cle].append(pk)
    releves = echeanciers.suivis([x for x in vivants if x.statut == Echeancier.Statut.EN_COURS], au=au)
    for x in vivants:
        if x.statut == Echeancier.Statut.ROMPU:
            nom, fin = TERME, x.dernier_terme
        else:
            nom, fin = _fin(releves[x.pk], credits.get(x.client_id, {}), x, au)
        if fin:
            for pk in pieces[x.pk]:
                yield pk, nom, fin


def _fin(suivis: list[Suivi], credits: dict, x: Echeancier, au: date) -> tuple[str, date | None]:
    """Champ et dernier jour d'un échéancier en cours ; None : tout est payé.

    Manquée, la mensualité vaut rupture sans attendre que la nuit l'écrive : un essai à blanc rend le même verdict.
    """
    impayees = [s for s in suivis if s.etat is not Etat.PAYEE]
    if not impayees:
        return TENU, None
    manque = sum(s.manque for s in impayees if s.etat is Etat.MANQUEE)
    if not manque:
        return TENU, impayees[0].limite
    if credits.get(x.devise, 0) >= manque:
        return TENU, au
    if fin := echeanciers.sursis(x, suivis, au=au):
        return TENU, fin
    return (TENU, impayees[0].limite) if x.clause_decheance else (TERME, x.dernier_terme)
