"""Ce qu'un import change et que les pièces ne disent pas elles-mêmes : de quoi le défaire.

Une trace porte des valeurs JSON : montant en centimes entiers, date et instant en ISO, le reste tel quel. `avant`
seul (`apres` vide) : une ligne que l'import a supprimée, entière. `cree` : un objet créé ; `apres` n'y sert qu'à
reconnaître qu'une personne l'a retouché depuis.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import date, datetime
from decimal import Decimal
from itertools import islice

from django.db.models import Field, Model, QuerySet

from factures.models import TraceDeLot
from recouvrement.commun.champs import ChampMontant, en_centimes, en_euros

PAQUET = 1_000
RELUES = 5_000  # lignes relues d'un coup pour comparer


def en_trace(champ: Field, valeur):
    """Valeur Python d'un champ → JSON."""
    if valeur is None:
        return None
    if isinstance(champ, ChampMontant):
        return en_centimes(valeur)
    if isinstance(valeur, date | datetime):
        return valeur.isoformat()
    return str(valeur) if isinstance(valeur, Decimal) else valeur


def depuis_trace(champ: Field, valeur):
    """L'inverse de `en_trace`."""
    if valeur is None:
        return None
    return en_euros(valeur) if isinstance(champ, ChampMontant) else champ.to_python(valeur)


def tracer_crees(lot_id: int | None, modele: type[Model], identifiants: Iterable, *, temoins: tuple = ()) -> None:
    """Objets créés dont le modèle n'a pas de champ `lot` : identifiants, ou objets si `temoins` nomme des champs.

    Sans effet à l'essai (lot_id None).
    """
    if lot_id is None:
        return
    etiquette = modele._meta.label_lower
    TraceDeLot.objects.bulk_create(
        (
            TraceDeLot(
                lot_id=lot_id, objet=etiquette, objet_id=getattr(x, "pk", x), cree=True,
                apres={nom: en_trace(modele._meta.get_field(nom), getattr(x, nom)) for nom in temoins},
            )
            for x in identifiants
        ),
        batch_size=PAQUET,
        ignore_conflicts=True,
    )  # fmt: skip


def tracer_modifies(lot_id: int | None, modele: type[Model], changements: Iterable[tuple[int, dict, dict]]) -> None:
    """(identifiant, valeurs d'avant, valeurs d'après), champ par champ, en types JSON (textes, nombres, null).

    Un montant s'y écrit en centimes entiers, une date en ISO. Le premier changement d'un lot fait foi pour l'avant, le
    dernier pour l'après.
    """
    if lot_id is None:
        return
    etiquette, flux = modele._meta.label_lower, iter(changements)
    while paquet := list(islice(flux, PAQUET)):
        deja = {
            t.objet_id: t
            for t in TraceDeLot.objects.filter(lot_id=lot_id, objet=etiquette, objet_id__in=[x[0] for x in paquet])
        }
        neuves: dict[int, TraceDeLot] = {}
        for pk, avant, apres in paquet:
            trace = deja.get(pk) or neuves.setdefault(pk, TraceDeLot(lot_id=lot_id, objet=etiquette, objet_id=pk))
            trace.avant = {} if trace.cree else {**avant, **trace.avant}
            trace.apres = {**trace.apres, **apres}
        TraceDeLot.objects.bulk_create(neuves.values())
        if deja:
            TraceDeLot.objects.bulk_update(deja.values(), ["avant", "apres"])


def tracer_supprimes(lot_id: int | None, objets: Iterable[Model]) -> None:
    """Lignes que l'import va supprimer, gardées entières."""
    if lot_id is None:
        return
    TraceDeLot.objects.bulk_create(
        (
            TraceDeLot(
                lot_id=lot_id, objet=x._meta.label_lower, objet_id=x.pk,
                avant={c.attname: en_trace(c, getattr(x, c.attname)) for c in x._meta.concrete_fields},
            )
            for x in objets
        ),
        batch_size=PAQUET,
        ignore_conflicts=True,
    )  # fmt: skip


@contextmanager
def observer(lot_id: int | None, objets: QuerySet, champs: Iterable[str]) -> Iterator[None]:
    """Trace ce que le bloc change à ces champs (noms d'attributs) des objets de la requête, lue en entrant."""
    if lot_id is None:
        yield
        return
    modele, noms = objets.model, list(champs)
    avant = {x[0]: x[1:] for x in objets.order_by().values_list("pk", *noms)}
    yield
    definitions = [modele._meta.get_field(nom) for nom in noms]
    tracer_modifies(lot_id, modele, _differences(modele, noms, definitions, avant))


def _differences(modele, noms, definitions, avant: dict) -> Iterator[tuple[int, dict, dict]]:
    cles = sorted(avant)
    for i in range(0, len(cles), RELUES):
        for pk, *valeurs in modele._base_manager.filter(pk__in=cles[i : i + RELUES]).values_list("pk", *noms):
            anciens, neufs = {}, {}
            for nom, champ, ancien, neuf in zip(noms, definitions, avant[pk], valeurs, strict=True):
                if ancien != neuf:
                    anciens[nom], neufs[nom] = en_trace(champ, ancien), en_trace(champ, neuf)
            if neufs:
                yield pk, anciens, neufs
