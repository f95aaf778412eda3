"""La table fichier × attendu × obtenu, imprimée à la fin de la séance."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal


def _texte(valeur) -> str:
    if isinstance(valeur, Decimal):
        return f"{valeur:.2f}"
    if isinstance(valeur, date):
        return valeur.isoformat()
    if isinstance(valeur, list | tuple | set | frozenset):
        return (
            "["
            + ", ".join(map(_texte, sorted(valeur, key=str) if isinstance(valeur, set | frozenset) else valeur))
            + "]"
        )
    if isinstance(valeur, Mapping):
        return "{" + ", ".join(f"{k}: {_texte(v)}" for k, v in valeur.items()) + "}"
    return str(valeur)


@dataclass
class Table:
    """`noter` compare clé par clé ce qui est attendu ; l'essai échoue sur la première séance qui diffère."""

    proprietes: list = field(default_factory=list)

    def noter(self, fichier: str, attendu: Mapping, obtenu: Mapping) -> None:
        """fichier : chemin relatif au corpus. Seules les clés attendues sont comparées ; une clé absente échoue."""
        attendus = {cle: _texte(valeur) for cle, valeur in attendu.items()}
        obtenus = {cle: _texte(obtenu[cle]) if cle in obtenu else "(absent)" for cle in attendu}
        ecarts = [cle for cle in attendus if attendus[cle] != obtenus[cle]]
        self.proprietes.append(("corpus", [fichier, attendus, obtenus, ecarts]))
        detail = "\n".join(f"  {cle} : attendu {attendus[cle]}, obtenu {obtenus[cle]}" for cle in ecarts)
        assert not ecarts, f"{fichier}\n{detail}"
