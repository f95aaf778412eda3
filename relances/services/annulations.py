"""Ce que les relances ont bâti sur un import que l'on veut défaire."""

from django.db.models import Q
from django.utils.translation import ngettext

from clients.models import Client
from factures.models import Echeance
from recouvrement.commun import formats
from relances.models import Courrier, Echelle, LeveeDeFrein, Relance, Tache, Verdict

TRAITES = {
    "relances.verdict", "relances.relance", "relances.courrier", "relances.tache", "relances.leveedefrein",
    "relances.echelle_clients",
}  # fmt: skip


def repondre(de, *, effacer: bool) -> tuple[list[str], set[str]]:
    """de : `factures.services.annulation_objets.Objets`. Relances, courriers, tâches faites et levées empêchent.

    Un verdict de la nuit, ou une tâche que personne n'a faite et qu'aucun courrier ne porte, s'effacent avec la pièce.
    """
    ouvertes = Q(faite_le=None, courrier=None)
    if effacer:
        Verdict.objects.filter(pk__in=_lies(de, Verdict, Echeance, "echeance").values("pk"))._raw_delete("default")
        _lies(de, Tache, Client, "client").filter(ouvertes).delete()
        return [], TRAITES
    comptes = (
        (_lies(de, Relance, Echeance, "echeance"), "relances"),
        (_lies(de, Courrier, Client, "client"), "courriers"),
        (_lies(de, Tache, Client, "client").exclude(ouvertes), "taches"),
        (_lies(de, LeveeDeFrein, Echeance, "echeance"), "levees"),
        (_lies(de, Echelle.clients.through, Client, "client"), "plans"),
    )
    phrases = []
    for lignes, nom in comptes:
        if n := lignes.count():
            phrases.append(_phrase(nom, n))
    return phrases, TRAITES


def _lies(de, modele, cible, chemin: str):
    if cible not in de.nombres:
        return modele._base_manager.none()
    return modele._base_manager.filter(de.condition(cible, chemin)).order_by()


def _phrase(nom: str, n: int) -> str:
    dites = {
        "relances": ngettext(
            "%(n)s relance décidée ou partie sur ses pièces", "%(n)s relances décidées ou parties sur ses pièces", n
        ),
        "courriers": ngettext("%(n)s courrier à ses clients", "%(n)s courriers à ses clients", n),
        "taches": ngettext("%(n)s tâche sur ses clients", "%(n)s tâches sur ses clients", n),
        "levees": ngettext("%(n)s frein levé sur ses pièces", "%(n)s freins levés sur ses pièces", n),
        "plans": ngettext(
            "%(n)s client rangé dans un plan de relance", "%(n)s clients rangés dans un plan de relance", n
        ),
    }
    return dites[nom] % {"n": formats.nombre(n)}
