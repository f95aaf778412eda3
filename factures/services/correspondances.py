"""Dire ce que contiennent les colonnes d'un import, et le retenir pour les fichiers de même en-tête."""

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from factures.imports import depots
from factures.imports.tableur import DU_FICHIER

from ..models import Correspondance, Lot


@transaction.atomic
def valider(lot: Lot, choix: dict, *, signature: str, nom: str = "", auteur=None) -> bool:
    """Pose la correspondance sur ce lot et le remet à lire ; `nom` la retient pour la suite.

    choix : {"genre", "colonnes", "options"}. Le lot garde sa propre copie : ce qu'une personne a vu à l'aperçu est ce
    qui s'applique, même si la correspondance enregistrée change ensuite. Faux si le lot n'attend plus de colonnes.
    """
    retenue = retenir(lot.societe, nom, choix, signature=signature, auteur=auteur) if nom else None
    corrections = {k: v for k, v in lot.corrections.items() if k not in ("revoir", "feuille")}
    return depots.relire(lot, corrections=corrections | {"tableau": choix}, correspondance=retenue)


def retenir(societe, nom: str, choix: dict, *, signature: str, auteur=None) -> Correspondance:
    """Crée ou met à jour celle de ce nom. Ce qui ne vaut que pour un fichier (sa date) n'est pas gardé."""
    options = {k: v for k, v in choix["options"].items() if k not in DU_FICHIER}
    retenue, _creee = Correspondance.objects.update_or_create(
        societe=societe,
        nom=nom,
        defaults={
            "genre": choix["genre"], "colonnes": choix["colonnes"], "options": options, "signature": signature,
            "auteur": auteur,
        },
    )  # fmt: skip
    return retenue


def revoir(lot: Lot, *, feuille: str = "") -> bool:
    """Rouvre l'assistant sur un import pas encore appliqué, sur une autre feuille au besoin ; faux sinon."""
    corrections = {k: v for k, v in lot.corrections.items() if k != "feuille"} | {"revoir": True}
    if feuille:
        corrections = {k: v for k, v in corrections.items() if k != "tableau"} | {"feuille": feuille}
    return depots.relire(lot, corrections=corrections)


def renommer(correspondance: Correspondance, nom: str) -> Correspondance:
    """Lève ValidationError : nom vide, trop long ou déjà pris dans la société."""
    correspondance.nom = nom.strip()
    correspondance.full_clean(exclude=["auteur"])
    correspondance.save(update_fields=["nom", "updated_at"])
    return correspondance


def supprimer(correspondance: Correspondance) -> str:
    """Rend son nom. Les imports passés gardent leur copie ; une source qui l'emploie doit en changer d'abord."""
    sources = list(correspondance.sources.values_list("nom", flat=True)[:3])
    if sources:
        raise ValidationError(
            _("Cette correspondance sert à la source %(noms)s : choisissez-en une autre d’abord.")
            % {"noms": ", ".join(sources)}
        )
    nom = correspondance.nom
    correspondance.delete()
    return nom
