"""SMS de relance : une phrase en alphabet GSM 7 bits, sans lien raccourci."""

from relances.domaine.sms import en_gsm7

from . import gabarits, insertions, moteur, variables
from .contexte import Lettre


def rendre(lettre: Lettre) -> str:
    """Le texte du SMS, d'une ligne. Lève `ModeleAbsent` ou `VariableInconnue`."""
    contexte = variables.d_une_lettre(lettre, support=insertions.SMS)
    return en_gsm7(" ".join(moteur.appliquer(moteur.moteur_sms(), gabarits.du_sms(lettre), contexte).split()))
