"""À la porte : le jeton, son débit, sa portée, le droit de la personne, et la forme du corps."""

from django.conf import settings
from django.core.cache import cache
from django.utils.translation import gettext as _

from recouvrement.commun.horloge import aujourd_hui, maintenant
from recouvrement.comptes.droits import peut, roles_de

from .jetons import JetonRefuse, reconnaitre
from .models import JetonApi
from .portees import Portee, droit_de
from .problemes import Probleme

FENETRE = 60  # secondes
CORPS_MAX = 1024 * 1024  # octets d'un corps JSON
MARGE_MULTIPART = 64 * 1024  # en-têtes et bornes autour du fichier
JSON, MULTIPART = "application/json", "multipart/form-data"


class Jeton:
    """Garde d'une opération. portee : celle qu'il faut (None : tout jeton valable). corps : type de contenu attendu."""

    openapi_type = "http"
    openapi_scheme = "bearer"
    openapi_security_schema = {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "rcv_<préfixe>_<secret>",
        "description": "Jeton créé par un administrateur : Administration, Accès API. Jamais de cookie de session.",
    }

    def __init__(self, portee: Portee | None, corps: str = ""):
        self.portee, self.corps = portee, corps

    def __call__(self, request) -> JetonApi:
        request.jeton = jeton = _reconnaitre(request)
        request.debit = compter(jeton)
        if request.debit["reste"] < 0:
            attente = str(request.debit["dans"])
            detail = _("Plus de %(n)s demandes dans la minute : attendez %(s)s secondes.")
            detail %= {"n": request.debit["limite"], "s": attente}
            raise Probleme(429, "debit-depasse", detail, entetes={"Retry-After": attente})
        if self.portee is not None:
            self._permettre(jeton)
        if self.corps and request.content_type != self.corps:
            detail = _("Cette opération attend un corps %(type)s.") % {"type": self.corps}
            raise Probleme(415, "type-refuse", detail, entetes={"Accept": self.corps})
        return jeton

    def _permettre(self, jeton: JetonApi) -> None:
        if self.portee not in jeton.portees:
            detail = _("Ce jeton n’a pas la portée « %(portee)s ».") % {"portee": self.portee}
            raise Probleme(403, "portee-absente", detail)
        if not peut(jeton.utilisateur, droit_de(self.portee), jeton.societe_id):
            detail = _("Le rôle de la personne de ce jeton ne permet pas « %(portee)s ».") % {"portee": self.portee}
            raise Probleme(403, "droit-absent", detail)


def _reconnaitre(request) -> JetonApi:
    try:
        jeton = reconnaitre(request.headers.get("Authorization", ""), moment=maintenant(), au=aujourd_hui())
        if jeton.societe_id not in roles_de(jeton.utilisateur):
            raise JetonRefuse("ferme")
    except JetonRefuse as refus:
        phrases = {
            "absent": _("Envoyez l’en-tête Authorization: Bearer rcv_…"),
            "inconnu": _("Ce jeton n’existe pas."),
            "expire": _("Ce jeton a expiré."),
            "revoque": _("Ce jeton est révoqué."),
            "ferme": _("La personne de ce jeton n’a plus accès à cette société."),
        }
        code = "jeton-absent" if refus.code == "absent" else "jeton-refuse"
        defi = 'Bearer realm="api"' + ("" if refus.code == "absent" else ', error="invalid_token"')
        raise Probleme(401, code, phrases[refus.code], entetes={"WWW-Authenticate": defi}) from None
    return jeton


def compter(jeton: JetonApi) -> dict[str, int]:
    """Une demande de plus dans la minute du jeton : limite, reste (négatif : dépassée), secondes avant la suivante."""
    instant = int(maintenant().timestamp())
    cle, limite = f"api:debit:{jeton.pk}:{instant // FENETRE}", settings.API_DEMANDES_PAR_MINUTE
    cache.add(cle, 0, 2 * FENETRE)
    try:
        faites = cache.incr(cle)
    except ValueError:  # évincée entre les deux : la fenêtre repart
        faites = 1
    return {"limite": limite, "reste": limite - faites, "dans": FENETRE - instant % FENETRE}


def taille_permise(request) -> bool:
    """Vrai si le corps annoncé tient ; un envoi sans longueur annoncée n'est pas lu."""
    annonce = request.META.get("CONTENT_LENGTH") or "0"
    maximum = settings.TAILLE_MAX_IMPORT + MARGE_MULTIPART if request.content_type == MULTIPART else CORPS_MAX
    return annonce.isdecimal() and int(annonce) <= maximum


def entetes_de_debit(debit: dict[str, int]) -> dict[str, str]:
    return {
        "RateLimit-Limit": str(debit["limite"]),
        "RateLimit-Remaining": str(max(debit["reste"], 0)),
        "RateLimit-Reset": str(debit["dans"]),
    }
