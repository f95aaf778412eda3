"""L'échelle et ses versions, les passages, ce qui est décidé et ce qui part."""

from .echelles import Echelle, NatureChoix, Palier, VersionEchelle
from .envois import Courrier, Relance, Tache
from .passages import Passage, Verdict

__all__ = [
    "Courrier", "Echelle", "NatureChoix", "Palier", "Passage", "Relance", "Tache", "Verdict", "VersionEchelle",
]  # fmt: skip
