"""La documentation de l'API, écrite du schéma publié : sans script, ni rien d'ailleurs."""

import json

from django.shortcuts import render
from django.views.decorators.http import require_safe

from recouvrement.comptes.droits import Droit, exige

from ..application import schema
from ..portees import PORTEES
from ..problemes import TITRES


@require_safe
@exige(Droit.VOIR)
def documentation(request):
    """Ressources, paramètres, exemples, erreurs."""
    publie = schema()
    groupes: dict[str, list[dict]] = {}
    for chemin, methodes in publie["paths"].items():
        for methode, details in methodes.items():
            groupes.setdefault(details["tags"][0], []).append(_operation(chemin, methode, details))
    contexte = {
        "description": publie["info"]["description"],
        "groupes": list(groupes.items()),
        "portees": [(portee.value, phrase) for portee, (_droit, phrase) in PORTEES.items()],
        "problemes": list(TITRES.items()),
        "origine": request.build_absolute_uri("/").rstrip("/"),
    }
    return render(request, "api/documentation.html", contexte)


def _operation(chemin: str, methode: str, details: dict) -> dict:
    reussite = next(code for code in details["responses"] if int(code) < 300)
    return {
        "methode": methode.upper(),
        "chemin": chemin,
        "nom": details["operationId"],
        "titre": details["summary"],
        "description": details.get("description", ""),
        "portee": details.get("x-portee", ""),
        "parametres": [
            {
                "nom": p["name"],
                "requis": p.get("required", False),
                "texte": p.get("description", ""),
                "choix": ", ".join(str(v) for v in p["schema"].get("enum", []) if v),
            }
            for p in details.get("parameters", [])
            if p["in"] != "path"
        ],
        "statut": reussite,
        "erreurs": [code for code in details["responses"] if code != reussite],
        "envoi": _exemple(details.get("requestBody", {}).get("content", {})),
        "reponse": _exemple(details["responses"][reussite].get("content", {})),
    }


def _exemple(contenus: dict) -> str:
    for contenu in contenus.values():
        if "example" in contenu:
            return json.dumps(contenu["example"], ensure_ascii=False, indent=2)
    return ""
