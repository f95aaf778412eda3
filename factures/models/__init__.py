"""Le grand livre : pièces, échéances, règlements, imputations, et ce qui les conteste ou les promet."""

from .grand_livre import Avoir, Echeance, Encaissement, Facture, Imputation
from .lots import Lot
from .suivi import Litige, Promesse
from .taux import SemestreConnu, TauxBCE, TauxLegal

__all__ = [
    "Avoir", "Echeance", "Encaissement", "Facture", "Imputation", "Litige", "Lot", "Promesse", "SemestreConnu",
    "TauxBCE", "TauxLegal",
]  # fmt: skip
