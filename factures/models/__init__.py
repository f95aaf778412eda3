"""Le grand livre : pièces, échéances, règlements, imputations, et ce qui les conteste ou les promet."""

from .accessoires import AffectationAccessoires
from .accords import Accord, EchangeLitige, Penalites, PropositionPerte, ReglageAccords
from .banque import (
    CompteBancaire,
    MouvementBancaire,
    NatureMouvement,
    ReglageRapprochement,
    RegleRapprochement,
    ReleveBancaire,
    SuggestionRapprochement,
)
from .evenements import CompteComptable, Douteux, StatutRecu
from .grand_livre import Avoir, Echeance, Encaissement, Facture, Imputation, NatureAvoir
from .lots import Correspondance, Lot, SourceImport, TraceDeLot
from .suivi import CopieFacture, Echeancier, Exclusion, Litige, Mensualite, Promesse, Renonciation
from .taux import SemestreConnu, TauxBCE, TauxLegal

__all__ = [
    "Accord", "AffectationAccessoires", "Avoir", "CompteBancaire", "CompteComptable", "CopieFacture",
    "Correspondance", "Douteux", "EchangeLitige", "Echeance", "Echeancier", "Encaissement", "Exclusion", "Facture",
    "Imputation", "Litige", "Lot", "Mensualite", "MouvementBancaire", "NatureAvoir", "NatureMouvement", "Penalites",
    "Promesse", "PropositionPerte", "ReglageAccords", "ReglageRapprochement", "RegleRapprochement",
    "ReleveBancaire", "Renonciation", "SemestreConnu", "SourceImport", "StatutRecu", "SuggestionRapprochement",
    "TauxBCE", "TauxLegal", "TraceDeLot",
]  # fmt: skip
