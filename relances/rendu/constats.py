"""Un manque : ce qui empêche un document de partir, en une phrase, avec l'endroit où le corriger."""

from dataclasses import dataclass

from . import moteur

SOCIETE, CLIENT, FACTURES, TAUX, COURRIER, MODELE, DOSSIER = (
    "societe", "client", "factures", "taux", "courrier", "modele", "dossier",
)  # fmt: skip


@dataclass(frozen=True)
class Manque:
    """`code` est stable ; `ou_corriger` : societe, client, factures, taux, courrier, modele ou dossier."""

    code: str
    phrase: str
    ou_corriger: str

    def __post_init__(self):
        object.__setattr__(self, "phrase", moteur.typographier(self.phrase))
