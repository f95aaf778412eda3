"""Les erreurs de l'API : `application/problem+json` (RFC 9457), dans la langue demandée, champs fautifs nommés."""

import logging
import re

from django.core.exceptions import (
    PermissionDenied,
    RequestDataTooBig,
    SuspiciousOperation,
    TooManyFieldsSent,
    TooManyFilesSent,
    ValidationError,
)
from django.http import Http404, HttpResponse, JsonResponse
from django.http.multipartparser import MultiPartParserError
from django.http.request import UnreadablePostError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from ninja.errors import HttpError
from ninja.errors import ValidationError as SaisieRefusee

from clients.services import ConflitEdition

log = logging.getLogger(__name__)
TYPE = "application/problem+json"

# Code stable d'un problème → titre ; le code est l'ancre de la page de documentation.
TITRES = {
    "requete-illisible": gettext_lazy("Requête illisible"),
    "jeton-absent": gettext_lazy("Jeton absent"),
    "jeton-refuse": gettext_lazy("Jeton refusé"),
    "portee-absente": gettext_lazy("Portée absente"),
    "droit-absent": gettext_lazy("Droit absent"),
    "introuvable": gettext_lazy("Introuvable"),
    "methode-refusee": gettext_lazy("Méthode refusée"),
    "perime": gettext_lazy("Version périmée"),
    "etat-refuse": gettext_lazy("État incompatible"),
    "cle-en-cours": gettext_lazy("Requête déjà en cours"),
    "cle-reemployee": gettext_lazy("Clé d’idempotence réemployée"),
    "corps-trop-grand": gettext_lazy("Corps trop grand"),
    "type-refuse": gettext_lazy("Type de contenu refusé"),
    "saisie-refusee": gettext_lazy("Saisie refusée"),
    "debit-depasse": gettext_lazy("Débit dépassé"),
    "erreur-interne": gettext_lazy("Erreur interne"),
    "indisponible": gettext_lazy("Service indisponible"),
}


class Probleme(Exception):
    """Une réponse d'erreur. champs : [(nom du champ, message)]."""

    def __init__(self, statut: int, code: str, detail: str, *, champs=(), entetes=None, plus=None):
        self.statut, self.code, self.detail = statut, code, detail
        self.champs, self.entetes, self.plus = list(champs), entetes or {}, plus or {}
        super().__init__(detail)


def repondre(probleme: Probleme) -> HttpResponse:
    corps = {
        "type": f"/api/v1/#{probleme.code}",
        "title": str(TITRES[probleme.code]),
        "status": probleme.statut,
        "detail": str(probleme.detail),
        **probleme.plus,
    }
    if probleme.champs:
        corps["champs"] = [{"champ": nom, "message": str(message)} for nom, message in probleme.champs]
    options = {"ensure_ascii": False}
    return JsonResponse(
        corps, status=probleme.statut, content_type=TYPE, headers=probleme.entetes, json_dumps_params=options
    )


def introuvable() -> Probleme:
    """Ce qui n'existe pas, et ce qui est à une autre société ou à un autre portefeuille : la même réponse."""
    return Probleme(404, "introuvable", _("Rien de tel dans le périmètre de ce jeton."))


def saisie(champs) -> Probleme:
    return Probleme(422, "saisie-refusee", _("La demande a des champs fautifs : rien n’est écrit."), champs=champs)


