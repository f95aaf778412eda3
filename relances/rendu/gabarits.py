"""Quel modèle pour quelle relance : le type de débiteur choisit le droit et le ton (exigence 28)."""

from pathlib import Path

from django.utils.translation import gettext as _

from relances.domaine.natures import Nature

from .contexte import Lettre, TypeDebiteur
from .moteur import COURRIELS, LETTRES

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


def _chemin(racine: Path, lettre: Lettre, suffixe: str) -> str:
    """Chemin du gabarit sous `racine`, ou vide s'il n'existe pas."""
    type_debiteur = lettre.type_debiteur
    if type_debiteur is TypeDebiteur.A_QUALIFIER and lettre.nature not in RAPPELS:
        return ""
    nom = NOMS.get(Nature(lettre.nature), "")
    chemin = f"{dossier(type_debiteur, lettre.langue)}/{nom}{suffixe}"
    return chemin if nom and (racine / chemin).exists() else ""


def lettre_existe(lettre: Lettre) -> bool:
    return bool(_chemin(LETTRES, lettre, ".html"))


def courriel_existe(lettre: Lettre) -> bool:
    return bool(_chemin(COURRIELS, lettre, ""))


def de_la_lettre(lettre: Lettre) -> str:
    return _chemin(LETTRES, lettre, ".html") or _absent(lettre)


def du_courriel(lettre: Lettre) -> str:
    return _chemin(COURRIELS, lettre, "") or _absent(lettre)


def _absent(lettre: Lettre):
    raise ModeleAbsent(
        _("Aucun modèle « %(nature)s » pour un débiteur « %(type)s » en « %(langue)s ».")
        % {
            "nature": NOMS.get(Nature(lettre.nature), str(lettre.nature)).replace("_", " "),
            "type": str(lettre.type_debiteur).replace("_", " "),
            "langue": lettre.langue,
        }
    )
