"""Le grand livre : pièces, échéances, règlements, imputations, et ce qui les conteste ou les promet."""

from .accessoires import AffectationAccessoires
from .grand_livre import Avoir, Echeance, Encaissement, Facture, Imputation
from .lots import Lot
from .suivi import CopieFacture, Echeancier, Exclusion, Litige, Mensualite, Promesse, Renonciation
from .taux import SemestreConnu, TauxBCE, TauxLegal

__all__ = [
    "AffectationAccessoires", "Avoir", "CopieFacture", "Echeance", "Echeancier", "Encaissement", "Exclusion", "Facture",
    "Imputation", "Litige", "Lot", "Mensualite", "Promesse", "Renonciation", "SemestreConnu", "TauxBCE", "TauxLegal",
]  # fmt: skip
