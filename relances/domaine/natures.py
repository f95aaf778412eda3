"""Vocabulaire de l'échelle : pur, partagé par les modèles, la décision et le rendu."""

from enum import IntEnum, StrEnum


class Nature(IntEnum):
    """Nature d'un palier, du plus doux au plus grave ; 0 = aucune relance encore."""

    AUCUNE = 0
    AVANT_ECHEANCE = 1
    RAPPEL_COURTOIS = 2
    APPEL = 3
    FORMALISATION = 4
    MISE_EN_DEMEURE = 5
    CONTENTIEUX = 6


AMIABLES = frozenset({Nature.RAPPEL_COURTOIS, Nature.FORMALISATION})  # exigence 14


class Reference(StrEnum):
    """Jour depuis lequel se compte le délai d'un palier (exigence 7)."""

    ECHEANCE = "echeance"
    FACTURE = "facture"
    PRECEDENT = "precedent"


class Canal(StrEnum):
    COURRIEL = "courriel"
    LETTRE = "lettre"
    RECOMMANDE = "recommande"
    SMS = "sms"
    APPEL = "appel"
    TACHE = "tache"


class ModePalier(StrEnum):
    AUTOMATIQUE = "automatique"
    A_VALIDER = "a_valider"
    TACHE = "tache"
