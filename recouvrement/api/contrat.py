"""Poser une opération : sa portée, ses erreurs, ses exemples ; le contrat et la garde sortent d'un même endroit."""

from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext as _
from ninja import Router

from . import idempotence
from .acces import MULTIPART, Jeton
from .formes import Entree
from .portees import PORTEES, Portee
from .problemes import saisie

ERREURS = {
    400: "Requête illisible : JSON mal formé, en-tête nécessaire absent.",
    401: "Jeton absent, inconnu, expiré ou révoqué, ou personne sans accès.",
    403: "Le jeton n’a pas la portée, ou la personne n’a pas le droit.",
    404: "Rien de tel dans le périmètre du jeton.",
    405: "Méthode inconnue de cette adresse ; `Allow` dit lesquelles vont.",
    409: "Version périmée, état incompatible, ou même demande en cours.",
    413: "Corps au-delà de la taille admise.",
    414: "Adresse de plus de 4 094 octets : le serveur la refuse avant l’application, en HTML.",
    415: "Type de contenu autre que celui attendu.",
    422: "Champs fautifs, ou clé d’idempotence d’une autre demande.",
    429: "Débit dépassé ; `Retry-After` dit quand revenir.",
    500: "Erreur imprévue : rien n’est écrit.",
    503: "Moteur de PDF ou dépôt de fichiers indisponible.",
}
PARAMETRE_CLE = {
    "in": "header",
    "name": idempotence.ENTETE,
    "required": True,
    "description": "Propre à cette écriture. Rejouée avec le même corps, la demande rend la même réponse, sept jours.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 120, "pattern": "^[!-~]+$"},
    "example": "commande-2026-11-20-0001",
}
DEBIT = {
    "RateLimit-Limit": {"description": "Demandes permises par minute.", "schema": {"type": "integer"}},
    "RateLimit-Remaining": {"description": "Demandes restantes dans la minute.", "schema": {"type": "integer"}},
    "RateLimit-Reset": {"description": "Secondes avant la minute suivante.", "schema": {"type": "integer"}},
}


def operation(
    router: Router,
    methode: str,
    chemin: str,
    *,
    nom: str,
    portee: Portee | None,
    reponse: Any,
    exemple: Any = None,
    statut: int = 200,
    erreurs: Iterable[int] = (),
    filtres: type[Entree] | None = None,
    corps: str = "",
    exemple_corps: Any = None,
    media: str = "",
) -> Callable:
    """Décore une opération. Un POST porte toujours une clé d'idempotence. media : réponse autre que du JSON."""
    attendues = {401, 403, 405, 414, 422, 429, 500, *erreurs}
    if "{" in chemin:
        attendues.add(404)
    if corps:
        attendues |= {400, 413, 415}
    if methode == "POST":
        attendues |= {400, 409}
    plus: dict[str, Any] = {"x-portee": portee or "", "x-erreurs": sorted(attendues)}
    if exemple is not None:
        plus["x-exemple"] = exemple
    if media:
        plus["x-media"] = media
    if exemple_corps is not None:
        plus["x-exemple-corps"] = exemple_corps
    if methode == "POST":
        plus["parameters"] = [PARAMETRE_CLE]
    plus["description"] = "Tout jeton en service."
    if portee:
        plus["description"] = f"Portée : `{portee}` ({PORTEES[portee][1]})."
    connus = set(filtres.model_fields) if filtres else set()

    def decorateur(vue: Callable) -> Callable:
        titre, _ligne, suite = (vue.__doc__ or "").strip().partition("\n")
        plus["description"] = " ".join(filter(None, [" ".join(suite.split()), plus.get("description", "")]))

        @wraps(vue)
        def gardee(request: HttpRequest, **parametres):
            if inconnus := sorted(set(request.GET) - connus):
                raise saisie([(cle[:60], _("Paramètre inconnu.")) for cle in inconnus[:20]])
            if methode == "POST":
                return idempotence.executer(request, lambda: vue(request, **parametres), statut=statut)
            return vue(request, **parametres)

        poser = router.api_operation(
            [methode], chemin, auth=Jeton(portee, corps), response={statut: reponse}, url_name=nom, operation_id=nom,
            summary=titre, openapi_extra=plus,
        )  # fmt: skip
        return poser(gardee)

    return decorateur


def completer(schema: dict) -> dict:
    """Le schéma de ninja, ses réponses d'erreur, ses exemples et ses en-têtes ajoutés."""
    schema["components"]["schemas"] |= {"Probleme": PROBLEME}
    schema["components"]["securitySchemes"] = {"jeton": Jeton.openapi_security_schema}
    for chemin in schema["paths"].values():
        for methode, details in chemin.items():
            _completer(details, methode)
    return schema


def _completer(details: dict, methode: str) -> None:
    details["security"] = [{"jeton": []}]
    exemple, media = details.pop("x-exemple", None), details.pop("x-media", "")
    for code, reponse in details["responses"].items():
        reponse["description"] = "Réussite."
        reponse["headers"] = dict(DEBIT)
        if methode == "post":
            reponse["headers"]["Idempotency-Replayed"] = {
                "description": "`true` : réponse d’une écriture déjà faite.", "schema": {"type": "string"},
            }  # fmt: skip
        if media:
            reponse["content"] = {media: {"schema": {"type": "string", "format": "binary"}}}
        elif exemple is not None and int(code) < 300:
            reponse["content"]["application/json"]["example"] = exemple
    if (donne := details.pop("x-exemple-corps", None)) is not None:
        for contenu in details["requestBody"]["content"].values():
            contenu["example"] = donne
    if "requestBody" in details and MULTIPART not in details["requestBody"]["content"]:
        details["requestBody"]["required"] = True
    for code in details.pop("x-erreurs"):
        details["responses"][code] = _erreur(code)


def _erreur(code: int) -> dict:
    if code == 414:
        return {"description": ERREURS[code], "content": {"text/html": {"schema": {"type": "string"}}}}
    exemple = {"type": "/api/v1/#saisie-refusee", "title": "Saisie refusée", "status": 422, "detail": ERREURS[422]}
    contenu: dict[str, Any] = {"schema": {"$ref": "#/components/schemas/Probleme"}}
    if code == 422:
        contenu["example"] = exemple | {"champs": [{"champ": "montant", "message": "Ce champ est nécessaire."}]}
    reponse: dict[str, Any] = {"description": ERREURS[code], "content": {"application/problem+json": contenu}}
    if code == 429:
        reponse["headers"] = DEBIT | {"Retry-After": {"description": "Secondes.", "schema": {"type": "integer"}}}
    if code == 401:
        reponse["headers"] = {"WWW-Authenticate": {"description": "Défi Bearer.", "schema": {"type": "string"}}}
    return reponse


PROBLEME = {
    "title": "Probleme",
    "type": "object",
    "description": "RFC 9457. `type` désigne un cas stable ; `detail` est écrit pour une personne.",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string", "format": "uri-reference"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "champs": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["champ", "message"],
                "properties": {"champ": {"type": "string"}, "message": {"type": "string"}},
            },
        },
        "version": {"type": "integer", "description": "Version courante, quand la vôtre est périmée."},
        "champs_modifies": {"type": "array", "items": {"type": "string"}},
    },
}
