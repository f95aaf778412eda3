"""À la porte de la page du client : le lien résolu, la langue, les en-têtes, les essais ratés.

Toute vue du portail porte `@par_lien` et reçoit `(request, acces, …)` à la place du jeton. Le jeton de l'adresse est le
seul secret : ni session, ni cookie. Les formulaires n'ont donc pas de `{% csrf_token %}` : qui ne connaît pas l'adresse
ne peut rien y poster (et `no-referrer` ferait refuser l'en-tête Origin, que le navigateur met alors à « null »).
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import wraps

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import translation
from django.views.decorators.csrf import csrf_exempt

from clients.models import Client
from recouvrement.commun.horloge import aujourd_hui
from recouvrement.comptes.models import Langue, Societe
from relances.models import LienPortail, ReglagePortail
from relances.services import liens

from . import limitation

CSP = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "font-src": ["'self'"],
        "form-action": ["'self'"],
        "base-uri": ["'none'"],
        "frame-ancestors": ["'none'"],
    }
}
AGENT_MAX = 250


@dataclass(frozen=True)
class Acces:
    """Un lien valable et ce qu'il ouvre. langue : « fr » ou « en ». au : le jour de Paris."""

    lien: LienPortail
    client: Client
    societe: Societe
    reglage: ReglagePortail
    au: date
    langue: str
    jeton: str
    adresse_ip: str
    agent: str
    apercu: bool = False  # une personne de l'équipe regarde : rien ne se consigne, rien ne se déclare

    def url(self, route: str, *args) -> str:
        """Adresse d'une page du portail (« page », « qr »…) pour ce lien, dans la langue choisie."""
        if self.apercu:
            return "#apercu"
        return reverse(f"portail:{route}", args=[self.jeton, *args]) + self.suffixe

    @property
    def suffixe(self) -> str:
        """« ?langue=en » si la langue n'est pas celle du client, vide sinon ; à garder sur chaque adresse."""
        return "" if self.langue == self.client.langue else f"?langue={self.langue}"

    @property
    def url_page(self) -> str:
        return self.url("page")

    @property
    def url_donnees(self) -> str:
        return self.url("donnees")

    @property
    def autre_langue(self) -> str:
        return Langue.FR if self.langue == Langue.EN else Langue.EN

    @property
    def particulier(self) -> bool:
        return self.client.type == "particulier"


def par_lien(vue: Callable) -> Callable:
    """Décorateur d'une vue publique : `vue(request, acces, …)`. Un lien faux, révoqué ou expiré n'y arrive jamais."""

    @csrf_exempt
    @wraps(vue)
    def gardee(request, jeton, *args, **kwargs):
        if not limitation.permis(request, "lien"):
            return trop_d_essais(request)
        lien, au = liens.reconnaitre(jeton), aujourd_hui()
        if lien is None or lien.revoque_le:
            limitation.rate(request, "lien")
            return introuvable(request)
        reglage = liens.reglage_ouvert(lien.client.societe)
        langue = langue_demandee(request, lien.client.langue)
        if reglage is None or lien.expire_le < au:
            return ferme(request, lien, langue)
        acces = Acces(
            lien=lien, client=lien.client, societe=lien.client.societe, reglage=reglage, au=au, langue=langue,
            jeton=jeton, adresse_ip=limitation.adresse_ip(request),
            agent=request.META.get("HTTP_USER_AGENT", "").replace("\x00", "")[:AGENT_MAX],
        )  # fmt: skip
        with translation.override(langue):
            return proteger(vue(request, acces, *args, **kwargs), langue)

    gardee.droit, gardee.garde = None, "lien"
    return gardee


def publique(vue: Callable) -> Callable:
    """Décorateur d'une page du portail qui ne porte pas encore de lien : mêmes en-têtes, langue du navigateur."""

    @csrf_exempt
    @wraps(vue)
    def gardee(request, *args, **kwargs):
        langue = langue_demandee(request, translation.get_language() or "fr")
        with translation.override(langue):
            return proteger(vue(request, *args, **kwargs), langue)

    gardee.droit, gardee.garde = None, "code"
    return gardee


def langue_demandee(request, defaut: str) -> str:
    """`?langue=` si elle existe, sinon celle du client."""
    demande = request.GET.get("langue", "")
    return demande if demande in Langue.values else defaut[:2] if defaut[:2] in Langue.values else Langue.FR


def proteger(reponse: HttpResponse, langue: str) -> HttpResponse:
    """Rien ne se garde, ne s'indexe, ne s'encadre, ni ne part ailleurs avec l'adresse."""
    reponse["Referrer-Policy"] = "no-referrer"
    reponse["Cache-Control"] = "no-store, private"
    reponse["X-Robots-Tag"] = "noindex, nofollow, noarchive"
    reponse["X-Frame-Options"] = "DENY"
    reponse["Content-Language"] = langue
    reponse._csp_config = CSP["DIRECTIVES"]
    if reponse.status_code in (404, 405, 410, 429):
        reponse._has_been_logged = True  # Django écrirait l'adresse, donc le jeton
    return reponse


def introuvable(request) -> HttpResponse:
    """404 uniforme : rien ne dit si le lien a existé."""
    langue = langue_demandee(request, translation.get_language() or "fr")
    with translation.override(langue):
        return proteger(render(request, "portail/introuvable.html", {"langue": langue}, status=404), langue)


def trop_d_essais(request) -> HttpResponse:
    """429, que le lien soit juste ou non : la limite ne renseigne pas."""
    langue = langue_demandee(request, translation.get_language() or "fr")
    with translation.override(langue):
        reponse = render(request, "portail/trop_d_essais.html", {"langue": langue}, status=429)
    reponse["Retry-After"] = str(limitation.attente())
    return proteger(reponse, langue)


def ferme(request, lien: LienPortail, langue: str) -> HttpResponse:
    """Lien authentique mais expiré, ou page refermée : à qui s'adresser, rien sur la dette."""
    with translation.override(langue):
        contexte = {"societe": lien.client.societe, "langue": langue}
        return proteger(render(request, "portail/ferme.html", contexte, status=410), langue)
