"""Outils des vues de liste : tri en liste blanche, pages, onglets, page entière ou fragment htmx.

Tout l'état est dans l'adresse : copier l'adresse, c'est partager la vue.
"""

import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import F, QuerySet
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.template.loader import render_to_string
from django.urls import NoReverseMatch, reverse
from django.utils.cache import patch_vary_headers

PAR_PAGE = 50
PLAFOND = 10_000  # au-delà on ne compte plus : un million de lignes ne se feuillette pas


def parametres(request, **changements) -> str:
    """Chaîne `?…` de la vue courante avec ces changements ; None ou "" retire, la page repart à 1."""
    copie = request.GET.copy()
    if "page" not in changements:
        copie.pop("page", None)
    for cle, valeur in changements.items():
        if valeur is None or valeur == "":
            copie.pop(cle, None)
        elif isinstance(valeur, (list, tuple)):
            copie.setlist(cle, valeur)
        else:
            copie[cle] = str(valeur)
    return f"?{copie.urlencode()}"


def adresse(route: str, *args) -> str:
    """Adresse de la route, vide si elle n'existe pas : le menu et les liens sautent ce qui n'est pas là."""
    try:
        return reverse(route, args=args)
    except NoReverseMatch:
        return ""


class _Pages(Paginator):
    @cached_property
    def count(self):
        """Nombre de lignes, compté jusqu'au plafond seulement."""
        if isinstance(self.object_list, QuerySet):
            return self.object_list.order_by()[:PLAFOND].count()
        return min(len(self.object_list), PLAFOND)


class Liste:
    """Une page triée d'un queryset.

    `tris` : {clé d'adresse: champs ORM} ; rien d'autre n'atteint `order_by`. `defaut` : clé, précédée
    de « - » pour décroissant. La clé primaire départage toujours : deux pages ne se chevauchent pas.
    """

    def __init__(
        self,
        request,
        lignes: QuerySet,
        *,
        tris: Mapping[str, Iterable[str]] | None = None,
        defaut: str = "",
        par_page: int = PAR_PAGE,
    ):
        self.request = request
        self.tris = {cle: tuple(champs) for cle, champs in (tris or {}).items()}
        demande = request.GET.get("tri", "")
        self.tri = demande if demande.removeprefix("-") in self.tris else defaut
        if self.tris:
            lignes = lignes.order_by(*self._ordre())
        self.lignes = lignes  # toutes, dans l'ordre : ce qu'un export écrit
        self.pages = _Pages(lignes, par_page)
        self.page = self.pages.get_page(request.GET.get("page"))

    @property
    def cle(self) -> str:
        return self.tri.removeprefix("-")

    @property
    def decroissant(self) -> bool:
        return self.tri.startswith("-")

    def _ordre(self):
        for champ in self.tris[self.cle]:
            expression = F(champ)
            yield expression.desc(nulls_last=True) if self.decroissant else expression.asc(nulls_last=True)
        yield "pk"

    def __iter__(self):
        return iter(self.page.object_list)

    def __len__(self):
        return len(self.page.object_list)

    @property
    def total(self) -> int:
        return self.pages.count

    @property
    def plafonnee(self) -> bool:
        return self.pages.count >= PLAFOND

    def url_tri(self, cle: str) -> str:
        """Même clé : on inverse ; autre clé : croissant."""
        return parametres(self.request, tri=f"-{cle}" if cle == self.cle and not self.decroissant else cle)


@dataclass(frozen=True)
class Onglet:
    """Un onglet de `{% onglets %}` ; `compte` None n'affiche rien, 0 s'affiche."""

    libelle: str
    url: str
    courant: bool = False
    compte: int | None = None


def onglets(request, parametre: str, choix: Iterable[tuple]) -> list[Onglet]:
    """[(valeur, libellé[, compte])…] → onglets ; la première valeur est celle par défaut."""
    choix = [(*c, None)[:3] for c in choix]
    valeurs = [valeur for valeur, _libelle, _compte in choix]
    courante = valeur_parmi(request, parametre, valeurs)
    return [
        Onglet(libelle, parametres(request, **{parametre: valeur}), valeur == courante, compte)
        for valeur, libelle, compte in choix
    ]


def valeur_parmi(request, parametre: str, permises: Iterable[str]) -> str:
    """Valeur de l'adresse si elle est permise, sinon la première."""
    permises = list(permises)
    demande = request.GET.get(parametre, "")
    return demande if demande in permises else permises[0]


def texte(request, nom: str, maximum: int = 80) -> str:
    """Texte libre de l'adresse, bords rognés, coupé à `maximum` caractères.

    Caractères de commande (Cc) et demi-codets (Cs) tombent : PostgreSQL refuse le NUL, et aucune base n'écrit un
    demi-codet.
    """
    lus = (c for c in request.GET.get(nom, "") if unicodedata.category(c) not in ("Cc", "Cs"))
    return "".join(lus).strip()[:maximum]


def entier(texte: str | None, *, maximum: int = 2**31 - 1) -> int | None:
    """Entier positif de l'adresse ; None s'il ne se lit pas ou déborde une clé : la base le refuserait."""
    texte = (texte or "").strip()
    if not texte.isdecimal() or len(texte) > 18:
        return None
    lu = int(texte)
    return lu if lu <= maximum else None


def veut_fragment(request) -> bool:
    """Vrai si htmx demande un morceau ; un retour d'historique veut toujours la page entière."""
    return bool(getattr(request, "htmx", False)) and not request.htmx.history_restore_request


def rendre(request, page: str, fragment: str, contexte=None, *, status: int = 200) -> HttpResponse:
    """Page entière, ou fragment pour htmx suivi des messages en attente (hors bande)."""
    if not veut_fragment(request):
        reponse = render(request, page, contexte, status=status)
    else:
        reponse = render(request, fragment, contexte, status=status)
        reponse.content += render_to_string("_toasts_hors_bande.html", {}, request).encode()
    patch_vary_headers(reponse, ["HX-Request"])
    return reponse


def rediriger(request, url: str) -> HttpResponse:
    """Après un POST réussi : 303 pour un navigateur, HX-Redirect pour htmx."""
    if getattr(request, "htmx", False):
        return HttpResponse(headers={"HX-Redirect": url})
    reponse = HttpResponseRedirect(url)
    reponse.status_code = 303
    return reponse


def fait(request, texte: str, *, annuler: str = "") -> None:
    """Toast de réussite ; `annuler` = adresse POST qui défait, offerte dix secondes."""
    messages.success(request, texte, extra_tags=f"annuler={annuler}" if annuler else "")
