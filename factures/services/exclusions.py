"""Exclure une pièce des relances pour un temps : motif, auteur, date de fin ; elle rentre seule (exigence 17)."""

from datetime import date, timedelta

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from recouvrement.journal.services import consigner

from ..models import Echeance, Exclusion

DUREE_MAX = timedelta(days=366)  # comme une suspension : au-delà, ce n'est plus une exclusion datée


@transaction.atomic
def exclure(echeance: Echeance, *, motif: str, du: date, au: date, acteur) -> Exclusion:
    """Retient cette pièce du jour `du` au jour `au` compris ; les autres pièces du client suivent l'échelle.

    Une exclusion qui court encore sur la pièce est remplacée. Redire la même rend celle qui est posée. Lève
    ValidationError : motif vide, fin avant le début, plus d'un an, pièce soldée ou confiée au contentieux.
    """
    motif = motif.strip()
    if not motif:
        raise ValidationError({"motif": _("Dites pourquoi : la raison se lit à côté de la pièce retenue.")})
    if au < du:
        raise ValidationError({"au": _("La fin ne peut pas précéder le début.")})
    if au - du > DUREE_MAX:
        raise ValidationError({"au": _("Une exclusion dure un an au plus ; elle se renouvelle.")})
    echeance = (
        Echeance.objects.select_for_update(no_key=True, of=("self",))
        .select_related("societe", "facture")
        .get(pk=echeance.pk)
    )
    if not echeance.reste_du:
        raise ValidationError(_("%(piece)s est soldée : rien ne la relance plus.") % {"piece": echeance.facture})
    if echeance.en_contentieux:
        raise ValidationError(
            _("%(piece)s est confiée au contentieux : elle est déjà hors de l'échelle.") % {"piece": echeance.facture}
        )
    courantes = list(echeance.exclusions.filter(levee_le=None, au__gte=du))
    for ancienne in courantes:
        if (ancienne.motif, ancienne.du, ancienne.au) == (motif, du, au):
            return ancienne
    echeance.exclusions.filter(pk__in=[x.pk for x in courantes]).update(levee_le=timezone.now())
    exclusion = Exclusion.objects.create(echeance=echeance, motif=motif, du=du, au=au, auteur=acteur)
    consigner(
        "piece.exclue",
        societe=echeance.societe,
        acteur=acteur,
        objet=exclusion,
        client=echeance.client_id,
        texte=f"{echeance.facture} : {motif}",
        donnees={"echeance": echeance.pk, "du": du, "au": au, "remplace": [x.pk for x in courantes]},
    )
    return exclusion


@transaction.atomic
def reintegrer(exclusion: Exclusion, *, acteur) -> bool:
    """La pièce rentre dans l'échelle avant la fin dite ; faux si elle était déjà rentrée (double clic)."""
    if not Exclusion.objects.filter(pk=exclusion.pk, levee_le=None).update(levee_le=timezone.now()):
        return False
    echeance = Echeance.objects.select_related("societe", "facture").get(pk=exclusion.echeance_id)
    consigner(
        "piece.reintegree",
        societe=echeance.societe,
        acteur=acteur,
        objet=exclusion,
        client=echeance.client_id,
        texte=f"{echeance.facture} : {exclusion.motif}",
        donnees={"echeance": echeance.pk},
    )
    return True
