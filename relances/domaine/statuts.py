"""Transitions permises d'un courrier : table fermée, une ligne par geste (docs/statuts.md)."""

TRANSITIONS: dict[str, frozenset[str]] = {
    "a_valider": frozenset({"a_envoyer", "annule"}),
    "a_envoyer": frozenset({"en_cours", "annule", "en_erreur", "a_valider"}),
    # Un envoi interrompu ne se rejoue jamais seul : il devient incertain et une personne tranche.
    "en_cours": frozenset({"envoye", "a_poster", "a_envoyer", "incertain", "en_erreur", "annule", "a_valider"}),
    "incertain": frozenset({"envoye", "en_erreur", "a_envoyer"}),
    # Une lettre vieillie ou dont les faits ont changé se refait avant d'être imprimée.
    "a_poster": frozenset({"poste", "annule", "en_erreur", "a_envoyer"}),
    "poste": frozenset({"en_erreur"}),
    "envoye": frozenset({"en_erreur"}),
    "tache": frozenset({"annule"}),
    # Un « inconnu à l'adresse » saisi par erreur redevient posté, avec son vrai retour.
    "en_erreur": frozenset({"a_envoyer", "annule", "poste"}),
    "annule": frozenset(),
}


class TransitionInterdite(ValueError):
    """Le courrier n'est plus dans l'état attendu : deux onglets, un double clic, la nuit passée entre-temps."""


def verifier(de: str, vers: str) -> None:
    if vers not in TRANSITIONS[de]:
        raise TransitionInterdite(f"un courrier « {de} » ne devient pas « {vers} »")
