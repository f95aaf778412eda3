"""À quoi sert cet argent ? Des affectations possibles, chacune avec ses raisons ; aucune ne se fait seule."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from itertools import accumulate, combinations

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from recouvrement.commun import formats

from .domaine.imputation import Dette, Motif, Repartition, repartir
from .models import Echeance

PAIRES_MAX = 60  # pièces au-delà desquelles on n'essaie plus deux à deux
AUCUNE = "garder"
DESIGNEE = "designee"
# Pourquoi cette dette reçoit cette part (C. civ., art. 1342-10).
POURQUOI = {
    Motif.CHOIX: gettext_noop("désignée par le débiteur"),
    Motif.ECHUE: gettext_noop("échue, à son rang d'ancienneté"),
    Motif.PRORATA: gettext_noop("même échéance que d'autres : en proportion"),
    Motif.A_ECHOIR: gettext_noop("à échoir : rien d'échu ne reste avant elle"),
}


@dataclass(frozen=True)
class Proposition:
    """parts : {échéance: montant}. exacte : le montant se retrouve au centime. motifs : {échéance: pourquoi}."""

    cle: str
    titre: str
    parts: dict[int, Decimal]
    raisons: list[str] = field(default_factory=list)
    exacte: bool = False
    motifs: dict[int, str] = field(default_factory=dict)


def proposer(
    montant: Decimal, texte: str, echeances: Sequence[Echeance], *, au: date, designees: Sequence[int] = ()
) -> list[Proposition]:
    """Au plus trois affectations de `montant` entre ces échéances ouvertes, la plus sûre d'abord.

    texte : libellé et référence du règlement, où un numéro de facture peut être cité. À défaut d'indice, la
    règle légale : les dettes échues, les plus anciennes d'abord (C. civ., art. 1342-10). designees : échéances que
    le débiteur a désignées, dans cet ordre ; son choix passe avant tout indice et toute règle.
    """
    if not echeances or montant <= 0:
        return []
    if choisies := [e for pk in designees for e in echeances if e.pk == pk]:
        return [_designee(montant, choisies, echeances, au)]
    trouvees = [*_citees(montant, texte, echeances, au), *_exactes(montant, echeances), _legale(montant, echeances, au)]
    uniques: dict[tuple, Proposition] = {}
    for proposition in sorted(trouvees, key=lambda p: not p.exacte):
        uniques.setdefault(tuple(sorted(proposition.parts.items())), proposition)
    return list(uniques.values())[:3]


def _dettes(echeances) -> list[Dette]:
    return [Dette(e.pk, e.reste_du, e.date_echeance) for e in echeances]


def _noms(echeances: Sequence[Echeance], combien: int = 4) -> str:
    noms = [str(e.facture) for e in echeances[:combien]]
    return " + ".join(noms) + (" + …" if len(echeances) > combien else "")


def _designee(montant, choisies, echeances, au) -> Proposition:
    repartition = repartir(montant, _dettes(echeances), au=au, choix=[e.pk for e in choisies])
    raisons = [_("Le débiteur a désigné %(pieces)s (C. civ., art. 1342-10).") % {"pieces": _noms(choisies)}]
    if any(part.motif is not Motif.CHOIX for part in repartition.parts):
        raisons.append(_("Le surplus suit la règle légale : dettes échues, les plus anciennes d'abord."))
    return _proposition(DESIGNEE, _("Le choix du débiteur"), repartition, raisons, devise=choisies[0].devise)


def _serre(texte: str) -> str:
    return re.sub(r"[^A-Z0-9]", "", texte.upper())


def _est_citee(numero: str, serre: str, nombres: set[str]) -> bool:
    """Le numéro entier, ou ses derniers chiffres (quatre au moins), isolés dans le libellé."""
    entier = _serre(numero)
    if len(entier) >= 4 and entier in serre:
        return True
    fin = re.search(r"(\d{4,})$", numero)
    return bool(fin) and fin[1].lstrip("0") in nombres and len(fin[1].lstrip("0")) >= 4


def _citees(montant, texte, echeances, au) -> list[Proposition]:
    serre, nombres = _serre(texte), {n.lstrip("0") for n in re.findall(r"\d+", texte)}
    citees = [e for e in echeances if _est_citee(e.facture.numero, serre, nombres)]
    if not citees:
        return []
    repartition = repartir(montant, _dettes(citees), au=au, choix=[e.pk for e in citees])
    total = sum(e.reste_du for e in citees)
    raisons = [_("Le libellé cite %(pieces)s.") % {"pieces": _noms(citees)}]
    if total == montant:
        raisons.insert(0, _("Le montant égale %(pieces)s, au centime.") % {"pieces": _noms(citees)})
    return [
        _proposition("citees", _noms(citees), repartition, raisons, exacte=total == montant, devise=citees[0].devise)
    ]


def _exactes(montant, echeances) -> list[Proposition]:
    """Une pièce, deux pièces, ou toutes les plus anciennes jusqu'à une : même somme au centime."""
    candidates = [[e] for e in echeances if e.reste_du == montant]
    anciennes = sorted(echeances, key=lambda e: (e.date_echeance, e.pk))
    cumuls = list(accumulate(e.reste_du for e in anciennes))
    if montant in cumuls[1:]:
        candidates.append(anciennes[: cumuls.index(montant) + 1])
    elif not candidates and len(echeances) <= PAIRES_MAX:
        candidates += [list(paire) for paire in combinations(anciennes, 2) if sum(e.reste_du for e in paire) == montant]
    return [
        Proposition(
            f"exacte-{rang}",
            _noms(pieces),
            {e.pk: e.reste_du for e in pieces},
            [_("Le montant égale %(pieces)s, au centime.") % {"pieces": _noms(pieces)}],
            exacte=True,
        )
        for rang, pieces in enumerate(candidates[:2])
    ]


def _legale(montant, echeances, au) -> Proposition:
    repartition = repartir(montant, _dettes(echeances), au=au)
    raisons = [_("À défaut d'indice : les dettes échues, les plus anciennes d'abord (C. civ., art. 1342-10).")]
    if any(part.motif is Motif.PRORATA for part in repartition.parts):
        raisons.append(_("Même échéance : partage en proportion."))
    return _proposition("legale", _("Les plus anciennes d'abord"), repartition, raisons, devise=echeances[0].devise)


def _proposition(cle, titre, repartition: Repartition, raisons, *, devise, exacte=False) -> Proposition:
    if repartition.non_affecte:
        reste = formats.somme(repartition.non_affecte, devise)
        raisons = [*raisons, _("%(reste)s resteraient à imputer.") % {"reste": reste}]
    parts, motifs = {}, {}
    for part in repartition.parts:
        parts[part.cle] = parts.get(part.cle, Decimal(0)) + part.montant
        motifs.setdefault(part.cle, _(POURQUOI[part.motif]))
    return Proposition(cle, titre, parts, raisons, exacte, motifs)