def traduire(erreur: Exception) -> Probleme:
    """Toute exception d'une opération → un problème documenté ; l'inattendu se lit au journal du serveur, pas ici."""
    match erreur:
        case Probleme():
            return erreur
        case SaisieRefusee():
            return _saisie_refusee(erreur)
        case ValidationError():
            return saisie(champs_de(erreur))
        case ConflitEdition():
            plus = {"version": erreur.version, "champs_modifies": erreur.champs}
            detail = _("%(quoi)s Relisez la fiche, puis recommencez avec sa version.") % {"quoi": erreur}
            return Probleme(409, "perime", detail, plus=plus)
        case Http404():
            return introuvable()
        case PermissionDenied():
            return Probleme(403, "droit-absent", str(erreur) or _("Le rôle de la personne ne le permet pas."))
        case RequestDataTooBig() | TooManyFieldsSent() | TooManyFilesSent():
            return trop_grand()
        case HttpError() if erreur.status_code == 400:
            return Probleme(400, "requete-illisible", _("Le corps n’est pas un JSON lisible."))
        case SuspiciousOperation() | MultiPartParserError() | UnreadablePostError():
            return Probleme(400, "requete-illisible", _("Le corps de la requête ne se lit pas."))
        case _:
            log.error("réponse 500 de l'API", exc_info=erreur)
            return Probleme(500, "erreur-interne", _("Une erreur imprévue a interrompu la demande : rien n’est écrit."))


def trop_grand() -> Probleme:
    return Probleme(413, "corps-trop-grand", _("Le corps de la requête dépasse la taille admise."))


def champs_de(erreur: ValidationError) -> list[tuple[str, str]]:
    """[(champ, message)] d'un refus de service ou de formulaire ; un refus général porte le champ vide."""
    if hasattr(erreur, "error_dict"):
        lus = erreur.message_dict.items()
        return [("" if nom == "__all__" else nom, message) for nom, messages in lus for message in messages]
    return [("", message) for message in erreur.messages]


def _saisie_refusee(erreur: SaisieRefusee) -> Probleme:
    fautes = erreur.errors
    if any(faute["loc"][0] == "path" for faute in fautes):
        return introuvable()  # une clé qui ne peut pas exister n'existe pas
    dites = [(_nom(faute["loc"]), _message(faute)) for faute in fautes if faute["type"] != "none_required"]
    return saisie(list(dict.fromkeys(dites))[:50])


BRANCHES = re.compile(r"[\[\]]|^(str|int|none|constrained-str)$")


def _nom(loc: tuple) -> str:
    """('body', 'corps', 'parts', 0, 'montant') → « parts.0.montant », sans les branches d'un type composé."""
    morceaux = list(loc[1:])
    if morceaux and morceaux[0] in ("corps", "filtres"):
        morceaux = morceaux[1:]
    dits = [str(morceau) for morceau in morceaux if not BRANCHES.search(str(morceau))]
    return ".".join(re.sub(r"[^\w:-]", "?", dit)[:60] for dit in dits)


def _message(faute: dict) -> str:
    contexte = faute.get("ctx", {})
    messages = {
        "missing": _("Ce champ est nécessaire."),
        "extra_forbidden": _("Champ inconnu."),
        "string_type": _("Donnez un texte entre guillemets."),
        "string_too_long": _("Texte trop long : %(n)s caractères au plus."),
        "string_too_short": _("Texte trop court : %(n)s caractères au moins."),
        "string_pattern_mismatch": _("La forme attendue n’est pas celle-là."),
        "literal_error": _("Valeur inconnue : %(n)s."),
        "int_parsing": _("Donnez un nombre entier."),
        "int_type": _("Donnez un nombre entier."),
        "int_from_float": _("Donnez un nombre entier."),
        "bool_parsing": _("Donnez true ou false."),
        "bool_type": _("Donnez true ou false."),
        "list_type": _("Donnez une liste."),
        "too_long": _("Trop d’éléments : %(n)s au plus."),
        "too_short": _("Trop peu d’éléments : %(n)s au moins."),
        "greater_than_equal": _("Au moins %(n)s."),
        "less_than_equal": _("Au plus %(n)s."),
        "value_error": "%(n)s",
    }
    cles = ("max_length", "min_length", "expected", "ge", "le", "error")
    borne = next((contexte[cle] for cle in cles if contexte.get(cle) is not None), "")
    return messages.get(faute["type"], _("Valeur refusée.")) % {"n": borne}
