"""Défaire un import : tout ce qu'il a créé disparaît, tout ce qu'il a changé revient, ou rien ne bouge.

docs/decisions/0024-defaire-un-import.md. Le nombre de requêtes ne dépend pas du nombre de pièces créées ; il croît par
paquets de mille avec celles que l'import a changées.
"""

from datetime import date, datetime

from django.db import IntegrityError, models, transaction
from django.db.models import Max
from django.utils.translation import gettext as _

from factures.imports.rapprochement_fec import SOLDES
from factures.imports.requetes import executer
from factures.imports.traces import depuis_trace
from factures.models import Echeance, Encaissement, Imputation, Lot, TraceDeLot
from factures.signaux import echeances_deplacees
from recouvrement.comptes.models import Societe
from recouvrement.journal.services import consigner

from .annulation_bloqueurs import EFFACES, TEMOINS, VIDES, Bloqueur, bloqueurs, liens, par_paquets, repondre
from .annulation_objets import Objets
from .echeanciers import rouvrir_echeanciers
from .litiges import rouvrir_litiges
from .promesses import rejuger_promesses

__all__ = ["AnnulationImpossible", "Bloqueur", "apercu", "bloqueurs", "defaire"]
PAQUET = 1_000


class AnnulationImpossible(Exception):
    """Quelque chose s'est bâti sur l'import ; `raisons` le dit."""

    def __init__(self, raisons: list[str]):
        super().__init__(" ; ".join(raisons))
        self.raisons = raisons


def apercu(lot: Lot) -> dict[str, int]:
    """Ce qui disparaîtrait, par nom de modèle, et sous « modifies » ce qui retrouverait sa valeur d'avant."""
    objets = Objets.de(lot)
    comptes = {modele._meta.label_lower: nombre for modele, nombre in objets.nombres.items()}
    return comptes | {"modifies": TraceDeLot.objects.filter(lot=lot, cree=False).count()}


def defaire(lot: Lot, *, acteur, moment: datetime, au: date) -> bool:
    """Défait un import appliqué ; faux s'il l'est déjà (double clic).

    moment : instant ; au : jour local. Lève AnnulationImpossible, et rien n'a changé : quelque chose s'est bâti dessus.
    """
    try:
        with transaction.atomic():
            Societe.objects.select_for_update(no_key=True).get(pk=lot.societe_id)
            lot = Lot.objects.select_for_update(no_key=True, of=("self",)).select_related("societe").get(pk=lot.pk)
            if lot.statut == Lot.Statut.DEFAIT:
                return False
            if obstacles := bloqueurs(lot):
                raise AnnulationImpossible(obstacles)
            _defaire(lot, acteur, moment, au)
    except IntegrityError as erreur:
        raise AnnulationImpossible(
            [_("Une pièce réglée autrement depuis ne peut pas retrouver son état d’avant : défaites ce règlement.")]
        ) from erreur
    return True


def _defaire(lot: Lot, acteur, moment: datetime, au: date) -> None:
    objets = Objets.de(lot)
    efface = {modele._meta.label_lower: nombre for modele, nombre in objets.nombres.items()}
    touchees = _pieces_touchees(lot)
    _effacer(objets)
    rendues = _restaurer(lot)
    for requete in SOLDES:
        executer(requete, [lot.societe_id])
    ouvertes = Echeance.objects.filter(societe=lot.societe_id).ouvertes()
    rouvrir_litiges(ouvertes, acteur=acteur)
    rejuger_promesses(ouvertes, au=au, acteur=acteur)
    rouvrir_echeanciers(ouvertes, acteur=acteur)
    for i in range(0, len(touchees), PAQUET):
        echeances_deplacees.send(sender=None, echeances=touchees[i : i + PAQUET], au=au)
    TraceDeLot.objects.filter(lot=lot)._raw_delete("default")
    lot.statut, lot.defait_le, lot.defait_par = Lot.Statut.DEFAIT, moment, acteur
    lot.save(update_fields=["statut", "defait_le", "defait_par"])
    restants = Lot.objects.filter(societe=lot.societe_id, statut=Lot.Statut.APPLIQUE)
    Societe.objects.filter(pk=lot.societe_id).update(dernier_import_le=restants.aggregate(le=Max("applique_le"))["le"])
    consigner(
        "import.defait", societe=lot.societe, acteur=acteur, objet=lot, texte=lot.fichier,
        donnees={"format": lot.format, "effaces": efface, "rendus": rendues, "empreinte": lot.empreinte},
    )  # fmt: skip


