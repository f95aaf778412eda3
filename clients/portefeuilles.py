"""Portefeuilles : confier les clients d'une personne à une autre, en un geste tracé."""

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext as _

from recouvrement.comptes.droits import Droit, peut
from recouvrement.comptes.models import Societe, Utilisateur
from recouvrement.journal.services import consigner

from .models import Client


@transaction.atomic
def confier_portefeuille(societe: Societe, *, de: Utilisateur, a: Utilisateur, acteur: Utilisateur) -> int:
    """Tous les clients de `de` dans cette société passent à `a` ; renvoie leur nombre.

    Lève ValidationError si `a` ne peut pas agir dans la société, ou si c'est la même personne.
    """
    if a == de:
        raise ValidationError(_("Ce portefeuille est déjà le sien."))
    if not peut(a, Droit.AGIR, societe):
        raise ValidationError(_("%(qui)s ne peut pas agir dans cette société.") % {"qui": a})
    combien = Client.objects.filter(societe=societe, gestionnaire=de).update(gestionnaire=a, version=F("version") + 1)
    if combien:
        consigner(
            "portefeuille.confie",
            societe=societe,
            acteur=acteur,
            objet=de,
            texte=_("%(n)d clients de %(de)s confiés à %(a)s") % {"n": combien, "de": de, "a": a},
            donnees={"de": de.pk, "a": a.pk, "clients": combien},
        )
    return combien
