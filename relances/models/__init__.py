"""L'échelle et ses versions, les modèles, les passages, ce qui est décidé et ce qui part."""

from .echelles import Echelle, NatureChoix, Palier, VersionEchelle
from .envois import Courrier, Relance, Tache
from .levees import LeveeDeFrein
from .modeles import Modele, VersionModele
from .passages import Passage, Verdict
from .postes import LotPostal, PliDeLot

__all__ = [
    "Courrier", "Echelle", "LeveeDeFrein", "LotPostal", "Modele", "NatureChoix", "Palier", "Passage", "PliDeLot",
    "Relance", "Tache", "Verdict", "VersionEchelle", "VersionModele",
]  # fmt: skip
