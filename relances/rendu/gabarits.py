"""Quel modèle pour quelle relance : le type de débiteur choisit le droit et le ton (exigence 28)."""

from django.utils.translation import gettext as _

from relances.domaine.natures import Nature

from .contexte import Lettre, TypeDebiteur
from .insertions import COURRIEL, LETTRE, SMS
from .moteur import COURRIELS, LETTRES, MESSAGES

RACINES = {LETTRE: (LETTRES, ".html"), COURRIEL: (COURRIELS, ""), SMS: (MESSAGES, ".txt")}

NOMS = {
    Nature.AVANT_ECHEANCE: "avant_echeance",
    Nature.RAPPEL_COURTOIS: "rappel_courtois",
    Nature.FORMALISATION: "formalisation",
    Nature.MISE_EN_DEMEURE: "mise_en_demeure",
}
# Sans type connu, on ne réclame ni pénalités ni 40 € : seuls les rappels s'écrivent.
RAPPELS = (Nature.AVANT_ECHEANCE, Nature.RAPPEL_COURTOIS)


class ModeleAbsent(LookupError):
    """Aucun modèle n'est écrit pour ce palier, ce type de débiteur et cette langue."""


def dossier(type_debiteur: TypeDebiteur, langue: str) -> str:
    """« entreprise », « particulier », « administration » ; les mêmes sous « anglais », entreprise à la racine."""
    professionnel = type_debiteur in (TypeDebiteur.ENTREPRISE, TypeDebiteur.A_QUALIFIER)
    if langue == "en":
        return "anglais" if professionnel else f"anglais/{type_debiteur}"
    return "entreprise" if professionnel else str(type_debiteur)


def chemin(support: str, *, nature: Nature, type_debiteur: TypeDebiteur, langue: str) -> str:
    """Chemin du gabarit livré pour ce support, ou vide s'il n'existe pas."""
    if type_debiteur is TypeDebiteur.A_QUALIFIER and (nature not in RAPPELS or support == SMS):
        return ""
    racine, suffixe = RACINES[support]
    nom = NOMS.get(nature, "")
    relatif = f"{dossier(type_debiteur, langue)}/{nom}{suffixe}"
    return relatif if nom and (racine / relatif).exists() else ""


def _chemin(support: str, lettre: Lettre) -> str:
    return chemin(support, nature=Nature(lettre.nature), type_debiteur=lettre.type_debiteur, langue=lettre.langue)


def lettre_existe(lettre: Lettre) -> bool:
    return bool(_chemin(LETTRE, lettre))


def courriel_existe(lettre: Lettre) -> bool:
    return bool(_chemin(COURRIEL, lettre))


def de_la_lettre(lettre: Lettre) -> str:
    return _chemin(LETTRE, lettre) or _absent(lettre)


def du_courriel(lettre: Lettre) -> str:
    return _chemin(COURRIEL, lettre) or _absent(lettre)


def du_sms(lettre: Lettre) -> str:
    return _chemin(SMS, lettre) or _absent(lettre)


def _absent(lettre: Lettre):
    raise ModeleAbsent(
        _("Aucun modèle « %(nature)s » pour un débiteur « %(type)s » en « %(langue)s ».")
        % {
            "nature": NOMS.get(Nature(lettre.nature), str(lettre.nature)).replace("_", " "),
            "type": str(lettre.type_debiteur).replace("_", " "),
            "langue": lettre.langue,
        }
    )
