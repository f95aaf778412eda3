"""Les trois échelles livrées : entreprise, administration, particulier. Trois droits, pas trois tons."""

from typing import NamedTuple

from .natures import Canal, ModePalier, Nature, Reference

C, M, N, R = Canal, ModePalier, Nature, Reference


class PalierLivre(NamedTuple):
    nature: Nature
    reference: Reference
    delai: int
    canaux: tuple[Canal, ...]
    mode: ModePalier
    delai_reponse: int


class PlanLivre(NamedTuple):
    code: str
    nom: str
    type_debiteur: str
    paliers: tuple[PalierLivre, ...]


PLANS = (
    PlanLivre(
        "entreprise",
        "Entreprise",
        "entreprise",
        (
            PalierLivre(N.RAPPEL_COURTOIS, R.ECHEANCE, 5, (C.COURRIEL, C.LETTRE), M.AUTOMATIQUE, 8),
            PalierLivre(N.APPEL, R.ECHEANCE, 12, (C.APPEL, C.TACHE), M.TACHE, 8),
            PalierLivre(N.FORMALISATION, R.ECHEANCE, 20, (C.COURRIEL, C.LETTRE), M.AUTOMATIQUE, 10),
            PalierLivre(N.MISE_EN_DEMEURE, R.PRECEDENT, 15, (C.RECOMMANDE,), M.A_VALIDER, 15),
            PalierLivre(N.CONTENTIEUX, R.PRECEDENT, 20, (C.TACHE,), M.TACHE, 15),
        ),
    ),
    PlanLivre(
        # Pas de mise en demeure de droit privé ni d'injonction : mandatement d'office (droit.md § 3).
        "administration",
        "Administration",
        "administration",
        (
            PalierLivre(N.RAPPEL_COURTOIS, R.ECHEANCE, 10, (C.COURRIEL, C.LETTRE), M.AUTOMATIQUE, 15),
            PalierLivre(N.APPEL, R.ECHEANCE, 20, (C.APPEL, C.TACHE), M.TACHE, 15),
            PalierLivre(N.FORMALISATION, R.ECHEANCE, 30, (C.COURRIEL, C.LETTRE), M.A_VALIDER, 15),
            PalierLivre(N.CONTENTIEUX, R.PRECEDENT, 30, (C.TACHE,), M.TACHE, 15),
        ),
    ),
    PlanLivre(
        # Ni 40 €, ni pénalité ; la relance n'a de « formalisation » que la place dans l'échelle (droit.md § 4).
        "particulier",
        "Particulier",
        "particulier",
        (
            PalierLivre(N.RAPPEL_COURTOIS, R.ECHEANCE, 7, (C.COURRIEL, C.LETTRE), M.AUTOMATIQUE, 10),
            PalierLivre(N.APPEL, R.ECHEANCE, 15, (C.APPEL, C.TACHE), M.TACHE, 10),
            PalierLivre(N.FORMALISATION, R.ECHEANCE, 25, (C.COURRIEL, C.LETTRE), M.AUTOMATIQUE, 10),
            PalierLivre(N.MISE_EN_DEMEURE, R.PRECEDENT, 15, (C.RECOMMANDE,), M.A_VALIDER, 15),
            PalierLivre(N.CONTENTIEUX, R.PRECEDENT, 25, (C.TACHE,), M.TACHE, 15),
        ),
    ),
)
