"""Sortir la liste d'un écran en fichier : la vue donne ses lignes filtrées et triées, ici le droit et le format."""

from collections.abc import Callable, Sequence

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from recouvrement.commun import tableaux
from recouvrement.commun.vues import parametres, rediriger

from .droits import Droit, peut


def demande(request) -> str:
    """« csv » ou « xlsx » si l'adresse demande un fichier (`?export=csv`), sinon vide."""
    format = request.GET.get("export", "")
    return format if format in tableaux.FORMATS else ""


def exporter(
    request,
    lignes: QuerySet,
    colonnes: Sequence[tableaux.Colonne],
    *,
    nom: str,
    completer: Callable[[list], None] | None = None,
):
    """Le fichier demandé : toutes les lignes de la vue, pas seulement la page. Exige le droit d'exporter.

    completer(paquet) : annote deux mille lignes à la fois de ce que l'écran lit page par page.
    """
    if not peut(request.user, Droit.EXPORTER):
        raise PermissionDenied(_("Votre rôle ne permet pas d'exporter."))
    try:
        return tableaux.repondre(
            tableaux.parcourir(lignes, completer=completer), colonnes, nom=nom, format=demande(request)
        )
    except tableaux.TropDeLignes:
        messages.error(request, _("Trop de lignes pour un classeur : prenez le CSV, ou un filtre."))
        return rediriger(request, f"{request.path}{parametres(request, export=None)}")
