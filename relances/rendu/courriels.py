"""Courriels de relance : texte brut, sans image ni pixel (CNIL, délibération 2026-042)."""

import re
from dataclasses import dataclass

from relances.domaine.natures import Canal

from . import gabarits, insertions, lettres, moteur, variables
from .contexte import Lettre


@dataclass(frozen=True)
class Courriel:
    objet: str
    texte: str

    @property
    def integral(self) -> str:
        """Objet et texte d'un seul tenant, tel que `controles.elements_manquants` le relit."""
        return f"Objet\u00a0: {self.objet}\n\n{self.texte}"


def rendre(lettre: Lettre) -> Courriel:
    """Objet (une seule ligne) et texte du courriel. Lève `ModeleAbsent` ou `VariableInconnue`.

    Pour une lettre sur papier : son objet et ses paragraphes modifiables, séparés par une ligne vide,
    tels que `lettres.textes_depuis` les relit.
    """
    if lettre.canal in (Canal.LETTRE, Canal.RECOMMANDE):
        textes = lettres.paragraphes(lettre)
        objet = _une_ligne(textes.pop("objet", ""))
        return Courriel(objet[:1].upper() + objet[1:], "\n\n".join(textes.values()) + "\n")
    dossier = gabarits.du_courriel(lettre)
    contexte = variables.d_une_lettre(lettre, support=insertions.COURRIEL)
    objet, texte = (
        moteur.appliquer(moteur.moteur_courriels(), f"{dossier}/{partie}.txt", contexte)
        for partie in ("objet", "corps")
    )
    return au_net(objet, texte)


def au_net(objet: str, texte: str) -> Courriel:
    """Objet d'une ligne, texte sans blancs de trop : ce qui part."""
    return Courriel(_une_ligne(objet), _mettre_au_net(texte))


def _une_ligne(objet: str) -> str:
    """Un retour à la ligne dans l'objet (nom de client importé) ajouterait un en-tête au message."""
    return re.sub(r"[\x00-\x1f\x7f ]+", " ", objet).strip()


def _mettre_au_net(texte: str) -> str:
    texte = re.sub(r"[ \t]+$", "", texte, flags=re.M)
    return re.sub(r"\n{3,}", "\n\n", texte).strip() + "\n"
