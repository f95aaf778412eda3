"""Échéancier rompu : la tâche qui dit la mensualité manquée, la clause, et la suite permise."""

from datetime import date, timedelta

from django.db.models import F
from django.utils.translation import gettext as _

from factures.models import Echeancier
from factures.services import echeanciers
from recouvrement.commun.formats import somme
from recouvrement.comptes.models import Societe
from relances.models import Tache

from .taches import creer_tache

RATTRAPAGE = timedelta(days=15)  # échéanciers rompus dont une panne aurait fait manquer la tâche


def conclure_echeanciers(societe: Societe, *, au: date) -> list[Echeancier]:
    """Juge les échéanciers du jour ; rompu, il laisse une tâche, ses pièces reprennent à leur niveau (exigence 32)."""
    conclus = echeanciers.conclure(societe, au=au)
    rompus = list(
        Echeancier.objects.filter(
            client__societe=societe,
            client__jugement_ouverture_le=None,
            statut=Echeancier.Statut.ROMPU,
            conclu_le__gt=au - RATTRAPAGE,
            echeances__impute__lt=F("echeances__montant"),
        )
        .select_related("client")
        .distinct()
    )
    cles = {x.pk: f"echeancier:{x.pk}" for x in rompus}
    connues = Tache.objects.filter(client__in={x.client_id for x in rompus}, cle__in=cles.values())
    deja = set(connues.values_list("cle", flat=True))
    for x in rompus:
        if cles[x.pk] in deja:
            continue
        creer_tache(
            x.client,
            genre=Tache.Genre.PROMESSE_ROMPUE,
            titre=_("Rappeler : échéancier de %(montant)s rompu") % {"montant": somme(x.du_a_l_accord, x.devise)},
            due_le=au,
            cle=cles[x.pk],
            raison=f"{x.motif} ; {suite(x)}",
        )
    return conclus


def suite(echeancier: Echeancier) -> str:
    """Ce que la rupture permet (art. 1305-4 C. civ. ; 1re civ., 22 juin 2017)."""
    if echeancier.clause_decheance:
        return _("clause de déchéance : le solde devient exigible après une mise en demeure restée sans effet")
    return _("sans clause, seules les mensualités échues sont exigibles, pas le solde (C. civ., art. 1305-4)")
