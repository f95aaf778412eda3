"""Les sources de Ma journée : chacune dit ce qui attend (une requête) et en fait des actions."""

from .base import HORIZON, PLAFOND, Action, Portee, Source
from .decisions import ACCORDS, LEVEES, PERTES
from .envois import COURRIERS, MESSAGES
from .equipe import MENTIONS, confiees_ailleurs
from .recus import ANNONCES, DECLARATIONS, MESSAGES_RECUS
from .suivi import LITIGES, PROMESSES, VIREMENTS
from .taches import TACHES

# L'ordre n'a pas de sens : le rang d'une action vient de `domaine.priorite`.
SOURCES: tuple[Source, ...] = (
    TACHES, COURRIERS, MESSAGES, PROMESSES, LITIGES, VIREMENTS, MESSAGES_RECUS, DECLARATIONS, ANNONCES, LEVEES, ACCORDS,
    PERTES, MENTIONS,
)  # fmt: skip

__all__ = ["HORIZON", "PLAFOND", "SOURCES", "Action", "Portee", "Source", "confiees_ailleurs"]
