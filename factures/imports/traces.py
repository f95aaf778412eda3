"""Ce qu'un import change et que les pièces ne disent pas elles-mêmes : de quoi le défaire."""

from collections.abc import Iterable

from django.db.models import Model

from factures.models import TraceDeLot


def tracer_crees(lot_id: int | None, modele: type[Model], identifiants: Iterable[int]) -> None:
    """Objets créés dont le modèle n'a pas de champ `lot`. Sans effet à l'essai (lot_id None)."""
    if lot_id is None:
        return
    TraceDeLot.objects.bulk_create(
        (TraceDeLot(lot_id=lot_id, objet=modele._meta.label_lower, objet_id=pk, cree=True) for pk in identifiants),
        batch_size=1_000,
        ignore_conflicts=True,
    )


def tracer_modifies(lot_id: int | None, modele: type[Model], changements: Iterable[tuple[int, dict, dict]]) -> None:
    """(identifiant, valeurs d'avant, valeurs d'après), champ par champ, en types JSON (textes, nombres, null).

    Un montant s'y écrit en centimes entiers, une date en ISO. Le premier changement d'un lot fait foi pour l'avant.
    """
    if lot_id is None:
        return
    TraceDeLot.objects.bulk_create(
        (
            TraceDeLot(lot_id=lot_id, objet=modele._meta.label_lower, objet_id=pk, avant=avant, apres=apres)
            for pk, avant, apres in changements
        ),
        batch_size=1_000,
        ignore_conflicts=True,
    )
