"""L'échelle et ses versions, les modèles, les passages, ce qui est décidé et ce qui part."""

from .echelles import Echelle, NatureChoix, Palier, VersionEchelle
from .envois import Courrier, Relance, Tache
from .levees import LeveeDeFrein
from .messages import Message, MessageRecu, ReglageReponses, ReglageSms
from .modeles import Modele, VersionModele
from .passages import Passage, Verdict
from .portail import CodeSignature, Declaration, LienPortail, ReglagePortail, VisitePortail
from .postes import LotPostal, PliDeLot

__all__ = [
    "CodeSignature", "Courrier", "Declaration", "Echelle", "LeveeDeFrein", "LienPortail", "LotPostal", "Message",
    "MessageRecu", "Modele", "NatureChoix", "Palier", "Passage", "PliDeLot", "ReglagePortail", "ReglageReponses",
    "ReglageSms", "Relance", "Tache", "Verdict", "VersionEchelle", "VersionModele", "VisitePortail",
]  # fmt: skip
