"""Régler un compte bancaire : son nom, et s'il reçoit encore des relevés."""

from django.db import transaction
from django.utils.translation import gettext as _

from recouvrement.journal.services import consigner

from ..models import CompteBancaire


def regler(compte: CompteBancaire, *, libelle: str, actif: bool, acteur) -> bool:
    """Faux si rien ne change. Un compte désactivé garde ses mouvements ; ses relevés suivants sont refusés."""
    with transaction.atomic():
        compte = CompteBancaire.objects.select_for_update(no_key=True).get(pk=compte.pk)
        libelle = libelle.strip()
        if (compte.libelle, compte.actif) == (libelle, actif):
            return False
        avant = {"libelle": compte.libelle, "actif": compte.actif}
        compte.libelle, compte.actif = libelle, actif
        compte.save(update_fields=["libelle", "actif", "updated_at"])
        consigner(
            "banque.compte_regle",
            societe=compte.societe,
            acteur=acteur,
            objet=compte,
            texte=_("Compte bancaire %(compte)s réglé") % {"compte": compte},
            donnees={"avant": avant, "apres": {"libelle": libelle, "actif": actif}},
        )
    return True