def _pieces_touchees(lot: Lot) -> list[int]:
    """Échéances que l'import n'a pas créées mais qu'il a réglées ou déplacées : à rejuger."""
    reglees = Imputation.objects.filter(lot=lot).exclude(echeance__lot=lot).values_list("echeance", flat=True)
    traces = TraceDeLot.objects.filter(lot=lot, cree=False)
    deplacees = traces.filter(objet="factures.echeance").values_list("objet_id", flat=True)
    supprimees = traces.filter(objet="factures.imputation", apres={}).values_list("avant__echeance_id", flat=True)
    return sorted({*reglees.order_by(), *deplacees, *supprimees})


def _effacer(objets: Objets) -> None:
    """Les clés étrangères se vérifient à la fin de la transaction : l'ordre est sans importance."""
    repondre(objets, effacer=True)
    for modele, chemins in liens(objets).items():
        for chemin, cible in chemins:
            attaches = modele._base_manager.filter(objets.condition(cible, chemin)).order_by()
            if (modele._meta.label_lower, chemin) in VIDES:
                modele._base_manager.filter(pk__in=attaches.values("pk")).update(**{chemin: None})
            elif (modele._meta.label_lower, chemin) in EFFACES:
                modele._base_manager.filter(pk__in=attaches.values("pk"))._raw_delete("default")
    for modele in objets.nombres:
        objets.tous(modele)._raw_delete("default")


def _restaurer(lot: Lot) -> dict[str, int]:
    """Rend à chaque objet changé ses valeurs d'avant, et remet les lignes supprimées. {modèle: combien}."""
    rendus: dict[str, int] = {}
    for modele, traces in par_paquets(lot):
        changees = [t for t in traces if not t.cree]
        supprimees = [t for t in changees if not t.apres]
        modifiees = [t for t in changees if t.apres]
        objets = modele._base_manager.in_bulk([t.objet_id for t in modifiees])
        champs: set[str] = set()
        for t in modifiees:
            champs |= _rendre(objets[t.objet_id], t)
        if champs:
            modele._base_manager.bulk_update(objets.values(), sorted(champs), batch_size=200)
        if supprimees:
            definitions = {c.attname: c for c in modele._meta.concrete_fields}
            lignes = [
                modele(**{nom: depuis_trace(definitions[nom], valeur) for nom, valeur in t.avant.items()})
                for t in supprimees
            ]
            if modele is Imputation:  # un paiement rejeté entre-temps n'éteint plus rien
                rejetes = Encaissement.objects.filter(
                    pk__in={x.encaissement_id for x in lignes}, rejete_le__isnull=False
                )
                repris = set(rejetes.values_list("pk", flat=True))
                lignes = [x for x in lignes if x.encaissement_id not in repris]
            _reinserer(modele, lignes)
        if changees:
            nom = modele._meta.label_lower
            rendus[nom] = rendus.get(nom, 0) + len(changees)
    return rendus


def _rendre(objet: models.Model, trace: TraceDeLot) -> set[str]:
    """Pose l'avant sur l'objet ; un témoin (version, date de mise à jour) qui a suivi autre chose reste où il est."""
    poses = set()
    for nom, valeur in trace.avant.items():
        champ = objet._meta.get_field(nom)
        if nom in TEMOINS and getattr(objet, nom) != depuis_trace(champ, trace.apres.get(nom)):
            continue
        setattr(objet, nom, depuis_trace(champ, valeur))
        poses.add(champ.name)
    return poses


def _reinserer(modele: type[models.Model], lignes: list[models.Model]) -> None:
    """Telles quelles, horodatage compris : `auto_now_add` n'a pas à dater une ligne qui revient."""
    horodates = [c for c in modele._meta.concrete_fields if getattr(c, "auto_now_add", False)]
    instants = {c.attname: {x.pk: getattr(x, c.attname) for x in lignes} for c in horodates}
    modele._base_manager.bulk_create(lignes)
    for attribut, valeurs in instants.items():
        for x in lignes:
            setattr(x, attribut, valeurs[x.pk])
        modele._base_manager.bulk_update(lignes, [attribut], batch_size=200)
