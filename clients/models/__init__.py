"""Le débiteur, ses interlocuteurs, ce qui suspend ses relances, ce que l'équipe partage de lui."""

from .equipe import Document, OppositionSms, Partage, Report
from .fiche import (
    CAS_PUBLICS,
    CasDelai,
    Client,
    Contact,
    IbanClient,
    IssueProcedure,
    Note,
    RegleImputation,
    Regroupement,
    RoleContact,
    SousPlancher,
    Suspension,
    TypeDebiteur,
)
from .registres import AnnonceBodacc, BlocageCommandes, CorrectionProposee

__all__ = [
    "CAS_PUBLICS", "AnnonceBodacc", "BlocageCommandes", "CasDelai", "Client", "Contact", "CorrectionProposee",
    "Document", "IbanClient", "IssueProcedure", "Note", "OppositionSms", "Partage", "RegleImputation", "Regroupement",
    "Report", "RoleContact", "SousPlancher", "Suspension", "TypeDebiteur",
]  # fmt: skip
