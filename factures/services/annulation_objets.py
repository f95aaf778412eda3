"""Ce qu'un import a créé, table par table : une condition, jamais une liste d'identifiants."""

from dataclasses import dataclass, field

from django.apps import apps
from django.db.models import BooleanField, Exists, ExpressionWrapper, Model, OuterRef, Q, QuerySet

from clients.models import AnnonceBodacc, CorrectionProposee
from factures.models import (
    Avoir,
    Echeance,
    Encaissement,
    Facture,
    Imputation,
    Lot,
    MouvementBancaire,
    ReleveBancaire,
    StatutRecu,
    TraceDeLot,
)

# Portent l'import qui les a créés, dans l'ordre où l'on compte ce qui disparaîtra.
PORTEURS: tuple[type[Model], ...] = (
    Facture, Echeance, Avoir, Encaissement, Imputation, ReleveBancaire, MouvementBancaire, StatutRecu, AnnonceBodacc,
    CorrectionProposee,
)  # fmt: skip


@dataclass
class Objets:
    """Ce que `lot` a créé. `nombres` : {modèle: combien}, seuls les modèles qu'il a créés y sont."""

    lot: Lot
    nombres: dict[type[Model], int] = field(default_factory=dict)
    traces: set[type[Model]] = field(default_factory=set)

    @classmethod
    def de(cls, lot: Lot) -> "Objets":
        objets = cls(lot)
        etiquettes = TraceDeLot.objects.filter(lot=lot, cree=True).order_by().values_list("objet", flat=True).distinct()
        objets.traces = {apps.get_model(etiquette) for etiquette in etiquettes}
        for modele in (*PORTEURS, *sorted(objets.traces - set(PORTEURS), key=lambda m: m._meta.label_lower)):
            if nombre := objets.tous(modele).count():
                objets.nombres[modele] = nombre
        return objets

    def condition(self, modele: type[Model], chemin: str = "") -> Q | Exists:
        """« Cet objet, au bout de `chemin` (nom d'une clé étrangère, vide : lui-même), a été créé par l'import. »"""
        conditions = Q(pk__in=[])
        if modele in PORTEURS:
            conditions = Q(**{f"{chemin}__lot" if chemin else "lot": self.lot.pk})
        if modele in self.traces:
            trace = TraceDeLot.objects.filter(lot=self.lot.pk, objet=modele._meta.label_lower, cree=True)
            existe = Exists(trace.filter(objet_id=OuterRef(f"{chemin}_id" if chemin else "pk")))
            conditions = conditions | Q(existe) if modele in PORTEURS else Q(existe)
        return conditions

    def tous(self, modele: type[Model]) -> QuerySet:
        return modele._base_manager.filter(self.condition(modele)).order_by()

    def etrangers(self, modele: type[Model], *chemins: tuple[str, type[Model]]) -> QuerySet:
        """Lignes de `modele` que l'import n'a pas créées, et qui s'attachent à ce qu'il a créé."""
        attachees = Q(pk__in=[])
        for chemin, cible in chemins:
            attachees |= self.condition(cible, chemin)
        etrangeres = modele._base_manager.filter(attachees).order_by()
        if modele not in self.nombres:
            return etrangeres
        sien = ExpressionWrapper(self.condition(modele), output_field=BooleanField())
        return (
            etrangeres.alias(_sien=sien).exclude(_sien=True)
            if modele in self.traces
            else etrangeres.exclude(self.condition(modele))
        )
