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
    """paliers : publiés à la naissance de la société ; facultatifs : proposés par « Ajouter un palier »."""

    code: str
    nom: str
    type_debiteur: str
    paliers: tuple[PalierLivre, ...]
    facultatifs: tuple[PalierLivre, ...]


def livre_pour(type_debiteur: str) -> PlanLivre:
    """Le plan livré de ce type de débiteur ; celui des entreprises pour un type à qualifier."""
    return next((p for p in PLANS if p.type_debiteur == type_debiteur), PLANS[0])


def palier_livre(type_debiteur: str, nature: Nature) -> PalierLivre | None:
    """Réglages livrés d'une nature pour ce type ; None : le droit de ce débiteur ne la connaît pas."""
    livre = livre_pour(type_debiteur)
    return next((p for p in (*livre.paliers, *livre.facultatifs) if p.nature == nature), None)


# Facultatif : un rappel avant terme se choisit, personne ne le reçoit sans qu'on l'ait voulu (produit.md § 2).
AVANT = PalierLivre(N.AVANT_ECHEANCE, R.ECHEANCE, -7, (C.COURRIEL,), M.AUTOMATIQUE, 8)


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
        (AVANT,),
    ),
    PlanLivre(
        # Ni mise en demeure de droit privé, ni injonction : la dernière tâche saisit le préfet d'un mandatement
        # d'office (CGCT, art. L1612-16), un mois après la réclamation chiffrée (CCP, art. L2192-13, R2192-36).
        "administration",
        "Administration",
        "administration",
        (
            PalierLivre(N.RAPPEL_COURTOIS, R.ECHEANCE, 10, (C.COURRIEL, C.LETTRE), M.AUTOMATIQUE, 15),
            PalierLivre(N.APPEL, R.ECHEANCE, 20, (C.APPEL, C.TACHE), M.TACHE, 15),
            PalierLivre(N.FORMALISATION, R.ECHEANCE, 30, (C.COURRIEL, C.LETTRE), M.A_VALIDER, 15),
            PalierLivre(N.CONTENTIEUX, R.PRECEDENT, 30, (C.TACHE,), M.TACHE, 15),
        ),
        (AVANT,),
    ),
    PlanLivre(
        # Ni 40 €, ni pénalité, et le médiateur dans la mise en demeure (C. conso., art. L616-1) : la relance n'a de
        # « formalisation » que la place dans l'échelle (droit.md § 4). Délais plus longs que pour un professionnel.
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
        (AVANT,),
    ),
)
