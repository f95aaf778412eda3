"""Qui écrit ce qu'un lecteur a lu, hors du grand livre (dont les tables d'attente sont la salle d'écriture).

Chaque module offre `ecrire(contexte, lu, ecrits) -> Iterator[Rejet]`, appelé dans la transaction de l'import, la
société verrouillée : il consomme `lu.elements`, compte dans `ecrits.crees` et `ecrits.inchanges`, rend les rejets.
Le nombre de requêtes ne dépend pas du nombre de lignes ; rejouer ne crée rien ; tout ce qui est modifié laisse une
`TraceDeLot` (voir `factures.imports.traces`). Une écriture refusée se défait avec la transaction.
"""

from importlib import import_module


def ecrivain(famille: str):
    """Le module qui écrit cette famille, ou None pour le grand livre."""
    if famille == "grand-livre":
        return None
    return import_module(f"factures.imports.familles.{famille}")
