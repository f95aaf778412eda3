"""Réserves d'un décompte que le calcul seul ne voit pas : conditions changées depuis, recommandé sans présentation."""

from dataclasses import replace
from datetime import date

from django.utils import timezone
from django.utils.translation import gettext as _

from clients.models import Client, TypeDebiteur
from factures import decompte
from factures.domaine.penalites import Avertissement
from recouvrement.commun.formats import jour as jour_lisible
from recouvrement.journal.models import Maillon
from relances.domaine.natures import Nature
from relances.models import Courrier, Relance

from .receptions import date_de_reception

CONDITIONS = {"taux_penalites", "sous_plancher", "imputation"}


def reserver(d: decompte.Decompte) -> decompte.Decompte:
    """Le même décompte, ses réserves en avertissement ; deux requêtes au plus."""
    signaux: dict[int, Avertissement] = {}
    if (le := conditions_changees_le(d.client, apres=d.au)) and d.lignes:
        texte = _("Taux stipulé, clause basse ou imputation changés le %(jour)s : conditions d'aujourd'hui appliquées.")
        signal = Avertissement("conditions_changees", texte % {"jour": jour_lisible(le)})
        signaux[d.lignes[0].echeance.pk] = signal
    if d.client.type == TypeDebiteur.PARTICULIER:
        texte = _("Mise en demeure non réclamée sans date de première présentation : rien ne court sans elle.")
        for pk in _sans_presentation(d):
            signaux[pk] = Avertissement("presentation_inconnue", texte)
    if not signaux:
        return d
    lignes = tuple(
        replace(x, avertissements=(*x.avertissements, signaux[x.echeance.pk])) if x.echeance.pk in signaux else x
        for x in d.lignes
    )
    return replace(d, lignes=lignes)


def conditions_changees_le(client: Client, *, apres: date) -> date | None:
    """Dernier jour, après celui-là, où le journal voit changer une condition du calcul."""
    maillons = Maillon.objects.filter(client_id=client.pk, action="client.modifie", quand__date__gt=apres)
    for maillon in maillons.select_related("detail").order_by("-rang"):
        if CONDITIONS & set(maillon.detail.donnees.get("champs", {})):
            return timezone.localdate(maillon.quand)
    return None


def _sans_presentation(d: decompte.Decompte) -> set[int]:
    parties = Relance.objects.filter(
        echeance__in=[x.echeance.pk for x in d.lignes],
        nature=Nature.MISE_EN_DEMEURE,
        statut=Relance.Statut.ENVOYEE,
        courrier__retour=Courrier.Retour.NON_RECLAME,
    ).select_related("courrier")
    return {r.echeance_id for r in parties if date_de_reception(r.courrier) is None}
