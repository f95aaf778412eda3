"""Les types du contrat : montants en chaînes à deux décimales, dates ISO, textes sans caractère de commande."""

import unicodedata
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Literal

from django.utils import timezone
from django.utils.translation import gettext as _
from ninja import Schema
from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, WithJsonSchema

PREMIER_JOUR, DERNIER_JOUR = date(1990, 1, 1), date(2199, 12, 31)
CLE_MAX = 2**63 - 1


class Sortie(Schema):
    """Ce que l'API rend : tous les champs, toujours ; sans valeur, null ou vide."""

    model_config = ConfigDict(json_schema_serialization_defaults_required=True)


class Entree(Schema):
    """Ce que l'API reçoit : un champ inconnu est une faute."""

    model_config = ConfigDict(extra="forbid")


def lire_jour(valeur):
    """« 2026-11-20 » → date. Lève ValueError : autre forme, ou hors de deux siècles."""
    try:
        jour = date.fromisoformat(valeur) if isinstance(valeur, str) and len(valeur) == 10 else None
    except ValueError:
        jour = None
    if jour is None or not PREMIER_JOUR <= jour <= DERNIER_JOUR:
        raise ValueError(_("Une date s’écrit 2026-11-20, entre 1990 et 2199."))
    return jour


def lire_instant(valeur):
    """« 2026-11-20T10:00:00+01:00 » → datetime ; le décalage est nécessaire. Lève ValueError."""
    try:
        lu = datetime.fromisoformat(valeur) if isinstance(valeur, str) and 16 < len(valeur) < 40 else None
    except ValueError:
        lu = None
    if lu is None or lu.tzinfo is None or not PREMIER_JOUR.year < lu.year < DERNIER_JOUR.year:
        raise ValueError(_("Un instant s’écrit 2026-11-20T10:00:00+01:00, décalage compris."))
    return lu


def lisible(texte: str) -> str:
    """Aucune base n'écrit un NUL ni un demi-codet ; les retours à la ligne passent."""
    if any(unicodedata.category(c) in ("Cc", "Cs") and c not in "\n\r\t" for c in texte):
        raise ValueError(_("Ce texte porte un caractère de commande."))
    return texte


def sans_defaut(schema: dict) -> None:
    schema.pop("default", None)


def facultatif(description: str, **plus):
    """Champ qu'on peut ne pas envoyer ; absent vaut None, que le contrat ne montre pas."""
    return Field(None, description=description, json_schema_extra=sans_defaut, **plus)


Cle = Annotated[int, Field(ge=1, le=CLE_MAX, examples=[12])]
Texte = Annotated[str, AfterValidator(lisible)]
JourLu = Annotated[
    date,
    BeforeValidator(lire_jour),
    WithJsonSchema({"type": "string", "format": "date", "examples": ["2026-11-20"]}),
]
InstantLu = Annotated[
    datetime,
    BeforeValidator(lire_instant),
    WithJsonSchema({"type": "string", "format": "date-time", "examples": ["2026-11-20T10:00:00+01:00"]}),
]
MontantLu = Annotated[
    str, Field(pattern=r"^[0-9]{1,13}([.][0-9]{1,2})?$", examples=["1250.50"], description="Chaîne, point décimal.")
]
Montant = Annotated[str, Field(pattern=r"^-?[0-9]+[.][0-9]{2}$", examples=["1250.50"])]
Jour = Annotated[str, WithJsonSchema({"type": "string", "format": "date", "examples": ["2026-11-20"]})]
Instant = Annotated[
    str, WithJsonSchema({"type": "string", "format": "date-time", "examples": ["2026-11-20T10:00:00+01:00"]})
]
Devise = Annotated[str, Field(pattern="^[A-Z]{3}$", examples=["EUR"])]


def parmi(choix) -> object:
    """Littéral des valeurs d'une énumération de la maison."""
    return Literal[tuple(choix)]


# --- Écrire une réponse : des valeurs JSON, jamais un float ---------------------------------------------


def somme(valeur: Decimal | None) -> str | None:
    return None if valeur is None else f"{valeur:.2f}"


def jour(valeur: date | None) -> str | None:
    return None if valeur is None else valeur.isoformat()


def instant(valeur: datetime | None) -> str | None:
    return None if valeur is None else timezone.localtime(valeur).isoformat(timespec="seconds")


class Page(Entree):
    """Tranche d'une liste : ordre des clés croissantes, donc stable quand des lignes s'ajoutent."""

    limite: int = Field(50, ge=1, le=200, description="Lignes par page.")
    curseur: str = facultatif("`curseur_suivant` de la page précédente.", max_length=300)


class Societe(Sortie):
    code: str = Field(examples=["MERCIER"])
    raison_sociale: str = Field(examples=["Ateliers Mercier"])


class Personne(Sortie):
    id: int
    nom: str = Field(examples=["Claire Bonnet"])
    courriel: str = Field(examples=["claire.bonnet@mercier.example"])


class ClientCourt(Sortie):
    id: int
    code: str = Field(examples=["C000123"])
    raison_sociale: str = Field(examples=["Menuiserie Delorme"])


def personne(utilisateur) -> dict | None:
    if utilisateur is None:
        return None
    return {"id": utilisateur.pk, "nom": utilisateur.nom, "courriel": utilisateur.courriel}


def client_court(client) -> dict:
    return {"id": client.pk, "code": client.code, "raison_sociale": client.raison_sociale}
