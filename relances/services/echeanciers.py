"""Échéancier rompu : la tâche qui dit la mensualité manquée, la clause, et la suite permise."""

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal

from django.db.models import F, Max, Q
from django.utils.translation import gettext as _

from factures.domaine.mensualites import Etat, Suivi
from factures.models import Echeancier
from factures.services import echeanciers
from recouvrement.commun.formats import jour, somme
from recouvrement.comptes.models import Societe
from relances.models import Tache

from .accords_nuit import revoir_les_sommations
from .taches import creer_tache

ZERO = Decimal("0.00")
RATTRAPAGE = timedelta(days=15)  # échéanciers rompus dont une panne aurait fait manquer la tâche


def conclure_echeanciers(societe: Societe, *, au: date) -> list[Echeancier]:
    """Juge les échéanciers du jour ; rompu, il laisse une tâche (exigence 32).

    Avec clause de déchéance, ses pièces reprennent à leur niveau. Sans clause, le solde n'est pas exigible : chaque
    mensualité qui manque ensuite laisse sa tâche, avec ce qui est exigible ce jour-là.
    """
    revoir_les_sommations(societe, au=au)
    conclus = echeanciers.conclure(societe, au=au)
    rompus = list(
        Echeancier.objects.filter(
            client__societe=societe,
            client__jugement_ouverture_le=None,
            client__surendettement=False,
            statut=Echeancier.Statut.ROMPU,
            echeances__impute__lt=F("echeances__montant"),
        )
        .annotate(dernier_terme=Max("mensualites__due_le"))
        .filter(Q(conclu_le__gt=au - RATTRAPAGE) | Q(clause_decheance=False, dernier_terme__gt=au - RATTRAPAGE))
        .select_related("client__societe")
    )
    manquees = _manquees([x for x in rompus if not x.clause_decheance], au=au)
    taches = [t for x in rompus for t in _taches(x, manquees.get(x.pk, []))]
    connues = Tache.objects.filter(client__in={x.client_id for x in rompus}, cle__in=[cle for _x, cle, *_t in taches])
    deja = set(connues.values_list("cle", flat=True))
    for x, cle, titre, raison in taches:
        if cle not in deja:
            genre = Tache.Genre.PROMESSE_ROMPUE
            creer_tache(x.client, genre=genre, titre=titre, due_le=au, cle=cle, raison=raison)
    return conclus


def _manquees(rompus: list[Echeancier], *, au: date) -> dict[int, list[tuple[int, Suivi]]]:
    """{échéancier: [(rang, mensualité échue, tolérance passée, et impayée)]}."""
    releves = echeanciers.suivis(rompus, au=au)
    return {
        cle: [(rang, s) for rang, s in enumerate(suivis, 1) if s.etat is Etat.MANQUEE]
        for cle, suivis in releves.items()
    }


def _taches(x: Echeancier, manquees: list[tuple[int, Suivi]]) -> Iterator[tuple[Echeancier, str, str, str]]:
    """(échéancier, clé, titre, raison) : la rupture, puis chaque mensualité manquée après elle."""
    exigible = sum((s.manque for _rang, s in manquees), ZERO)
    dit = _("exigible ce jour : %(montant)s") % {"montant": somme(exigible, x.devise)} if exigible else ""
    rupture = _("Rappeler : échéancier de %(montant)s rompu") % {"montant": somme(x.du_a_l_accord, x.devise)}
    yield x, f"echeancier:{x.pk}", rupture, " ; ".join(filter(None, (x.motif, dit, suite(x))))
    for rang, s in manquees:
        if x.conclu_le and s.limite >= x.conclu_le:
            titre = _("Réclamer la mensualité du %(jour)s : %(montant)s") % {
                "jour": jour(s.due_le), "montant": somme(s.manque, x.devise)
            }  # fmt: skip
            yield x, f"echeancier:{x.pk}:{rang}", titre, f"{dit} ; {suite(x)}"


def suite(echeancier: Echeancier) -> str:
    """Ce que la rupture permet (art. 1305-4 C. civ. ; 1re civ., 22 juin 2017)."""
    if echeancier.clause_decheance:
        return _("clause de déchéance : le solde devient exigible après une mise en demeure restée sans effet")
    return _("sans clause, seules les mensualités échues sont exigibles, pas le solde (C. civ., art. 1305-4)")
