"""Les verdicts d'une échéance, et lesquels une personne peut lever pour une nuit. Vocabulaire pur."""

from enum import StrEnum

from .natures import Nature


class Motif(StrEnum):
    """Verdict d'une échéance ; `RELANCEE` mis à part, une raison de ne rien envoyer."""

    RELANCEE = "relancee"
    ATTENTE = "attente"
    TERMINEE = "terminee"
    SANS_PLAN = "sans_plan"
    CONTENTIEUX = "contentieux"
    PROCEDURE = "procedure"
    SURENDETTEMENT = "surendettement"
    AFFACTUREE = "affacturee"
    FUTURE = "facture_future"
    FE_ARRETEE = "fe_arretee"
    SUSPENDUE = "suspendue"
    REPONSE = "reponse"
    EXCLUE = "exclue"
    PRELEVEMENT = "prelevement"
    PROMESSE = "promesse"
    ECHEANCIER = "echeancier"
    TERME_NON_ECHU = "terme_non_echu"
    LITIGE = "litige"
    FE_RETENUE = "fe_retenue"
    FE_A_VERIFIER = "fe_a_verifier"
    A_QUALIFIER = "a_qualifier"
    SEUIL_PIECE = "seuil_piece"
    SEUIL_ENVOI = "seuil_envoi"
    MAX_AMIABLES = "max_amiables"
    DEJA_CE_JOUR = "deja_ce_jour"
    EN_ATTENTE_ENVOI = "en_attente_envoi"
    DELAI_CONTACT = "delai_contact"
    JOUR_NON_OUVRE = "jour_non_ouvre"
    CREDIT_NON_AFFECTE = "credit_non_affecte"
    COUVERTE = "couverte"
    FORMALISATION_ABSENTE = "formalisation_absente"
    SANS_ADRESSE = "sans_adresse"
    ADRESSE_EN_ERREUR = "adresse_en_erreur"
    SOCIETE_INCOMPLETE = "societe_incomplete"
    DONNEES_PERIMEES = "donnees_perimees"


# Verdicts que le temps seul peut changer : la nuit suivante ne les relit pas avant `prochaine`.
TEMPORELS = (Motif.ATTENTE, Motif.TERMINEE)

# Freins que la maison s'est donnés : une personne autorisée les lève pour une nuit, avec un motif. Tous les autres
# tiennent à la loi, au calendrier ou à un manque qui se corrige ailleurs (docs/decisions/0012).
LEVABLES = frozenset(
    {
        Motif.SUSPENDUE, Motif.REPONSE, Motif.EXCLUE, Motif.PRELEVEMENT, Motif.PROMESSE, Motif.ECHEANCIER,
        Motif.FE_RETENUE, Motif.FE_A_VERIFIER, Motif.MAX_AMIABLES,
        Motif.SEUIL_PIECE, Motif.SEUIL_ENVOI, Motif.DELAI_CONTACT, Motif.CREDIT_NON_AFFECTE,
    }
)  # fmt: skip
# Le client conteste ou a demandé une pièce par la plateforme : une mise en demeure le tairait (exigence 10).
JAMAIS_EN_DEMEURE = frozenset({Motif.FE_RETENUE})


def levable(motif: Motif, nature: Nature = Nature.AUCUNE) -> bool:
    """Ce frein peut-il être levé pour un palier de cette nature ?"""
    return motif in LEVABLES and not (motif in JAMAIS_EN_DEMEURE and nature >= Nature.MISE_EN_DEMEURE)
