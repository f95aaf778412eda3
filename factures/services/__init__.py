"""Toutes les écritures du grand livre qui ont un sens pour le métier."""

from .accessoires import AccessoiresDus, accessoires_dus
from .encaissements import desimputer, enregistrer_encaissement, imputer, imputer_avoir
from .litiges import (
    clore_litige,
    conclure_litiges,
    ouvrir_litige,
    prolonger_litige,
    reconnaitre_litige,
    rouvrir_litiges,
)
from .prelevements import rejeter_prelevement
from .promesses import annuler_promesse, evaluer_promesses, limite_promesse, promettre, rejuger_promesses
from .rappel_taux import manque_au_semestre, phrase_de_rappel, rappeler, semestre_a_relever
from .renonciations import annuler_renonciation, renoncer
from .taux import ajouter_semestre, bareme, corriger_semestre

__all__ = [
    "AccessoiresDus", "accessoires_dus",
    "ajouter_semestre", "annuler_promesse", "annuler_renonciation", "bareme", "clore_litige", "corriger_semestre",
    "desimputer", "enregistrer_encaissement", "evaluer_promesses", "imputer", "imputer_avoir", "limite_promesse",
    "conclure_litiges",
    "manque_au_semestre", "ouvrir_litige", "phrase_de_rappel", "prolonger_litige", "promettre", "rappeler",
    "reconnaitre_litige", "rejeter_prelevement", "rejuger_promesses", "renoncer", "rouvrir_litiges",
    "semestre_a_relever",
]  # fmt: skip
